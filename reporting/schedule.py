"""When the figures are written down, and when the next sync is due."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from celery.schedules import ParseException
from django_celery_beat.models import PeriodicTask

from jobs.due import slot_next
from jobs.schedule import EACH_MINUTE, Job
from jobs.slots import job_times

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
    jobs = PeriodicTask.objects.filter(task=SYNC, enabled=True).select_related("crontab", "interval", "clocked")
    due = [NextRun(job.name, at) for job in jobs if (at := _job_next(job, now))]
    return min(due, key=lambda one: one.at, default=None)


def _job_next(job: PeriodicTask, now: datetime) -> datetime | None:
    """Result: as the scheduler has it (jobs/slots.py); None where its times say nothing that can be read, or nothing more."""
    try:
        when = job_times(job)
    except (ParseException, ValueError):
        return None
    return slot_next(when, now=now) if when else None
