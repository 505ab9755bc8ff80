"""The recorded shops, built again: 3,000 simple products and 50 with 4 variations each, under the recorded ids."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import Client, TestResponse

from sandbox.woocommerce import StoreApp
from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.product import Meta, Product
from tests.conformance.recordings import RECORDINGS, Recording

KEYS = {"rw": "read_write", "ro": "read", "wo": "write"}
SIZES = (("1L", "10", 10), ("5L", "15", 11), ("10L", "20", 12), ("20L", "25", 13))
FIRST_PARENT = {"10.2": 110, "10.5": 3010, "10.5-old": 110}
LAST = 3259


def key(kind: str) -> tuple[str, str]:
    """Result: a key and secret of the recorded shop: rw, ro or wo."""
    return (f"ck_local{kind:0>35}", f"cs_local{kind:0>35}")


class Shop:
    """A sandbox in the state a recording found its shop in. `now` can be moved."""

    def __init__(self, recording: Recording, *, filled: bool = True) -> None:
        self.recording = recording
        self.now = recording.at if recording.is_exchange else datetime(2026, 11, 21, 0, 2, tzinfo=UTC)
        self.store = StoreApp(version=recording.version, clock=lambda: self.now)
        for kind, permissions in KEYS.items():
            name, secret = key(kind)
            self.store.add_key(permissions, key=name, secret=secret)
        if filled:
            fill(self.store.catalogue, recording.family)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Any = None,
        auth: tuple[str, str] | None = None,
        base: str = "",
        **more: Any,
    ) -> TestResponse:
        """Send one request, with the key that may do everything unless another is given."""
        client = Client(self.store)
        sent = {"json": body} if body is not None else {}
        base = base or self.recording.base
        return client.open(
            f"/wp-json{path}",
            method=method,
            query_string=urlencode(query or {}),
            base_url=base,
            auth=auth or key("rw"),
            **sent,
            **more,
        )

    def replay(self, recording: Recording | None = None) -> TestResponse:
        """Send the recorded request."""
        one = recording or self.recording
        return self.send(one.method, one.path, query=one.request["query"], body=one.request["body"])

    def product(self, row: dict[str, Any]) -> Product:
        """Put the product of a recorded row in the state the row shows. Result: the product."""
        catalogue = self.store.catalogue
        product = catalogue.products.get(row["id"])
        if product is None:
            product = Product(id=row["id"], created=int(self.now.timestamp()) - 900)
            catalogue.add(product)
        if row.get("sku") is not None and row["sku"] != product.sku:
            catalogue.rename_sku(product, row["sku"])
        for name in ("status", "regular_price", "sale_price", "backorders", "global_unique_id", "low_stock_amount"):
            if row.get(name) is not None:
                setattr(product, name, row[name])
        if "name" in row:
            product.name = row["name"].rpartition(" - ")[2] if row.get("type") == "variation" else row["name"]
        if row.get("manage_stock") is not None:
            product.manage_stock = row["manage_stock"] is True
        if row.get("manage_stock") == "parent":
            product.parent.manage_stock, product.parent.quantity = True, row["stock_quantity"]
        elif "stock_quantity" in row:
            product.quantity = row["stock_quantity"]
            product.manage_stock = row.get("manage_stock", row["stock_quantity"] is not None) is True
        if "meta_data" in row:
            product.meta = [Meta(one["id"], one["key"], one["value"]) for one in row["meta_data"]]
        if "total_sales" in row:
            product.total_sales = int(row["total_sales"])
        if "date_created_gmt" in row:
            product.created = moment(row["date_created_gmt"])
        if "date_modified_gmt" in row:
            product.modified = moment(row["date_modified_gmt"])
        cost = row.get("cost_of_goods_sold")
        if cost:
            catalogue.cost_enabled = True
            product.cost = cost["values"][0]["defined_value"]
            product.cost_is_additive = cost.get("defined_value_is_additive", False)
        catalogue.changes += 1
        return product

    def next_ids(self, *, thing: int, line: int = 0) -> None:
        """Let the next order or product, and the next line, get these numbers."""
        self.store.catalogue._next_id = thing
        if line:
            self.store.book._line_id = line - 1


def moment(text: str) -> int:
    """Result: the second of a date in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def fill(catalogue: Catalogue, family: str) -> None:
    """Put the recorded shop's products in: ids and SKUs as recorded, where a recording shows them."""
    known = _known_skus(family)
    taken = set(known.values())
    free = iter(sku for number in range(1, 3001) if (sku := f"HYD-{number:06d}") not in taken)
    first = FIRST_PARENT[family]
    start = moment("2026-11-20T23:50:50" if family != "10.5" else "2026-11-21T01:08:45")
    for number, product in enumerate(_products(first, known, free)):
        product.created = product.modified = start + number // 27
        catalogue.add(product)


def _products(first_parent: int, known: dict[int, str], free: Iterator[str]) -> Iterator[Product]:
    for product_id in range(10, LAST + 1):
        place = product_id - first_parent
        if 0 <= place < 250:
            if place % 5 == 0:
                number = place // 5 + 1
                parent = Product(id=product_id, type="variable", name=f"Hydro variable {number}", sku=f"HYDV-{number:04d}")
                yield parent
            else:
                size, price, quantity = SIZES[place % 5 - 1]
                sku = f"{parent.sku}-{size}"
                yield Product(
                    product_id, "variation", parent, size, sku, "publish", price, "", manage_stock=True, quantity=quantity
                )
            continue
        sku = known.get(product_id) or next(free)
        number = int(sku[4:])
        price = f"{3 + number % 80}.95"
        yield Product(product_id, "simple", None, f"Hydro item {number}", sku, "publish", price, manage_stock=True, quantity=50)


_SKUS: dict[str, dict[int, str]] = {}


def _known_skus(family: str) -> dict[int, str]:
    if not _SKUS:
        for recording in RECORDINGS.values():
            found = _SKUS.setdefault(recording.family, {})
            for row in _rows(recording.content):
                if isinstance(row.get("id"), int) and str(row.get("sku") or "").startswith("HYD-0"):
                    found.setdefault(row["id"], row["sku"])
                if row.get("product_id") and str(row.get("sku") or "").startswith("HYD-0"):
                    found.setdefault(row["product_id"], row["sku"])
    return {number: sku for number, sku in _SKUS[family].items() if 10 <= number <= LAST}


def _rows(content: Any) -> Iterator[dict[str, Any]]:
    """Every object in a recording that could be a product or a line of an order."""
    if isinstance(content, list):
        for one in content:
            yield from _rows(one)
    elif isinstance(content, dict):
        if "request" in content:
            yield from _rows(content["response"])
        else:
            if "quantity" not in content or "product_id" in content:
                yield {k: v for k, v in content.items() if k != "id" or "product_id" not in content}
            for value in content.values():
                yield from _rows(value)
