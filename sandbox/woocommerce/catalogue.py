"""The products of a shop in memory: where they are found by id and SKU, and how they get there."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from threading import RLock
from typing import Any

from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.product import Meta, Product

# A shop filled by import has many products of the same second; that is what makes a walk by date lose rows (a14).
CREATED_PER_SECOND = 27
SIZES = ("1L", "5L", "10L", "20L", "50L", "100L")


class Catalogue:
    """Products and variations. `structure` changes when the set or its order does, `changes` at every write.

    Hold `lock` while changing a product.
    """

    def __init__(self, clock: SiteClock) -> None:
        self.clock = clock
        self.lock = RLock()
        self.products: dict[int, Product] = {}
        self.structure = 0
        self.changes = 0
        self.manage_stock = True
        self.cost_enabled = False
        self._skus: dict[str, int] = {}
        self._next_id = 10
        self._next_meta = 1

    def new_id(self) -> int:
        """Result: an id nothing else has; products, orders and refunds share one row of numbers."""
        with self.lock:
            self._next_id += 1
            return self._next_id - 1

    def new_meta_id(self) -> int:
        with self.lock:
            self._next_meta += 1
            return self._next_meta - 1

    def add(self, product: Product) -> None:
        """Put a product in. Its parent must be in already."""
        with self.lock:
            if self.products and product.id < next(reversed(self.products)):
                self.products[product.id] = product
                self.products = dict(sorted(self.products.items()))
            else:
                self.products[product.id] = product
            self._next_id = max(self._next_id, product.id + 1)
            if product.parent is not None:
                product.parent.children.append(product)
            if product.sku:
                self._skus.setdefault(product.sku.lower(), product.id)
            self.structure += 1
            self.changes += 1

    def remove(self, product: Product) -> None:
        """Delete for good, with variations."""
        with self.lock:
            for child in list(product.children):
                self.remove(child)
            if product.parent is not None:
                product.parent.children.remove(product)
            del self.products[product.id]
            if self._skus.get(product.sku.lower()) == product.id:
                del self._skus[product.sku.lower()]
            self.structure += 1
            self.changes += 1

    def touch(self, product: Product) -> None:
        """A save: `date_modified` moves, the parent's too (a21)."""
        product.modified = self.clock.now()
        if product.parent is not None:
            product.parent.modified = product.modified
        self.changes += 1

    def by_sku(self, sku: str) -> Product | None:
        """Result: the product or variation with that SKU in any case, in the trash too."""
        found = self._skus.get(sku.lower())
        return None if found is None else self.products[found]

    def rename_sku(self, product: Product, sku: str) -> None:
        with self.lock:
            if product.sku and self._skus.get(product.sku.lower()) == product.id:
                del self._skus[product.sku.lower()]
            product.sku = sku
            if sku:
                self._skus[sku.lower()] = product.id
            self.structure += 1

    def by_global_unique_id(self, wanted: str) -> Product | None:
        return next((product for product in self.products.values() if product.global_unique_id == wanted), None)

    def set_meta(self, product: Product, key: str, value: Any) -> None:
        """Replace the value under `key`: the first row is kept, any duplicates go (v_m11b). None deletes."""
        rows = [row for row in product.meta if row.key == key]
        for row in rows[1:] if value is not None else rows:
            product.meta.remove(row)
        if value is None:
            return
        if rows:
            rows[0].value = value
        else:
            product.meta.append(Meta(self.new_meta_id(), key, value))

    def load(self, rows: Iterable[dict[str, Any]]) -> None:
        """Fill in rows of the shape of store_catalogue.json; a variation may come before or after its parent."""
        listed = sorted(rows, key=lambda row: (int(row.get("parent_id") or 0) != 0, row["id"]))
        start = self.clock.now() - len(listed) // CREATED_PER_SECOND - 60
        with self.lock:
            for number, row in enumerate(listed):
                self._add_row(row, start + number // CREATED_PER_SECOND)
            self.products = dict(sorted(self.products.items()))

    def _add_row(self, row: dict[str, Any], created: int) -> None:
        parent = self.products[int(row["parent_id"])] if row.get("parent_id") else None
        product = Product(
            id=int(row["id"]),
            type=row.get("type") or ("variation" if parent else "simple"),
            parent=parent,
            created=created,
            modified=created,
            quantity=row.get("stock_quantity"),
            categories=tuple(row.get("categories") or ()),
            manage_stock=bool(row.get("manage_stock")),
            **{
                name: row[name]
                for name in ("name", "sku", "status", "regular_price", "sale_price", "backorders", "global_unique_id")
                if row.get(name) is not None
            },
        )
        if row.get("stock_status"):
            product.own_status = row["stock_status"]
        self.products[product.id] = product
        self._next_id = max(self._next_id, product.id + 1)
        if parent is not None:
            parent.children.append(product)
        if product.sku:
            self._skus.setdefault(product.sku.lower(), product.id)
        self.structure += 1
        self.changes += 1

    def load_file(self, path: str | Path) -> None:
        """The same from a JSON file."""
        self.load(json.loads(Path(path).read_text(encoding="utf-8")))

    def generate(self, *, products: int = 3000, variable: int = 50, variations: int = 4, seed: int = 1) -> None:
        """Invent `products` simple ones and `variable` ones with `variations` each; the same seed, the same shop."""
        random = Random(seed)
        with self.lock:
            start = self.clock.now() - (products + variable * (variations + 1)) // CREATED_PER_SECOND - 60
            for number in range(1, products + 1):
                self._invent(random, start, name=f"Hydro item {number}", sku=f"HYD-{number:06d}")
            for number in range(1, variable + 1):
                parent = self._invent(random, start, name=f"Hydro variable {number}", sku=f"HYDV-{number:04d}", type="variable")
                for place in range(variations):
                    size = SIZES[place] if place < len(SIZES) else f"{place}"
                    self._invent(random, start, name=size, sku=f"{parent.sku}-{size}", type="variation", parent=parent)

    def _invent(self, random: Random, start: int, **known: Any) -> Product:
        product_id = self._next_id
        created = start + (len(self.products) // CREATED_PER_SECOND)
        product = Product(id=product_id, created=created, modified=created, **known)
        if product.type != "variable":
            product.regular_price = f"{random.randrange(300, 9000) / 100:.2f}"
            product.manage_stock, product.quantity = True, random.randrange(5, 80)
        self.add(product)
        return product
