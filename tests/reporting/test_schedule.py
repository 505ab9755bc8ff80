"""When the next sync is due."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.schedule import all_jobs, schedule_install
from reporting.schedule import SYNC, run_next

pytestmark = pytest.mark.django_db


def by_clock(name: str, zone: str = "UTC", **fields: str) -> PeriodicTask:
    schedule = CrontabSchedule.objects.create(timezone=zone, **fields)
    return PeriodicTask.objects.create(name=name, task=SYNC, crontab=schedule)


def test_the_earliest_of_the_scheduled_syncs_is_next(now):
    by_clock("full", minute="0", hour="3")
    by_clock("quarters", minute="*/15", hour="6-22")
    found = run_next(now=now + timedelta(minutes=1))
    assert (found.name, found.at) == ("quarters", datetime(2026, 3, 2, 9, 45, tzinfo=now.tzinfo))


def test_the_clock_is_the_one_of_the_jobs_own_place(now):
    by_clock("full", "Europe/Vienna", minute="0", hour="12")
    assert run_next(now=now).at == datetime(2026, 3, 2, 11, 0, tzinfo=now.tzinfo)


def test_an_hour_that_comes_twice_is_waited_for_twice_as_the_scheduler_does():
    by_clock("hourly", "US/Pacific", minute="0", hour="*")
    assert run_next(now=datetime(2026, 11, 1, 8, 30, tzinfo=UTC)).at == datetime(2026, 11, 1, 9, tzinfo=UTC)


def test_a_sync_every_quarter_of_an_hour_is_due_at_the_quarter_not_a_quarter_from_now(now):
    quarter = IntervalSchedule.objects.create(every=15, period="minutes")
    PeriodicTask.objects.create(name="quarters", task=SYNC, interval=quarter)
    assert run_next(now=now.replace(minute=50)).at == now.replace(hour=now.hour + 1, minute=0)


def test_times_that_cannot_be_read_are_passed_over(now):
    row = by_clock("broken", minute="0", hour="3")
    CrontabSchedule.objects.filter(pk=row.crontab_id).update(hour="x")
    assert run_next(now=now) is None


def test_what_is_switched_off_or_no_sync_is_not_waited_for(now):
    assert run_next(now=now) is None
    PeriodicTask.objects.filter(pk=by_clock("full", minute="0", hour="3").pk).update(enabled=False)
    minute = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(name="sweep", task="sync.tasks.inbox_sweep", interval=minute)
    assert run_next(now=now) is None


def test_the_figures_are_written_down_every_quarter_of_an_hour(now):
    assert "reporting.tasks.metrics_record" in {job.task for job in all_jobs()}
    schedule_install()
    assert PeriodicTask.objects.get(task="reporting.tasks.metrics_record").interval.every == 900
