"""Time as WordPress keeps it: whole seconds, written once in UTC and once in the site's own time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sandbox.woocommerce.errors import invalid

# The regular expression of WordPress's rest_parse_date.
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::\d{2})?)?$")


def utc_now() -> datetime:
    """Result: now, in UTC."""
    return datetime.now(UTC)


class SiteClock:
    """The site's clock and time zone. Moments are whole seconds since 1970."""

    def __init__(self, *, clock: Callable[[], datetime] = utc_now, time_zone: str = "Europe/Amsterdam") -> None:
        self._clock = clock
        self.zone: tzinfo = ZoneInfo(time_zone)
        self.time_zone = time_zone
        self.local = lru_cache(maxsize=4096)(self._local)
        self.gmt = lru_cache(maxsize=4096)(self._gmt)

    def now(self) -> int:
        """Result: this second."""
        return int(self._clock().timestamp())

    def _gmt(self, moment: int) -> str:
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    def _local(self, moment: int) -> str:
        return datetime.fromtimestamp(moment, self.zone).strftime("%Y-%m-%dT%H:%M:%S")

    def offset(self, moment: int) -> int:
        """Result: seconds the site's time is ahead of UTC then."""
        ahead = datetime.fromtimestamp(moment, self.zone).utcoffset()
        return int(ahead.total_seconds()) if ahead else 0

    def parse(self, name: str, given: str, *, dates_are_gmt: bool) -> int:
        """Result: the moment that a query means (a15). Raises RestError for what isn't a date.

        With an offset *and* the flag WordPress turns the date into site time and then takes it for UTC.
        """
        if not _DATE.match(given):
            raise invalid(name, "rest_invalid_date", "Invalid date.")
        moment = datetime.fromisoformat(given.upper().replace(" ", "T"))
        if moment.tzinfo is None:
            return int(moment.replace(tzinfo=UTC if dates_are_gmt else self.zone).timestamp())
        seconds = int(moment.timestamp())
        return seconds + self.offset(seconds) if dates_are_gmt else seconds
