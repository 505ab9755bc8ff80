"""The outbox sweep (engine.md): what a crash left unsent, unanswered or unfinished does not wait for the next sync."""

import logging
from datetime import datetime, timedelta

from django.db.models import Q

from alignment.models import Alignment
from connectors.contract import Side as SideKind
from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError, LeaseLostError
from connectors.models import Connection
from connectors.selectors import connections_of
from connectors.services import health_record
from sync.models import OutboundWrite, SyncRun
from sync.orders.poll import orders_poll
from sync.orders.turns import Clock, order_turn
from sync.orders.wake import run_wake
from sync.outbox.plan import run_plan, till_plan
from sync.outbox.send import outbox_deliver
from sync.outbox.settle import store_settle, till_settle
from sync.selectors import levels_owing, pairs_owing
from sync.standing.states import states_refresh_items
from sync.tills.tell import till_deliver
from sync.turns.asked import writes_due
from sync.turns.context import RunContext
from sync.turns.killed import run_killed
from sync.turns.run import tills_of

logger = logging.getLogger(__name__)
State = OutboundWrite.State
ASK_TILL_FOR = timedelta(minutes=15)  # a till that takes longer is asked by each sync


def outbox_sweep(*, now: Clock) -> int:
    """Work off what lies in the outbox of every store. One whose rest is over is asked for its orders first: so it shows within a
    minute whether it is back, and nothing waits for the next poll. Result: stores that had something."""
    worked = 0
    for store in connections_of(side=SideKind.STORE):
        was_resting = store.is_unasked_since_rest(now())
        if was_resting and orders_poll(store=store, now=now) == "done":
            writes_due(connections=[store])
        worked += was_resting | (outbox_work(store=store, now=now) not in ("nothing", "busy"))
    return worked


def outbox_work(*, store: Connection, now: Clock) -> str:
    """Look up one store's unanswered writes and pay what it and its tills are owed, or have a killed run taken up again. Result:
    "nothing" to do, "done", "woken" a run, "held" by a guard until the next sync asks a manager, "busy" while a run is at it,
    "failed"."""
    try:
        tills = tills_of(store=store)
        if not _has_work(store, tills, now()):
            return "nothing"
        with order_turn(store=store, now=now) as ctx:
            killed = run_killed(store=store)
            if killed is None:
                return _work(ctx)
    except (LeaseHeldError, LeaseLostError):
        return "busy"
    except ConnectorError as error:
        health_record(connection=store, error=error, now=now())
        return "failed"
    logger.warning("%s was killed; it is taken up again.", killed)
    run_wake(store_id=store.pk, kind=killed.kind)
    return "woken"


def _has_work(store: Connection, tills: list[Connection], now: datetime) -> bool:
    """By the database alone, since it is asked every minute. While a run is held, a manager decides."""
    runs = SyncRun.objects.filter(store=store)
    if runs.filter(state=SyncRun.State.HELD).exists():
        return False
    is_due = Q(state=State.PENDING) & (Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
    at_store = OutboundWrite.objects.filter(connection=store, listing__isnull=False)
    at_tills = OutboundWrite.objects.filter(connection__in=tills, level__isnull=False)
    lately = Q(state__in=OutboundWrite.UNANSWERED, sent_at__gt=now - ASK_TILL_FOR)
    return (
        runs.filter(state=SyncRun.State.RUNNING).exists()
        or at_store.filter(is_due | Q(state__in=OutboundWrite.UNANSWERED)).exists()
        or at_tills.filter(Q(state=State.PENDING) | lately).exists()
        or (store.is_live and pairs_owing(store=store).exists())
        or any(till.is_live and levels_owing(till=till).exists() for till in tills)
    )


def _work(ctx: RunContext) -> str:
    """The order is the rule (ledger.md): unanswered writes first, then what is owed, then the writes."""
    for side in ctx.tills:
        till_settle(ctx=ctx, side=side)
    store_settle(ctx=ctx)
    run_plan(ctx=ctx)
    if ctx.held_for:
        logger.warning("Not written, the next sync will ask a manager: %s", " ".join(ctx.held_for))
        return "held"
    if not ctx.writes_nothing:
        outbox_deliver(ctx=ctx)
    till_plan(ctx=ctx)
    for side in ctx.tills:
        till_deliver(ctx=ctx, side=side)
    told = Alignment.objects.filter(listing__in=ctx.changed_listings, status=Alignment.Status.CONFIRMED)
    states_refresh_items(ctx=ctx, item_ids={*ctx.changed_items, *told.values_list("item_id", flat=True)})
    return "done"
