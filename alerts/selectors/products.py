"""Facts about products, found by the database: each is one statement, or one for each store, however many products there are.
What a statement finds is decided by the rules; it may find too much, never too little."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Abs

from alerts.rules.limits import Limits
from alerts.rules.products import Dispute, Product
from alerts.selectors.limits import LimitTable
from alignment.models import Alignment
from alignment.selectors import STOCKABLE
from connectors.contract import Side
from connectors.models import Connection
from inventory.models import Listing, Movement, StockLevel
from sync.core.targets import units_of
from sync.models import PricePolicy, PriceReview, SyncConflict, SyncState
from sync.selectors import pairs_with_target

NUMBER: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=20, decimal_places=4)
SETTLED_FOR = timedelta(hours=1)  # a pair that still moves is being worked on
AT_ONCE = 2000  # rows held in memory
_PAIR = (
    "pk", "item_id", "item__sku", "item__name", "item__category", "item__connection_id", "listing_id", "listing__connection_id",
)  # fmt: skip


def stores() -> list[Connection]:
    """Result: the stores in use."""
    return [one for one in Connection.objects.filter(is_active=True).order_by("pk") if one.side == Side.STORE]


def levels_below_zero() -> Iterator[tuple[Product, int, str, Decimal]]:
    """Result: product, level, place and on hand, where more was sold than lay there."""
    found = StockLevel.objects.filter(on_hand__lt=0, location__connection__is_active=True).order_by()
    rows = found.values_list("pk", "on_hand", "location__name", "item_id", "item__connection_id", "item__sku", "item__name")
    for level_id, on_hand, place, item_id, till_id, sku, name in rows.iterator(AT_ONCE):
        yield Product(item_id, till_id, sku, name), level_id, place, on_hand


def shelves_short(table: LimitTable) -> Iterator[tuple[Product, Decimal, Limits, bool]]:
    """Result: product, what is free to sell over all its places, its limits, and whether something of it ever moved; of those
    that are sold out, or below the highest threshold there is. What the till doesn't count, or lists no more, is left out."""
    counted = StockLevel.objects.filter(
        baseline__isnull=False, item__missing_since=None, location__connection__is_active=True
    ).order_by()
    available = counted.values("item_id").annotate(available=Sum(F("on_hand") - F("reserved")))
    low = max(table.said("low_stock_below"), default=None)
    short = Q(available__lte=0) if low is None else Q(available__lt=low) | Q(available__lte=0)
    sold = Movement.objects.filter(item=OuterRef("item_id")).exclude(kind=Movement.Kind.OPENING)
    rows = available.filter(short).annotate(sells=Exists(sold))
    names = ("available", "sells", "item__category", "item_id", "item__connection_id", "item__sku", "item__name")
    for free, sells, category, *thing in rows.values_list(*names).iterator(AT_ONCE):
        product = Product(*thing)
        limits = table.of(item_id=product.item_id, category=category, connection_ids=[product.till_id])
        yield product, free, limits, sells


def pairs_apart(table: LimitTable, *, now: datetime) -> Iterator[tuple[Product, Decimal, Decimal, str, Limits]]:
    """Result: product, target and what the shop shows (both in the till's units), why, and limits, of pairs that are out of step
    for good: they need a decision, failed, or have waited for an hour in which neither side moved."""
    units, percent = min(table.said("discrepancy_units")), min(table.said("discrepancy_percent"))
    long_ago = now - SETTLED_FOR
    lasting = Q(sync_state__sync_status__in=[SyncState.Status.CONFLICT, SyncState.Status.ERROR]) | Q(
        sync_state__sync_status=SyncState.Status.PENDING,
        sync_state__last_pos_update__lt=long_ago,
        sync_state__last_woo_update__lt=long_ago,
    )
    # Thresholds count the till's units: one pack of six off is six.
    off = Abs(F("listing__quantity") - F("target")) * F("units_per_listing")
    size, percent_of = ExpressionWrapper(off, output_field=NUMBER), F("target") * F("units_per_listing")
    for store in stores():
        apart = pairs_with_target(store=store).filter(lasting, listing__quantity__isnull=False).annotate(size=size).order_by()
        apart = apart.filter(Q(size__gt=units) | Q(size__gt=percent_of * percent / 100, target__gt=0))
        rows = apart.values_list("target", "listing__quantity", "units_per_listing", "sync_state__reason", *_PAIR)
        for target, shows, per, why, *pair in rows.iterator(AT_ONCE):
            product, limits = _paired(pair, table)
            in_packs = f"These are the till's units; the shop counts packs of {per}. {why}" if per > 1 else why
            yield product, units_of(target, per), units_of(shows, per), in_packs, limits


