"""Questions about partners. They read; they change nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from django.db.models import Count, Q, QuerySet

from alignment.models import Alignment, StoreLocation
from connectors.contract import Side
from connectors.models import Connection
from connectors.registry import KINDS, kind_get
from inventory.models import Item, Listing
from kit.sku import sku_key

# A parent of variations, a group and a link have no stock of their own, unless the store counts it for them.
CONTAINERS = frozenset({"variable", "grouped", "external", "variable-subscription"})
STOCKABLE = ~Q(kind__in=CONTAINERS) | Q(stock_management=Listing.Management.OWN)


def is_stockable(listing: Listing) -> bool:
    """Result: may this listing stand for an item? The same question as STOCKABLE, for a row at hand."""
    return listing.kind not in CONTAINERS or listing.stock_management == Listing.Management.OWN


def items_without_partner(*, pos: Connection | None = None, store: Connection | None = None) -> QuerySet[Item]:
    """Result: items the till lists that no confirmed pair names, in that store or in any."""
    items = Item.objects.filter(missing_since=None) if pos is None else Item.objects.filter(missing_since=None, connection=pos)
    return items.exclude(pk__in=_confirmed(store).values("item"))


def listings_without_partner(*, store: Connection | None = None) -> QuerySet[Listing]:
    """Result: listings in the store, or in any, that could be stocked and that no confirmed pair names."""
    listings = Listing.objects.filter(STOCKABLE, missing_since=None)
    if store is not None:
        listings = listings.filter(connection=store)
    return listings.exclude(pk__in=_confirmed(store).values("listing"))


def _confirmed(store: Connection | None) -> QuerySet[Alignment]:
    """Result: the confirmed pairs of that store, or of all, to be asked for once and not for each row."""
    pairs = Alignment.objects.filter(status=Alignment.Status.CONFIRMED).order_by()
    return pairs.filter(listing__connection=store) if store else pairs


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a till and a store are aligned. `share` is the confirmed part of the till's items, 0 to 1; None without items."""

    items: int
    items_confirmed: int
    listings: int
    proposed: int

    @property
    def share(self) -> Decimal | None:
        return Decimal(self.items_confirmed) / self.items if self.items else None

    @property
    def percent(self) -> str:
        """The share for people: never “100 %” while something is left."""
        if self.share is None:
            return "–"
        return f"{(self.share * 100).quantize(Decimal('0.1'), ROUND_DOWN).normalize():f} %"


def coverage(*, pos: Connection, store: Connection) -> Coverage:
    """Result: the figures of one till and one store; what is missing on its side isn't counted."""
    items = Item.objects.filter(connection=pos, missing_since=None)
    listings = Listing.objects.filter(STOCKABLE, connection=store, missing_since=None)
    pairs = Alignment.objects.filter(listing__connection=store).exclude(status=Alignment.Status.REJECTED).order_by()
    of_till = Q(item__connection=pos, item__missing_since=None)
    # One walk over the pairs, each of which leads to its two things by key. As subqueries these take SQLite minutes.
    counted = pairs.aggregate(
        confirmed=Count("item_id", filter=of_till & Q(status=Alignment.Status.CONFIRMED), distinct=True),
        proposed=Count("pk", filter=of_till & Q(status=Alignment.Status.PROPOSED)),
    )
    return Coverage(
        items=items.count(), items_confirmed=counted["confirmed"], listings=listings.count(), proposed=counted["proposed"]
    )


def items_by_sku(*, sku: str, pos: Connection | None = None) -> list[Item]:
    """Result: the item with exactly that SKU; where there is none, those that differ only in spelling."""
    items = Item.objects.filter(connection=pos) if pos else Item.objects.all()
    return list(items.filter(sku=sku)) or list(items.filter(sku_key=sku_key(sku)).exclude(sku_key=""))


def listings_by_sku(*, sku: str, store: Connection | None = None) -> list[Listing]:
    """Result: the listings with exactly that SKU; where there are none, those that differ only in spelling."""
    listings = Listing.objects.filter(connection=store) if store else Listing.objects.all()
    return list(listings.filter(sku_key=sku_key(sku), sku=sku).exclude(sku="")) or list(
        listings.filter(sku_key=sku_key(sku)).exclude(sku_key="")
    )


def pairs_by_sku(*, sku: str, store: Connection | None = None) -> list[Alignment]:
    """Result: every pair, whatever its status, whose item or listing has that SKU; confirmed ones first."""
    items, listings = items_by_sku(sku=sku), listings_by_sku(sku=sku, store=store)
    pairs = Alignment.objects.filter(Q(item__in=items) | Q(listing__in=listings))
    if store:
        pairs = pairs.filter(listing__connection=store)
    found = pairs.select_related("item__connection", "listing__connection").order_by("item__sku", "pk")
    return sorted(found, key=lambda pair: pair.status != Alignment.Status.CONFIRMED)


def connections_on(side: Side) -> QuerySet[Connection]:
    """Result: the connections in use on that side, by name."""
    kinds = [name for name in KINDS if kind_get(name).capabilities.side == side]
    return Connection.objects.filter(is_active=True, kind__in=kinds).order_by("name")


def tills_by_store(*, stores: Collection[Connection], tills: Sequence[Connection]) -> dict[int, list[Connection]]:
    """Result: by store, those of the tills in use that supply it; the only one there is, while nobody has said which. None
    where that can't be told, and where the tills that were said are not in use: another's numbers are not the store's."""
    said: dict[int, set[int]] = {store.pk: set() for store in stores}
    rows = StoreLocation.objects.filter(store__in=stores).order_by().values_list("store_id", "location__connection_id").distinct()
    for store_id, till_id in rows:
        said[store_id].add(till_id)
    only = list(tills) if len(tills) == 1 else []
    return {store_id: [till for till in tills if till.pk in named] if named else only for store_id, named in said.items()}


def coverage_of_only() -> tuple[Connection, Connection, Coverage] | None:
    """Result: till, store and their figures; None unless there is exactly one of each."""
    tills, stores = list(connections_on(Side.POS)[:2]), list(connections_on(Side.STORE)[:2])
    if len(tills) != 1 or len(stores) != 1:
        return None
    return tills[0], stores[0], coverage(pos=tills[0], store=stores[0])
