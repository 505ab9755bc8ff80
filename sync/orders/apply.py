"""Online orders become movements (ledger.md §4): the difference between what a line holds now and what the ledger has."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Min

from alignment.models import Alignment
from connectors.contract import OrderLine as StatedLine
from connectors.contract import OrderState, SetAside, Sort, StockManagement
from connectors.errors import ConnectorError
from connectors.models import Connection
from inventory.ledger.keeper import Entry, Paper, book, store_accounts_save
from inventory.ledger.locks import listings_locked
from inventory.models import Listing, Movement, StockLevel, Voucher
from kit.bulk import chunks
from kit.words import quantity_text
from sync.conflicts.find import conflicts_without_pair
from sync.core.orders import LineBooked, line_effect, line_problem
from sync.core.readings import shown_after
from sync.core.targets import units_of
from sync.limits import limits
from sync.models import Order, OrderLine, SyncLog
from sync.selectors import differences_left, listings_in_doubt, supply_levels
from sync.stores.set_aside import things_read, things_set_aside
from sync.turns.context import RunContext

ZERO = Decimal(0)
CORRECT = "Correct the order in the shop; then it counts."
UNALIGNED = "Its product has no confirmed alignment."


def orders_apply(*, ctx: RunContext, orders: Sequence[OrderState]) -> None:
    """Bring orders to their newest state and book what that changes. A state that is older than the known one changes
    nothing; one that is the same changes nothing either. One that is dated far ahead of the store's own clock is as new as its
    reading. Call inside a transaction."""
    for chunk in chunks(sorted(orders, key=lambda order: (order.modified_at, order.remote_id)), 200):
        _Orders(ctx, chunk).apply()


def order_says_same(order: Order, state: OrderState) -> bool:
    """Is nothing in it new? Two changes in one second have one modified time, so the lines are compared too."""
    lines = {line.remote_id: line.taken for line in order.lines.all()}
    said = {line.remote_id: lines.get(line.remote_id) if _problem(line) else line.taken for line in state.lines}
    nameless = 0 in said  # some can't be told apart: those that seem gone may be among them
    gone = {remote_id for remote_id, taken in lines.items() if nameless or not taken} - said.keys()  # what was taken off is kept
    return (
        order.modified_at == state.modified_at
        and order.status == state.status
        and lines.keys() - gone == said.keys()
        and all(lines[remote_id] == taken for remote_id, taken in said.items())
    )


def order_is_older(*, ctx: RunContext, order: Order, state: OrderState) -> bool:
    """Is that state older than the known one? Not where the known one is dated so far ahead that nothing would ever be newer."""
    return state.modified_at < order.modified_at and ctx.believes(order.modified_at)


def listings_doubted(*, store: Connection) -> set[int]:
    """Result: the listings of which orders hold something, and nobody can tell how much: the order can't be read, or its line."""
    named = listings_in_doubt(store=store)
    return {listing.pk for listing in _Orders.counting(store, named).values()} if named else set()


def orders_catch_up(*, ctx: RunContext) -> None:
    """Book what was sold while its product belonged to no item of the till, or was not known yet, and does by now. What a person
    has noted meanwhile does not wait any more."""
    _lines_attach(ctx)
    waiting = OrderLine.objects.filter(
        order__connection=ctx.store.connection,
        waits=True,
        listing__opened_at__isnull=False,
        listing__alignments__status=Alignment.Status.CONFIRMED,
    )
    for chunk in chunks(waiting.select_related("order", "listing").order_by("order_id", "remote_id"), 200):
        with transaction.atomic():
            if not ctx.run.dry_run:
                ctx.store.lease.beat(now=ctx.now())
            _Orders(ctx, []).catch_up(chunk)


def _lines_attach(ctx: RunContext) -> None:
    """Lines whose product nobody knew get it as soon as it has been read."""
    store = ctx.store.connection
    lost = list(
        OrderLine.objects.filter(order__connection=store, listing=None, listing_remote_id__gt=0)
        .exclude(taken=0)
        .select_related("order")
    )
    found = _Orders.counting(store, {line.listing_remote_id for line in lost})
    known = [line for line in lost if line.listing_remote_id in found]
    for line in known:
        line.listing = found[line.listing_remote_id]
        line.note = UNALIGNED
        line.save(update_fields=["listing", "note"])
    aligned = Alignment.objects.filter(listing__in=[line.listing_id for line in known], status=Alignment.Status.CONFIRMED)
    pairs = set(aligned.values_list("listing_id", flat=True))
    conflicts_without_pair(ctx=ctx, lines=[line for line in known if line.listing_id not in pairs])