def prices_waiting() -> Iterator[tuple[Product, Decimal | None, Decimal, str]]:
    """Result: product, price now, price wanted and reason, of price changes that wait for a person."""
    waiting = PriceReview.objects.filter(state=PriceReview.State.OPEN, store__is_active=True).order_by()
    names = ("alignment__pk", *(f"alignment__{name}" for name in _PAIR[1:]))
    for before, after, why, *pair in waiting.values_list("old_price", "new_price", "why", *names).iterator(AT_ONCE):
        yield _product(pair), before, after, why


def prices_apart(table: LimitTable) -> Iterator[tuple[Product, Decimal, Decimal, Limits]]:
    """Result: product, the till's price, the shop's, and limits. Prices in two currencies are not compared, nor those of
    packs, nor those that somebody owns: there the price rule tells which changes wait, taxes and rounding in mind."""
    percent = min(table.said("price_percent"))
    off = ExpressionWrapper(Abs(F("listing__price") - F("item__price")) * 100, output_field=NUMBER)
    same_money = (
        Q(item__connection__currency="")
        | Q(listing__connection__currency="")
        | Q(item__connection__currency=F("listing__connection__currency"))
    )
    owned = PricePolicy.objects.exclude(price_source=PricePolicy.Source.NONE).values("connection")
    pairs = (
        _pairs_in_use()
        .exclude(listing__connection__in=owned)
        .filter(same_money, units_per_listing=1, item__price__isnull=False, listing__price__isnull=False)
    )
    rows = pairs.annotate(off=off).filter(off__gt=F("item__price") * percent).values_list("item__price", "listing__price", *_PAIR)
    for till, shop, *pair in rows.iterator(AT_ONCE):
        product, limits = _paired(pair, table)
        yield product, till, shop, limits


def pairs_refused() -> Iterator[tuple[Product, str]]:
    """Result: product and reason, of pairs whose number the shop refused."""
    rows = _pairs_in_use().filter(sync_state__sync_status=SyncState.Status.ERROR).values_list("sync_state__reason", *_PAIR)
    for reason, *pair in rows.iterator(AT_ONCE):
        yield _product(pair), reason


def disputes(*types: SyncConflict.Type) -> Iterator[tuple[Dispute, bool]]:
    """Result: the open conflicts of these types, and whether each is critical."""
    found = SyncConflict.objects.filter(resolved_at=None, conflict_type__in=types, store__is_active=True).order_by()
    rows = found.select_related("alignment__item", "alignment__listing", "listing")
    for row in rows.iterator(AT_ONCE):
        pair, listing = row.alignment, row.alignment.listing if row.alignment else row.listing
        name, sku = (pair.item.name, pair.item.sku) if pair else (listing.name, str(listing)) if listing else ("", "")
        dispute = Dispute(
            conflict_id=row.pk,
            subject=f"pair:{pair.pk}:{row.conflict_type}" if pair else f"listing:{row.listing_id}:{row.conflict_type}",
            label=f"{name} ({sku})" if name else sku,
            why=row.why,
            store_id=row.store_id,
            item_id=pair.item_id if pair else None,
            listing_id=listing.pk if listing else None,
            difference=row.difference,
        )
        yield dispute, row.drift_class == SyncConflict.Class.CRITICAL


@dataclass(frozen=True, slots=True)
class Unaligned:
    """How many listings of a store no item stands for."""

    store_id: int
    name: str
    count: int


def stores_unaligned() -> Iterator[Unaligned]:
    """Result: each store that has any alignment, with what it sells and nobody has aligned."""
    confirmed = Alignment.objects.filter(status=Alignment.Status.CONFIRMED).order_by()
    for store in stores():
        if confirmed.filter(listing__connection=store).exists():
            open_ = Listing.objects.filter(STOCKABLE, connection=store, missing_since=None, status="publish")
            yield Unaligned(store.pk, store.name, open_.exclude(pk__in=confirmed.values("listing")).count())


def _pairs_in_use() -> QuerySet[Alignment]:
    return Alignment.objects.filter(
        status=Alignment.Status.CONFIRMED,
        listing__missing_since=None,
        listing__connection__is_active=True,
        item__connection__is_active=True,
    ).order_by()


def _product(pair: list[Any]) -> Product:
    pair_id, item_id, sku, name, _category, till_id, listing_id, store_id = pair
    return Product(item_id, till_id, sku, name, pair_id=pair_id, listing_id=listing_id, store_id=store_id)


def _paired(pair: list[Any], table: LimitTable) -> tuple[Product, Limits]:
    product = _product(pair)
    ids = [product.till_id, product.store_id or 0]
    return product, table.of(item_id=product.item_id, category=pair[4], connection_ids=ids)
