"""Telling tills what their items cost in the shop, where the shop owns prices (prices.md): claim, commit, send, record."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction

from connectors.contract import Outcome, PricedTill, TillPriceWrite
from connectors.errors import ConnectorError
from kit.rows import rows_update
from kit.words import counted
from sync.models import SyncLog, TillPrice
from sync.prices.log import price_shown
from sync.prices.reviews import review_failed, review_written
from sync.turns.context import RunContext, Side

State = TillPrice.State
PATIENCE = timedelta(hours=4)  # how long a price file may lie before a person hears of it: a shift
DECIDED = ("state", "answered_at", "error", "error_code")


def till_prices_settle(*, ctx: RunContext, side: Side) -> None:
    """Ask a till what became of the prices that it has not answered yet."""
    rows = _unanswered(side)
    if not rows:
        return
    outcomes = _priced(side).look_up_prices([_wire(ctx, side, row) for row in rows])
    with transaction.atomic():
        side.lease.beat(now=ctx.now())
        for row in rows:
            outcome = outcomes.get(row.operation_id, Outcome.UNKNOWN)
            if outcome == Outcome.NOT_SENT and row.sent_at and ctx.now() < row.sent_at + side.till.patience:
                outcome = Outcome.UNKNOWN  # it may still come
            _decide(ctx, side, row, outcome, None)
        _finish(ctx, rows)
        _tell_of_waiting(ctx, side, rows)


def till_prices_deliver(*, ctx: RunContext, side: Side) -> None:
    """Send one till all its pending prices."""
    rows = _claim(ctx, side)
    if not rows:
        return
    results = {result.operation_id: result for result in _priced(side).send_prices([_wire(ctx, side, row) for row in rows])}
    with transaction.atomic():
        side.lease.beat(now=ctx.now())
        sent = [row for row in _unanswered(side, operation_id__in=results) if row.epoch == side.lease.epoch]
        for row in sent:
            result = results[row.operation_id]
            _decide(ctx, side, row, result.outcome, result.error)
        _finish(ctx, sent)
    ctx.counts["till_prices_sent"] += sum(row.state in (State.APPLIED, State.UNKNOWN) for row in sent)


@transaction.atomic
def _claim(ctx: RunContext, side: Side) -> list[TillPrice]:
    """Mark the pending prices of this run as sent. Those that an earlier run left are planned anew."""
    now = ctx.now()
    side.lease.beat(now=now)
    pending = TillPrice.objects.filter(connection=side.connection, state=State.PENDING).select_related("item")
    rows = list(pending.select_for_update(of=("self",)))
    for row in rows:
        row.state = State.SENDING if ctx.run.pk and row.run_id == ctx.run.pk else State.CANCELLED
        row.sent_at, row.epoch = now, side.lease.epoch
    rows_update(rows, ["state", "sent_at", "epoch"])
    return [row for row in rows if row.state == State.SENDING]


def _unanswered(side: Side, **only: object) -> list[TillPrice]:
    rows = TillPrice.objects.filter(connection=side.connection, state__in=TillPrice.UNANSWERED, **only)
    return list(rows.select_related("item", "review__decided_by"))


def _priced(side: Side) -> PricedTill:
    till: PricedTill = side.connector
    return till


def _wire(ctx: RunContext, side: Side, row: TillPrice) -> TillPriceWrite:
    return TillPriceWrite(
        operation_id=row.operation_id,
        sku=row.item.sku,
        price=row.price_to,
        decimals=row.decimals,
        currency=ctx.prices.currency if ctx.prices else side.connection.currency,
        reason=row.reason,
    )


def _decide(ctx: RunContext, side: Side, row: TillPrice, outcome: Outcome, error: ConnectorError | None) -> None:
    if error is not None:
        row.error_code, row.error = error.code, str(error)[:2000]
    if outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
        row.state, row.error, row.error_code = State.APPLIED, "", ""
    elif outcome == Outcome.REJECTED:
        row.state = State.REJECTED
        ctx.problem(side=side, subject=row.item.sku, error=error or ConnectorError("The till refused the price."))
    elif outcome == Outcome.NOT_SENT:
        row.state = State.NOT_SENT
    else:
        row.state = State.UNKNOWN
        return
    row.answered_at = ctx.now()


def _finish(ctx: RunContext, rows: Sequence[TillPrice]) -> None:
    """Store what was decided. A price that the till has taken is its item's, until it says another."""
    rows_update(rows, DECIDED)
    landed = [row for row in rows if row.state == State.APPLIED]
    for row in landed:
        row.item.price = row.price_to
    rows_update([row.item for row in landed], ["price"])
    ctx.changed_items.update(row.item_id for row in landed)
    ctx.counts["till_prices_written"] += len(landed)
    review_written(ctx=ctx, reviews=[row.review for row in landed if row.review])
    review_failed(ctx=ctx, failed=[(row.review, row.error) for row in rows if row.review and row.state == State.REJECTED])
    SyncLog.objects.bulk_create(
        [
            SyncLog(
                alignment_id=row.alignment_id,
                run=ctx.run_row,
                at=row.answered_at or ctx.now(),
                source=SyncLog.Source.MANUAL if row.review_id else SyncLog.Source.ENGINE,
                action=SyncLog.Action.PRICE,
                old_value=price_shown(row.price_from),
                new_value=price_shown(row.price_to),
                reason=f"Told to the till. {row.reason}"[:300],
            )
            for row in landed
        ]
    )


def _tell_of_waiting(ctx: RunContext, side: Side, rows: Sequence[TillPrice]) -> None:
    old = [row for row in rows if row.state == State.UNKNOWN and row.sent_at and row.sent_at < ctx.now() - PATIENCE]
    if old:
        error = ConnectorError(
            f"{counted(len(old), 'price waits', 'prices wait')} to be taken over at “{side.connection.name}”.",
            next_step="Import the files in its outbound folder at the till.",
            code="prices_waiting",
        )
        ctx.problem(side=side, subject=side.connection.name, error=error, fails_run=False)
