"""Facts about tills, stores, runs and queues. Each is one statement or two, however many rows there are."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery

from alerts.rules.systems import Failures, Health, Held, Queue, System
from connectors.contract import Capabilities
from connectors.models import Connection
from jobs.models import JobSlot
from sync.models import HookHealth, InboundEvent, OutboundWrite, SyncRun, TillFeed

State = SyncRun.State


def failures() -> Iterator[Failures]:
    """Result: for each store whose last sync failed, how often in a row. Dry runs don't count."""
    runs = SyncRun.objects.filter(dry_run=False, finished_at__isnull=False, store__is_active=True)
    good = runs.filter(store=OuterRef("store"), state__in=[State.DONE, State.PARTIAL, State.HELD]).order_by("-finished_at")
    last_good = Subquery(good.values("finished_at")[:1])
    failed = runs.filter(state=State.FAILED).annotate(good_at=last_good)
    failed = failed.filter(Q(good_at=None) | Q(finished_at__gt=F("good_at"))).order_by()
    rows = failed.values("store_id", "store__name").annotate(n=Count("id"), since=Min("finished_at"), last=Max("id"))
    found = list(rows)
    said = dict(SyncRun.objects.filter(pk__in=[row["last"] for row in found]).values_list("pk", "message"))
    for row in found:
        system = System(row["store_id"], row["store__name"])
        yield Failures(system, row["n"], row["since"], row["last"], said.get(row["last"], ""))


def health() -> Iterator[Health]:
    """Result: every system in use that failed the last time it was asked."""
    failing = Connection.objects.filter(is_active=True, failures_in_row__gt=0).order_by("pk")
    for pk, name, count, code, said in failing.values_list("pk", "name", "failures_in_row", "last_error_code", "last_error"):
        yield Health(System(pk, name), count, code, said)


def webhooks_waiting() -> Iterator[Queue]:
    """Result: what stores told and nobody has worked off."""
    yield from _events(InboundEvent.State.NEW, "webhooks")


def webhooks_failed() -> Iterator[Queue]:
    """Result: what stores told and could not be processed."""
    yield from _events(InboundEvent.State.FAILED, "webhooks")


def _events(state: InboundEvent.State, what: str) -> Iterator[Queue]:
    events = InboundEvent.objects.filter(state=state, connection__is_active=True).order_by()
    for row in events.values("connection_id", "connection__name").annotate(n=Count("id"), oldest=Min("received_at")):
        yield Queue(System(row["connection_id"], row["connection__name"]), what, row["n"], row["oldest"])


def writes_waiting() -> Iterator[Queue]:
    """Result: what is to be told and was not sent yet."""
    yield from _writes(Q(state=OutboundWrite.State.PENDING), "created_at")


def writes_without_answer() -> Iterator[Queue]:
    """Result: what was sent and nobody knows the outcome of."""
    yield from _writes(Q(state__in=OutboundWrite.UNANSWERED, sent_at__isnull=False), "sent_at")


def _writes(which: Q, since: str) -> Iterator[Queue]:
    writes = OutboundWrite.objects.filter(which, connection__is_active=True).order_by()
    for row in writes.values("connection_id", "connection__name").annotate(n=Count("id"), oldest=Min(since)):
        yield Queue(System(row["connection_id"], row["connection__name"]), "writes", row["n"], row["oldest"])


def hooks() -> Iterator[tuple[System, str, bool]]:
    """Result: each store's webhooks: what the last look said, and whether they are well. Off is well: polling does the work."""
    well = (HookHealth.State.OFF, HookHealth.State.WORKING)
    rows = HookHealth.objects.filter(connection__is_active=True).order_by("pk")
    for pk, name, state, message in rows.values_list("connection_id", "connection__name", "state", "message"):
        yield System(pk, name), message, state in well


def held_things() -> Iterator[Held]:
    """Result: runs and till files that wait for a manager; a file only where no run that waits holds it."""
    runs = SyncRun.objects.filter(state=State.HELD, store__is_active=True).select_related("store").order_by("pk")
    for run in runs:
        since = run.finished_at or run.started_at
        yield Held(f"run:{run.pk}", System(run.store_id, run.store.name), str(run), since, run.message, run.pk)
    feeds = TillFeed.objects.filter(state=TillFeed.State.HELD, connection__is_active=True).exclude(run__state=State.HELD)
    for feed in feeds.select_related("connection").order_by("pk"):
        system = System(feed.connection_id, feed.connection.name)
        yield Held(f"feed:{feed.pk}", system, f"{feed.name} of {system.name}", feed.received_at, feed.message)


def tills_by_file() -> Iterator[tuple[System, datetime]]:
    """Result: each till that drops files, and when the last one came; when the till was connected, where none ever did."""
    tills = Connection.objects.filter(is_active=True).annotate(last=Max("feeds__received_at")).order_by("pk")
    for till in tills:
        can: Capabilities = till.spec.capabilities
        if can.files:
            yield System(till.pk, till.name), till.last or till.created_at


def jobs_set_aside() -> Iterator[tuple[str, str, datetime]]:
    """Result: name, reason and time of each job whose newest run was set aside, because it ends its worker. A later run that
    ended well says that it is over."""
    later = JobSlot.objects.filter(job=OuterRef("job"), state=JobSlot.State.DONE, slot__gt=OuterRef("slot"))
    rows = JobSlot.objects.filter(state=JobSlot.State.SET_ASIDE).exclude(Exists(later)).order_by("job", "-slot")
    seen: set[str] = set()
    for job, message, finished_at, slot in rows.values_list("job", "message", "finished_at", "slot"):
        if job not in seen:
            seen.add(job)
            yield job, message, finished_at or slot
