"""The store's numbers, and what they mean (ledger.md §5): first the numbers, then the orders up to a later moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from alignment.models import Alignment
from connectors.contract import Aside, OrderState, SetAside, Sort, StockManagement, StoreReading
from connectors.errors import ConnectorError
from connectors.models import Connection
from inventory.ledger.keeper import store_accounts_save
from inventory.models import Listing
from kit.bulk import chunks
from kit.sku import sku_key
from sync.core.guards import shrink_guard
from sync.core.readings import Deferred, Drift, InStep, Opening, Suspect, WriteSpan, store_reading_judge
from sync.limits import limits
from sync.orders.apply import listings_doubted, orders_apply, orders_catch_up
from sync.prices.log import PriceMove, store_prices_log
from sync.selectors import differences_left, listings_unread, orders_set_aside, orders_unread_since, write_spans
from sync.standing.put_offs import PutOffs
from sync.stores.drift import drifts_settle
from sync.stores.set_aside import things_read, things_set_aside, things_tell
from sync.turns.context import RunContext

FACTS = (
    "parent_remote_id", "kind", "sku", "name", "barcode", "status", "stock_management", "backorders", "price", "sale_price",
    "cost",
)  # fmt: skip
ACCOUNT = ("quantity", "read_at", "baseline", "opened_at", "suspect", "suspected_at", "news_at", "came_back")
COLUMNS = ("id", "remote_id", "missing_since", *FACTS, *ACCOUNT)
STORED = ["sku_key", "missing_since", *FACTS, *(name for name in ACCOUNT if name != "news_at")]  # orders write that


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a store said: its numbers, read from `began` on, and then every order that changed up to `ended`. `odd`: what of it
    can't be read; `gone`: orders that could not be read before, and that it has no more."""

    readings: Sequence[StoreReading]
    orders: Sequence[OrderState]
    began: datetime
    ended: datetime
    whole: bool  # the whole catalogue: a listing that is absent from it is gone
    odd: Sequence[SetAside] = ()
    gone: Sequence[int] = ()

    def odd_ids(self, sort: Sort) -> set[int]:
        """Result: the remote ids of what can't be read; 0 for what has none."""
        return {thing.remote_id for thing in self.odd if thing.sort == sort}


def snapshot_take(*, ctx: RunContext) -> Snapshot:
    """Read the whole store. Raises ConnectorError, and then nothing of it is used: a missing page is never zero."""
    began = ctx.now()
    readings: list[StoreReading] = []
    odd: list[SetAside] = []
    for page in ctx.store.store.walk_listings(told=ctx.walked, aside=odd.append):
        readings.extend(page)
    orders = orders_read(ctx=ctx, began=began, aside=odd.append)
    again, gone = _orders_again(ctx, {*(order.remote_id for order in orders), *(thing.remote_id for thing in odd)}, odd.append)
    return Snapshot(readings, [*orders, *again], began, ctx.now(), whole=True, odd=odd, gone=gone)


def snapshot_of(*, ctx: RunContext, listings: Sequence[tuple[int, int]]) -> Snapshot:
    """Read these (remote id, parent remote id) again, then the orders. Raises ConnectorError."""
    began = ctx.now()
    odd: list[SetAside] = []
    readings = ctx.store.store.read_listings(listings, aside=odd.append) if listings else []
    return Snapshot(readings, orders_read(ctx=ctx, began=began, aside=odd.append), began, ctx.now(), whole=False, odd=odd)


def orders_read(*, ctx: RunContext, began: datetime, aside: Aside) -> Sequence[OrderState]:
    """Result: every order that changed since the last time. The connector reads further back than asked, against clocks that
    differ; an order that is read twice changes nothing."""
    since = orders_unread_since(store=ctx.store.connection, now=began)
    return ctx.store.store.read_orders(modified_after=since, aside=aside)


