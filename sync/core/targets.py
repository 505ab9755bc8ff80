"""What a system should show, and what it is owed (design.md §3.2). Pure."""

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal

ZERO = Decimal(0)


def listing_target(*, available: Iterable[Decimal], buffer: Decimal) -> Decimal:
    """Result: the whole units a listing should show: what its locations have available, less the buffer, never below zero.
    A fraction of a unit can't be sold online: rounded down, so that the store never promises what isn't there."""
    return max(ZERO, (sum(available, ZERO) - buffer).to_integral_value(rounding=ROUND_FLOOR))


def owed(*, target: Decimal, baseline: Decimal, in_flight: Decimal = ZERO) -> Decimal:
    """Result: the signed difference a system must still be told."""
    return target - baseline - in_flight
