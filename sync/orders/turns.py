"""Orders between runs: booked as soon as they are known, and told to the tills and to the other listings of the same items.

Bounded to what the orders touch: everything else is the runs' work.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from alignment.models import Alignment, StoreLocation
from connectors.contract import OrderState, SetAside
from connectors.errors import ConfigError, ConnectorError
from connectors.leases import LeaseHeldError, LeaseLostError
from connectors.models import Connection
from connectors.services import health_record
from kit.bulk import chunks
from sync.models import Order, OrderLine, SyncRun
from sync.orders.apply import orders_apply
from sync.outbox.plan import run_plan, till_plan
from sync.outbox.send import outbox_deliver
from sync.outbox.settle import till_settle
from sync.standing.states import states_refresh_items
from sync.stores.set_aside import things_set_aside
from sync.tills.tell import till_deliver
from sync.turns.context import RunContext, Side
from sync.turns.run import side_opened, tills_of

logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]
AT_ONCE = 5  # orders in one transaction


@contextmanager
def order_turn(*, store: Connection, now: Clock, with_tills: bool = True) -> Iterator[RunContext]:
    """The turn on a store and its tills, as a run has it, for a moment and without a run's row. A till that can't be opened is
    left out: orders are booked without it, and it is told later. Raises LeaseHeldError while a run works on any of them,
    ConfigError when the store can't be opened."""
    tills = _tills(store) if with_tills else []
    sides: dict[int, Side] = {}
    with ExitStack() as stack:
        for connection in sorted([store, *tills], key=lambda one: one.pk):
            try:
                sides[connection.pk] = stack.enter_context(side_opened(connection, now))
            except ConnectorError as error:
                if connection.pk == store.pk:
                    raise
                health_record(connection=connection, error=error, now=now())
        run = SyncRun(store=store, kind=SyncRun.Kind.INCREMENTAL, started_at=now(), epoch=sides[store.pk].lease.epoch)
        ctx = RunContext(
            run=run,
            store=sides[store.pk],
            tills=[sides[till.pk] for till in tills if till.pk in sides],
            now=now,
            may_wait=False,
        )
        try:
            yield ctx
        finally:
            for problem in ctx.problems:  # each has a row of its own that shows it: the write that was refused
                logger.warning("%s: %s %s", problem.subject, problem.message, problem.next_step)


def turn_use(*, store: Connection, now: Clock, work: Callable[[RunContext], None]) -> str:
    """Do something in such a turn, and write down how the store did. Result: "done"; "busy" when a run is at it, or has taken
    over; "failed" when a system did."""
    try:
        with order_turn(store=store, now=now) as ctx:
            work(ctx)
    except (LeaseHeldError, LeaseLostError):
        return "busy"
    except ConnectorError as error:
        health_record(connection=store, error=error, now=now())
        return "failed"
    health_record(connection=store, error=None, now=now())
    return "done"


def orders_book(*, ctx: RunContext, orders: Sequence[OrderState], told: bool, odd: Sequence[SetAside] = ()) -> None:
    """Book orders as they are now (ledger.md §4), a few at a time: a webhook's row must not wait long for the database.
    `told`: by webhook; the gap detector asks for that. `odd`: those that can't be read. Raises LeaseLostError."""
    with transaction.atomic():
        things_set_aside(ctx=ctx, things=odd)
    for chunk in chunks(orders, AT_ONCE):
        with transaction.atomic():
            ctx.store.lease.beat(now=ctx.now())
            orders_apply(ctx=ctx, orders=chunk)
            for order in chunk if told else ():
                row = Order.objects.filter(connection=ctx.store.connection, remote_id=order.remote_id)
                at = order.modified_at if ctx.believes(order.modified_at) else F("modified_at")
                row.filter(Q(told_at=None) | Q(told_at__lt=at)).update(told_at=at)


def orders_tell(*, ctx: RunContext, remote_ids: Iterable[int]) -> None:
    """Tell the tills and the listings what is owed of the items on these orders, also where nothing was booked just now: what
    booked it before may have been killed. A system that fails is told by the next run."""
    lines = OrderLine.objects.filter(order__connection=ctx.store.connection, order__remote_id__in=list(remote_ids))
    pairs = Alignment.objects.filter(status=Alignment.Status.CONFIRMED, listing__in=lines.values("listing"))
    item_ids = set(pairs.values_list("item_id", flat=True))
    if not item_ids:
        return
    with _noted(ctx.store, ctx):
        _tell_listings(ctx, item_ids)
    if ctx.held_for:
        return
    till_plan(ctx=ctx, item_ids=item_ids)
    for side in ctx.tills:
        with _noted(side, ctx):
            till_deliver(ctx=ctx, side=side)
    states_refresh_items(ctx=ctx, item_ids=item_ids)
    _tell_other_stores(ctx, item_ids)


def _tills(store: Connection) -> list[Connection]:
    try:
        return tills_of(store=store)
    except ConfigError:  # no till yet: the orders are kept all the same
        return []


def _tell_listings(ctx: RunContext, item_ids: set[int]) -> None:
    for side in ctx.tills:
        with _noted(side, ctx):
            till_settle(ctx=ctx, side=side)  # one adjustment of a level at a time: is the last one in?
    run_plan(ctx=ctx, item_ids=item_ids)
    if ctx.held_for:
        logger.warning("Not told at once, the next run will ask a manager: %s", " ".join(ctx.held_for))
        return
    if not ctx.writes_nothing:
        outbox_deliver(ctx=ctx)


def _tell_other_stores(ctx: RunContext, item_ids: set[int]) -> None:
    """The same items may be listed in other stores that the same tills supply. One that a run is at is told by that run, or
    by the next."""
    places = StoreLocation.objects.filter(location__connection__in=[side.connection for side in ctx.tills])
    others = Connection.objects.filter(pk__in=places.values("store"), is_active=True).exclude(pk=ctx.store.connection.pk)
    for store in others.order_by("pk"):
        try:
            with order_turn(store=store, now=ctx.now, with_tills=False) as other, _noted(other.store, other):
                _tell_listings(other, item_ids)
                states_refresh_items(ctx=other, item_ids=item_ids)
        except LeaseHeldError:
            continue
        except ConfigError as error:
            health_record(connection=store, error=error, now=ctx.now())


@contextmanager
def _noted(side: Side, ctx: RunContext) -> Iterator[None]:
    """A system's failure in here is written down with its connection, and the rest goes on."""
    try:
        yield
    except ConnectorError as error:
        logger.warning("“%s” could not be told yet: %s", side.connection.name, error)
        health_record(connection=side.connection, error=error, now=ctx.now())
    finally:
        side.log.flush()
