"""Online orders become movements (design.md §3.4): the difference between what a line holds now and what the ledger has."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F

from alignment.models import Alignment, Listing
from connectors.contract import OrderState, StockManagement
from connectors.models import Connection
from inventory.models import Movement, StockLevel
from sync.core.orders import LineBooked, line_effect
from sync.limits import limits
from sync.models import Order, OrderLine, SyncLog
from sync.selectors import supply_levels
from sync.services.context import RunContext, chunks
from sync.services.findings import conflicts_without_pair
from sync.services.log import quantity_text

ZERO = Decimal(0)


def orders_apply(*, ctx: RunContext, orders: Sequence[OrderState]) -> None:
    """Bring orders to their newest state and book what that changes. A state that is older than the known one changes
    nothing; one that is the same changes nothing either. Call inside a transaction."""
    for chunk in chunks(sorted(orders, key=lambda order: (order.modified_at, order.remote_id)), 200):
        _Orders(ctx, chunk).apply()


def order_says_same(order: Order, state: OrderState) -> bool:
    """Is nothing in it new? Two changes in one second have one modified time, so the lines are compared too."""
    lines = {line.remote_id: line.taken for line in order.lines.all()}
    said = {line.remote_id: line.taken for line in state.lines}
    return order.modified_at == state.modified_at and order.status == state.status and lines == said


class _Orders:
    """One chunk of orders, with all it takes to book them fetched beforehand."""

    def __init__(self, ctx: RunContext, orders: Sequence[OrderState]) -> None:
        self.ctx, self.orders = ctx, orders
        self.unaligned: list[OrderLine] = []
        store = ctx.store.connection
        self.known = {
            order.remote_id: order
            for order in Order.objects.filter(connection=store, remote_id__in=[o.remote_id for o in orders]).prefetch_related(
                "lines"
            )
        }
        remote_ids = {line.listing_remote_id for order in orders for line in order.lines if line.listing_remote_id}
        self.listings = self._counting(store, remote_ids)
        old_lines = [line for order in self.known.values() for line in order.lines.all()]
        # One object for each listing, however an order came to it: two would each carry half of what changes.
        self.by_pk = {listing.pk: listing for listing in self.listings.values()}
        booked_on = {line.listing_id for line in old_lines if line.listing_id} - self.by_pk.keys()
        self.by_pk |= {listing.pk: listing for listing in Listing.objects.filter(pk__in=booked_on)}
        self.pairs = {
            pair.listing_id: pair for pair in Alignment.objects.filter(listing__in=self.by_pk, status=Alignment.Status.CONFIRMED)
        }
        self.levels = supply_levels(store=store, item_ids={pair.item_id for pair in self.pairs.values()})

    @staticmethod
    def _counting(store: Connection, remote_ids: set[int]) -> dict[int, Listing]:
        """Result: by the id that a line names, the listing whose number the order took from: the product, for a variation
        that is counted with it (woocommerce.md 5)."""
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
            elif state.modified_at < order.modified_at or order_says_same(order, state):
                continue
            self._order(order, state)
        conflicts_without_pair(ctx=self.ctx, lines=self.unaligned)

    def _order(self, order: Order, state: OrderState) -> None:
        order.number, order.status, order.currency = state.number, state.status, state.currency
        order.created_at, order.modified_at = state.created_at, state.modified_at
        lines: dict[int, OrderLine] = {line.remote_id: line for line in order.lines.all()} if order.pk else {}
        order.state_count += 1
        order.save()
        self.ctx.counts["orders"] += 1
        for said in state.lines:
            line = lines.pop(said.remote_id, None)
            booked_on = self.by_pk.get(line.listing_id) if line and line.listing_id else None
            listing = booked_on or self.listings.get(said.listing_remote_id)  # a line stays with the account it was booked on
            known = LineBooked(line.taken, line.booked) if line else None
            line = line or OrderLine(order=order, remote_id=said.remote_id)
            line.listing, line.sku, line.name, line.ordered = listing, said.sku[:190], said.name[:500], said.ordered
            self._line(order, line, known, said.taken)
        for line in lines.values():  # taken off the order: it holds nothing any more
            line.listing = self.by_pk.get(line.listing_id) if line.listing_id else None
            self._line(order, line, LineBooked(line.taken, line.booked), ZERO)

    def _line(self, order: Order, line: OrderLine, known: LineBooked | None, taken: Decimal) -> None:
        listing = line.listing
        pair = self.pairs.get(listing.pk) if listing else None
        level = self.levels.get(pair.item_id) if pair else None
        line.note = self._note(line, pair, level)
        opened_at = listing.opened_at if listing and pair and level else None
        effect = line_effect(
            known=known, taken=taken, order_created_at=order.created_at, opened_at=opened_at, unseen=limits().unseen
        )
        line.taken, line.booked = taken, effect.booked
        line.save()
        if listing is None:
            return
        if pair is None:
            self.unaligned.append(line)
        news = listing.news_at if listing.news_at and listing.news_at > order.modified_at else order.modified_at
        # News about a listing may explain a suspect: look again (design.md §3.5).
        listing.news_at, listing.suspect, listing.suspected_at = news, None, None
        if listing.baseline is not None:  # None: out of the shop for now; the account opens anew when it is back
            listing.baseline += effect.baseline
        Listing.objects.filter(pk=listing.pk).update(news_at=news, suspect=None, suspected_at=None, baseline=listing.baseline)
        self.ctx.changed_listings.add(listing.pk)
        if effect.on_hand and pair and level:
            self._book(order, line, pair, level, effect.on_hand)

    @staticmethod
    def _note(line: OrderLine, pair: Alignment | None, level: StockLevel | None) -> str:
        if line.listing is None:
            return "No product of the shop belongs to this line."
        if pair is None:
            return "Its product has no confirmed alignment."
        return "" if level else "The till has no level for its item."

    def _book(self, order: Order, line: OrderLine, pair: Alignment, level: StockLevel, quantity: Decimal) -> None:
        now = self.ctx.now()
        Movement.objects.create(
            item_id=pair.item_id,
            location_id=level.location_id,
            quantity=quantity,
            kind=Movement.Kind.ONLINE,
            source=self.ctx.store.connection,
            reference=f"order {order.remote_id} line {line.remote_id} state {order.state_count}",
            occurred_at=order.modified_at,
            recorded_at=now,
            reason=f"Order {order.number}, {order.status}"[:250],
        )
        StockLevel.objects.filter(pk=level.pk).update(on_hand=F("on_hand") + quantity)
        self._log(order, pair, quantity, now)
        self.ctx.changed_items.add(pair.item_id)
        self.ctx.counts["online_units"] += int(abs(quantity))

    def _log(self, order: Order, pair: Alignment, quantity: Decimal, now: Any) -> None:
        shows = self.by_pk[pair.listing_id].baseline
        if shows is None:  # the shop shows no number that could have changed
            return
        SyncLog.objects.create(
            alignment=pair,
            run=self.ctx.run_row,
            at=now,
            source=SyncLog.Source.WOO,
            action=SyncLog.Action.QUANTITY,
            old_value=quantity_text(shows - quantity),
            new_value=quantity_text(shows),
            reason=f"Order {order.number}, {order.status}",
        )
