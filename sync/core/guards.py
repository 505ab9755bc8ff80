"""When a run must wait for a person (design.md §3.8). Pure."""

from collections.abc import Iterable
from decimal import Decimal

FEW = 10  # below so many listings a share says nothing: a small shop may well sell out of five things in a day


def zeroing_guard(*, changes: Iterable[tuple[Decimal, Decimal]], pairs: int, most_percent: int) -> str:
    """Result: why a run must be held, "" when it may go on. `changes` are (shows now, will show); `pairs` how many pairs the
    store has in all."""
    zeroed = sum(1 for shows, target in changes if shows > 0 and target <= 0)
    if zeroed < FEW or zeroed * 100 <= pairs * most_percent:
        return ""
    return (
        f"It would set {zeroed} of {pairs} products to zero, more than the {most_percent} % you allow. "
        "Check that the till's last export is whole, then release or discard the run."
    )


def shrink_guard(*, known: int, seen: int, most_percent: int, what: str) -> str:
    """Result: why a run must be held, "" when it may go on. `known` rows were there last time, `seen` are there now."""
    lost = known - seen
    if lost < FEW or lost * 100 <= known * most_percent:
        return ""
    return (
        f"{what} now has {seen} products where it had {known}: {lost} fewer, more than the {most_percent} % you allow. "
        "Check why they are gone, then release or discard the run."
    )
