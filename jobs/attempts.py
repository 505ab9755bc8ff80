"""When what failed is tried again, and with how much beside it (ledger.md §6). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil


def pause_after(*, attempt: int, first: timedelta, chance: float, asked: float | None = None) -> timedelta:
    """Result: how long to wait after the so many-th attempt that surely had no effect: five times as long each time, and by
    `chance` (0 to 1) between half and one and a half of it, so that not everybody comes back at once. `asked`: the seconds the
    system named; never less than that, and hardly more."""
    if asked is not None:
        return timedelta(seconds=asked + chance * min(asked / 10, 1.0))
    pause: timedelta = first * 5 ** (attempt - 1) * (0.5 + chance)
    return pause


def split_unknown(size: int) -> int:
    """Result: how many may go together after a request of `size` that came to nothing, and nobody could say why. Each look at
    what became of it takes minutes, so not halves: 100, 10, and the third time alone."""
    return 1 if size <= 10 else ceil(size / 10)


def split_refused(size: int) -> int:
    """Result: how many may go together after a request of `size` was refused as a whole: the answer came at once, so halves."""
    return ceil(size / 2)


@dataclass(frozen=True, slots=True)
class LastTry:
    """The newest decided attempt to pay one debt. `owed`: the units it was about; `until`: when it may be tried again;
    `failures`: how often in a row it came to nothing, nobody could say why; `is_alone`: the last time with nothing beside it."""

    owed: Decimal
    until: datetime | None
    is_refused: bool
    failures: int = 0
    is_alone: bool = False
    is_released: bool = False

    def is_bad(self, *, attempts: int) -> bool:
        """Is it the item's own fault, as far as anybody can tell?"""
        return self.is_refused or (self.is_alone and self.failures >= attempts)

    def holds(self, *, owed: Decimal, now: datetime) -> bool:
        """Must the same debt wait? Not once it is another debt, or a person has released it."""
        return not self.is_released and self.until is not None and self.owed == owed and now < self.until


def hold_for(*, failures: int, attempts: int, others_pass: bool, longest: timedelta, while_all_fails: timedelta) -> timedelta:
    """Result: how long what failed alone waits. Shorter, and twice as long each time, where nothing else gets through either:
    then it is hardly this item's fault."""
    if others_pass:
        return longest
    return min(while_all_fails * (1 << min(max(0, failures - attempts), 10)), longest)
