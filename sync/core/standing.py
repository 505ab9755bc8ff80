"""How a pair stands: the one judge that states, the product's page, reports and commands ask. It says no words. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sync.core.targets import owed

ZERO: Final = Decimal(0)


class Counting(StrEnum):
    """How a shop counts a listing."""

    OWN = "own"
    PARENT = "parent"
    NOT = "none"
    GONE = "gone"


class Verdict(StrEnum):
    """What is to be said of a pair first: the first that is true, in this order."""

    GONE = "gone"  # no longer in the shop
    UNREAD = "unread"  # what the shop says of it can't be read
    WITH_PARENT = "with_parent"  # the shop counts it with its parent
    NOT_COUNTED = "not_counted"  # the shop doesn't count it
    ITEM_MISSING = "item_missing"  # the till leaves it out
    ITEM_UNCOUNTED = "item_uncounted"  # the till counts it no more
    NO_TARGET = "no_target"  # no place that supplies the shop counts it
    UNOPENED = "unopened"  # the shop's account waits for its first reading
    UNANSWERED = "unanswered"  # a write has no answer yet
    DISPUTED = "disputed"  # an open conflict waits for a person
    SUSPECT = "suspect"  # off, and seen once
    OFF = "off"  # it was off when an order on it changed, or is not known
    TILL_UNTOLD = "till_untold"  # the shop is in step; the till has not answered yet
    TILL_TROUBLE = "till_trouble"  # the shop is in step; the till could not be told
    LEFT = "left"  # in step but for what a person has left
    IN_STEP = "in_step"
    FAILED = "failed"  # what it is owed could not be told
    OWED = "owed"


UNCOUNTED: Final = {
    Counting.GONE: Verdict.GONE,
    Counting.PARENT: Verdict.WITH_PARENT,
    Counting.NOT: Verdict.NOT_COUNTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What is known of a pair. Numbers count what the listing counts: packs.

    `target` None: unknown; `difference`: of its open conflict; `left`: how far off a person has left its number; `has_failed`:
    the newest write failed to pay just what is owed now, and a person should know. What is asked of the till counts only where
    the shop is in step; whoever tells of the till elsewhere leaves it out.
    """

    counting: Counting
    target: Decimal | None
    baseline: Decimal | None
    shows: Decimal | None
    suspect: Decimal | None = None
    difference: Decimal | None = None
    left: Decimal | None = None
    is_unread: bool = False
    item_is_missing: bool = False
    item_is_uncounted: bool = False
    is_unanswered: bool = False
    has_failed: bool = False
    till_is_untold: bool = False
    till_is_troubled: bool = False


def judge(pair: Position) -> Verdict:
    """Result: how the pair stands."""
    if pair.counting == Counting.GONE:
        return Verdict.GONE
    if pair.is_unread:
        return Verdict.UNREAD
    if pair.counting != Counting.OWN:
        return UNCOUNTED[pair.counting]
    if pair.item_is_missing:
        return Verdict.ITEM_MISSING
    if pair.item_is_uncounted:
        return Verdict.ITEM_UNCOUNTED
    if pair.target is None:
        return Verdict.NO_TARGET
    if pair.baseline is None:
        return Verdict.UNOPENED
    return _of_open_account(pair, pair.target, pair.baseline)


def _of_open_account(pair: Position, target: Decimal, baseline: Decimal) -> Verdict:
    if pair.is_unanswered:
        return Verdict.UNANSWERED
    if pair.difference is not None:
        return Verdict.DISPUTED
    if pair.suspect:
        return Verdict.SUSPECT
    if pair.shows is None or pair.shows != baseline + (pair.left or ZERO):
        return Verdict.OFF
    if owed(target=target, baseline=baseline):
        return Verdict.FAILED if pair.has_failed else Verdict.OWED
    if pair.till_is_untold:
        return Verdict.TILL_UNTOLD
    if pair.till_is_troubled:
        return Verdict.TILL_TROUBLE
    return Verdict.LEFT if pair.left else Verdict.IN_STEP
