"""How long a system is left alone that asked for it, or fails again and again (reliability.md, 4 and 5). Pure.

The first failures are tried again on schedule, like any. From the third in a row on, nobody asks it for a while: neither a
webhook's worker nor a poll. Whoever comes after that is the one that finds out whether it is back; the schedule does that by
itself, so the pause stays below the five minutes in which everything is to be in step again.
"""

from datetime import timedelta

ONES_OWN = 10.0  # seconds; a shorter wait is slept through where it was asked for
_FAILURES = 3
_FIRST, _LONGEST = timedelta(minutes=1), timedelta(minutes=4)


def rest_after(*, failures: int, spread: float) -> timedelta | None:
    """Result: the pause after so many failures in a row, between half of 1, 2, 4 minutes and all of it, by `spread` (0 to 1), so
    that workers which failed together do not come back together; None while it is not called for."""
    if failures < _FAILURES:
        return None
    whole = min(_FIRST * (1 << min(failures - _FAILURES, 10)), _LONGEST)
    return whole * (0.5 + spread / 2)
