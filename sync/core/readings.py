"""What a reading means (ledger.md §3 and §5). Pure: no Django, no clock, no network.

A reading is what a system said at a moment. Against the baseline (what it should say once every acknowledged write of ours is
in it) it leaves a residual: something happened there that we did not do. A reading that can't be told from an unanswered
write is deferred, never guessed at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class WriteSpan:
    """One of our writes to the system that was read: when it was sent, and when answered (None: not yet)."""

    delta: Decimal
    sent_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The first number seen: it opens the account."""

    shows: Decimal


@dataclass(frozen=True, slots=True)
class InStep:
    """The system shows what it should."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The till itself moved so many units: a sale, a count, a receipt. The till is the physical truth."""

    residual: Decimal


@dataclass(frozen=True, slots=True)
class Suspect:
    """A residual seen for the first time (or changed since): it needs a second look."""

    residual: Decimal


@dataclass(frozen=True, slots=True)
class TooSoon:
    """The suspect is still there, but the second look came before the settle time: no news."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The same residual twice, a settle time apart, with no news in between: somebody edited the store."""

    residual: Decimal


@dataclass(frozen=True, slots=True)
class Deferred:
    """This reading can't be told from something we know to be under way. The next one will."""

    why: str


TillVerdict = Opening | InStep | Activity | Deferred
StoreVerdict = Opening | InStep | Suspect | TooSoon | Drift | Deferred


def till_reading_judge(
    *, shows: Decimal, span: tuple[datetime, datetime], baseline: Decimal | None, writes: Sequence[WriteSpan], skew: timedelta
) -> TillVerdict:
    """Result: what a till's number, true at some moment of `span`, means (ledger.md §3).

    `writes`: our unanswered writes to this level, and those answered after the span's beginning − skew. `skew`: how far the
    till's clock may be off. A write surely sent later than the reading is taken out of the baseline; one that may or may not be
    in the reading defers it, unless the number is the baseline itself: then nothing is booked either way.
    """
    if baseline is None:
        return Opening(shows)
    earliest, latest = span
    later, may_be_older = ZERO, False
    for write in writes:
        if write.answered_at is None:
            return Deferred("a write to the till is unanswered")
        if write.sent_at > latest + skew:
            later += write.delta
        elif write.answered_at > latest - skew:
            return Deferred("a write was acknowledged about when the till was read")
        elif write.answered_at > earliest - skew:
            may_be_older = True
    residual = shows - (baseline - later)
    if residual and may_be_older:
        return Deferred("it is not sure whether the till was read before or after a write was acknowledged")
    return Activity(residual) if residual else InStep()


def shown_after(*, shows: Decimal | None, residual: Decimal, moved: Decimal, was_read: bool) -> Decimal | None:
    """Result: what a store shows, as far as anybody knows, after an order on the listing moved its number by `moved`; None:
    unknown until it is read again. `residual`: what the last reading left unexplained. It may be the very order, which was in the
    reading then. `was_read`: the order is older than the reading, by the two clocks."""
    if shows is None or not residual:
        return None if shows is None else shows + moved
    return shows if not moved or residual == moved or was_read else None


def store_reading_judge(
    *,
    shows: Decimal,
    read_at: datetime,
    baseline: Decimal | None,
    news_at: datetime | None,
    writes: Sequence[WriteSpan],
    suspect: Decimal | None,
    suspected_at: datetime | None,
    settle: timedelta,
    skew: timedelta,
) -> StoreVerdict:
    """Result: what a store's number means, read from `read_at` on, its orders having been read after it (ledger.md §5).

    `news_at`: when an order on the listing last changed, by the store's clock, which may be `skew` off ours. `writes`: ours
    that are unanswered or were answered since `read_at`. `suspect` is the residual seen before, `suspected_at` when that
    reading began; `settle` is the time after which an order that moved the number can surely be seen.
    """
    if any(write.answered_at is None or write.answered_at >= read_at for write in writes):
        return Deferred("a write to the shop was under way")
    if news_at is not None and news_at >= read_at - skew:
        return Deferred("an order changed while the shop was read")
    if baseline is None:
        return Opening(shows)
    residual = shows - baseline
    if not residual:
        return InStep()
    if residual != suspect or suspected_at is None:
        return Suspect(residual)
    return TooSoon() if read_at < suspected_at + settle else Drift(residual)
