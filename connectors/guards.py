"""How much a till's list lost against the last one, for connectors to hold it by (ledger.md §8). Pure: numbers, no words."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from connectors.contract import TillReading


class Size(Protocol):
    """What one list is compared with the next by. Both count SKU × place."""

    @property
    def items(self) -> int: ...

    @property
    def in_stock(self) -> int: ...


class Allowed(Protocol):
    """What a shop lets pass. Up to `guard_floor` items never hold a list."""

    @property
    def max_shrink_percent(self) -> int: ...

    @property
    def max_zeroed_percent(self) -> int: ...

    @property
    def guard_floor(self) -> int: ...


def in_stock_count(readings: Iterable[TillReading]) -> int:
    """Result: how many shelves hold something."""
    return sum(1 for reading in readings if reading.on_hand is not None and reading.on_hand > Decimal(0))


def gone_too_many(before: Size, now: Size, allowed: Allowed) -> int:
    """Result: how many items are gone, where these are too many; else 0."""
    gone = before.items - now.items
    return gone if too_many(gone, before.items, allowed.max_shrink_percent, allowed.guard_floor) else 0


def emptied_too_many(before: Size, now: Size, allowed: Allowed) -> int:
    """Result: how many shelves went empty, where these are too many; else 0. Counted net: what sold out less what came in;
    shelves that are gone with their rows are the other guard's business."""
    emptied = before.in_stock - now.in_stock - max(0, before.items - now.items)
    return emptied if too_many(emptied, before.in_stock, allowed.max_zeroed_percent, allowed.guard_floor) else 0


def too_many(count: int, of: int, most_percent: int, floor: int) -> bool:
    """Result: `count` is more than that share of `of`, and more than a handful."""
    return count > floor and count * 100 > of * most_percent
