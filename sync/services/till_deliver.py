"""Telling the till what was sold online: relative adjustments, each booked once under its operation id."""

from uuid import UUID

from django.db import transaction

from connectors.contract import Outcome, TillWrite
from sync.core.targets import owed
from sync.models import OutboundWrite
from sync.services.context import RunContext, Side
from sync.services.rows import rows_update
from sync.services.settle import till_write_decide

State = OutboundWrite.State


def till_deliver(*, ctx: RunContext, side: Side) -> None:
    """Send one till all its pending adjustments: claim, commit, send, record."""
    writes = _claim(ctx, side)
    if not writes:
        return
    results = {result.operation_id: result for result in side.till.send(writes)}
    with transaction.atomic():
        side.lease.beat(now=ctx.now())
        rows = list(
            OutboundWrite.objects.filter(operation_id__in=results, state=State.SENDING, epoch=side.lease.epoch).select_related(
                "level__item"
            )
        )
        for row in rows:
            result = results[row.operation_id]
            till_write_decide(ctx=ctx, side=side, row=row, outcome=result.outcome, error=result.error)
            ctx.counts["till_adjustments"] += result.outcome in (Outcome.APPLIED, Outcome.UNKNOWN)
        rows_update(rows, ["state", "answered_at", "error", "error_code"])


@transaction.atomic
def _claim(ctx: RunContext, side: Side) -> list[TillWrite]:
    """Mark the pending adjustments as sent, each with what its level is owed this moment (design.md §3.2)."""
    now = ctx.now()
    side.lease.beat(now=now)
    rows = list(
        OutboundWrite.objects.select_for_update(of=("self",))
        .filter(connection=side.connection, state=State.PENDING, level__isnull=False)
        .select_related("level__item", "level__location")
    )
    writes: dict[UUID, TillWrite] = {}
    for row in rows:
        level = row.level
        if level is None or level.baseline is None:
            row.state = State.CANCELLED
            continue
        row.planned_from, row.planned_to = level.baseline, level.on_hand
        row.delta = owed(target=level.on_hand, baseline=level.baseline)
        row.state = State.SENDING if row.delta else State.CANCELLED
        row.sent_at, row.epoch, row.attempts = now, side.lease.epoch, row.attempts + 1
        if row.delta:
            writes[row.operation_id] = TillWrite(
                operation_id=row.operation_id,
                sku=level.item.sku,
                location=level.location.remote_name,
                delta=row.delta,
                reason=row.reason,
                reference=f"run {row.run_id}" if row.run_id else "online order",
            )
    rows_update(rows, ["delta", "planned_from", "planned_to", "state", "sent_at", "epoch", "attempts"])
    return list(writes.values())
