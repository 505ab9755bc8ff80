"""What an explanation is made of: steps that add up, and where a system stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from kit.words import quantity_said

ZERO = Decimal(0)


class Cut(StrEnum):
    """Why a shop shows less than what lies on the shelf, or more."""

    BELOW_NONE = "below none"
    PART = "part"  # of a unit, or of a pack


class Tone(StrEnum):
    """How a step is drawn."""

    TOTAL = "total"  # what is so after the steps before it
    MOVED = "moved"  # units that moved
    HELD = "held"  # units kept back, or not told yet
    ODD = "odd"  # units that nothing explains


@dataclass(frozen=True, slots=True)
class Link:
    """The row that a step comes from: an order, a till's file, a run, a write, a conflict, a person, a movement, or a day."""

    kind: str
    key: int | str
    label: str


@dataclass(frozen=True, slots=True)
class Step:
    """One row. `change` is None on a total; `left` is what is there after it. Both count units of the item."""

    what: str
    change: Decimal | None
    left: Decimal
    tone: Tone = Tone.MOVED
    at: datetime | None = None
    links: Sequence[Link] = ()
    note: str = ""
    cut: Cut | None = None


class Standing(StrEnum):
    """How a system stands to what it should show."""

    IN_STEP = "in step"
    WAITING = "waiting"
    PERSON = "needs a decision"
    FAILED = "failed"
    OBSERVED = "only observed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Bridge:
    """From the shelf to what one system shows. `why_not` and `next_step` are "" where it is in step."""

    steps: Sequence[Step]
    standing: Standing
    sentence: str
    why_not: str = ""
    next_step: str = ""
    links: Sequence[Link] = ()


class Run:
    """Steps that are added one after the other, with what is left after each."""

    def __init__(self, start: Decimal = ZERO) -> None:
        self.left, self.steps = start, list[Step]()

    def total(self, what: str, *, at: datetime | None = None, links: Sequence[Link] = (), note: str = "") -> None:
        self.steps.append(Step(what, None, self.left, Tone.TOTAL, at, links, note))

    def add(
        self,
        what: str,
        change: Decimal,
        tone: Tone = Tone.MOVED,
        *,
        at: datetime | None = None,
        links: Sequence[Link] = (),
        note: str = "",
        cut: Cut | None = None,
    ) -> None:
        """A step that changes something; one of nothing is left out."""
        if change:
            self.left += change
            self.steps.append(Step(what, change, self.left, tone, at, links, note, cut))


def amount(quantity: Decimal | None, *, signed: bool = False) -> str:
    """Result: a quantity as people read it: 12, 1.5, −3; “unknown” where it is, never 0."""
    return quantity_said(quantity, signed=signed, unknown="unknown")


def moment_said(at: datetime, zone: tzinfo, now: datetime) -> str:
    """Result: a moment by the clock of the place, as short as it is clear: 14:02, 11 Feb 14:02, 11 Feb 2025 14:02."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    if there.date() == here.date():
        return f"{there:%H:%M}"
    return f"{there:%-d %b %H:%M}" if there.year == here.year else f"{there:%-d %b %Y %H:%M}"


def listed(parts: Sequence[str]) -> str:
    """Result: “a”, “a and b”, “a, b and c”."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
