"""How long a system is left alone that asked for it, is closed, or fails again and again (reliability.md, 4 and 5). Pure.

What a 429 asks for is a wish: everybody keeps it, also a person. A 503 is no wish but a guess, and WordPress guesses ten minutes
with every update of a few seconds: so it is asked again each minute, and at once when a person wants it.

The first failures are tried again on schedule, like any. From the third in a row on, nobody asks it for a while: neither a
webhook's worker nor a poll. Whoever comes after that is the one that finds out whether it is back; the schedule does that by
itself, so the pause stays below the five minutes in which everything is to be in step again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ONES_OWN = 10.0  # seconds; a shorter wait is slept through where it was asked for
LONGEST_WISH = 3600.0  # seconds; who asks for more is asked once an hour whether it still wants that
LONGEST_CLOSED = 60.0
_FAILURES = 3
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when a system is left alone. `is_wish`: it asked for that itself, and nobody ends it sooner."""

    until: datetime
    is_wish: bool = False


def rest_of(*, rests_until: datetime | None, peace_until: datetime | None, now: datetime) -> Rest | None:
    """Result: the rest that stands now, the longer one of ours and of its wish; None: it may be asked."""
    if peace_until and peace_until > now and (rests_until is None or peace_until >= rests_until):
        return Rest(peace_until, is_wish=True)
    return Rest(rests_until) if rests_until and rests_until > now else None


def rest_after(*, failures: int, spread: float) -> timedelta | None:
    """Result: the pause after so many failures in a row, between half of 1, 2, 4 minutes and all of it, by `spread` (0 to 1), so
    that workers which failed together do not come back together; None while it is not called for."""
    if failures < _FAILURES:
        return None
    whole = min(_FIRST * (1 << min(failures - _FAILURES, 10)), _LONGEST)
    return whole * (0.5 + spread / 2)
