"""What of the engine's rows may leave the database when it is old. Never the ledger, orders, till exports, conflicts or what the
engine still asks: an old export that comes again is known by its row.

Each app says in its own `retention.py` what it has: `def kinds(*, before) -> Iterable[Kind]`.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from connectors.models import ApiCall
from sync.models import InboundEvent, OutboundWrite, SyncConflict, SyncLog, SyncRun, TillPrice
from sync.upkeep.archive import Kind

Event, Run, Write = InboundEvent.State, SyncRun.State, OutboundWrite.State
WELL = (Run.DONE, Run.PARTIAL)


def kinds(*, before: datetime) -> Iterator[Kind]:
    """The kinds of this app and of connectors. What points to others comes first, so that these are free."""
    worked_off = InboundEvent.objects.filter(state__in=(Event.DONE, Event.IGNORED), done_at__lt=before)
    yield Kind("requests", ApiCall.objects.filter(at__lt=before), "at")
    yield Kind("webhooks", worked_off, "done_at")
    disputed = SyncConflict.objects.filter(alignment=OuterRef("alignment"), resolved_at=None)  # its page tells what led to it
    yield Kind("changed-values", SyncLog.objects.filter(~Exists(disputed), at__lt=before), "at")
    yield Kind("writes", _writes(before), "created_at", children=("price",))
    yield Kind("till-prices", _over(TillPrice.objects.exclude(state__in=TillPrice.OPEN), before), "created_at")
    yield Kind("runs", _runs(before), "started_at", children=("problems",))


def _over(rows: QuerySet[OutboundWrite] | QuerySet[TillPrice], before: datetime) -> QuerySet[OutboundWrite] | QuerySet[TillPrice]:
    return rows.filter(Q(answered_at=None) | Q(answered_at__lt=before), created_at__lt=before)


def _writes(before: datetime) -> QuerySet[OutboundWrite] | QuerySet[TillPrice]:
    """Result: decided writes, but for each target's newest attempt, by which the next one is judged (`writes_newest`), and its
    newest that took effect, from which a till's reasons go on (`till_reasons`). One that carries a number waits for the next that
    does: by it, a number is explained (`sync.why`)."""
    over = _over(OutboundWrite.objects.exclude(state__in=OutboundWrite.OPEN), before)
    tried = OutboundWrite.objects.exclude(state=Write.CANCELLED)
    numbers = tried.filter(carries_number=True)
    idle, price = Q(state=Write.CANCELLED), Q(carries_number=False)
    over = over.filter(idle | _followed(numbers) | (price & _followed(tried)))
    return over.filter(~Q(state=Write.APPLIED) | price | _followed(numbers.filter(state=Write.APPLIED)))


def _followed(by: QuerySet[OutboundWrite]) -> Q:
    newer = by.filter(pk__gt=OuterRef("pk")).order_by()
    return Q(Exists(newer.filter(listing=OuterRef("listing")))) | Q(Exists(newer.filter(level=OuterRef("level"))))


def _runs(before: datetime) -> QuerySet[SyncRun]:
    """Result: runs that are over, from before the store's newest good one: later failures are counted (`alerts`)."""
    good = SyncRun.objects.filter(store=OuterRef("store"), pk__gt=OuterRef("pk"), state__in=WELL, dry_run=False).order_by()
    over = SyncRun.objects.filter(state__in=(*WELL, Run.FAILED, Run.DISCARDED), started_at__lt=before, finished_at__lt=before)
    return over.filter(Exists(good))