def _orders_again(ctx: RunContext, known: set[int], aside: Aside) -> tuple[Sequence[OrderState], list[int]]:
    """Look again at orders that could not be read before, but for those that were seen just now: they may have been mended
    without a new date. Result: those that can be read, and the remote ids of those that are gone."""
    ask = [one for one in orders_set_aside(store=ctx.store.connection, most=limits().most_looks) if one not in known]
    odd: list[int] = []

    def heard(thing: SetAside) -> None:
        odd.append(thing.remote_id)
        aside(thing)

    states = ctx.store.store.read_orders_by_id(ask, aside=heard)
    return states, [one for one in ask if one not in {*odd, *(state.remote_id for state in states)}]


def snapshot_apply(*, ctx: RunContext, snapshot: Snapshot) -> None:
    """Book a snapshot: orders first, then what the numbers leave unexplained. A shrunken catalogue is held, not booked."""
    store = ctx.store.connection
    if snapshot.whole:
        known = Listing.objects.filter(connection=store, missing_since=None).count()
        known = min(known, ctx.previewed.get("catalogue", known))  # so few a manager has seen and let pass
        seen_there = len(snapshot.readings) + sum(1 for thing in snapshot.odd if thing.sort == Sort.LISTING)
        ctx.counts["catalogue"] = seen_there
        reason = shrink_guard(known=known, seen=seen_there, most_percent=store.guard_shrink_percent, what="The shop")
        if reason:
            ctx.held_for.append(reason)
            return
    _listings_new(ctx, snapshot)
    with transaction.atomic():
        if not ctx.run.dry_run:
            ctx.store.lease.beat(now=ctx.now())
        orders_apply(ctx=ctx, orders=snapshot.orders)
        things_read(ctx=ctx, sort=Sort.ORDER, remote_ids=snapshot.gone)
        things_read(ctx=ctx, sort=Sort.LISTING, remote_ids=_readable(ctx, snapshot))
        things_set_aside(ctx=ctx, things=snapshot.odd)
        unread = Listing.objects.filter(connection=store, remote_id__in=snapshot.odd_ids(Sort.LISTING))
        ctx.changed_listings.update(unread.values_list("pk", flat=True))
        Connection.objects.filter(pk=store.pk).update(orders_read_until=snapshot.began)
    spans = write_spans(connection=store, target="listing_id", since=snapshot.began)
    put_offs, left = PutOffs(store, "listing_id"), differences_left(store=store)
    doubted = listings_doubted(store=store)
    seen: set[int] = set()
    for readings in chunks(sorted(snapshot.readings, key=lambda reading: reading.remote_id)):
        with transaction.atomic():
            if not ctx.run.dry_run:
                ctx.store.lease.beat(now=ctx.now())
            chunk = _Chunk(ctx, snapshot, spans, left, doubted)
            chunk.apply(readings, seen)
            put_offs.note(put_off=chunk.put_off, used=chunk.used, at=snapshot.began)
    if snapshot.whole:
        _mark_missing(ctx, snapshot, seen)
        ctx.counts["listings"] = len(snapshot.readings)
    orders_catch_up(ctx=ctx)
    things_tell(ctx=ctx, is_whole=snapshot.whole)


def _readable(ctx: RunContext, snapshot: Snapshot) -> set[int]:
    """Result: the listings that could not be read before, and now can; with a whole reading also those that are gone."""
    before = set(listings_unread(store=ctx.store.connection))
    if snapshot.whole:
        return before - snapshot.odd_ids(Sort.LISTING)
    return before & {reading.remote_id for reading in snapshot.readings}


def _listings_new(ctx: RunContext, snapshot: Snapshot) -> None:
    """Make the listings that were not there before, so that orders find them."""
    known = set(Listing.objects.filter(connection=ctx.store.connection).values_list("remote_id", flat=True))
    for readings in chunks(reading for reading in snapshot.readings if reading.remote_id not in known):
        fresh = Listing.objects.bulk_create([_listing(ctx, snapshot, reading) for reading in readings])
        ctx.changed_listings.update(listing.pk for listing in fresh)
        ctx.counts["listings_new"] += len(fresh)


