"""Writes whose outcome nobody told us (ledger.md §6): look before anything else, and never look too soon."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from connectors.contract import Outcome, SetAside, StockManagement, StoreReading
from connectors.errors import ConnectorError
from inventory.ledger.keeper import store_accounts_save, till_paid
from inventory.ledger.locks import listings_locked
from jobs.attempts import hold_for, split_unknown
from kit.bulk import chunks
from kit.rows import rows_update
from kit.words import counted
from sync.limits import limits
from sync.models import OutboundWrite
from sync.outbox.send import DECIDED, log_applied, rows_save, write_landed, write_subject
from sync.prices.writes import prices_settled
from sync.selectors import last_try_of, others_pass
from sync.stores.set_aside import things_set_aside
from sync.turns.context import RunContext, Side

State = OutboundWrite.State


def store_settle(*, ctx: RunContext) -> datetime | None:
    """Look up the unanswered writes that are old enough: the store has surely done with them by now. Result: when the next
    ones may be looked at; None when none are left. Raises ConnectorError when the store can't be read."""
    rows = OutboundWrite.objects.filter(
        connection=ctx.store.connection, state__in=OutboundWrite.UNANSWERED, listing__isnull=False
    ).select_related("listing")
    now = ctx.now()
    open_until = {row: until for row in rows if (until := settled_by(ctx=ctx, row=row))}
    due = [row for row, until in open_until.items() if until <= now]
    for chunk in chunks(due, 100):
        _look_up(ctx, chunk)
    return min((until for until in open_until.values() if until > now), default=None)


def settled_by(*, ctx: RunContext, row: OutboundWrite) -> datetime | None:
    """Result: when the store has surely done with a write: a settle time after we gave up waiting for its answer, or, where its
    worker was killed, after it was claimed. None: it was never claimed."""
    if row.state == State.UNKNOWN and row.next_attempt_at:
        return row.next_attempt_at
    return row.sent_at + ctx.store.store.settle if row.sent_at else None


def _look_up(ctx: RunContext, rows: list[OutboundWrite]) -> None:
    targets = [(row.listing.remote_id, row.listing.parent_remote_id) for row in rows if row.listing]
    odd: list[SetAside] = []
    found = {reading.remote_id: reading for reading in ctx.store.store.read_listings(targets, aside=odd.append)}
    unread = {thing.remote_id for thing in odd}
    if 0 in unread:  # any of them
        unread |= set(dict(targets)) - found.keys()
    # A receipt that can't be read is no missing one: they wait for a reading that tells.
    rows = [row for row in rows if row.listing and row.listing.remote_id not in unread]
    with transaction.atomic():
        things_set_aside(ctx=ctx, things=odd)
        ctx.store.lease.beat(now=ctx.now())
        listings = listings_locked(ids=[row.listing.pk for row in rows if row.listing])
        for row in rows:
            if row.listing:
                row.listing = listings[row.listing.pk]
                _decide(ctx, row, found.get(row.listing.remote_id))
        seen = {row.operation_id: found.get(row.listing.remote_id) for row in rows if row.listing and row.state == State.APPLIED}
        prices_settled(ctx=ctx, rows=rows, readings=seen)
        rows_save(rows)
        log_applied(ctx=ctx, rows=[row for row in rows if row.state == State.APPLIED])


def _decide(ctx: RunContext, row: OutboundWrite, found: StoreReading | None) -> None:
    """The receipt in the product tells: ours is there, or the write never took effect. Of one that has left our sight nobody can
    say whether the write is in its number: its account opens anew when it is back."""
    listing = row.listing
    if listing and row.carries_number and (found is None or found.stock_management != StockManagement.OWN):
        listing.baseline = listing.suspect = listing.suspected_at = None
        store_accounts_save([listing], ["baseline", "suspect", "suspected_at"])
    if found is not None and found.receipt == str(row.operation_id):
        # Its number is not taken as a reading: orders that came since are not read with it.
        write_landed(ctx=ctx, row=row, reading=None)
        ctx.counts["looked_up_landed"] += 1
        return
    write_came_to_nothing(ctx=ctx, side=ctx.store, row=row, error=row.error or "It never reached the shop.")
    ctx.counts["looked_up_without_effect"] += 1


def write_came_to_nothing(*, ctx: RunContext, side: Side, row: OutboundWrite, error: str, is_refusal: bool = False) -> None:
    """A write had no effect after all, and nobody can say why, or for which one of several. The next one goes with fewer beside
    it; one that fails alone for the third time is held."""
    row.state, row.answered_at, row.error, row.failures = State.NOT_SENT, ctx.now(), error, row.failures + 1
    row.next_attempt_at = None
    if row.listing_id:
        ctx.changed_listings.add(row.listing_id)
    if last_try_of(row).is_bad(attempts=limits().attempts):
        shortly = (row.sent_at or row.created_at) - limits().held_while_all_fails
        row.next_attempt_at = ctx.now() + hold_for(
            failures=row.failures,
            attempts=limits().attempts,
            others_pass=is_refusal or others_pass(connection=side.connection, since=shortly),
            longest=limits().held_for,
            while_all_fails=limits().held_while_all_fails,
        )
        times = counted(row.failures, "time", "times")
        problem = ConnectorError(
            f"It failed {times} in a row, the last time alone. {error}",
            next_step="Look at the product there. “Try again” on the write sends it anew; so does another number.",
            code="held",
        )
        ctx.problem(side=side, subject=write_subject(row), error=problem)
        ctx.counts["held_writes"] += 1


