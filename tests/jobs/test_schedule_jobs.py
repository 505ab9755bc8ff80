"""The jobs that come with Evenstock: installed once, the managers' from then on, and begun once for each slot."""

import json
import sys
from datetime import UTC, datetime, timedelta
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
from celery import current_app
from django.core.management import call_command
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from connectors.models import Connection
from jobs.beat import SlotScheduler
from jobs.models import Heartbeat, JobSlot
from jobs.schedule import At, Job, all_jobs, schedule_install
from jobs.slots import cron_times
from jobs.tasks import SLOT
from sync import tasks
from sync.schedule import jobs
from tests import factories as make

pytestmark = pytest.mark.django_db
BEATS = pytest.mark.django_db(transaction=True)  # beat closes connections that were left in a transaction, as ours would be
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_installed(db):
    PeriodicTask.objects.all().delete()


@pytest.fixture
def store() -> Connection:
    make.pos_connection()
    return make.store_connection("store", time_zone="Europe/Vienna")


def when(name):
    row = PeriodicTask.objects.get(name=name)
    if row.interval:
        return row.interval.schedule.run_every.total_seconds()
    return row.crontab.minute, row.crontab.hour, str(row.crontab.timezone)


def test_every_store_gets_the_jobs_of_the_design(store):
    schedule_install()
    assert {
        name: when(name) for name in PeriodicTask.objects.filter(name__endswith=" of store").values_list("name", flat=True)
    } == {
        "Till feed of store": 60,
        "Incremental sync of store": ("*/15", "6-22", "Europe/Vienna"),
        "Full sync of store": ("0", "3", "Europe/Vienna"),
        "Price sync of store": ("0", "4", "Europe/Vienna"),
        "Orders poll of store": 300,
        "Conflict check of store": ("20", "*", "Europe/Vienna"),
        "Webhook check of store": 900,
    } | {name: when(name) for name in _of_other_apps(store)}
    assert (when("Inbox sweep"), when("Outbox sweep")) == (60, 60)


def _of_other_apps(store):
    mine = {job.name for job in jobs()}
    return [job.name for job in all_jobs() if job.name.endswith(" of store") and job.name not in mine]


def test_every_job_names_a_task_that_there_is_and_a_time_that_can_be_read(store):
    current_app.loader.import_default_modules()
    for job in all_jobs():
        assert job.task in current_app.tasks, job.name
        if isinstance(job.when, At):
            cron_times(job.when.minute, job.when.hour, job.when.day_of_week, job.when.day_of_month, "*", UTC)


def test_the_schedule_is_installed_once_and_what_a_manager_changed_stays(store, capsys):
    call_command("install_schedule")
    assert capsys.readouterr().out == f"{PeriodicTask.objects.count()} jobs were added.\n"
    PeriodicTask.objects.filter(name="Inbox sweep").update(enabled=False)
    poll = PeriodicTask.objects.get(name="Orders poll of store")
    poll.name, poll.interval, poll.crontab = "Orders, nightly", None, CrontabSchedule.objects.get(hour="3")
    poll.save()
    call_command("install_schedule")
    assert capsys.readouterr().out == "Every job is there.\n"
    assert not PeriodicTask.objects.get(name="Inbox sweep").enabled
    assert PeriodicTask.objects.get(task="sync.tasks.orders_poll") == PeriodicTask.objects.get(name="Orders, nightly")
    assert schedule_install(incremental_every_seconds=20) == 0
    assert when("Incremental sync of store") == 20


def test_jobs_follow_the_connections_time_zone_unless_somebody_says_otherwise(store):
    schedule_install()
    kept = PeriodicTask.objects.get(name="Full sync of store")
    PeriodicTask.objects.filter(pk=kept.pk).update(description="Ours")
    changed = PeriodicTask.objects.get(name="Incremental sync of store")
    Connection.objects.filter(pk=store.pk).update(time_zone="America/New_York")
    assert schedule_install() == 0
    assert when("Incremental sync of store") == ("*/15", "6-22", "America/New_York")
    assert when("Full sync of store") == ("0", "3", "Europe/Vienna")
    assert PeriodicTask.objects.get(pk=changed.pk).date_changed == changed.date_changed  # its missed slots still count


def test_a_renamed_store_keeps_its_jobs(store):
    schedule_install()
    count = PeriodicTask.objects.count()
    Connection.objects.filter(pk=store.pk).update(name="shop")
    assert schedule_install() == 0
    assert PeriodicTask.objects.count() == count


