"""The schedule's runs: one for each slot whoever asks, made up for once, begun again after a kill, and not for ever."""

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.models import Heartbeat, JobSlot
from jobs.process import process_name
from jobs.silence import schedule_watch
from jobs.slots import (
    ATTEMPTS,
    Claim,
    slot_claim,
    slot_finish,
    slot_not_sent,
    slot_of_lost_message,
    slots_open,
    slots_recover,
    slots_tidy,
)
from jobs.vitals import schedule_silent_since, workers_silent_since

pytestmark = pytest.mark.django_db
MADE = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = datetime(2026, 3, 2, 9, 30, 5, tzinfo=UTC)
LIMIT = timedelta(minutes=5)
HERE, ELSEWHERE = process_name(), "elsewhere:7:t1"
GONE = f"{HERE.partition(':')[0]}:4194304:t1"  # above every number that Linux gives out


def job(name="Sweep", seconds=60, **changed) -> PeriodicTask:
    every, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    row = PeriodicTask.objects.create(name=name, task=f"tasks.{name.lower()}", interval=every, kwargs='{"store_id": 7}')
    PeriodicTask.objects.filter(pk=row.pk).update(**{"date_changed": MADE, **changed})
    return row


def nightly(zone="Europe/Vienna", **changed) -> PeriodicTask:
    row = job("Nightly")
    at_three, _ = CrontabSchedule.objects.get_or_create(minute="0", hour="3", timezone=zone)
    PeriodicTask.objects.filter(pk=row.pk).update(interval=None, crontab=at_three, **changed)
    return row


@pytest.fixture(autouse=True)
def _no_other_jobs(db):
    PeriodicTask.objects.all().delete()


def opened(now=AT, process=HERE):
    return [(errand.task, JobSlot.objects.get(pk=errand.slot_id).slot) for errand in slots_open(now=now, process=process)]


def ran(now=AT):
    """The slots that are due, each run to its end."""
    errands = slots_open(now=now, process=HERE)
    for errand in errands:
        slot_claim(slot_id=errand.slot_id, process=HERE, now=now, limit=LIMIT)
        slot_finish(slot_id=errand.slot_id, process=HERE, now=now)
    return [(errand.task, JobSlot.objects.get(pk=errand.slot_id).slot) for errand in errands]


def begun(now=AT, **options) -> int:
    """A slot that is open; its message is on its way."""
    (errand,) = slots_open(now=now, process=HERE)
    return errand.slot_id


def claim(slot_id, process=HERE, now=AT, **options):
    return slot_claim(slot_id=slot_id, process=process, now=now, limit=LIMIT, **options)


def row(slot_id):
    return JobSlot.objects.get(pk=slot_id)


