"""Rows of a small shop, made directly. Each has a sensible default, so that a test names only what it is about."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User

from alignment.models import Alignment, StoreLocation
from connectors.models import Connection
from inventory.models import Item, Listing, Location, StockLevel
from kit.sku import sku_key
from tests.ledger import keeping

SEEN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
_remote_ids = count(1001)


def pos_connection(name: str = "till", **fields: Any) -> Connection:
    return Connection.objects.create(name=name, kind="pos_csv", settings={"folder": "till"}, **fields)


def store_connection(name: str = "shop", **fields: Any) -> Connection:
    return Connection.objects.create(name=name, kind="woocommerce", settings={"url": "https://shop.example"}, **fields)


def item(pos: Connection, sku: str = "MUG-1", **fields: Any) -> Item:
    return Item.objects.create(**{"connection": pos, "sku": sku, "sku_key": sku_key(sku), "first_seen_at": SEEN, **fields})


def items(pos: Connection, rows: Iterable[tuple[str, str, str]]) -> list[Item]:
    """Many at once: SKU, name, barcode."""
    return Item.objects.bulk_create(
        [
            Item(connection=pos, sku=sku, sku_key=sku_key(sku), name=name, barcode=barcode, first_seen_at=SEEN)
            for sku, name, barcode in rows
        ],
        batch_size=1000,
    )


def location(pos: Connection, name: str = "Main street") -> Location:
    return Location.objects.get_or_create(connection=pos, remote_name="", defaults={"name": name})[0]


def level(item: Item, on_hand: str | int = 5, *, place: Location | None = None, **fields: Any) -> StockLevel:
    """A counted item; the till has said the same."""
    number = Decimal(on_hand)
    with keeping():
        return StockLevel.objects.create(
            **{
                "item": item,
                "location": place or location(item.connection),
                "on_hand": number,
                "baseline": number,
                "last_reading": number,
                "read_at": SEEN,
                **fields,
            }
        )


def listing(store: Connection, sku: str = "MUG-1", **fields: Any) -> Listing:
    """A simple product that the store counts; never read yet."""
    with keeping():
        return Listing.objects.create(
            **{
                "connection": store,
                "remote_id": next(_remote_ids),
                "kind": "simple",
                "sku": sku,
                "sku_key": sku_key(sku),
                "status": "publish",
                "stock_management": Listing.Management.OWN,
                "first_seen_at": SEEN,
                **fields,
            }
        )


def listings(store: Connection, products: Iterable[dict[str, Any]]) -> list[Listing]:
    """Many at once, from products as a WooCommerce catalogue writes them."""
    return Listing.objects.bulk_create(
        [
            Listing(
                connection=store,
                remote_id=product["id"],
                parent_remote_id=product["parent_id"],
                kind=product["type"],
                sku=product["sku"],
                sku_key=sku_key(product["sku"]),
                name=product["name"],
                barcode=product["global_unique_id"],
                status=product["status"],
                stock_management=Listing.Management.OWN if product["manage_stock"] else Listing.Management.NONE,
                first_seen_at=SEEN,
            )
            for product in products
        ],
        batch_size=1000,
    )


def alignment(item: Item, listing: Listing, status: str = Alignment.Status.CONFIRMED, **fields: Any) -> Alignment:
    return Alignment.objects.create(
        **{
            "item": item,
            "listing": listing,
            "status": status,
            "match_type": Alignment.MatchType.EXACT,
            "confidence": Decimal(1),
            **fields,
        }
    )


def supply(store: Connection, place: Location, buffer: str | int = 0) -> StoreLocation:
    return StoreLocation.objects.create(store=store, location=place, buffer=Decimal(buffer))


def person(name: str, *permissions: str, **fields: Any) -> User:
    """A member of staff with exactly these permissions: `alignment.view_alignment`."""
    user = User.objects.create_user(name, password="pw", is_staff=True, **fields)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user
