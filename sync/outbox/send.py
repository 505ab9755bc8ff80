"""Paying what is owed (ledger.md §6): claim, commit, send, record. No network inside a transaction.

A request can fail as a whole because of one thing in it. What surely had no effect is sent again in halves at once; what has an
unknown outcome is looked up first, and goes out with fewer beside it the next time (`settle.py`, `plan.py`).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet

from alignment.models import Alignment
from connectors.contract import Outcome, StoreReading, StoreWrite, WriteBatch, WriteResult
from connectors.errors import ConfigError, ConnectorError, RetryableError
from connectors.http.pacing import UNTIL_RESULT, Pause, paced_map
from inventory.ledger.keeper import store_accounts_save
from inventory.ledger.locks import listings_locked
from jobs.attempts import pause_after, split_refused, split_unknown
from kit.bulk import chunks
from kit.rows import rows_update
from kit.words import quantity_text
from sync.core.targets import owed
from sync.limits import limits
from sync.models import OutboundWrite, SyncLog, SyncRun
from sync.outbox.claim import send_claimed
from sync.prices.writes import price_wire, prices_carried, prices_settled
from sync.selectors import differences_left, listings_unread, targets_of, under_review
from sync.turns.context import RunContext

State = OutboundWrite.State
ZERO = Decimal(0)
DECIDED = (
    "state", "answered_at", "next_attempt_at", "error_code", "error", "delta", "attempts", "failures", "at_most",
)  # fmt: skip


def outbox_deliver(*, ctx: RunContext) -> None:
    """Send every pending write of the run's store, in batches, as many at once as the store stands. Writes that had surely
    no effect are tried again, up to three times in all; those whose outcome is unknown are left for the look-up. A store that
    answers nothing at all is left alone after a few requests: the rest stays pending. So does all while it rests."""
    if ctx.store.connection.rest(ctx.now()):
        return
    sent = 0
    for _ in range(limits().attempts):
        due = _due(ctx)
        if not due:
            break
        total, turn = sent + len(due), _Turn(ctx, due)
        for batch, results in paced_map(turn.send, turn.batches(), pacer=ctx.store.store.pacer):
            sent += turn.take(batch, results)
            ctx.store.log.flush()
            ctx.progress(SyncRun.Phase.DELIVER, min(sent, total), total)
        wait = turn.pause()
        if wait is None or wait > 60 or not ctx.may_wait:
            break
        ctx.sleep(wait)


class _Turn:
    """One pass over what is due: which requests go out, and what follows from their answers."""

    def __init__(self, ctx: RunContext, due: Sequence[tuple[StoreWrite, int | None]]) -> None:
        self._ctx = ctx
        self._planned = _planned(ctx, due)
        self._parts: deque[list[StoreWrite]] = deque()  # of requests that were refused as a whole
        self._splits_left = limits().most_splits
        self._claimed_at: dict[UUID, datetime] = {}
        self._open = self._failed_in_row = 0
        self._cause: ConnectorError | None = None  # why the store is left alone

    def batches(self) -> Iterator[WriteBatch | Pause]:
        """Result: requests ready to go, each claimed just before it is sent."""
        while self._cause is None:
            batch = self._next()
            if batch is None and not self._open:
                return
            if batch is None:
                yield UNTIL_RESULT  # its answer may leave something to be sent in parts
                continue
            claimed_at = self._ctx.now()
            sent = _claim(self._ctx, [write.operation_id for write in batch.writes])
            writes = [replace(write, **sent[write.operation_id]) for write in batch.writes if write.operation_id in sent]
            if writes:
                self._claimed_at[writes[0].operation_id] = claimed_at
                self._open += 1
                yield replace(batch, writes=writes)

    def send(self, batch: WriteBatch) -> Sequence[WriteResult]:
        """One request, in a thread of its own. Result: what became of each write."""
        claimed_at = self._claimed_at[batch.writes[0].operation_id]
        send = partial(self._ctx.store.store.send, batch)
        return send_claimed(ctx=self._ctx, claimed_at=claimed_at, writes=batch.writes, send=send)

    def _next(self) -> WriteBatch | None:
        if not self._parts:
            return next(self._planned, None)
        writes = self._parts.popleft()
        return WriteBatch(writes[0].parent_remote_id, writes)

    def take(self, batch: WriteBatch, results: Sequence[WriteResult]) -> int:
        """Write down what became of a batch. Result: how many of it are done with."""
        self._open -= 1
        size, whole = len(batch.writes), all(result.is_of_batch for result in results)
        outcomes = {result.outcome for result in results} if whole else set()
        if outcomes == {Outcome.REJECTED} and size > 1:
            _put_back(self._ctx, results, at_most=split_refused(size))
            if self._splits_left > 0:  # else it waits for the next turn: this one has asked often enough
                self._splits_left -= 1
                self._parts.extend(chunks(batch.writes, split_refused(size)))
            return 0
        _record(self._ctx, results, size=size)
        failed = outcomes <= {Outcome.NOT_SENT, Outcome.UNKNOWN} and bool(outcomes)
        self._failed_in_row = self._failed_in_row + 1 if failed else 0
        error = results[0].error
        if failed and (isinstance(error, ConfigError) or self._failed_in_row >= limits().failures_in_row):
            self._cause = error or ConnectorError("It gave no reason.")
        return size

    def pause(self) -> float | None:
        """Result: seconds until the next pending write is due; None when there is none, or none that should be tried now."""
        if self._cause is not None:
            self._ctx.failing[self._ctx.store.connection.pk] = self._cause
            if isinstance(self._cause, ConfigError):
                return None
            _postpone(self._ctx)
        return _next_attempt_in(self._ctx)


def _pending(ctx: RunContext) -> QuerySet[OutboundWrite]:
    return OutboundWrite.objects.filter(connection=ctx.store.connection, state=State.PENDING, listing__isnull=False)


def _next_attempt_in(ctx: RunContext) -> float | None:
    first = _pending(ctx).order_by(F("next_attempt_at").asc(nulls_first=True)).first()
    if first is None:
        return None
    return max(0.0, (first.next_attempt_at - ctx.now()).total_seconds()) if first.next_attempt_at else 0.0


def _postpone(ctx: RunContext) -> None:
    """What was not tried, since nothing gets through, waits as long as what was."""
    tried = _pending(ctx).exclude(next_attempt_at=None).order_by("next_attempt_at").last()
    until = (
        tried.next_attempt_at if tried else ctx.now() + pause_after(attempt=2, first=limits().first_pause, chance=ctx.chance())
    )
    _pending(ctx).filter(Q(next_attempt_at=None) | Q(next_attempt_at__lt=until)).update(next_attempt_at=until)


def _due(ctx: RunContext) -> list[tuple[StoreWrite, int | None]]:
    """Result: what may be sent now, and with how many beside it at most. The delta is the planned one; the claim works out the
    real one."""
    rows = _pending(ctx).filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=ctx.now()))
    return [
        (StoreWrite(operation_id=operation_id, remote_id=remote_id, parent_remote_id=parent, delta=int(to - from_)), at_most)
        for operation_id, remote_id, parent, from_, to, at_most in rows.values_list(
            "operation_id", "listing__remote_id", "listing__parent_remote_id", "planned_from", "planned_to", "at_most"
        )
    ]


def _planned(ctx: RunContext, due: Sequence[tuple[StoreWrite, int | None]]) -> Iterator[WriteBatch]:
    """Result: requests; first what nothing is held against, then what failed before, the fewer together the later."""
    yield from ctx.store.store.plan_batches([write for write, at_most in due if at_most is None])
    for most in sorted({at_most for _, at_most in due if at_most is not None}, reverse=True):
        for part in chunks((write for write, at_most in due if at_most == most), most):
            yield from ctx.store.store.plan_batches(part)


@transaction.atomic
def _claim(ctx: RunContext, operation_ids: list[UUID]) -> dict[UUID, dict[str, Any]]:
    """Mark writes as sent, and work out what each listing is owed this moment (ledger.md §2). Result: operation id →
    what to send: units, and the price that goes with them. A write that is not needed any more is cancelled. Raises
    LeaseLostError when another run has taken over."""
    now = ctx.now()
    ctx.store.lease.beat(now=now)
    rows = list(
        OutboundWrite.objects.select_for_update(of=("self",))
        .filter(operation_id__in=operation_ids, state=State.PENDING)
        .select_related("listing")
    )
    pairs = Alignment.objects.filter(listing_id__in=[row.listing_id for row in rows], status=Alignment.Status.CONFIRMED)
    targets = targets_of(store=ctx.store.connection, pairs=pairs.values_list("listing_id", "item_id", "units_per_listing"))
    reviewed = set(under_review(store=ctx.store.connection).values_list("alignment__listing_id", flat=True))
    unread = listings_unread(store=ctx.store.connection)
    prices = prices_carried(rows=[row for row in rows if row.listing and row.listing.remote_id not in unread])
    sent: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        listing = row.listing
        target = targets.get(row.listing_id or 0)
        row.delta = ZERO
        if (
            row.carries_number
            and listing
            and listing.counts_stock
            and listing.baseline is not None
            and target is not None
            and row.listing_id not in reviewed
            and listing.remote_id not in unread
        ):
            row.delta = owed(target=target, baseline=listing.baseline)
            row.planned_from, row.planned_to = listing.baseline, target
        is_needed = bool(row.delta) or row.pk in prices
        row.state = State.SENDING if is_needed else State.CANCELLED
        row.sent_at, row.epoch, row.attempts = now, ctx.store.lease.epoch, row.attempts + 1
        if is_needed:
            sent[row.operation_id] = {"delta": int(row.delta) or None, **price_wire(prices.get(row.pk))}
    rows_update(rows, ["delta", "planned_from", "planned_to", "state", "sent_at", "epoch", "attempts"])
    return sent


@transaction.atomic
def _record(ctx: RunContext, results: Sequence[WriteResult], *, size: int) -> None:
    """Write down what became of a batch. A row that somebody else has decided meanwhile is left alone."""
    now, chance = ctx.now(), ctx.chance()
    rows, answers = _answered(ctx, results, now)
    applied: list[OutboundWrite] = []
    for row in rows:
        result = answers[row.operation_id]
        if result.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            applied.append(row)
            write_landed(ctx=ctx, row=row, reading=result.reading)
            if result.error is not None and not ctx.counts["without_receipt"]:  # it landed, but left no trace: say so once
                ctx.counts["without_receipt"] += 1
                ctx.problem(side=ctx.store, subject=write_subject(row), error=result.error, fails_run=False)
        else:
            _not_applied(ctx, row, result, size=size, chance=chance)
    prices_settled(ctx=ctx, rows=rows, readings={result.operation_id: result.reading for result in results})
    rows_save(rows)
    log_applied(ctx=ctx, rows=applied)


@transaction.atomic
def _put_back(ctx: RunContext, results: Sequence[WriteResult], *, at_most: int) -> None:
    """A request was refused as a whole: nothing of it took effect, and which one is to blame shows in smaller ones. That is no
    attempt of each."""
    rows, answers = _answered(ctx, results, ctx.now())
    for row in rows:
        row.state, row.delta, row.at_most, row.attempts = State.PENDING, None, at_most, row.attempts - 1
        if error := answers[row.operation_id].error:
            row.error_code, row.error = error.code, str(error)[:2000]
    rows_save(rows)
    ctx.counts["split"] += 1


def _answered(
    ctx: RunContext, results: Sequence[WriteResult], now: datetime
) -> tuple[list[OutboundWrite], dict[UUID, WriteResult]]:
    """Result: the rows of a batch that still wait for their answer, locked with their listings, and the answers. Raises
    LeaseLostError."""
    ctx.store.lease.beat(now=now)
    answers = {result.operation_id: result for result in results}
    rows = OutboundWrite.objects.select_for_update(of=("self",)).filter(
        operation_id__in=answers, state=State.SENDING, epoch=ctx.store.lease.epoch
    )
    found = list(rows)
    listings = listings_locked(ids=[row.listing_id for row in found if row.listing_id])
    for row in found:
        row.listing = listings[row.listing_id] if row.listing_id else None
    return found, answers


def rows_save(rows: Sequence[OutboundWrite]) -> None:
    """Store decided outbox rows and the accounts of their listings."""
    rows_update(rows, DECIDED)
    listings = [row.listing for row in rows if row.listing and row.state == State.APPLIED]
    if rows and any(listing.suspect for listing in listings):
        left = differences_left(store=rows[0].connection)
        for listing in listings:
            if listing.suspect and listing.suspect == left.get(listing.pk):  # a person has left it so
                listing.suspect = listing.suspected_at = None
    store_accounts_save(listings, ["baseline", "quantity", "read_at", "suspect", "suspected_at"])


def write_landed(*, ctx: RunContext, row: OutboundWrite, reading: StoreReading | None) -> None:
    """A write took effect: the baseline follows. Its reply is a free reading: what it leaves unexplained is suspect."""
    now, listing = ctx.now(), row.listing
    assert listing is not None
    row.state, row.answered_at, row.next_attempt_at, row.error, row.error_code = State.APPLIED, now, None, "", ""
    ctx.changed_listings.add(listing.pk)
    if not row.carries_number:
        return
    if listing.baseline is not None:  # None: it was aligned anew meanwhile, and the account opens with a reading
        listing.baseline += row.delta or ZERO
        listing.quantity = None if listing.quantity is None else listing.quantity + (row.delta or ZERO)
    if listing.baseline is not None and reading is not None and reading.quantity is not None:
        listing.quantity, listing.read_at = reading.quantity, now
        residual = reading.quantity - listing.baseline
        listing.suspect, listing.suspected_at = (residual, now) if residual else (None, None)
    ctx.counts["writes"] += 1


def _not_applied(ctx: RunContext, row: OutboundWrite, result: WriteResult, *, size: int, chance: float) -> None:
    now, error = ctx.now(), result.error or ConnectorError("The shop gave no reason.", code="no_reason")
    row.error_code, row.error = error.code, str(error)[:2000]
    if row.listing_id:
        ctx.changed_listings.add(row.listing_id)
    if result.outcome == Outcome.UNKNOWN:
        row.error = error.message  # what follows is said by the row's state
        row.state, row.at_most = State.UNKNOWN, split_unknown(size if result.is_of_batch else 1)
        row.next_attempt_at = now + ctx.store.store.settle  # only now did we give up: the store may have just begun
        ctx.counts["unknown"] += 1
        return
    if result.outcome == Outcome.REJECTED:
        row.state, row.answered_at, row.next_attempt_at = State.REJECTED, now, now + limits().held_for
        ctx.problem(side=ctx.store, subject=write_subject(row), error=error)
        ctx.counts["rejected"] += 1
        return
    row.delta = None
    if row.attempts < limits().attempts and not isinstance(error, ConfigError):
        asked = error.retry_after if isinstance(error, RetryableError) else None
        pause = pause_after(attempt=row.attempts, first=limits().first_pause, chance=chance, asked=asked)
        row.state, row.next_attempt_at = State.PENDING, now + pause
        return
    row.state, row.answered_at, row.next_attempt_at = State.NOT_SENT, now, None
    ctx.problem(side=ctx.store, subject=write_subject(row), error=error)
    ctx.counts["not_sent"] += 1


def write_subject(row: OutboundWrite) -> str:
    """Result: what a write is about, for people."""
    if row.level:
        return row.level.item.sku
    return row.listing.sku or f"#{row.listing.remote_id}" if row.listing else str(row.operation_id)


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
            if row.listing_id in pairs and row.delta
        ]
    )