def test_two_schedulers_give_one_run_for_each_slot():
    job()
    nightly()
    first, second = opened(process="one"), opened(process="two")
    assert first == [("tasks.nightly", datetime(2026, 3, 2, 2, tzinfo=UTC)), ("tasks.sweep", AT.replace(second=0))]
    assert second == []
    assert JobSlot.objects.count() == 2
    assert opened(now=AT + timedelta(minutes=1)) == [("tasks.sweep", AT.replace(minute=31, second=0))]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_schedulers_that_look_at_the_same_moment_send_each_slot_once():
    PeriodicTask.objects.all().delete()
    for number in range(20):
        job(f"Job{number}")
    ready, found = Barrier(3), []

    def look():
        ready.wait()
        found.extend(opened())
        connection.close()

    threads = [Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(task for task, _ in found) == sorted(f"tasks.job{number}" for number in range(20))


def test_the_message_says_what_the_job_says():
    made = job()
    (errand,) = slots_open(now=AT, process=HERE)
    assert (errand.task, errand.args, errand.kwargs, errand.options) == ("tasks.sweep", [], {"store_id": 7}, {})
    made.refresh_from_db()
    assert (made.last_run_at, made.total_run_count, made.date_changed) == (AT, 1, MADE)


def test_what_a_silent_schedule_missed_runs_once():
    job()
    nightly()
    opened()
    after_five_days = opened(now=AT + timedelta(days=5))
    assert after_five_days == [
        ("tasks.nightly", datetime(2026, 3, 7, 2, tzinfo=UTC)),
        ("tasks.sweep", AT.replace(day=7, second=0)),
    ]
    assert opened(now=AT + timedelta(days=5, seconds=20)) == []


def test_what_was_due_before_a_job_was_made_changed_or_switched_on_does_not_run():
    made = nightly(date_changed=AT - timedelta(hours=1))
    assert ran() == []
    assert ran(now=AT + timedelta(days=1)) == [("tasks.nightly", datetime(2026, 3, 3, 2, tzinfo=UTC))]
    PeriodicTask.objects.filter(pk=made.pk).update(enabled=False)
    assert opened(now=AT + timedelta(days=2)) == []
    PeriodicTask.objects.filter(pk=made.pk).update(enabled=True, date_changed=AT + timedelta(days=2))
    assert opened(now=AT + timedelta(days=2, minutes=1)) == []


def test_a_job_with_times_that_cannot_be_read_stops_no_other(caplog):
    job()
    broken = nightly()
    CrontabSchedule.objects.filter(pk=PeriodicTask.objects.get(pk=broken.pk).crontab_id).update(hour="three")
    assert opened() == [("tasks.sweep", AT.replace(second=0))]
    assert "“Nightly” has times that can't be read" in caplog.text


def test_a_job_for_once_runs_once():
    job(one_off=True)
    assert len(opened()) == 1
    assert opened(now=AT + timedelta(minutes=5)) == []
    assert not PeriodicTask.objects.get().enabled


def test_a_lost_message_is_sent_again_and_one_that_was_not_sent_at_once():
    job(seconds=3600)
    first = begun()
    assert opened(now=AT + timedelta(seconds=100)) == []
    assert opened(now=AT + timedelta(seconds=130)) == [("tasks.sweep", AT.replace(minute=0, second=0))]
    slot_not_sent(slot_id=first)
    assert len(opened(now=AT + timedelta(seconds=135))) == 1


def test_a_newer_slot_takes_the_place_of_one_that_nobody_began():
    job()
    older = begun()
    newer = begun(now=AT + timedelta(minutes=3))
    assert (row(older).state, row(newer).state) == ("skipped", "queued")
    assert claim(older) == Claim.TAKEN
    assert claim(newer) == Claim.GO


def test_a_slot_is_begun_once_however_often_its_message_comes():
    job()
    slot_id = begun()
    assert claim(slot_id) == Claim.GO
    assert claim(slot_id) == Claim.TAKEN
    assert claim(slot_id, process=ELSEWHERE) == Claim.TAKEN
    slot_finish(slot_id=slot_id, process=HERE, now=AT)
    assert claim(slot_id, redelivered=True) == Claim.TAKEN
    assert (row(slot_id).state, row(slot_id).attempts, row(slot_id).finished_at) == ("done", 1, AT)


def test_a_failure_is_written_down_with_its_reason():
    job()
    slot_id = begun()
    claim(slot_id)
    slot_finish(slot_id=slot_id, process=HERE, now=AT, failure="ValueError: no")
    assert (row(slot_id).state, row(slot_id).message) == ("failed", "ValueError: no")


def test_a_message_that_ends_its_worker_three_times_is_set_aside_and_the_others_go_on(caplog):
    job()
    job("Other")
    by_task = {errand.task: errand.slot_id for errand in slots_open(now=AT, process=HERE)}
    poison = by_task["tasks.sweep"]
    assert [claim(poison, process=GONE) for _ in range(ATTEMPTS)] == [Claim.GO] * 3
    assert claim(poison) == Claim.SET_ASIDE
    assert claim(poison) == Claim.TAKEN
    assert row(poison).state == "set_aside"
    assert "3 times" in row(poison).message
    assert "is set aside" in caplog.text
    assert claim(by_task["tasks.other"]) == Claim.GO
    assert len(opened(now=AT + timedelta(minutes=1))) == 2  # the next slot is tried again: it may have been the machine's fault


def test_a_process_on_another_machine_counts_as_gone_only_when_the_broker_says_so():
    job()
    slot_id = begun()
    claim(slot_id, process=ELSEWHERE)
    assert claim(slot_id) == Claim.TAKEN
    assert claim(slot_id, redelivered=True) == Claim.GO
    assert row(slot_id).attempts == 2


def test_a_message_that_comes_again_while_its_worker_lives_begins_nothing():
    job()
    slot_id = begun()
    claim(slot_id)
    assert claim(slot_id, redelivered=True) == Claim.TAKEN


def test_what_a_killed_worker_left_is_offered_again_three_times_in_all():
    job(seconds=3600)
    slot_id = begun()
    for attempt in (1, 2):
        assert claim(slot_id, process=GONE) == Claim.GO
        assert slots_recover(now=AT) == 1
        assert row(slot_id).state == "queued"
        assert len(opened(now=AT + timedelta(minutes=attempt))) == 1
    claim(slot_id, process=GONE)
    assert slots_recover(now=AT) == 1
    assert (row(slot_id).state, row(slot_id).attempts) == ("set_aside", 3)
    assert slots_recover(now=AT) == 0


def test_what_runs_is_left_alone_until_its_time_is_over():
    job()
    slot_id = begun()
    claim(slot_id)
    assert slots_recover(now=AT + LIMIT) == 0
    assert slots_recover(now=AT + LIMIT + timedelta(seconds=1)) == 1
    assert (row(slot_id).state, row(slot_id).message) == ("failed", "It was broken off: it took longer than it may.")
    slot_finish(slot_id=slot_id, process=HERE, now=AT)  # too late to say so
    assert row(slot_id).state == "failed"


def test_a_killed_run_that_a_newer_slot_has_overtaken_is_not_begun_again():
    job()
    slot_id = begun()
    claim(slot_id, process=GONE)
    begun(now=AT + timedelta(minutes=1))
    assert slots_recover(now=AT) == 1
    assert (row(slot_id).state, row(slot_id).message) == ("failed", "Its worker was killed.")


def test_work_outside_the_schedule_that_ends_its_workers_is_set_aside_too():
    lost = {"task": "tasks.asked", "message_id": "abc", "now": AT}
    slot_id = slot_of_lost_message(**lost)
    assert claim(slot_id, process=GONE) == Claim.GO
    assert slots_recover(now=AT) == 0  # it comes again as a message
    assert slot_of_lost_message(**lost) == slot_id
    assert claim(slot_id, process=GONE) == Claim.GO
    assert claim(slot_of_lost_message(**lost)) == Claim.SET_ASIDE


def test_the_clock_set_back_neither_stops_the_schedule_nor_runs_a_slot_twice():
    job()
    ran()
    earlier = AT - timedelta(minutes=30)
    assert ran(now=earlier) == [("tasks.sweep", earlier.replace(second=0))]
    assert ran(now=earlier + timedelta(minutes=1)) == [("tasks.sweep", earlier.replace(minute=1, second=0))]
    assert ran(now=AT + timedelta(seconds=1)) == []
    assert JobSlot.objects.values("slot").distinct().count() == JobSlot.objects.count() == 3


def test_old_rows_are_forgotten_but_never_the_newest_of_a_job():
    job()
    nightly()
    JobSlot.objects.bulk_create(
        [
            JobSlot(job=name, slot=AT - timedelta(days=days), task="t", state=state, queued_at=AT)
            for name, days, state in (
                ("Sweep", 40, "failed"),
                ("Sweep", 20, "failed"),
                ("Sweep", 2, "done"),
                ("Sweep", 0, "done"),
                ("Nightly", 60, "done"),
                ("tasks.asked abc", 31, "set_aside"),
                ("Sweep", 3, "running"),
            )
        ]
    )
    assert slots_tidy(now=AT) == 3
    left = [(one.job, (AT - one.slot).days) for one in JobSlot.objects.order_by("job", "slot")]
    assert left == [("Nightly", 60), ("Sweep", 20), ("Sweep", 3), ("Sweep", 0)]


def test_a_silent_schedule_is_noticed_within_two_minutes_and_its_return_too(caplog):
    assert schedule_watch(now=AT) is None  # nobody looked for it before
    opened()
    looks = [AT + timedelta(seconds=30 * n) for n in range(1, 5)]
    assert [schedule_watch(now=now) for now in looks] == [None, None, AT, AT]
    kept = Heartbeat.objects.get()
    assert (kept.silent_since, kept.noticed_at) == (AT, AT + timedelta(seconds=90))
    assert caplog.text.count("has been silent since 2026-03-02 09:30:05 UTC") == 1
    opened(now=AT + timedelta(minutes=5))
    assert schedule_watch(now=AT + timedelta(minutes=5)) is None
    assert Heartbeat.objects.get().silent_since is None
    assert caplog.text.count("signs of life again") == 1


def test_a_schedule_that_never_began_is_missed_too():
    schedule_watch(now=AT)
    assert schedule_watch(now=AT + timedelta(minutes=2)) == AT
    assert schedule_silent_since(now=AT + timedelta(minutes=2)) == AT


def test_workers_that_take_nothing_up_are_noticed():
    job()
    assert workers_silent_since(now=AT) is None
    slot_id = begun()
    claim(slot_id)
    for minute in range(1, 9):
        opened(now=AT + timedelta(minutes=minute))
    assert workers_silent_since(now=AT + timedelta(minutes=5)) is None
    assert workers_silent_since(now=AT + timedelta(minutes=8)) == AT + timedelta(minutes=1)
    newest = JobSlot.objects.filter(state="queued").get().pk
    claim(newest, now=AT + timedelta(minutes=8))
    assert workers_silent_since(now=AT + timedelta(minutes=9)) is None


def test_a_job_keeps_its_arguments_as_people_typed_them():
    made = job()
    PeriodicTask.objects.filter(pk=made.pk).update(args="[1, 2]", kwargs=json.dumps({"a": "ä"}), queue="slow", priority=3)
    (errand,) = slots_open(now=AT, process=HERE)
    assert (errand.args, errand.kwargs, errand.options) == ([1, 2], {"a": "ä"}, {"queue": "slow", "priority": 3})
