"""Rules about systems, runs, queues and the schedule: one fact in, a finding or nothing out. A fact at its limit is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.rules.words import Code, Finding

FAILURES: Final = 3  # in a row
QUEUE_LIMIT: Final = timedelta(minutes=15)
ANSWER_LIMIT: Final = timedelta(hours=4)  # a file till's staff may take their time (sync's own patience)
ADDRESS_CODES: Final = frozenset({"dns", "tls"})  # waiting helps neither a wrong name nor a certificate that has run out


@dataclass(frozen=True, slots=True)
class System:
    """A till or a store."""

    connection_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Failures:
    """Syncs of one store that failed since the last one that did not."""

    store: System
    in_row: int
    since: datetime
    run_id: int
    message: str


def sync_failed(failures: Failures) -> Finding | None:
    """The last sync failed. It is tried again: see `alerts.services.retry`."""
    if not failures.in_row:
        return None
    return Finding(
        Code.SYNC_FAILED,
        f"store:{failures.store.connection_id}",
        failures.store.name,
        failures.message or "The last sync failed.",
        "It is tried again in a few minutes, and then on schedule. If it stays, the run's page says what to do.",
        since=failures.since,
        figures={"in_row": failures.in_row},
        connection_id=failures.store.connection_id,
        run_id=failures.run_id,
    )


def sync_failed_again(failures: Failures) -> Finding | None:
    """Three in a row is no hiccup."""
    if failures.in_row < FAILURES:
        return None
    return Finding(
        Code.SYNC_FAILED_AGAIN,
        f"store:{failures.store.connection_id}",
        failures.store.name,
        f"{failures.in_row} syncs in a row failed. The last one said: {failures.message}",
        "Press Test connection under Connections: it says what is wrong.",
        since=failures.since,
        figures={"in_row": failures.in_row},
        connection_id=failures.store.connection_id,
        run_id=failures.run_id,
    )


@dataclass(frozen=True, slots=True)
class Health:
    """How a system fared lately."""

    system: System
    failures: int
    code: str
    message: str


def api_unavailable(health: Health) -> Finding | None:
    """A system failed to answer three times in a row."""
    if health.failures < FAILURES or health.code in ADDRESS_CODES:
        return None
    return Finding(
        Code.API_UNAVAILABLE,
        f"connection:{health.system.connection_id}",
        health.system.name,
        f"It failed {health.failures} times in a row. The last time: {health.message}",
        "Nothing is lost: what it is owed is told when it answers. Test connection says more.",
        figures={"failures": health.failures, "code": health.code},
        connection_id=health.system.connection_id,
    )


def address_trouble(health: Health) -> Finding | None:
    """A name that is not known, or a certificate that is not good: at the first time, for it needs a hand."""
    if not health.failures or health.code not in ADDRESS_CODES:
        return None
    return Finding(
        Code.ADDRESS_TROUBLE,
        f"connection:{health.system.connection_id}",
        health.system.name,
        health.message,
        "Check its address and its certificate. It is asked again by itself.",
        figures={"failures": health.failures, "code": health.code},
        connection_id=health.system.connection_id,
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for one system. `what`: in the plural, such as webhooks."""

    system: System
    what: str
    waiting: int
    oldest_at: datetime


def queue_backing_up(queue: Queue, *, now: datetime) -> Finding | None:
    """Work that is due, and that nobody takes up."""
    if now - queue.oldest_at <= QUEUE_LIMIT:
        return None
    return Finding(
        Code.QUEUE_BACKING_UP,
        f"{queue.what}:{queue.system.connection_id}",
        queue.system.name,
        f"{queue.waiting} {queue.what} wait, the oldest for more than {_minutes(QUEUE_LIMIT)} minutes.",
        "Look whether the workers run, and whether a long sync is at it.",
        since=queue.oldest_at,
        figures={"waiting": queue.waiting},
        connection_id=queue.system.connection_id,
    )


def jobs_untaken(waiting_since: datetime | None, *, now: datetime) -> Finding | None:
    """Jobs that were due, and that no worker has begun."""
    if waiting_since is None or now - waiting_since <= QUEUE_LIMIT:
        return None
    return Finding(
        Code.QUEUE_BACKING_UP,
        "jobs",
        "Evenstock's workers",
        f"Scheduled jobs have waited for a worker for more than {_minutes(QUEUE_LIMIT)} minutes.",
        "Look whether the workers run, and whether one long sync keeps them all. More workers help.",
        since=waiting_since,
    )