def _problem(line: StatedLine) -> str:
    """Result: why a line can't be booked, in the connector's words or ours."""
    return line.problem or line_problem(ordered=line.ordered, taken=line.taken)


class _Orders:
    """One chunk of orders, with all it takes to book them fetched beforehand."""

    def __init__(self, ctx: RunContext, orders: Sequence[OrderState]) -> None:
        self.ctx, self.orders = ctx, orders
        self.unaligned: list[OrderLine] = []
        self.read: list[int] = []  # remote ids of orders of which nothing is odd
        self.odd: list[SetAside] = []
        self.kind = Voucher.Kind.ORDER
        store = ctx.store.connection
        self.known = {
            order.remote_id: order
            for order in Order.objects.filter(connection=store, remote_id__in=[o.remote_id for o in orders]).prefetch_related(
                "lines"
            )
        }
        remote_ids = {line.listing_remote_id for order in orders for line in order.lines if line.listing_remote_id}
        self.listings = self.counting(store, remote_ids)
        old_lines = [line for order in self.known.values() for line in order.lines.all()]
        booked_on = {line.listing_id for line in old_lines if line.listing_id}
        self._accounts({*booked_on, *(listing.pk for listing in self.listings.values())})

    def _accounts(self, ids: Iterable[int]) -> None:
        """Take what the orders are booked on, locked: it is changed by what it says now. One object for each listing, however an
        order came to it: two would each carry half of what changes."""
        self.by_pk = by_pk = listings_locked(ids=ids)
        self.listings = {remote_id: by_pk[listing.pk] for remote_id, listing in self.listings.items() if listing.pk in by_pk}
        self.entries: list[Entry] = []
        self.pairs = {
            pair.listing_id: pair for pair in Alignment.objects.filter(listing__in=by_pk, status=Alignment.Status.CONFIRMED)
        }
        self.levels = supply_levels(store=self.ctx.store.connection, item_ids={pair.item_id for pair in self.pairs.values()})

    @cached_property
    def began(self) -> datetime | None:
        """When the store's first account was opened: what was sold before that was in the opening numbers."""
        first: datetime | None = Listing.objects.filter(connection=self.ctx.store.connection).aggregate(at=Min("opened_at"))["at"]
        return first

    def catch_up(self, lines: Sequence[OrderLine]) -> None:
        """Book lines that waited for an alignment."""
        self.kind = Voucher.Kind.LATE  # the line's state may be booked already, in part
        self._accounts({line.listing_id for line in lines if line.listing_id})
        for line in lines:
            line.listing = self.by_pk.get(line.listing_id or 0)  # one object for each, see above
            self._line(line.order, line, LineBooked(line.taken, line.booked), line.taken)
        book(self.entries, at=self.ctx.now())

    @staticmethod
    def counting(store: Connection, remote_ids: set[int]) -> dict[int, Listing]:
        """Result: by the id that a line names, the listing whose number the order took from: the product, for a variation
        that is counted with it (woocommerce_answers.md 5)."""
        named = {listing.remote_id: listing for listing in Listing.objects.filter(connection=store, remote_id__in=remote_ids)}
        by_parent = {
            remote_id: listing.parent_remote_id
            for remote_id, listing in named.items()
            if listing.stock_management == StockManagement.PARENT and listing.parent_remote_id
        }
        parents = {
            listing.remote_id: listing
            for listing in Listing.objects.filter(connection=store, remote_id__in=set(by_parent.values()) - set(named))
        }
        found = named | parents
        return named | {remote_id: found[parent] for remote_id, parent in by_parent.items() if parent in found}

    def apply(self) -> None:
        for state in self.orders:
            order = self.known.get(state.remote_id)
            if order is None:
                order = Order(connection=self.ctx.store.connection, remote_id=state.remote_id, state_count=0)
            elif order_is_older(ctx=self.ctx, order=order, state=state):
                continue
            self._note_odd(state)
            if order.pk and order_says_same(order, self._dated_as(order, state)):
                continue
            self._order(order, state)
        book(self.entries, at=self.ctx.now())
        conflicts_without_pair(ctx=self.ctx, lines=self.unaligned)
        things_read(ctx=self.ctx, sort=Sort.ORDER, remote_ids=self.read)
        things_set_aside(ctx=self.ctx, things=self.odd)

    def _note_odd(self, state: OrderState) -> None:
        """Of an order that can be read, a line may be one that can't."""
        problems = [problem for line in state.lines if (problem := _problem(line))]
        if not problems:
            self.read.append(state.remote_id)
            return
        more = f" The same goes for {len(problems) - 1} more of its lines." if len(problems) > 1 else ""
        error = ConnectorError(f"{problems[0]}{more}", next_step=CORRECT, code="bad_order_line")
        listings = {line.listing_remote_id for line in state.lines if _problem(line)} - {0}
        self.odd.append(SetAside(Sort.ORDER, state.remote_id, f"Order {state.number}", error, tuple(listings)))

    def _dated_as(self, order: Order, state: OrderState) -> OrderState:
        """The state; one that is dated far ahead is news by what it says alone."""
        return state if self.ctx.believes(state.modified_at) else replace(state, modified_at=order.modified_at)

    def _date(self, order: Order, state: OrderState) -> None:
        """Keep its times. A date far ahead would make every later state an older one: then the beginning of our turn counts,
        which is before the reading, and before whatever changes the order next."""
        believes = self.ctx.believes
        if believes(state.created_at) and believes(state.modified_at):
            order.created_at, order.modified_at = state.created_at, state.modified_at
            return
        began = self.ctx.run.started_at + self.ctx.store.store.clock_ahead
        if believes(state.created_at) or not order.pk:
            order.created_at = state.created_at if believes(state.created_at) else began
        known = order.modified_at if order.pk and believes(order.modified_at) else began
        order.modified_at = state.modified_at if believes(state.modified_at) else max(known, began)
        error = ConnectorError(
            f"It is dated {max(state.created_at, state.modified_at):%Y-%m-%d}, far ahead of the shop's own clock.",
            next_step="It is booked as changed when we read it. Set its date right, or the clock of the shop's server.",
            code="order_dated_ahead",
        )
        self.ctx.problem(side=self.ctx.store, subject=f"Order {state.number}", error=error, fails_run=False)

    def _order(self, order: Order, state: OrderState) -> None:
        order.number, order.status, order.currency = state.number[:60], state.status[:40], state.currency[:3]
        self._date(order, state)
        lines: dict[int, OrderLine] = {line.remote_id: line for line in order.lines.all()} if order.pk else {}
        order.state_count += 1
        order.save()
        self.ctx.counts["orders"] += 1
        for said in state.lines:
            line = lines.pop(said.remote_id, None)
            booked_on = self.by_pk.get(line.listing_id) if line and line.listing_id else None
            listing = booked_on or self.listings.get(said.listing_remote_id)  # a line stays with the account it was booked on
            known = LineBooked(line.taken, line.booked) if line else None
            line = line or OrderLine(order=order, remote_id=said.remote_id, ordered=ZERO, taken=ZERO)
            line.listing, line.sku, line.name = listing, said.sku[:190], said.name[:500]
            line.listing_remote_id = said.listing_remote_id
            if problem := _problem(said):
                self._unusable(line, problem)
                continue
            line.ordered = said.ordered
            self._line(order, line, known, said.taken)
        nameless = any(not said.remote_id for said in state.lines)
        for line in lines.values():  # taken off the order: it holds nothing any more; unless it is among those that can't be read
            if not line.remote_id:
                line.delete()
            if nameless or not line.remote_id:
                continue
            line.listing = self.by_pk.get(line.listing_id) if line.listing_id else None
            self._line(order, line, LineBooked(line.taken, line.booked), ZERO)

    @staticmethod
    def _unusable(line: OrderLine, problem: str) -> None:
        """A line that can't be read, or whose quantities can't be true, books nothing; what was booked of it stands."""
        line.note = f"Not booked: {problem}"[:200]
        line.save()

    def _line(self, order: Order, line: OrderLine, known: LineBooked | None, taken: Decimal) -> None:
        listing = line.listing
        pair = self.pairs.get(listing.pk) if listing else None
        level = self.levels.get(pair.item_id) if pair else None
        line.note = self._note(line, pair, level)
        opened_at = listing.opened_at if listing and pair and level else None
        effect = line_effect(
            known=known,
            taken=taken,
            order_created_at=order.created_at,
            opened_at=opened_at,
            unseen=limits().unseen,
            waits=line.waits,
        )
        is_new = line.waits or known is None or not known.taken
        holds = known is not None and bool(known.taken or known.booked) and not line.waits
        if pair and (line.units_per_listing is None or not holds):  # what was booked is given back as it was taken
            line.units_per_listing = pair.units_per_listing
        line.waits = is_new and opened_at is None and effect.booked != taken and self._is_since_the_beginning(order)
        line.taken, line.booked = taken, effect.booked
        line.save()
        if pair is None:
            self.unaligned.append(line)
        if listing is None:
            return
        known_news = listing.news_at if listing.news_at and self.ctx.believes(listing.news_at) else order.modified_at
        news = max(known_news, order.modified_at)
        # News about a listing may explain a suspect: look again (ledger.md §5).
        listing.quantity = self._shown(order, listing, effect.baseline)
        listing.news_at, listing.suspect, listing.suspected_at = news, None, None
        if listing.baseline is not None:  # None: its account opens with the next reading
            listing.baseline += effect.baseline
        store_accounts_save([listing], ["quantity", "baseline", "news_at", "suspect", "suspected_at"])
        self.ctx.changed_listings.add(listing.pk)
        if effect.on_hand and pair and level:
            self._book(order, line, pair, level, effect.on_hand)

    def _shown(self, order: Order, listing: Listing, moved: Decimal) -> Decimal | None:
        """Result: what the listing shows by now, as far as we know."""
        if listing.quantity is None or listing.baseline is None:
            return listing.quantity
        residual = listing.quantity - listing.baseline
        if residual:
            residual -= self.left.get(listing.pk, ZERO)
        was_read = bool(residual) and self._was_read(order, listing)
        return shown_after(shows=listing.quantity, residual=residual, moved=moved, was_read=was_read)

    def _was_read(self, order: Order, listing: Listing) -> bool:
        """Is the order surely older than the reading, by the two clocks?"""
        by_our_clock = order.modified_at - self.ctx.store.store.clock_ahead
        return listing.read_at is not None and by_our_clock < listing.read_at - limits().store_skew

    @cached_property
    def left(self) -> dict[int, Decimal]:
        """By listing, how far off a person has left its number."""
        return differences_left(store=self.ctx.store.connection)

    def _is_since_the_beginning(self, order: Order) -> bool:
        return self.began is not None and order.created_at >= self.began

    @staticmethod
    def _note(line: OrderLine, pair: Alignment | None, level: StockLevel | None) -> str:
        if line.listing is None:
            return "No product of the shop belongs to this line."
        if pair is None:
            return UNALIGNED
        if level is None:
            return "The till has no level for its item."
        return "Less than nothing was ordered: it counts as given back." if line.ordered < 0 else ""

    def _book(self, order: Order, line: OrderLine, pair: Alignment, level: StockLevel, packs: Decimal) -> None:
        """Take so many of what the listing counts from the shelf, or give them back."""
        now, per = self.ctx.now(), line.units_per_listing or 1
        quantity = units_of(packs, per)
        in_packs = f", {quantity_text(abs(packs))} × {per}" if per > 1 else ""
        paper = Paper(
            kind=self.kind,
            connection_id=self.ctx.store.connection.pk,
            document=str(order.remote_id),
            line=str(line.remote_id),
            number=order.state_count,
        )
        self.entries.append(
            Entry(
                paper=paper,
                level=level,
                units=quantity,
                kind=Movement.Kind.ONLINE,
                occurred_at=order.modified_at,
                reason=f"Order {order.number}, {order.status}{in_packs}",
            )
        )
        self._log(order, pair, packs, now)
        self.ctx.changed_items.add(pair.item_id)
        self.ctx.counts["online_units"] += int(abs(quantity))

    def _log(self, order: Order, pair: Alignment, packs: Decimal, now: Any) -> None:
        listing = self.by_pk[pair.listing_id]
        shows = listing.baseline if listing.counts_stock else None
        if shows is None:  # the shop shows no number that could have changed
            return
        SyncLog.objects.create(
            alignment=pair,
            run=self.ctx.run_row,
            at=now,
            source=SyncLog.Source.WOO,
            action=SyncLog.Action.QUANTITY,
            old_value=quantity_text(shows - packs),
            new_value=quantity_text(shows),
            reason=f"Order {order.number}, {order.status}",
        )
