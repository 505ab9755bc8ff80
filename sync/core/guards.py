"""When a run must wait for a person (ledger.md §8). Pure."""

from collections.abc import Iterable
from decimal import Decimal

FEW = 10  # below so many listings a share says nothing: a small shop may well sell out of five things in a day


def zeroed_by(changes: Iterable[tuple[Decimal, Decimal]]) -> int:
    """Result: how many listings show something and would show nothing. `changes` are (shows now, will show)."""
    return sum(1 for shows, target in changes if shows > 0 and target <= 0)


def zeroing_guard(*, zeroed: int, pairs: int, most_percent: int, previewed: int = 0) -> str:
    """Result: why a run must be held, "" when it may go on. `zeroed`: see `zeroed_by`; `pairs`:
    how many pairs the store has in all; `previewed`: so many a manager has seen and let pass."""
    if not _too_many(zeroed - previewed, of=pairs, most_percent=most_percent):
        return ""
    return (
        f"It would set {zeroed:,} of {pairs:,} products to zero{_let_pass(previewed)}, more than the {most_percent} % you allow. "
        "Check that the till's last export is whole, then release or discard the run."
    )


def repricing_guard(*, changes: int, pairs: int, most_percent: int, previewed: int = 0) -> str:
    """Result: why a run must be held, "" when it may go on. `changes` prices would be written, of `pairs` in all; `previewed`:
    so many a manager has seen and let pass."""
    if not _too_many(changes - previewed, of=pairs, most_percent=most_percent):
        return ""
    return (
        f"It would change {changes:,} of {pairs:,} prices{_let_pass(previewed)}, more than the {most_percent} % you allow. "
        "Check that these prices are meant, then release or discard the run."
    )


def shrink_guard(*, known: int, seen: int, most_percent: int, what: str) -> str:
    """Result: why a run must be held, "" when it may go on. `known` rows were there last time, `seen` are there now."""
    lost = known - seen
    if not _too_many(lost, of=known, most_percent=most_percent):
        return ""
    return (
        f"{what} now has {seen:,} products where it had {known:,}: {lost:,} fewer, more than the {most_percent} % you allow. "
        "Check why they are gone, then release or discard the run."
    )


def _too_many(count: int, *, of: int, most_percent: int) -> bool:
    return count >= FEW and count * 100 > of * most_percent


def _let_pass(previewed: int) -> str:
    return f", {previewed:,} of which you have let pass" if previewed else ""