def _listing(ctx: RunContext, snapshot: Snapshot, reading: StoreReading) -> Listing:
    return Listing(
        connection=ctx.store.connection,
        remote_id=reading.remote_id,
        first_seen_at=snapshot.began,
        sku_key=sku_key(reading.sku),
        quantity=reading.quantity,
        read_at=snapshot.began,
        **{name: getattr(reading, name) for name in FACTS},
    )


def _mark_missing(ctx: RunContext, snapshot: Snapshot, seen: set[int]) -> None:
    """Listings that a whole walk no longer shows were deleted or trashed. Their account is kept, should they come back; a pair is
    told about. One that can't be read is there; and where one has no number, nobody can tell which it is: then none is taken for
    gone."""
    store, unread = ctx.store.connection, snapshot.odd_ids(Sort.LISTING)
    if 0 in unread:
        return
    known = Listing.objects.filter(connection=store, missing_since=None).values_list("id", "remote_id")
    gone = [pk for pk, remote_id in known.iterator() if pk not in seen and remote_id not in unread]
    for ids in chunks(gone):
        Listing.objects.filter(pk__in=ids).update(missing_since=snapshot.began, quantity=None, suspect=None, suspected_at=None)
        for listing in Listing.objects.filter(pk__in=ids, alignments__status=Alignment.Status.CONFIRMED):
            error = ConnectorError(
                f"“{listing.name or listing}” (#{listing.remote_id}) is no longer in the shop: deleted, or in its bin.",
                next_step="Restore it there, or reject its alignment.",
                code="listing_deleted",
            )
            ctx.problem(side=ctx.store, subject=listing.sku or f"#{listing.remote_id}", error=error, fails_run=False)
    ctx.changed_listings.update(gone)
    ctx.counts["listings_missing"] += len(gone)


