"""The schedule's runs (engine.md): opened once for each moment a job is due, begun once, and told to a worker again as long as
nobody has begun them. The rows are the truth; messages that get lost or doubled change nothing.

Jobs and their times are django-celery-beat's rows, which managers edit. Its own scheduler is not used: it forgets a nightly job
that was missed for more than two hours, writes down only every three minutes what it has run, and takes Celery's crontab, which
leaves out an hour when the clocks go back.
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from celery.schedules import ParseException, crontab
from django.db.models import F, Max, Q
from django_celery_beat.models import PeriodicTask

from jobs.due import At, Every, Once, When, slot_newest
from jobs.models import Heartbeat, JobSlot
from jobs.process import process_is_gone

logger = logging.getLogger(__name__)
State = JobSlot.State
ATTEMPTS = 3  # reliability.md, case 20
SEND_AGAIN = timedelta(minutes=2)  # a message that nobody has taken up by then may be lost
BEAT_EVERY = timedelta(seconds=10)
KEEP = timedelta(days=1)
KEEP_TROUBLE = timedelta(days=30)
TOO_OFTEN = (
    f"It was begun {ATTEMPTS} times, and each time its worker was killed: perhaps for want of memory. The log may say more."
)
TOO_LONG = "It was broken off: it took longer than it may."
LOST = "Its worker was killed."


@dataclass(frozen=True, slots=True)
class Errand:
    """What a worker is to be sent for one slot."""

    slot_id: int
    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class Claim(StrEnum):
    """May this worker begin?"""

    GO = "go"
    TAKEN = "taken"  # another one has begun, or it is over
    SET_ASIDE = "set_aside"  # it has ended too many workers


def slots_open(*, now: datetime, process: str) -> list[Errand]:
    """Open the newest due slot of each job, and take up those whose message is to be sent, now or again. Result: what to send;
    say `slot_not_sent` of what the broker did not take. Two schedulers that ask at once get each slot once between them."""
    _heartbeat(now, process)
    jobs = {job.name: job for job in PeriodicTask.objects.filter(enabled=True).select_related("crontab", "interval", "clocked")}
    known = JobSlot.objects.filter(job__in=jobs, slot__lte=now).order_by()  # later ones: a clock was set back
    newest = dict(known.values("job").annotate(at=Max("slot")).values_list("job", "at"))
    fresh = [
        JobSlot(job=job.name, slot=slot, task=job.task, queued_at=now)
        for job in jobs.values()
        if (slot := _slot_due(job, newest.get(job.name), now)) is not None
    ]
    if fresh:
        JobSlot.objects.bulk_create(fresh, ignore_conflicts=True)
        for one in fresh:
            older = JobSlot.objects.filter(job=one.job, state=State.QUEUED, slot__lt=one.slot)
            older.update(state=State.SKIPPED, finished_at=now)
    return _errands(jobs, now)


def _heartbeat(now: datetime, process: str) -> None:
    beats = Heartbeat.objects.filter(name=Heartbeat.SCHEDULE)
    if not beats.filter(at__gt=now - BEAT_EVERY, at__lte=now).update(process=process):
        beats.update_or_create(name=Heartbeat.SCHEDULE, defaults={"at": now, "process": process})


def _slot_due(job: PeriodicTask, newest: datetime | None, now: datetime) -> datetime | None:
    """Result: the slot to open. What was due before the job was made, changed or switched on again is none."""
    if (job.expires and now >= job.expires) or (job.start_time and now < job.start_time):
        return None
    try:
        when = job_times(job)
    except (ParseException, ValueError) as error:
        logger.warning("“%s” has times that can't be read, so it does not run: %s", job.name, error)
        return None
    return slot_newest(when, after=max(filter(None, [newest, job.date_changed])), now=now) if when else None


def job_times(job: PeriodicTask) -> When | None:
    """Result: when a job is due; None for a kind of time that we don't know."""
    if job.interval_id:
        return Every(max(1, int(job.interval.schedule.run_every.total_seconds())))
    if job.clocked_id:
        return Once(job.clocked.clocked_time)
    if not job.crontab_id:
        return None
    row = job.crontab
    return cron_times(row.minute, row.hour, row.day_of_week, row.day_of_month, row.month_of_year, row.timezone)


def cron_times(minute: str, hour: str, day_of_week: str, day_of_month: str, month: str, zone: tzinfo) -> At:
    """Result: five fields of a crontab, in words a person may type, as a schedule. Raises ParseException, ValueError."""
    said = crontab(minute, hour, day_of_week, day_of_month, month)
    return At(
        minutes=frozenset(said.minute),
        hours=frozenset(said.hour),
        days_of_week=frozenset(said.day_of_week),
        days=frozenset(said.day_of_month),
        months=frozenset(said.month_of_year),
        zone=zone,
    )


