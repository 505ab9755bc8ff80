"""Telling the till what was sold online: relative adjustments, each booked once under its operation id."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from connectors.contract import Outcome, TillWrite, WriteResult
from connectors.errors import ConnectorError, RetryableError
from kit.bulk import chunks
from kit.rows import rows_update
from sync.core.targets import owed
from sync.models import OutboundWrite
from sync.outbox.claim import send_claimed
from sync.outbox.send import DECIDED
from sync.outbox.settle import till_write_decide
from sync.tills.reasons import till_reasons
from sync.turns.context import RunContext, Side

State = OutboundWrite.State


def till_deliver(*, ctx: RunContext, side: Side) -> None:
    """Send one till all its pending adjustments: claim, commit, send, record. What failed before goes with fewer beside it.
    While the till rests they stay pending."""
    if side.connection.rest(ctx.now()):
        return
    claimed_at = ctx.now()
    claimed = _claim(ctx, side)
    free = [write for write, at_most in claimed if at_most is None]
    parts = [free] if free else []
    for most in sorted({at_most for _, at_most in claimed if at_most is not None}, reverse=True):
        parts.extend(chunks((write for write, at_most in claimed if at_most == most), most))
    for part in parts:
        results = send_claimed(ctx=ctx, claimed_at=claimed_at, writes=part, send=partial(side.till.send, part))
        _record(ctx, side, part, results)


@transaction.atomic
def _record(ctx: RunContext, side: Side, part: Sequence[TillWrite], results: Sequence[WriteResult]) -> None:
    side.lease.beat(now=ctx.now())
    answers = {result.operation_id: result for result in results}
    rows = list(
        OutboundWrite.objects.filter(operation_id__in=answers, state=State.SENDING, epoch=side.lease.epoch).select_related(
            "level__item"
        )
    )
    for row in rows:
        result = answers[row.operation_id]
        together = len(part) if result.is_of_batch else 1
        till_write_decide(ctx=ctx, side=side, row=row, outcome=result.outcome, error=result.error, together=together)
        ctx.counts["till_adjustments"] += result.outcome in (Outcome.APPLIED, Outcome.UNKNOWN)
    rows_update(rows, DECIDED)
    _tell_of_unsent(ctx, side, [result.error for result in results if result.outcome == Outcome.NOT_SENT])


def _tell_of_unsent(ctx: RunContext, side: Side, errors: Sequence[ConnectorError | None]) -> None:
    """A till that can't be reached is one problem, not one for each adjustment."""
    if errors and side.connection.pk not in ctx.failing:
        error = errors[0] or ConnectorError("The till gave no reason.")
        ctx.failing[side.connection.pk] = error
        ctx.problem(side=side, subject=side.connection.name, error=error, fails_run=not isinstance(error, RetryableError))


@transaction.atomic
def _claim(ctx: RunContext, side: Side) -> list[tuple[TillWrite, int | None]]:
    """Mark the pending adjustments as sent, each with what its level is owed this moment (ledger.md §2). Result: those, and how
    many may go together with each."""
    now = ctx.now()
    side.lease.beat(now=now)
    rows = list(
        OutboundWrite.objects.select_for_update(of=("self",))
        .filter(connection=side.connection, state=State.PENDING, level__isnull=False)
        .select_related("level__item", "level__location")
    )
    writes: list[tuple[TillWrite, int | None]] = []
    reasons = till_reasons(levels=[row.level for row in rows if row.level])
    for row in rows:
        level = row.level
        if level is None or level.baseline is None:
            row.state = State.CANCELLED
            continue
        row.planned_from, row.planned_to = level.baseline, level.on_hand
        row.delta = owed(target=level.on_hand, baseline=level.baseline)
        row.state = State.SENDING if row.delta else State.CANCELLED
        row.sent_at, row.epoch, row.attempts = now, side.lease.epoch, row.attempts + 1
        why = reasons[level.pk]
        row.reason = why.reason
        if row.delta:
            write = TillWrite(
                operation_id=row.operation_id,
                sku=level.item.sku,
                location=level.location.remote_name,
                delta=row.delta,
                reason=row.reason,
                reference=why.reference,
            )
            writes.append((write, row.at_most))
    rows_update(rows, ["delta", "reason", "planned_from", "planned_to", "state", "sent_at", "epoch", "attempts"])
    return writes
