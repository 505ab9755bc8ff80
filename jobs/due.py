"""When a job is due (engine.md). A slot is a moment in UTC at which a job should run: one job, one slot, one run.

Kept apart from Celery's own crontab, which leaves out an hour when the clocks go back (reliability.md, case 26).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

_BACK: Final = 366 * 4 + 1  # days to look back for a date that fits: the 29th of February


@dataclass(frozen=True, slots=True)
class Every:
    """At every whole multiple of so many seconds since 1970, UTC."""

    seconds: int


@dataclass(frozen=True, slots=True)
class At:
    """At these minutes of these hours of these days, by the wall clock of a place. Sunday is 0; a day must fit all three."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days_of_week: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class Once:
    """At one moment, and never again."""

    at: datetime


When = Every | At | Once


def slot_newest(when: When, *, after: datetime, now: datetime) -> datetime | None:
    """Result: the newest slot after `after` and not later than `now`; None: there is none. What was missed meanwhile is thus made
    up for once, however long it was (reliability.md, case 13)."""
    match when:
        case Every(seconds):
            newest = datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
            return newest if newest > after else None
        case Once(at):
            return at if after < at <= now else None
    return next((slot for slot in _backwards(when, after=after, now=now) if slot <= now), None)


def _backwards(when: At, *, after: datetime, now: datetime) -> Iterator[datetime]:
    """Result: the slots of the days from tomorrow (clocks may have been set back across midnight) back to `after`."""
    day = now.astimezone(when.zone).date() + timedelta(days=1)
    oldest = max(after.astimezone(when.zone).date() - timedelta(days=1), day - timedelta(days=_BACK))
    while day >= oldest:
        if _fits(when, day):
            yield from (slot for slot in _slots_of(when, day) if slot > after)
        day -= timedelta(days=1)


def _fits(when: At, day: date) -> bool:
    return day.month in when.months and day.day in when.days and day.isoweekday() % 7 in when.days_of_week


@lru_cache(maxsize=500)  # asked every few seconds, for the same few days
def _slots_of(when: At, day: date) -> list[datetime]:
    """Result: a day's slots, the newest first."""
    shown = (datetime(day.year, day.month, day.day, hour, minute) for hour in when.hours for minute in when.minutes)  # noqa: DTZ001
    return sorted({slot for moment in shown for slot in _moments(moment, when)}, reverse=True)


def _moments(shown: datetime, when: At) -> list[datetime]:
    """Result: when a wall clock shows this, in UTC. A job of many hours goes on through an hour that comes twice, and has nothing
    to make up for in one that is left out; a job of one hour runs once on such a day: the first time, or that much later."""
    first, second = (shown.replace(tzinfo=when.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    goes_on = (shown.hour + 1) % 24 in when.hours or (shown.hour - 1) % 24 in when.hours
    if first == second:
        return [first]
    is_left_out = first.astimezone(when.zone).replace(tzinfo=None) != shown
    if is_left_out:
        return [] if goes_on else [first]
    return [first, second] if goes_on else [first]
