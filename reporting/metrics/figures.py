"""The figures of a shop, with units, formulas and goals (issue: headline metrics; docs/metrics.md says the same to managers)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from math import ceil


class Better(StrEnum):
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Headline:
    """One of the five figures with a goal. The goal itself does not meet it: “under 5 minutes” is not 5 minutes."""

    code: str
    title: str
    goal: Decimal
    better: Better
    unit: str  # "s", "%" or "" for a count
    measures: str

    def meets(self, value: Decimal | None) -> bool | None:
        """Result: is the goal met? None while the value is unknown."""
        if value is None:
            return None
        return value < self.goal if self.better is Better.BELOW else value > self.goal


LATENCY = Headline(
    "latency",
    "Sync latency",
    Decimal(300),
    Better.BELOW,
    "s",
    "from an event on one side to the other side's answer",
)
COVERAGE = Headline(
    "coverage", "Alignment coverage", Decimal(95), Better.ABOVE, "%", "the till's items that have a partner in the shop"
)
CONFLICTS = Headline("conflicts", "Conflicts a day", Decimal(5), Better.BELOW, "", "disagreements found, settled ones too")
SUCCESS = Headline("success", "Sync success", Decimal(99), Better.ABOVE, "%", "syncs that reached their end")
ACCURACY = Headline("accuracy", "Inventory accuracy", Decimal(98), Better.ABOVE, "%", "pairs whose readings fit the ledger")
HEADLINES = (LATENCY, COVERAGE, CONFLICTS, SUCCESS, ACCURACY)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted of one connection, or of several together, over a day. Counts, never shares: shares are worked out from
    sums, so that a small store doesn't weigh like a large one. None: nothing was measured."""

    items: int = 0  # items that the tills supplying the store list now
    items_aligned: int = 0  # … of these, with a confirmed partner in the store
    pairs: int = 0  # confirmed pairs
    pairs_known: int = 0  # … of these, with a reading of both sides
    pairs_in_step: int = 0  # … of these, whose readings agree with the ledger
    drift_minor: int = 0
    drift_major: int = 0
    drift_critical: int = 0
    conflicts: int = 0
    runs_ended: int = 0  # syncs that reached their end, with problems or without
    runs_failed: int = 0
    writes_applied: int = 0
    writes_refused: int = 0
    latency_median: Decimal | None = None  # seconds
    latency_p95: Decimal | None = None  # seconds
    calls: int = 0
    calls_failed: int = 0
    call_median: Decimal | None = None  # milliseconds
    call_p95: Decimal | None = None  # milliseconds

    @property
    def pairs_unknown(self) -> int:
        return self.pairs - self.pairs_known

    @property
    def pairs_off(self) -> int:
        return self.pairs_known - self.pairs_in_step

    def value(self, headline: Headline) -> Decimal | None:
        """Result: the headline's figure in its unit; None while nothing of it was measured."""
        if headline is LATENCY:
            return self.latency_p95
        if headline is COVERAGE:
            return percent(self.items_aligned, self.items)
        if headline is CONFLICTS:
            return Decimal(self.conflicts)
        if headline is SUCCESS:
            return percent(self.runs_ended, self.runs_ended + self.runs_failed)
        return percent(self.pairs_in_step, self.pairs_known)


SLOWEST = ("latency_median", "latency_p95", "call_median", "call_p95")


def figures_sum(parts: Iterable[Figures]) -> Figures:
    """Result: several connections as one. Counts add up; of times the slowest connection's count, since averages hide it."""
    parts = list(parts)
    summed: dict[str, int | Decimal | None] = {}
    for name in Figures.__dataclass_fields__:
        values = [getattr(part, name) for part in parts]
        known = [value for value in values if value is not None]
        summed[name] = max(known, default=None) if name in SLOWEST else sum(known)
    return Figures(**summed)  # type: ignore[arg-type] # each value has its field's type


def percent(part: int, whole: int) -> Decimal | None:
    """Result: a share in percent, cut to two decimals: 100 only when nothing is left. None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.01"), ROUND_DOWN) if whole else None


def nearest_rank(values: Sequence[Decimal], share: Decimal) -> Decimal | None:
    """Result: the smallest value that at least this share of the values don't exceed (nearest rank); None of no values."""
    ranked = sorted(values)
    return ranked[max(ceil(share * len(ranked)), 1) - 1] if ranked else None


def median(values: Sequence[Decimal]) -> Decimal | None:
    return nearest_rank(values, Decimal("0.5"))


def p95(values: Sequence[Decimal]) -> Decimal | None:
    return nearest_rank(values, Decimal("0.95"))


@dataclass(frozen=True, slots=True)
class Event:
    """Units that moved at one side, and that the other had to be told."""

    item: int
    source: int
    occurred_at: datetime  # when it was true there, by that side's clock
    recorded_at: datetime  # when we wrote it down


@dataclass(frozen=True, slots=True)
class Answer:
    """A write that took effect: what it was worked out from (`claimed_at`), and when the other side said so."""

    item: int
    connection: int
    claimed_at: datetime
    answered_at: datetime


def latencies(events: Iterable[Event], answers: Iterable[Answer], *, since: datetime) -> dict[int, list[Decimal]]:
    """Result: by connection that was told, the seconds from each event to the answer of the first write that carried it: the
    first one claimed after it was recorded. An event counts in the period of that answer (from `since`); one that nobody is
    told, because the shown number stays the same, has no write of its own and goes with the next one.

    An event dated after its recording (a clock that is ahead) counts from its recording.
    """
    waiting: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        waiting[event.item].append(event)
    told: dict[tuple[int, int], datetime] = {}  # by item and connection, up to when events are in its number
    found: dict[int, list[Decimal]] = defaultdict(list)
    for answer in sorted(answers, key=lambda one: one.claimed_at):
        until = told.get((answer.item, answer.connection))
        told[answer.item, answer.connection] = answer.claimed_at
        if answer.answered_at < since:
            continue
        for event in waiting[answer.item]:
            fresh = event.recorded_at <= answer.claimed_at and (until is None or event.recorded_at > until)
            if fresh and event.source != answer.connection:
                began = min(event.occurred_at, event.recorded_at)
                found[answer.connection].append(Decimal(str((answer.answered_at - began).total_seconds())))
    return dict(found)


LOOK_BACK = timedelta(days=1)  # an event that waited longer is no latency any more: the oldest unsent write tells of it


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One connection's figures, or all connections', of one day."""

    label: str
    figures: Figures = field(default_factory=Figures)
