"""The inbox (engine.md): what stores tell is kept first and answered, then worked off, each order once for all it was told.

An attempt is counted before it begins. So a webhook that ends its worker is set aside after three attempts, like one that fails.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet

from connectors.contract import HookedStore, OrderState, SetAside
from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError, LeaseLostError
from connectors.models import Connection
from connectors.services import health_record
from kit.rows import rows_update
from sync.models import InboundEvent, Order
from sync.orders.apply import order_is_older, order_says_same
from sync.orders.turns import Clock, order_turn, orders_book, orders_tell
from sync.orders.wake import wake_taken
from sync.turns.context import RunContext

logger = logging.getLogger(__name__)
State = InboundEvent.State
HINT = "order.hint"  # an order's number from the shop's own snippet: the order itself has to be read
BATCH = 50
ATTEMPTS = 3
BACKOFF = (timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=5))
STORE_PAUSE = timedelta(minutes=1)  # a store that can't be read is asked again after this; that is no fault of the event
NO_END = f"It was begun {ATTEMPTS} times and never came to an end: each time the worker was killed. The log may say by what."


def event_receive(
    *, connection: Connection, topic: str, resource_id: int, body_hash: str, payload: Mapping[str, Any] | None, now: datetime
) -> None:
    """Keep what a store told; the same told again changes nothing. `payload` None: it could not be read, a person should look.
    Raises DatabaseError, and then nothing was kept."""
    event = InboundEvent(
        connection=connection, topic=topic, resource_id=resource_id, body_hash=body_hash, payload=payload, received_at=now
    )
    if payload is None:
        event.state, event.done_at = State.FAILED, now
        event.note = "It was signed by the shop, but is no JSON. A plugin may print warnings into it: switch it off."
    InboundEvent.objects.bulk_create([event], ignore_conflicts=True)


def inbox_work(*, store: Connection, now: Clock) -> str:
    """Work off what is due of one store. Result: "done", or "busy" when a run is at it: that run reads the orders itself, and
    the sweep looks again."""
    wake_taken(store_id=store.pk)
    while _due(store, now()).exists():  # asked again after the turn was given back: who came meanwhile found it taken
        try:
            with order_turn(store=store, now=now) as ctx:
                _Pass(ctx).work()
        except LeaseHeldError:
            return "busy"
        except LeaseLostError as lost:
            logger.warning("%s", lost)
            return "busy"
        except ConnectorError as error:
            health_record(connection=store, error=error, now=now())
            _due(store, now()).update(next_attempt_at=now() + STORE_PAUSE)
    return "done"


def inbox_sweep(*, now: Clock) -> int:
    """Find what a lost wake-up or a crash left undone, in all stores. Result: stores that had something."""
    stores = Connection.objects.filter(is_active=True, events__in=_to_do(now())).distinct()
    return sum(1 for store in stores.order_by("pk") if inbox_work(store=store, now=now))


def events_retry(*, events: QuerySet[InboundEvent]) -> int:
    """Have these worked off again, whatever became of them; one whose body could not be read stays. Result: how many."""
    again = events.exclude(state=State.NEW).exclude(payload=None)
    return again.update(state=State.NEW, attempts=0, next_attempt_at=None, done_at=None, note="")


def _to_do(now: datetime) -> QuerySet[InboundEvent]:
    return InboundEvent.objects.filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now), state=State.NEW)


def _due(store: Connection, now: datetime) -> QuerySet[InboundEvent]:
    return _to_do(now).filter(connection=store)


@transaction.atomic
def _save(events: Sequence[InboundEvent]) -> None:
    rows_update(events, ["state", "note", "next_attempt_at", "done_at"])


@dataclass(slots=True)
class _Told:
    """All that was told of one order."""

    events: list[InboundEvent] = field(default_factory=list)
    states: list[OrderState] = field(default_factory=list)
    is_hint: bool = False

    @property
    def newest(self) -> OrderState | None:
        return max(self.states, key=lambda state: state.modified_at, default=None)

    @property
    def disagrees(self) -> bool:
        """Do two tellings of one second differ? Then nobody can say which came last."""
        return any(state != self.newest for state in self.states if self.newest and state.modified_at == self.newest.modified_at)


class _Pass:
    """One batch of a store's events, with the turn in hand."""

    def __init__(self, ctx: RunContext) -> None:
        self.ctx, self.store = ctx, cast(HookedStore, ctx.store.store)
        self.finished: list[InboundEvent] = []
        self.odd: list[SetAside] = []

    def work(self) -> None:
        events = self._claim()
        if not events:
            return
        try:
            told = self._read(events)
            states = self._newest(told)
            orders_book(ctx=self.ctx, orders=states, told=True, odd=self.odd)
        except (OperationalError, LeaseLostError):
            self._put_back(events)  # the database's, or a newer run's doing: not the events'
            raise
        except Exception as error:  # noqa: BLE001 - one webhook that nothing can digest must not stop the others
            self._failed(events, error)
            return
        # Done only when it has been told on: a crash before that leaves them to be done again, which books nothing twice.
        orders_tell(ctx=self.ctx, remote_ids=told)
        self._finish()

    def _claim(self) -> list[InboundEvent]:
        """Result: what to work on now, with the attempt counted. One that was begun before is worked on alone: it may be the
        one that ended the worker."""
        now = self.ctx.now()
        with transaction.atomic():
            self.ctx.store.lease.beat(now=now)
            due = _due(self.ctx.store.connection, now)
            due.filter(attempts__gte=ATTEMPTS).update(state=State.FAILED, done_at=now, note=NO_END)
            rows = list(due.filter(attempts=0).order_by("id")[:BATCH]) or list(due.order_by("id")[:1])
            for row in rows:
                row.attempts += 1
                row.next_attempt_at = now + BACKOFF[row.attempts - 1]
            rows_update(rows, ["attempts", "next_attempt_at"])
        return rows

    def _read(self, events: Sequence[InboundEvent]) -> dict[int, _Told]:
        """Result: by order, what was told of it; of a body that can't be read, only its number. What has no state, or not even
        that number, is finished here."""
        told: dict[int, _Told] = {}
        for event in events:
            try:
                state = None if event.topic == HINT else self.store.order_told(topic=event.topic, payload=event.payload or {})
            except ConnectorError as error:
                if not event.resource_id:
                    self._end(event, State.FAILED, f"Set aside: {error}")
                    continue
                state, is_hint = None, True  # nobody sends another body; but the order itself may be read
            else:
                is_hint = event.topic == HINT
            if state is None and not is_hint:
                self._end(event, State.IGNORED, "It carries no state. An order in the bin goes on holding its stock.")
                continue
            order = told.setdefault(event.resource_id, _Told())
            order.events.append(event)
            order.is_hint = order.is_hint or is_hint
            order.states.extend([state] if state else [])
        return told

    def _newest(self, told: dict[int, _Told]) -> list[OrderState]:
        """Result: each order's newest state: what was told, or what the store says now where nobody can tell which telling came
        last."""
        known = {
            order.remote_id: order
            for order in Order.objects.filter(connection=self.ctx.store.connection, remote_id__in=told).prefetch_related("lines")
        }
        ask, states = [], []
        for remote_id, order in told.items():
            newest, row = order.newest, known.get(remote_id)
            same_second = newest is not None and row is not None and newest.modified_at == row.modified_at
            is_odd = order.is_hint or order.disagrees or (newest is not None and not self.ctx.believes(newest.modified_at))
            if is_odd or (newest and row and same_second and not order_says_same(row, newest)):
                ask.append(remote_id)
            elif newest:
                states.append(newest)
                is_old = row is not None and order_is_older(ctx=self.ctx, order=row, state=newest)
                self._ends(order.events, "Older than what was known." if is_old else "")
        return states + self._ask(told, ask)

    def _ask(self, told: dict[int, _Told], remote_ids: list[int]) -> list[OrderState]:
        """Result: these orders as the store has them. While it can't be read their events wait, and no attempt counts; an order
        that can't be read itself is set aside, and its events with it."""
        odd: list[SetAside] = []
        try:
            read = list(self.store.read_orders_by_id(remote_ids, aside=odd.append))
        except ConnectorError as error:
            health_record(connection=self.ctx.store.connection, error=error, now=self.ctx.now())
            self._put_back([event for remote_id in remote_ids for event in told[remote_id].events])
            return []
        there = {state.remote_id for state in read}
        for thing in odd:
            self._ends(told[thing.remote_id].events, f"Set aside: {thing.cause}", State.FAILED)
        self.odd += odd
        for remote_id in set(remote_ids) - {thing.remote_id for thing in odd}:
            note = "Read from the shop." if remote_id in there else "The shop has no such order."
            self._ends(told[remote_id].events, note, State.DONE if remote_id in there else State.IGNORED)
        return read

    def _ends(self, events: Iterable[InboundEvent], note: str, state: State = State.DONE) -> None:
        for event in events:
            self._end(event, state, note)

    def _end(self, event: InboundEvent, state: State, note: str) -> None:
        event.state, event.note, event.next_attempt_at, event.done_at = state, note, None, self.ctx.now()
        self.finished.append(event)

    def _finish(self) -> None:
        _save(self.finished)

    def _failed(self, events: Sequence[InboundEvent], error: Exception) -> None:
        """These could not be worked off. Several at once are tried one by one; one alone again later, three times in all."""
        known = isinstance(error, ConnectorError)
        logger.warning("%s could not be worked off: %s", ", ".join(map(str, events[:5])), error, exc_info=not known)
        said = str(error) if known else f"Evenstock met an error of its own: {type(error).__name__}: {error}"
        now = self.ctx.now()
        for event in events:
            event.state, event.done_at, event.note = State.NEW, None, said[:2000]
            event.next_attempt_at = now if len(events) > 1 else now + BACKOFF[event.attempts - 1]
            if event.attempts >= ATTEMPTS:
                event.state, event.done_at, event.next_attempt_at = State.FAILED, now, None
        _save(events)

    def _put_back(self, events: Sequence[InboundEvent]) -> None:
        rows = InboundEvent.objects.filter(pk__in=[event.pk for event in events], state=State.NEW)
        rows.update(attempts=F("attempts") - 1, next_attempt_at=self.ctx.now() + STORE_PAUSE)
