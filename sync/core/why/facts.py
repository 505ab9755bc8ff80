"""What is known of one item, its places, and the systems that show it: as rows say it, parsed once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum

from sync.core.standing import Counting
from sync.core.why.steps import Link


class Try(StrEnum):
    """How the newest write to a system stands."""

    PENDING = "pending"
    UNANSWERED = "unanswered"
    HELD = "held"  # refused, or failed alone again and again: a person should look
    FAILED = "failed"  # without effect; the next sync tries again
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Write:
    """The newest attempt to tell a system its number. `delta`: what was sent, in what that system counts; `until`: when it is
    looked at again; `about`: what was owed then."""

    key: int
    state: Try
    delta: Decimal
    about: Decimal
    sent_at: datetime | None
    until: datetime | None
    error: str = ""
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class PutOff:
    """Readings that could not be used: so many in a row."""

    times: int
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """One item at one place. `baseline` None: the till doesn't count it there."""

    place: str
    on_hand: Decimal
    reserved: Decimal
    supplies: bool
    baseline: Decimal | None
    reading: Decimal | None
    read_at: datetime | None
    put_off: PutOff | None = None
    write: Write | None = None

    @property
    def is_counted(self) -> bool:
        return self.baseline is not None


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and by which clock. `next_sync`: when the next one is due; None: none is planned, or nobody knows."""

    now: datetime
    zone: tzinfo
    next_sync: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """One listing: what its shop shows and should show. Its own numbers count what it counts: packs of `per` units.

    `difference`: of the open conflict about its quantity, None where there is none; `left`: how far off a person has left its
    number; `conflict`: that one, or this. `held_run`: a run that waits for a manager.
    """

    store: str
    shelves: Sequence[Shelf]
    buffer: Decimal
    per: int
    counting: Counting
    shows: Decimal | None
    read_at: datetime | None
    baseline: Decimal | None
    suspect: Decimal | None
    is_live: bool
    item_is_missing: bool = False
    unread: str = ""  # why what the shop said of it last can't be read
    item_is_uncounted: bool = False  # the till had counted it where the shop is supplied from, and counts it no more
    has_news: bool = False  # orders on it changed since it was read
    put_off: PutOff | None = None
    write: Write | None = None
    difference: Decimal | None = None
    left: Decimal | None = None
    conflict: Link | None = None
    held_run: Link | None = None