def till_settle(*, ctx: RunContext, side: Side) -> None:
    """Ask a till what became of our unanswered adjustments. One that it does not know counts as not sent only once it has surely
    done with whatever we sent; until then its row waits."""
    rows = list(
        OutboundWrite.objects.filter(
            connection=side.connection, state__in=OutboundWrite.UNANSWERED, level__isnull=False
        ).select_related("level__item")
    )
    outcomes = side.till.look_up([row.operation_id for row in rows]) if rows else {}
    landed = [operation_id for operation_id, outcome in outcomes.items() if outcome == Outcome.APPLIED]
    booked_at = side.till.acknowledged_at(landed) if landed else {}
    with transaction.atomic():
        side.lease.beat(now=ctx.now())
        for row in rows:
            _till_decide(ctx=ctx, side=side, row=row, outcome=outcomes.get(row.operation_id, Outcome.UNKNOWN))
            row.answered_at = _answered_at(row, booked_at.get(row.operation_id))
        _tell_of_waiting(ctx, side, rows)
        rows_update(rows, DECIDED)


def _till_decide(*, ctx: RunContext, side: Side, row: OutboundWrite, outcome: Outcome) -> None:
    """What a look-up tells of one adjustment."""
    until = (row.sent_at or ctx.now()) + side.till.patience
    row.next_attempt_at = None
    if outcome == Outcome.NOT_SENT and ctx.now() < until:
        row.state, row.next_attempt_at = State.UNKNOWN, until
    elif outcome == Outcome.NOT_SENT:
        write_came_to_nothing(ctx=ctx, side=side, row=row, error=row.error or "It never reached the till.")
    elif outcome == Outcome.REJECTED:
        why = "Its file was moved to the folder of rejected ones."
        write_came_to_nothing(ctx=ctx, side=side, row=row, error=why, is_refusal=True)
    else:
        till_write_decide(ctx=ctx, side=side, row=row, outcome=outcome)


def _tell_of_waiting(ctx: RunContext, side: Side, rows: list[OutboundWrite]) -> None:
    """An adjustment that nobody imports keeps its item's readings waiting (ledger.md §3): after a while a person is told."""
    old = [
        row.sent_at for row in rows if row.state == State.UNKNOWN and row.sent_at and row.sent_at < ctx.now() - limits().ask_after
    ]
    if old:
        since = f"{min(old):%Y-%m-%d %H:%M} UTC"
        error = ConnectorError(
            f"{len(old)} adjustments wait to be booked at “{side.connection.name}”, the oldest since {since}. "
            "Until then the till's own numbers of these items are not used.",
            next_step="Import the files in its outbound folder at the till.",
            code="adjustments_waiting",
        )
        ctx.problem(side=side, subject=side.connection.name, error=error, fails_run=False)


def _answered_at(row: OutboundWrite, booked_at: datetime | None) -> datetime | None:
    """When a write was answered, as the till says it; else when we asked. An item sold online every quarter of an hour would
    otherwise have an adjustment answered about each of its till's readings, and never get one used."""
    if row.state != State.APPLIED or booked_at is None or row.sent_at is None or row.answered_at is None:
        return row.answered_at
    return max(row.sent_at, min(booked_at, row.answered_at))


def till_write_decide(
    *, ctx: RunContext, side: Side, row: OutboundWrite, outcome: Outcome, error: ConnectorError | None = None, together: int = 1
) -> None:
    """Set what became of one adjustment of a till; one that was booked moves the baseline of its level. `together`: how many
    went out with it."""
    if error is not None:
        row.error_code, row.error = error.code, error.message if outcome == Outcome.UNKNOWN else str(error)[:2000]
    if row.level:
        ctx.changed_items.add(row.level.item_id)
    if outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
        row.state, row.answered_at = State.APPLIED, ctx.now()
        if row.level_id:
            till_paid({row.level_id: row.delta or Decimal(0)})
        ctx.counts["till_writes"] += 1
    elif outcome == Outcome.REJECTED:
        row.state, row.answered_at, row.next_attempt_at = State.REJECTED, ctx.now(), ctx.now() + limits().held_for
        ctx.problem(side=side, subject=write_subject(row), error=error or ConnectorError("The till refused the adjustment."))
        ctx.counts["till_refused"] += 1
    elif outcome == Outcome.NOT_SENT:
        row.state, row.answered_at = State.NOT_SENT, ctx.now()
    else:
        row.state = State.UNKNOWN
        if error is not None:  # the answer to a sending; a look-up knows nothing of how many there were
            row.at_most = split_unknown(together)