class _Chunk:
    """One transaction's worth of a store's readings."""

    def __init__(
        self,
        ctx: RunContext,
        snapshot: Snapshot,
        spans: dict[int, list[WriteSpan]],
        left: Mapping[int, Decimal],
        doubted: set[int],
    ) -> None:
        self.ctx, self.snapshot, self.spans, self.left, self.doubted = ctx, snapshot, spans, left, doubted
        self.ahead = ctx.store.store.clock_ahead  # orders are dated by the store's clock
        self.news_since = snapshot.began - limits().store_skew + self.ahead
        self.unchanged: list[int] = []
        self.changed: list[Listing] = []
        self.drifted: list[tuple[Listing, Decimal]] = []
        self.put_off: dict[int, str] = {}  # by listing, why
        self.repriced: dict[int, PriceMove] = {}

    @property
    def used(self) -> set[int]:
        """The listings whose reading was used."""
        return {*self.unchanged, *(listing.pk for listing in self.changed)} - self.put_off.keys()

    def apply(self, readings: list[StoreReading], seen: set[int]) -> None:
        confirmed = Alignment.objects.filter(listing=OuterRef("pk"), status=Alignment.Status.CONFIRMED)
        known = {
            row[1]: row
            for row in Listing.objects.select_for_update(of=("self",))
            .filter(connection=self.ctx.store.connection, remote_id__in=[reading.remote_id for reading in readings])
            .order_by("pk")
            .annotate(is_aligned=Exists(confirmed))
            .values_list(*COLUMNS, "is_aligned")
        }
        for reading in readings:
            row = known[reading.remote_id]
            seen.add(row[0])
            self._known(reading, row)
        self._save()

    def _known(self, reading: StoreReading, row: tuple[Any, ...]) -> None:
        pk, missing_since, account = row[0], row[2], row[3 + len(FACTS) : 3 + len(FACTS) + len(ACCOUNT)]
        quantity, read_at, baseline, opened_at, suspect, suspected_at, news_at, came_back = account
        facts_same = missing_since is None and row[3 : 3 + len(FACTS)] == (
            reading.parent_remote_id, reading.kind, reading.sku, reading.name, reading.barcode, reading.status,
            reading.stock_management, reading.backorders, reading.price, reading.sale_price, reading.cost,
        )  # fmt: skip
        is_aligned = row[-1]
        if is_aligned and not facts_same:
            self.repriced[pk] = (row[COLUMNS.index("price")], reading.price)
        news_at = news_at if news_at and self.ctx.believes(news_at) else None
        is_calm = suspect is None and pk not in self.spans and (news_at is None or news_at < self.news_since)
        in_step = reading.quantity == quantity == baseline and is_calm
        if facts_same and (in_step or (not is_aligned and reading.quantity == quantity)):
            self.unchanged.append(pk)  # the common case, decided without building anything
            return
        listing = _listing(self.ctx, self.snapshot, reading)
        listing.pk, listing.missing_since = pk, None
        listing.baseline, listing.opened_at, listing.suspect, listing.suspected_at = baseline, opened_at, suspect, suspected_at
        was_away = missing_since is not None or row[COLUMNS.index("stock_management")] != StockManagement.OWN
        listing.came_back = came_back or (was_away and baseline is not None)
        if is_aligned:
            self._judge(listing, reading, news_at)
        if pk in self.put_off and pk not in self.doubted and baseline is not None:  # whether it is what it shows, nobody knows
            listing.quantity, listing.read_at = quantity, read_at
        is_drift = bool(self.drifted) and self.drifted[-1][0] is listing  # what becomes of it is decided for all at once
        if (
            not is_drift
            and facts_same
            and listing.quantity == quantity
            and listing.baseline == baseline
            and listing.suspect == suspect
        ):
            self.unchanged.append(pk)
        else:
            self.changed.append(listing)

    def _judge(self, listing: Listing, reading: StoreReading, news_at: datetime | None) -> None:
        """What the number means for an aligned listing's account."""
        if reading.stock_management != StockManagement.OWN or reading.quantity is None:
            # Woo omits the stock of what it doesn't count: unknown, not zero. The account stays: what orders took from it while
            # it was counted still has to reach the shelf, and what it shows when it counts again is judged like any number.
            listing.suspect = listing.suspected_at = None
            return
        if listing.pk in self.doubted and listing.baseline is not None:
            # The sale is in the number and not in the baseline: to take it for an edit would bring the units back from the dead.
            listing.suspect = listing.suspected_at = None
            if reading.quantity != listing.baseline:
                self._put_off(listing, "an order on it can't be read")
            return
        verdict = store_reading_judge(
            shows=reading.quantity,
            read_at=self.snapshot.began,
            baseline=listing.baseline,
            news_at=news_at - self.ahead if news_at else None,
            writes=self.spans.get(listing.pk, ()),
            suspect=listing.suspect,
            suspected_at=listing.suspected_at,
            settle=limits().second_look,
            skew=limits().store_skew,
        )
        match verdict:
            case Opening(shows):
                listing.baseline, listing.opened_at = shows, self.snapshot.began + self.ahead
                self.ctx.counts["shop_opened"] += 1
            case InStep():
                listing.suspect, listing.suspected_at, listing.came_back = None, None, False
            case Suspect(residual) | Drift(residual) if residual == self.left.get(listing.pk):
                listing.suspect, listing.suspected_at, listing.came_back = None, None, False  # a person has left it so
            case Suspect(residual):
                listing.suspect, listing.suspected_at = residual, self.snapshot.began
                self.ctx.counts["suspects"] += 1
            case Drift(residual):
                self.drifted.append((listing, residual))
            case Deferred(why):
                self._put_off(listing, why)
            case _:
                pass

    def _put_off(self, listing: Listing, why: str) -> None:
        self.ctx.counts["shop_readings_deferred"] += 1
        self.put_off[listing.pk] = why

    def _save(self) -> None:
        drifts_settle(ctx=self.ctx, drifted=self.drifted)
        store_prices_log(ctx=self.ctx, changes=self.repriced)
        unchanged = [pk for pk in self.unchanged if pk not in self.put_off]
        Listing.objects.filter(pk__in=unchanged).update(read_at=self.snapshot.began)
        store_accounts_save(self.changed, STORED)
        self.ctx.changed_listings.update(listing.pk for listing in self.changed)
