"""What the set-up page is made of: ways of steps, each with its state and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from django.utils.safestring import SafeString

from connectors.models import Connection
from kit.admin.parts import badge
from reporting.core.words import percent_said


class State(StrEnum):
    """How far one step is."""

    DONE = "done"
    NEXT = "next"  # to be done now
    DOING = "doing"  # under way
    WRONG = "wrong"  # it was tried, and something is in the way
    LATER = "later"  # waits for the steps before
    SKIPPED = "skipped"

    @property
    def badge(self) -> SafeString:
        words = {
            State.DONE: ("Done", "ok"), State.NEXT: ("Next", "info"), State.DOING: ("At work", "info"),
            State.WRONG: ("Needs you", "bad"), State.LATER: ("Later", "mute"), State.SKIPPED: ("Not made", "mute"),
        }  # fmt: skip
        return badge(*words[self])


@dataclass(frozen=True, slots=True)
class Act:
    """Something to go to, or (with `posts`) a button that does it. `view`: a name below `admin:`; `needs`: a permission."""

    label: str
    view: str
    args: tuple[object, ...] = ()
    query: str = ""
    needs: str = ""
    is_main: bool = False
    posts: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    title: str
    state: State
    sentence: str
    notes: Sequence[str] = ()
    acts: Sequence[Act] = ()
    share: Decimal | None = None  # of the way, where there is a figure for it: 0 to 100

    @property
    def share_said(self) -> str:
        return percent_said(self.share)

    @property
    def is_open(self) -> bool:
        """Can, or must, somebody do something?"""
        return self.state in (State.NEXT, State.WRONG)


@dataclass(frozen=True, slots=True)
class Path:
    """One shop's way from nothing to live; `store` None: the way of a shop that is yet to be added."""

    store: Connection | None
    steps: Sequence[Step]

    @property
    def title(self) -> str:
        return self.store.name if self.store else "Your shop"

    @property
    def is_live(self) -> bool:
        return self.store is not None and self.store.is_live

    @property
    def step_next(self) -> Step | None:
        """The first step that can be taken, or is under way."""
        return next((one for one in self.steps if one.is_open or one.state == State.DOING), None)

    @property
    def done(self) -> int:
        return sum(one.state in (State.DONE, State.SKIPPED) for one in self.steps)


ADD = "connectors.add_connection"
CHANGE = "connectors.change_connection"
START = "sync.start_run"
LIVE = "connectors.go_live"