def writes_unanswered(queue: Queue, *, now: datetime) -> Finding | None:
    """Writes whose outcome nobody knows. They are looked up, and never blindly sent again (ledger.md §6)."""
    if now - queue.oldest_at <= ANSWER_LIMIT:
        return None
    said = "1 write is" if queue.waiting == 1 else f"{queue.waiting} writes are"
    return Finding(
        Code.WRITES_UNANSWERED,
        f"connection:{queue.system.connection_id}",
        queue.system.name,
        f"{said} without an answer, the oldest for more than {_minutes(ANSWER_LIMIT) // 60} hours.",
        "For a till by files: import what lies in its outbound folder. Otherwise look whether the system answers.",
        since=queue.oldest_at,
        figures={"waiting": queue.waiting},
        connection_id=queue.system.connection_id,
    )


def webhook_trouble(system: System, *, message: str, is_well: bool) -> Finding | None:
    """Webhooks that were disabled, are silent, or can't be looked at. Polling brings their orders meanwhile."""
    if is_well:
        return None
    return Finding(
        Code.WEBHOOK_TROUBLE,
        f"connection:{system.connection_id}",
        system.name,
        message,
        "Orders are polled every few minutes, so none is lost. If it stays, see Webhook health.",
        connection_id=system.connection_id,
    )


def events_failed(queue: Queue) -> Finding | None:
    """Webhooks that were tried three times, or can't be read, and were set aside."""
    if not queue.waiting:
        return None
    said = "1 webhook" if queue.waiting == 1 else f"{queue.waiting} webhooks"
    return Finding(
        Code.EVENT_FAILED,
        f"connection:{queue.system.connection_id}",
        queue.system.name,
        f"{said} could not be processed.",
        "See Webhooks, those that failed: each says why. Then press Process again.",
        since=queue.oldest_at,
        figures={"waiting": queue.waiting},
        connection_id=queue.system.connection_id,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """A run, or a till's file, that waits for a manager. `key`: run:17 or feed:8."""

    key: str
    system: System
    name: str
    since: datetime
    why: str
    run_id: int | None = None


def held(thing: Held | None) -> Finding | None:
    """A guard wants a person to look first (ledger.md §8)."""
    if thing is None:
        return None
    return Finding(
        Code.HELD_RUN,
        thing.key,
        thing.name,
        thing.why or "A guard held it.",
        "Look at its preview, then release or discard it.",
        since=thing.since,
        connection_id=thing.system.connection_id,
        run_id=thing.run_id,
    )


def till_file_late(system: System, *, last_at: datetime, within_hours: int, now: datetime) -> Finding | None:
    """A till that drops files has dropped none for too long."""
    if now - last_at <= timedelta(hours=within_hours):
        return None
    return Finding(
        Code.TILL_FILE_LATE,
        f"connection:{system.connection_id}",
        system.name,
        f"No new file came from the till for more than {within_hours} hours.",
        "Look whether its export still runs, and whether it writes into the right folder.",
        since=last_at,
        figures={"within_hours": within_hours},
        connection_id=system.connection_id,
    )


def task_set_aside(*, job: str, message: str, at: datetime) -> Finding:
    """A job that ended its worker three times, and is not run any more."""
    return Finding(
        Code.TASK_SET_ASIDE,
        f"job:{job}"[:120],
        job,
        message or "It ended its worker three times, so it was set aside. The other jobs go on.",
        "The worker's log says what it met.",
        since=at,
    )


@dataclass(frozen=True, slots=True)
class Unsent:
    """The mails of one report that did not go out: to how many addresses, since when, and what the newest attempt met."""

    key: int
    report: str
    count: int
    since: datetime
    error: str
    attempts: int
    is_stuck: bool


def report_not_sent(unsent: Unsent) -> Finding | None:
    """A report's mail failed for the third time, or is not tried any more."""
    if unsent.attempts < FAILURES and not unsent.is_stuck:
        return None
    said = "1 address" if unsent.count == 1 else f"{unsent.count} addresses"
    goes_on = "It is not tried again by itself." if unsent.is_stuck else "It is tried again."
    return Finding(
        Code.REPORT_NOT_SENT,
        f"report:{unsent.key}",
        unsent.report,
        f"It did not go out to {said}. {unsent.error}",
        f"{goes_on} When the cause is mended, press Send again under Reports sent. The report is in the admin, too.",
        since=unsent.since,
        figures={"addresses": unsent.count},
    )


def schedule_stopped(silent_since: datetime | None) -> Finding | None:
    """Beat gives no sign of life, so that no job is woken. Since when it counts as silent: `jobs.vitals`."""
    if silent_since is None:
        return None
    return Finding(
        Code.SCHEDULE_STOPPED,
        "schedule",
        "Evenstock's schedule",
        "The process that wakes the others (beat) gives no sign of life. Webhooks still work; syncs and polls do not start.",
        "Start beat again: docker compose up -d beat, or make run.",
        since=silent_since,
    )


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
