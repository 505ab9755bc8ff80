"""When what runs (engine.md). Installed once, then the managers' to edit in the admin.

Each app says in its own `schedule.py` what it wants to have run: `def jobs() -> Iterable[Job]`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from kit.offers import offers

EACH_MINUTE = timedelta(minutes=1)
FOLLOWS = "Its time zone follows the connection's, as long as this line stands."


@dataclass(frozen=True, slots=True)
class At:
    """By the wall clock of a place; each field as in a crontab."""

    minute: str
    hour: str
    day_of_week: str = "*"
    day_of_month: str = "*"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be run by itself. `task` is the whole dotted name; a job is known by it and its arguments, whatever people
    call it later."""

    name: str
    task: str
    when: timedelta | At
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def schedule_install(*, incremental_every_seconds: int = 0) -> int:
    """Give every app's jobs a row, unless they have one: what a manager changed stays. What was deleted comes again; what is
    switched off does not. Result: how many were added. `incremental_every_seconds` puts a short interval in place of the quarter
    of an hour (for the demo)."""
    known = {(row.task, _arguments(row.kwargs)): row for row in PeriodicTask.objects.select_related("crontab")}
    added = 0
    for job in all_jobs():
        row = known.get((job.task, _arguments(json.dumps(dict(job.kwargs)))))
        if row is None:
            added += _add(job)
        elif (
            isinstance(job.when, At) and row.description == FOLLOWS and row.crontab and str(row.crontab.timezone) != job.when.zone
        ):
            _follow(row, job.when.zone)
    if incremental_every_seconds:
        often = {**_every(timedelta(seconds=incremental_every_seconds)), "crontab": None}
        for job in all_jobs():
            if job.kwargs.get("kind") == "incremental":
                PeriodicTask.objects.filter(name=job.name).update(**often)
    return added


def all_jobs() -> Iterator[Job]:
    """Result: what every installed app wants to have run."""
    for jobs in offers("schedule", "jobs"):
        yield from jobs()


def _arguments(said: str) -> str:
    """Result: a job's arguments in one spelling."""
    try:
        return json.dumps(json.loads(said or "{}"), sort_keys=True)
    except ValueError:
        return said


def _add(job: Job) -> int:
    named = {"task": job.task, "kwargs": json.dumps(dict(job.kwargs))}
    if isinstance(job.when, At):
        named |= {"crontab": _crontab(job.when), "description": FOLLOWS if "store_id" in job.kwargs else ""}
    else:
        named |= _every(job.when)
    return int(PeriodicTask.objects.get_or_create(name=job.name, defaults=named)[1])


def _crontab(when: At) -> CrontabSchedule:
    fields = {"minute": when.minute, "hour": when.hour, "day_of_week": when.day_of_week, "day_of_month": when.day_of_month}
    return CrontabSchedule.objects.get_or_create(**fields, month_of_year="*", timezone=when.zone)[0]


def _follow(row: PeriodicTask, zone: str) -> None:
    """The same hours in another place. Nobody has changed the job: its date of change stays."""
    now = row.crontab
    fields = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    same, _ = CrontabSchedule.objects.get_or_create(**{name: getattr(now, name) for name in fields}, timezone=zone)
    PeriodicTask.objects.filter(pk=row.pk).update(crontab=same)


def _every(interval: timedelta) -> dict[str, Any]:
    seconds = int(interval.total_seconds())
    return {"interval": IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)[0]}
