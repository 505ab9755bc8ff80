"""What settling a number that nothing explains comes to (ledger.md §7): in the ledger, at the till and in the shop. Pure.

A person's word means what the rule of the same name means, for a difference of any size: it goes through `policy.decide`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from sync.core.policy import Accept, Policy, Rule, decide
from sync.core.targets import listing_target, units_of

ZERO: Final = Decimal(0)
NO_LIMIT: Final = Decimal("Infinity")


class Way(StrEnum):
    """How a person settles a conflict."""

    POS = "pos"
    WOO = "woo"
    COUNT = "count"
    HIGHER = "higher"
    MERGE = "merge"
    IGNORE = "ignore"
    NOTED = "noted"


POLICIES: Final = {
    Way.POS: Policy.POS_WINS, Way.WOO: Policy.STORE_WINS, Way.HIGHER: Policy.HIGHER_COUNT, Way.MERGE: Policy.MERGE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Account:
    """One pair as the ledger has it. `shows`, `baseline`, `residual` count what the listing counts, the others units of the item.

    `on_hand`, `reserved`, `told`: over all places that supply the store and that the till counts; `told` is what the till shows
    as far as we know, None where it counts none of them. `shelf`: on hand over all of them. `has_level`: is there a place that a
    difference can be booked at?
    """

    per: int
    shelf: Decimal
    on_hand: Decimal
    reserved: Decimal
    buffer: Decimal
    told: Decimal | None
    has_level: bool
    baseline: Decimal | None
    residual: Decimal | None  # None: the conflict is about the shelf, not about the shop's number
    suspect: Decimal | None = None
    is_unanswered: bool = False  # a write to the listing is under way


@dataclass(frozen=True, slots=True)
class Step:
    """A number before and after."""

    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """What settling does. `units` are booked in the ledger; `absorbed` is what the account of the shop's number takes in. `till`
    and `shop` are what they will show once the next sync has told them; None where they are not known or not touched."""

    units: Decimal
    absorbed: Decimal
    shelf: Step | None
    till: Step | None
    shop: Step | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it can't be settled so, and what to do instead."""

    why: str
    next_step: str


NOTHING: Final = Effect(ZERO, ZERO, None, None, None)


def effect_of(*, account: Account, way: Way, count: Decimal | None = None) -> Effect | Refusal:
    """Result: what settling an account so would write. `count`: units that lie on the shelf, for `Way.COUNT`."""
    if way == Way.NOTED:
        return NOTHING
    if refusal := _not_now(account):
        return refusal
    residual = account.residual or ZERO
    if way == Way.IGNORE:
        return _told(account, units=ZERO, left=residual)
    if way == Way.COUNT:
        units = (count or ZERO) - account.shelf
    elif account.residual is None:
        return Refusal("It is about the shelf, not about one side's number.", "Count the shelf.")
    else:
        units = units_of(residual, account.per) if _is_accepted(way, residual) else ZERO
    if units and not account.has_level:
        return Refusal("The till has no level for this item, so nothing can be booked.", "Let the till count it first.")
    return _told(account, units=units)


def _is_accepted(way: Way, residual: Decimal) -> bool:
    """Does the shop's difference become a movement?"""
    if not residual:
        return False
    rule = Rule(policy=POLICIES[way], minor_to=NO_LIMIT, major_to=NO_LIMIT, review_major=False)
    return isinstance(decide(rule=rule, residual=residual), Accept)


def _not_now(account: Account) -> Refusal | None:
    if account.residual is None:
        return None
    if account.baseline is None:
        return Refusal("The shop's number is unknown by now.", "Let the next sync read it.")
    if account.suspect is None:  # it was read in step, or an order on it came: the next reading tells
        return Refusal("The shop's number may have changed since.", "Let the next sync read it, then settle it.")
    if account.suspect != account.residual:
        off, by_now = (f"{number.normalize():+f}" for number in (account.residual, account.suspect))
        return Refusal(
            f"The shop's number has changed again: it was off by {off}, by now it is {by_now}.",
            "Let the next sync take its second look, then settle it.",
        )
    if account.is_unanswered:
        return Refusal("A write to the shop has no answer yet.", "Let the next sync look it up, then settle it.")
    return None


def _told(account: Account, *, units: Decimal, left: Decimal = ZERO) -> Effect:
    """`left`: what the shop goes on being off by."""
    residual = account.residual or ZERO
    shop = None
    if account.baseline is not None:
        shows = account.baseline + residual
        if account.told is None:  # the till counts it nowhere, so the shop's number is left alone
            shop = Step(shows, shows)
        else:
            available = account.on_hand + units - account.reserved
            target = listing_target(available=[available], buffer=account.buffer, per=account.per)
            shop = Step(shows, target + left)
    till = None if account.told is None else Step(account.told, account.on_hand + units)
    return Effect(units, residual - left, Step(account.shelf, account.shelf + units), till, shop)
