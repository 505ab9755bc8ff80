"""How far another system's clock is ahead of ours, by what its answers say of their own time."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

JITTER = timedelta(seconds=5)  # a header has whole seconds, and an answer travels: a smaller difference is none
MOST = timedelta(hours=12)  # more is no clock that is off, but one that was never set


def http_date(said: str | None) -> datetime | None:
    """Result: the moment an HTTP date names (RFC 9110, 5.6.7); None where there is none that can be read."""
    try:
        at = parsedate_to_datetime(said or "")
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def clock_ahead(said: str | None, *, now: datetime) -> timedelta:
    """Result: by how much the clock behind an HTTP `Date` (RFC 9110, 6.6.1) is ahead of `now`; negative: behind. Zero where it
    says nothing that can be used, and where the difference is too small to mean anything."""
    at = http_date(said)
    if at is None:
        return timedelta(0)
    ahead = at + timedelta(milliseconds=500) - now
    return ahead if JITTER < abs(ahead) < MOST else timedelta(0)
