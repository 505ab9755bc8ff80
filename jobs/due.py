"""When a job is due (engine.md). A slot is a moment in UTC at which a job should run: one job, one slot, one run.

The calendar is cronsim's, by a clock without a zone. What a change of clocks means is said here: Celery's own crontab leaves out
an hour when the clocks go back (reliability.md, case 26), and cronsim with a zone puts 02:30 off to 03:00, not to 03:30.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from cronsim import CronSim

_DAY: Final = timedelta(days=1)


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
        case Once(at):
            newest = at
        case At():
            newest = max(_slots_near(when, now, since=after), default=after)
    return newest if after < newest <= now else None


def slot_next(when: When, *, now: datetime) -> datetime | None:
    """Result: the first slot later than `now`; None: there is none."""
    match when:
        case Every(seconds):
            return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, UTC)
        case Once(at):
            return at if at > now else None
        case At():
            return min(_slots_near(when, now), default=None)


def _slots_near(when: At, now: datetime, *, since: datetime | None = None) -> Iterator[datetime]:
    """Result: among them the newest slot up to `now`, where one is later than `since`; without `since`, the first one after it.

    By the wall clock the nearest time is the nearest slot too, except about a change of clocks: there all are looked at that the
    clock shows within as much time as it was changed by."""
    back, clock = since is not None, now.astimezone(when.zone).replace(tzinfo=None)
    oldest = since.astimezone(when.zone).replace(tzinfo=None) - _DAY if since else None
    far = -1 if back else 1
    end: datetime | None = None
    for shown in _shown(when, clock - far * _clocks_changed(now, when.zone), back=back):
        if (end and (shown - end) * far > timedelta()) or (oldest and shown < oldest):
            return
        slots = [slot for slot in _moments(shown, when) if (slot <= now) == back]
        yield from slots
        if slots and not end:
            farther = min(shown, clock) if back else max(shown, clock)
            end = farther + far * _clocks_changed(slots[0], when.zone)


def _clocks_changed(moment: datetime, zone: tzinfo) -> timedelta:
    """Result: by how much the clocks of the place are changed between the day before and the day after."""
    offsets = [(moment + days).astimezone(zone).utcoffset() or timedelta() for days in (-_DAY, timedelta(), _DAY)]
    return max(offsets) - min(offsets)


def _shown(when: At, start: datetime, *, back: bool) -> Iterator[datetime]:
    """Result: what a wall clock shows when the job is due: from `start` back, itself included, or onward from it."""
    fields = (when.minutes, when.hours, when.days, when.months, when.days_of_week)
    whole = start.replace(microsecond=0)
    times = CronSim(" ".join(map(_field, fields)), whole + timedelta(seconds=1) if back else whole, reverse=back)
    times.day_and = True
    return times


def _field(numbers: frozenset[int]) -> str:
    """Result: as a crontab says it, but never `*`, which means more there than all numbers."""
    first, last = min(numbers), max(numbers)
    return f"{first}-{last}" if len(numbers) > last - first else ",".join(map(str, numbers))


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
