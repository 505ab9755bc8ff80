"""What a system should show, and what it is owed (ledger.md §2). Pure."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

ZERO = Decimal(0)


def listing_target(*, available: Iterable[Decimal], buffer: Decimal, per: int = 1) -> Decimal:
    """Result: the whole packs of `per` units that a listing should show: what its locations have available, less the buffer,
    never below zero. The buffer counts units of the item, whatever the pack."""
    return max(ZERO, packs_of(sum(available, ZERO) - buffer, per))


def packs_of(units: Decimal, per: int) -> Decimal:
    """Result: how many whole packs of `per` units they make. A part of one can't be sold online: rounded down, so that the store
    never promises what isn't there."""
    return (units / per).to_integral_value(rounding=ROUND_FLOOR) if per > 1 else units.to_integral_value(rounding=ROUND_FLOOR)


def units_of(packs: Decimal, per: int) -> Decimal:
    """Result: the units of the item in so many of its listing: what a listing's order lines and differences mean for the shelf.
    The one way from a listing's numbers to an item's; `packs_of` is the one way back."""
    return packs * per


def owed(*, target: Decimal, baseline: Decimal) -> Decimal:
    """Result: the signed difference a system must still be told."""
    return target - baseline
