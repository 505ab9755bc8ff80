"""When the figures are written down, and when the next sync is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.schedules import schedule as every
from django_celery_beat.models import PeriodicTask

SYNC = "sync.tasks.sync_store"


@dataclass(frozen=True, slots=True)
class NextRun:
    """The sync that is due next, by the schedule's name for it."""

    name: str
    at: datetime


def run_next(*, now: datetime) -> NextRun | None:
    """Result: the next scheduled sync; None where none is scheduled. One that is overdue is due now."""
    jobs = PeriodicTask.objects.filter(task=SYNC, enabled=True).select_related("crontab", "interval", "solar", "clocked")
    due = [NextRun(job.name, now + _until(job, now)) for job in jobs if job.schedule]
    return min(due, key=lambda one: one.at, default=None)


def _until(job: PeriodicTask, now: datetime) -> timedelta:
    plan: every = job.schedule
    plan.nowfun = lambda: now
    left: timedelta = plan.remaining_estimate(job.last_run_at or now)
    return max(left, timedelta(0))
