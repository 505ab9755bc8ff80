"""Our tables as many syncs would have left them: every pair aligned, opened, and in step. Made directly, and never timed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from alignment.models import Alignment, StoreLocation
from connectors.models import Connection
from inventory.models import Item, Listing, Location, StockLevel
from kit.sku import sku_key
from sync.models import SyncState
from tests.bench.catalogue import Catalogue, Ware, slices
from tests.bench.shop import Known, Shop
from tests.ledger import booked, keeping, moved

SEEN = timedelta(days=1)  # ago


def connect(shop: Shop | Known, folder: Path) -> tuple[Connection, Connection]:
    """Result: the till and the store, both live."""
    till = Connection.objects.create(name="till", kind="pos_csv", mode="live", settings={"folder": str(folder)})
    store = Connection.objects.create(
        name="shop",
        kind="woocommerce",
        mode="live",
        settings={"url": shop.url, "ca_file": shop.ca_file, "version": f"{shop.version}.0"},
        credentials={"consumer_key": shop.key, "consumer_secret": shop.secret},
    )
    return till, store


def fill(till: Connection, store: Connection, catalogue: Catalogue) -> None:
    """Make the rows of every pair, and of the variable products, which nobody counts."""
    at = datetime.now(UTC) - SEEN
    place = Location.objects.create(connection=till, remote_name="", name="Main street")
    StoreLocation.objects.create(store=store, location=place)
    Listing.objects.bulk_create(
        [
            Listing(
                connection=store,
                remote_id=parent,
                kind="variable",
                name=name,
                status="publish",
                stock_management="none",
                first_seen_at=at,
                read_at=at,
            )
            for parent, name in catalogue.parents()
        ]
    )
    for wares in slices(catalogue.wares()):
        _fill_some(till, store, place, wares, at)


def _fill_some(till: Connection, store: Connection, place: Location, wares: list[Ware], at: datetime) -> None:
    items = Item.objects.bulk_create([_item(till, ware, at) for ware in wares])
    with keeping():
        StockLevel.objects.bulk_create(
            [
                StockLevel(item=item, location=place, on_hand=number, baseline=number, last_reading=number, read_at=at)
                for item, number in zip(items, (Decimal(ware.quantity) for ware in wares), strict=True)
            ]
        )
        listings = Listing.objects.bulk_create([_listing(store, ware, at) for ware in wares])
    booked(
        moved(
            item=item,
            location=place,
            quantity=ware.quantity,
            kind="opening",
            source=till,
            of=f"opening {ware.sku}",
            occurred_at=at,
            recorded_at=at,
        )
        for item, ware in zip(items, wares, strict=True)
    )
    pairs = Alignment.objects.bulk_create(
        [
            Alignment(item=item, listing=listing, match_type="exact", confidence=1, status="confirmed")
            for item, listing in zip(items, listings, strict=True)
        ]
    )
    SyncState.objects.bulk_create([_state(pair, ware, at) for pair, ware in zip(pairs, wares, strict=True)])


def _item(till: Connection, ware: Ware, at: datetime) -> Item:
    return Item(
        connection=till,
        sku=ware.sku,
        sku_key=sku_key(ware.sku),
        name=ware.name,
        category="Bench",
        vendor="Bench",
        cost=Decimal("1.00"),
        price=Decimal(ware.price),
        first_seen_at=at,
    )


def _listing(store: Connection, ware: Ware, at: datetime) -> Listing:
    return Listing(
        connection=store,
        remote_id=ware.remote_id,
        parent_remote_id=ware.parent_remote_id,
        kind="variation" if ware.is_variation else "simple",
        sku=ware.sku,
        sku_key=sku_key(ware.sku),
        name=ware.name,
        status="publish",
        stock_management="own",
        price=Decimal(ware.price),
        quantity=ware.quantity,
        baseline=ware.quantity,
        opened_at=at,
        read_at=at,
        first_seen_at=at,
    )


def _state(pair: Alignment, ware: Ware, at: datetime) -> SyncState:
    return SyncState(
        alignment=pair,
        pos_id=pair.item.connection_id,
        woo_id=pair.listing.connection_id,
        pos_sku=ware.sku,
        woo_sku=ware.sku,
        pos_quantity=ware.quantity,
        woo_quantity=ware.quantity,
        last_pos_update=at,
        last_woo_update=at,
        pos_price=Decimal(ware.price),
        pos_cost=Decimal("1.00"),
        woo_price=Decimal(ware.price),
        sync_status="synced",
        last_sync=at,
    )