def _errands(jobs: dict[str, PeriodicTask], now: datetime) -> list[Errand]:
    unsent = Q(sent_at=None) | Q(sent_at__lt=now - SEND_AGAIN) | Q(sent_at__gt=now + SEND_AGAIN)  # a clock was set back
    errands = []
    for row in JobSlot.objects.filter(unsent, state=State.QUEUED, job__in=jobs).order_by("slot", "id"):
        if JobSlot.objects.filter(pk=row.pk, state=State.QUEUED, sent_at=row.sent_at).update(sent_at=now) != 1:
            continue  # the other scheduler was quicker
        job = jobs[row.job]
        counted = {"last_run_at": now, "total_run_count": F("total_run_count") + 1}
        PeriodicTask.objects.filter(pk=job.pk).update(**counted, enabled=not job.one_off)  # no save(): nobody changed the job
        options = {name: value for name in ("queue", "priority") if (value := getattr(job, name)) is not None}
        args, kwargs = json.loads(job.args or "[]"), json.loads(job.kwargs or "{}")
        errands.append(Errand(row.pk, job.task, args, kwargs, options))
    return errands


def slot_not_sent(*, slot_id: int) -> None:
    """The broker did not take the message: it is to be sent again, at the next look."""
    JobSlot.objects.filter(pk=slot_id, state=State.QUEUED).update(sent_at=None)


def slot_claim(*, slot_id: int, process: str, now: datetime, limit: timedelta, redelivered: bool = False) -> Claim:
    """Begin a slot, for a message that names it. One whose worker was killed is begun again, three times in all. `limit`: how
    long it may take."""
    row = JobSlot.objects.filter(pk=slot_id).first()
    if row is None or row.state not in JobSlot.OPEN:
        return Claim.TAKEN
    lost = row.state == State.RUNNING and (
        process_is_gone(row.worker) or (redelivered and not _same_machine(row.worker, process))
    )
    if row.state == State.RUNNING and not lost:
        return Claim.TAKEN
    mine = JobSlot.objects.filter(pk=row.pk, state=row.state, attempts=row.attempts)
    if row.attempts >= ATTEMPTS:
        if mine.update(state=State.SET_ASIDE, finished_at=now, message=TOO_OFTEN):
            logger.error("%s is set aside. %s", row, TOO_OFTEN)
        return Claim.SET_ASIDE
    begun = mine.update(
        state=State.RUNNING, attempts=row.attempts + 1, worker=process, started_at=now, until=now + limit, message=""
    )
    return Claim.GO if begun else Claim.TAKEN


def _same_machine(one: str, other: str) -> bool:
    return one.partition(":")[0] == other.partition(":")[0]


def slot_of_lost_message(*, task: str, message_id: str, now: datetime) -> int:
    """Result: the row that counts the attempts of work that was asked for outside the schedule and whose worker was killed."""
    lost = {"slot": now, "state": State.QUEUED, "attempts": 1, "queued_at": now, "sent_at": now, "task": task}
    row = JobSlot.objects.filter(job=f"{task} {message_id}").first()
    row = row or JobSlot.objects.create(job=f"{task} {message_id}", **lost)
    return row.pk


def slot_finish(*, slot_id: int, process: str, now: datetime, failure: str = "") -> None:
    """Write down how it ended, unless somebody else has taken it over meanwhile. `failure`: why it did not end well."""
    state = State.FAILED if failure else State.DONE
    mine = JobSlot.objects.filter(pk=slot_id, state=State.RUNNING, worker=process)
    mine.update(state=state, finished_at=now, message=failure[:2000])


def slots_recover(*, now: datetime) -> int:
    """Offer what a killed worker left again, and end what ran out of time. To be asked on every machine that has workers: only
    there can be seen that a process is gone. Result: how many rows were changed."""
    return sum(_recovered(row, now) for row in JobSlot.objects.filter(state=State.RUNNING))


def _recovered(row: JobSlot, now: datetime) -> int:
    gone, late = process_is_gone(row.worker), row.until is not None and row.until < now
    if not gone and not late:
        return 0
    mine = JobSlot.objects.filter(pk=row.pk, state=State.RUNNING, attempts=row.attempts)
    newer = JobSlot.objects.filter(job=row.job, slot__gt=row.slot).exists()
    scheduled = PeriodicTask.objects.filter(name=row.job, enabled=True).exists()
    if row.attempts >= ATTEMPTS:
        logger.error("%s is set aside. %s", row, TOO_OFTEN)
        return mine.update(state=State.SET_ASIDE, finished_at=now, message=TOO_OFTEN)
    if late or newer:
        return mine.update(state=State.FAILED, finished_at=now, message=TOO_LONG if late else LOST)
    # What the schedule did not ask for comes again as a message, or never: we don't know what it was.
    return mine.update(state=State.QUEUED, sent_at=None) if scheduled else 0


def slots_tidy(*, now: datetime) -> int:
    """Forget old rows, never a job's newest: what comes after it is told by it. Result: how many were forgotten."""
    newest = JobSlot.objects.order_by().values("job").annotate(id=Max("id")).values("id")
    over = JobSlot.objects.exclude(state__in=JobSlot.OPEN).exclude(pk__in=list(newest.values_list("id", flat=True)))
    quiet = over.filter(state__in=[State.DONE, State.SKIPPED], slot__lt=now - KEEP)
    old = JobSlot.objects.filter(slot__lt=now - KEEP_TROUBLE).exclude(state__in=JobSlot.OPEN)
    gone_jobs = old.exclude(job__in=PeriodicTask.objects.values("name"))
    return sum(rows.delete()[0] for rows in (quiet, over.filter(slot__lt=now - KEEP_TROUBLE), gone_jobs))