def test_an_app_says_itself_what_it_wants_to_have_run(monkeypatch):
    offer = ModuleType("inventory.schedule")
    offer.__spec__ = ModuleSpec("inventory.schedule", None)
    offer.jobs = lambda: [Job("Count", "inventory.tasks.count", At("5", "4"))]
    monkeypatch.setitem(sys.modules, "inventory.schedule", offer)
    schedule_install()
    assert when("Count") == ("5", "4", "UTC")


# -- beat and the workers -----------------------------------------------------------------------------------------------


class Sent:
    """What beat sent, in place of a broker."""

    def __init__(self, *, broken: bool = False) -> None:
        self.messages, self.broken = [], broken

    def __call__(self, task, args, kwargs, *, headers, **options):
        if self.broken:
            raise ConnectionError("no broker")
        self.messages.append((task, args, kwargs, headers[SLOT]))


@pytest.fixture
def beat(monkeypatch):
    scheduler = SlotScheduler(current_app._get_current_object())
    sent = Sent()
    monkeypatch.setattr(scheduler.app, "send_task", sent)
    scheduler.sent = sent
    return scheduler


def one_job(**fields):
    PeriodicTask.objects.exclude(task="sync.tasks.outbox_sweep").delete()
    PeriodicTask.objects.update(date_changed=AT - timedelta(days=1), **fields)


@BEATS
def test_beat_installs_the_jobs_sends_what_is_due_and_gives_a_sign_of_life(beat, store):
    assert beat.tick() == 2
    assert PeriodicTask.objects.filter(task="sync.tasks.outbox_sweep").exists()
    one_job()
    beat.tick()
    ((task, args, kwargs, slot_id),) = beat.sent.messages
    assert (task, args, kwargs) == ("sync.tasks.outbox_sweep", [], {})
    assert JobSlot.objects.get().pk == slot_id
    assert Heartbeat.objects.get().name == "schedule"
    beat.tick()
    assert len(beat.sent.messages) == 1


@BEATS
def test_what_a_broken_broker_did_not_take_is_sent_when_it_is_back(beat, store, caplog):
    beat.tick()
    one_job()
    beat.sent.broken = True
    beat.tick()
    assert "No worker could be woken" in caplog.text
    beat.sent.broken = False
    beat.tick()
    assert len(beat.sent.messages) == 1


@BEATS
def test_beat_goes_on_when_the_database_fails(beat, monkeypatch, caplog):
    from django.db import OperationalError

    def fail(**_):
        raise OperationalError("the database system is shutting down")

    monkeypatch.setattr("jobs.slots.slots_open", fail)
    assert beat.tick() == 2
    assert "The schedule waits for the database." in caplog.text


def test_a_worker_begins_a_slot_once_and_says_how_it_ended(store):
    slot = JobSlot.objects.create(job="x", slot=AT, task="sync.tasks.outbox_sweep", queued_at=AT)
    answers = [tasks.outbox_sweep.apply(headers={SLOT: slot.pk}).result for _ in range(2)]
    assert answers == [0, "taken"]
    slot.refresh_from_db()
    assert (slot.state, slot.attempts, slot.until - slot.started_at) == ("done", 1, timedelta(minutes=5))


def test_a_task_that_fails_says_why_in_its_row():
    slot = JobSlot.objects.create(job="x", slot=AT, task="sync.tasks.orders_poll", queued_at=AT)
    failed = tasks.orders_poll.apply(kwargs={"store_id": 0}, headers={SLOT: slot.pk})
    assert failed.failed()
    slot.refresh_from_db()
    assert (slot.state, slot.message) == ("failed", "DoesNotExist: Connection matching query does not exist.")


def test_what_nobody_scheduled_just_runs(store):
    assert tasks.outbox_sweep.apply().result == 0
    assert tasks.outbox_sweep() == 0
    assert not JobSlot.objects.exists()


def test_a_job_of_a_store_that_is_not_in_use_does_nothing(store):
    Connection.objects.filter(pk=store.pk).update(is_active=False)
    for task in (tasks.orders_poll, tasks.feed_poll, tasks.conflicts_check):
        assert task(store.pk) == "refused"
    assert tasks.sync_store(store.pk, "full") == "refused"


def test_every_task_of_ours_has_a_limit_and_the_short_ones_a_short_one():
    current_app.loader.import_default_modules()
    conf = current_app.conf
    ours = [task for name, task in current_app.tasks.items() if ".tasks." in name and not name.startswith("celery.")]
    assert tasks.sync_store in ours
    for task in ours:
        hard, soft = task.time_limit or conf.task_time_limit, task.soft_time_limit or conf.task_soft_time_limit
        assert 0 < soft < hard <= 55 * 60, task.name
    assert tasks.inbox_work.time_limit == 5 * 60
    assert json.dumps(conf.task_publish_retry_policy)
