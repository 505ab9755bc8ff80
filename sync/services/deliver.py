"""Paying what is owed (design.md §3.6): claim, commit, send, record. No network inside a transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from alignment.models import Alignment
from connectors.contract import Outcome, StoreReading, StoreWrite, WriteBatch, WriteResult
from connectors.errors import ConnectorError, RetryableError
from connectors.pacing import paced_map
from sync.core.targets import owed
from sync.models import OutboundWrite, SyncLog, SyncRun
from sync.selectors import targets_of, under_review
from sync.services.context import RunContext
from sync.services.log import quantity_text
from sync.services.rows import rows_update

State = OutboundWrite.State
ATTEMPTS = 3  # then an alert, and a person (reliability.md)
BACKOFF = (timedelta(seconds=2), timedelta(seconds=10), timedelta(seconds=60))
ZERO = Decimal(0)


def outbox_deliver(*, ctx: RunContext) -> None:
    """Send every pending write of the run's store, in batches, as many at once as the store stands. Writes that had surely
    no effect are tried again, up to three times in all; those whose outcome is unknown are left for the look-up."""
    sent = 0
    for _ in range(ATTEMPTS):
        due = _due(ctx)
        if not due:
            break
        total = sent + len(due)
        for batch, results in paced_map(ctx.store.store.send, _claimed(ctx, due), pacer=ctx.store.store.pacer):
            _record(ctx, results)
            ctx.store.log.flush()
            sent += len(batch.writes)
            ctx.progress(SyncRun.Phase.DELIVER, sent, total)
        wait = _next_attempt_in(ctx)
        if wait is None or wait > 60 or not ctx.may_wait:
            break
        ctx.sleep(wait)


def _pending(ctx: RunContext) -> QuerySet[OutboundWrite]:
    return OutboundWrite.objects.filter(connection=ctx.store.connection, state=State.PENDING, listing__isnull=False)


def _next_attempt_in(ctx: RunContext) -> float | None:
    """Result: seconds until the next pending write is due; None when there is none."""
    first = _pending(ctx).order_by("next_attempt_at").first()
    if first is None:
        return None
    return max(0.0, (first.next_attempt_at - ctx.now()).total_seconds()) if first.next_attempt_at else 0.0


def _due(ctx: RunContext) -> list[StoreWrite]:
    """Result: what may be sent now. The delta is the planned one; the claim works out the real one."""
    rows = _pending(ctx).filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=ctx.now()))
    return [
        StoreWrite(operation_id=operation_id, remote_id=remote_id, parent_remote_id=parent, delta=int(to - from_))
        for operation_id, remote_id, parent, from_, to in rows.values_list(
            "operation_id", "listing__remote_id", "listing__parent_remote_id", "planned_from", "planned_to"
        )
    ]


def _claimed(ctx: RunContext, due: Sequence[StoreWrite]) -> Iterator[WriteBatch]:
    """Result: batches ready to go, each claimed just before it is sent."""
    for batch in ctx.store.store.plan_batches(due):
        deltas = _claim(ctx, [write.operation_id for write in batch.writes])
        writes = [replace(write, delta=deltas[write.operation_id]) for write in batch.writes if write.operation_id in deltas]
        if writes:
            yield replace(batch, writes=writes)


@transaction.atomic
def _claim(ctx: RunContext, operation_ids: list[UUID]) -> dict[UUID, int]:
    """Mark writes as sent, and work out what each listing is owed this moment (design.md §3.2). Result: operation id → units
    to send. A write that is not needed any more is cancelled. Raises LeaseLostError when another run has taken over."""
    now = ctx.now()
    ctx.store.lease.beat(now=now)
    rows = list(
        OutboundWrite.objects.select_for_update(of=("self",))
        .filter(operation_id__in=operation_ids, state=State.PENDING)
        .select_related("listing")
    )
    pairs = dict(
        Alignment.objects.filter(listing_id__in=[row.listing_id for row in rows], status=Alignment.Status.CONFIRMED).values_list(
            "listing_id", "item_id"
        )
    )
    targets = targets_of(store=ctx.store.connection, item_ids=pairs.values())
    reviewed = set(under_review(store=ctx.store.connection).values_list("alignment__listing_id", flat=True))
    deltas: dict[UUID, int] = {}
    for row in rows:
        listing = row.listing
        target = targets.get(pairs.get(row.listing_id or 0, 0))
        row.delta = ZERO
        if (
            listing
            and listing.counts_stock
            and listing.baseline is not None
            and target is not None
            and row.listing_id not in reviewed
        ):
            row.delta = owed(target=target, baseline=listing.baseline)
            row.planned_from, row.planned_to = listing.baseline, target
        row.state = State.SENDING if row.delta else State.CANCELLED
        row.sent_at, row.epoch, row.attempts = now, ctx.store.lease.epoch, row.attempts + 1
        if row.delta:
            deltas[row.operation_id] = int(row.delta)
    rows_update(rows, ["delta", "planned_from", "planned_to", "state", "sent_at", "epoch", "attempts"])
    return deltas


@transaction.atomic
def _record(ctx: RunContext, results: Sequence[WriteResult]) -> None:
    """Write down what became of a batch. A row that somebody else has decided meanwhile is left alone."""
    now = ctx.now()
    ctx.store.lease.beat(now=now)
    answers = {result.operation_id: result for result in results}
    rows = list(
        OutboundWrite.objects.select_for_update(of=("self",))
        .filter(operation_id__in=answers, state=State.SENDING, epoch=ctx.store.lease.epoch)
        .select_related("listing")
    )
    applied: list[OutboundWrite] = []
    for row in rows:
        result = answers[row.operation_id]
        if result.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            applied.append(row)
            write_landed(ctx=ctx, row=row, reading=result.reading)
            if result.error is not None and not ctx.counts["without_receipt"]:  # it landed, but left no trace: say so once
                ctx.counts["without_receipt"] += 1
                ctx.problem(side=ctx.store, subject=_subject(row), error=result.error, fails_run=False)
        else:
            _not_applied(ctx, row, result)
    rows_save(rows)
    log_applied(ctx=ctx, rows=applied)


def rows_save(rows: Sequence[OutboundWrite]) -> None:
    """Store decided outbox rows and the accounts of their listings."""
    rows_update(rows, ["state", "answered_at", "next_attempt_at", "error_code", "error", "delta"])
    listings = [row.listing for row in rows if row.listing and row.state == State.APPLIED]
    rows_update(listings, ["baseline", "quantity", "read_at", "suspect", "suspected_at"])


def write_landed(*, ctx: RunContext, row: OutboundWrite, reading: StoreReading | None) -> None:
    """A write took effect: the baseline follows. Its reply is a free reading: what it leaves unexplained is suspect."""
    now, listing = ctx.now(), row.listing
    assert listing is not None
    row.state, row.answered_at, row.error, row.error_code = State.APPLIED, now, "", ""
    listing.baseline = (listing.baseline or ZERO) + (row.delta or ZERO)
    listing.quantity = listing.baseline
    if reading is not None and reading.quantity is not None:
        listing.quantity, listing.read_at = reading.quantity, now
        residual = reading.quantity - listing.baseline
        listing.suspect, listing.suspected_at = (residual, now) if residual else (None, None)
    ctx.counts["writes"] += 1
    ctx.changed_listings.add(listing.pk)


def _not_applied(ctx: RunContext, row: OutboundWrite, result: WriteResult) -> None:
    now, error = ctx.now(), result.error or ConnectorError("The shop gave no reason.", code="no_reason")
    row.error_code, row.error = error.code, str(error)[:2000]
    if row.listing_id:
        ctx.changed_listings.add(row.listing_id)
    if result.outcome == Outcome.UNKNOWN:
        row.state = State.UNKNOWN
        ctx.counts["unknown"] += 1
        return
    if result.outcome == Outcome.REJECTED:
        row.state, row.answered_at = State.REJECTED, now
        ctx.problem(side=ctx.store, subject=_subject(row), error=error)
        ctx.counts["rejected"] += 1
        return
    row.delta = None
    if row.attempts < ATTEMPTS:
        pause = BACKOFF[min(row.attempts, len(BACKOFF)) - 1]
        if isinstance(error, RetryableError) and error.retry_after is not None:
            pause = timedelta(seconds=error.retry_after)
        row.state, row.next_attempt_at = State.PENDING, now + pause
        return
    row.state, row.answered_at = State.NOT_SENT, now
    ctx.problem(side=ctx.store, subject=_subject(row), error=error)
    ctx.counts["not_sent"] += 1


def _subject(row: OutboundWrite) -> str:
    listing = row.listing
    return listing.sku or f"#{listing.remote_id}" if listing else str(row.operation_id)


def log_applied(*, ctx: RunContext, rows: Sequence[OutboundWrite]) -> None:
    """One log row for each value that we changed in the shop."""
    pairs = dict(
        Alignment.objects.filter(listing_id__in=[row.listing_id for row in rows], status=Alignment.Status.CONFIRMED).values_list(
            "listing_id", "id"
        )
    )
    SyncLog.objects.bulk_create(
        [
            SyncLog(
                alignment_id=pairs[row.listing_id],
                run=ctx.run_row,
                at=row.answered_at or ctx.now(),
                source=SyncLog.Source.ENGINE,
                action=SyncLog.Action.QUANTITY,
                old_value=quantity_text(row.planned_from),
                new_value=quantity_text(row.planned_from + (row.delta or ZERO)),
                reason=row.reason,
            )
            for row in rows
            if row.listing_id in pairs
        ]
    )
