"""When a run must wait for a person (design.md §3.8). Pure."""

from collections.abc import Iterable
from decimal import Decimal

FEW = 10  # below so many listings a share says nothing: a small shop may well sell out of five things in a day


def zeroed_by(changes: Iterable[tuple[Decimal, Decimal]]) -> int:
    """Result: how many listings show something and would show nothing. `changes` are (shows now, will show)."""
    return sum(1 for shows, target in changes if shows > 0 and target <= 0)


def zeroing_guard(*, zeroed: int, pairs: int, most_percent: int, previewed: int = 0) -> str:
    """Result: why a run must be held, "" when it may go on. `zeroed`: see `zeroed_by`; `pairs`:
    how many pairs the store has in all; `previewed`: so many a manager has seen and let pass."""
    more = zeroed - previewed
    if more < FEW or more * 100 <= pairs * most_percent:
        return ""
    seen = f", {previewed} of which you have let pass" if previewed else ""
    return (
        f"It would set {zeroed} of {pairs} products to zero{seen}, more than the {most_percent} % you allow. "
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
