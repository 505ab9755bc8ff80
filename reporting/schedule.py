"""When the figures are written down, and when the next sync is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.schedules import schedule as plan
from django_celery_beat.models import PeriodicTask

from jobs.schedule import EACH_MINUTE, Job

SYNC = "sync.tasks.sync_store"
MEASURED_EVERY = timedelta(minutes=15)  # the day's row is what it last was; a day that ended is finished with the next one


def jobs() -> Iterator[Job]:
    """The jobs of this app. Which report is due is worked out from its period and its shop's clock, so a look that was missed
    costs a minute, and a report that was missed is made up for once."""
    yield Job("Daily figures", "reporting.tasks.metrics_record", MEASURED_EVERY)
    yield Job("Reports by mail", "reporting.tasks.reports_mail", EACH_MINUTE)


@dataclass(frozen=True, slots=True)
class NextRun:
    """The sync that is due next, by the schedule's name for it."""

    name: str
    at: datetime


def run_next(*, now: datetime) -> NextRun | None:
    """Result: the next scheduled sync, at the latest; None where none is scheduled."""
    jobs = PeriodicTask.objects.filter(task=SYNC, enabled=True).select_related("crontab", "interval", "solar", "clocked")
    due = [NextRun(job.name, now + _until(job.schedule, now)) for job in jobs if job.schedule]
    return min(due, key=lambda one: one.at, default=None)


def _until(when: plan, now: datetime) -> timedelta:
    when.nowfun = lambda: now
    left: timedelta = when.remaining_estimate(now)
    return max(left, timedelta(0))
