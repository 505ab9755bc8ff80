"""Writing products: what a PUT checks and a batch doesn't, and what happens to the stock."""

import time
from typing import Any

from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.errors import RestError, not_in, wrong_type
from sandbox.woocommerce.product import Product, price_text, stock_amount

Body = dict[str, Any]

STATUSES = ["any", "draft", "pending", "private", "publish", "future", "auto-draft", "trash"]
BACKORDERS = ["no", "notify", "yes"]
_TEXT = ("name", "sku", "status", "regular_price", "sale_price", "backorders", "global_unique_id", "stock_status", "type")
_WHOLE = ("stock_quantity", "menu_order", "low_stock_amount")


class ProductWrites:
    """Changes to products and variations. Every save moves `date_modified`, also one that changes nothing (a20).

    `race_gap` (seconds) makes `inventory_delta` as unsafe as the real one: read, pause, write, unlocked (c10).
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.race_gap = 0.0

    def check(self, body: Body) -> Body:
        """Result: the body as PUT and POST understand it. Raises RestError for what they refuse."""
        for name in _TEXT:
            if body.get(name) is not None and not isinstance(body[name], str):
                raise wrong_type(name, "string")
        for name in _WHOLE:
            if body.get(name) is not None:
                _check_whole(name, body[name])
        if body.get("manage_stock") is not None and body["manage_stock"] not in (True, False, "true", "false", "parent"):
            raise wrong_type("manage_stock", "boolean")
        if body.get("backorders") is not None and body["backorders"] not in BACKORDERS:
            raise not_in("backorders", BACKORDERS)
        if body.get("meta_data") is not None and not isinstance(body["meta_data"], list):
            raise wrong_type("meta_data", "array")
        _check_cost(body)
        # The schema turns null into a number here; a batch has no schema and leaves it out (v_b02).
        return body | {"stock_quantity": 0} if "stock_quantity" in body and body["stock_quantity"] is None else body

    def create(self, body: Body, *, parent: Product | None = None) -> Product:
        """Result: the new product. Raises RestError for a SKU or GTIN that is taken."""
        with self._catalogue.lock:
            sku = str(body.get("sku") or "").strip()
            self._check_codes(None, sku, str(body.get("global_unique_id") or ""), creating=True)
            now = self._catalogue.clock.now()
            product = Product(
                id=self._catalogue.new_id(),
                type="variation" if parent else str(body.get("type") or "simple"),
                parent=parent,
                sku=sku,
                created=now,
                modified=now,
            )
            self._apply(product, body)
            self._catalogue.add(product)
            self._catalogue.touch(product)
            return product

    def update(self, product: Product, body: Body) -> None:
        """Save what the body holds. Raises RestError for a SKU or GTIN that is taken; nothing is saved then."""
        if self.race_gap and product.manage_stock and "inventory_delta" in body and body.get("stock_quantity") is None:
            read = product.quantity or 0
            time.sleep(self.race_gap)
            body = body | {"stock_quantity": read + stock_amount(body["inventory_delta"])}
        with self._catalogue.lock:
            sku = str(body["sku"]).strip() if body.get("sku") is not None else product.sku
            self._check_codes(product, sku, str(body.get("global_unique_id") or ""), creating=False)
            if sku != product.sku:
                self._catalogue.rename_sku(product, sku)
            if body.get("status") not in (None, product.status):
                self._catalogue.structure += 1
            self._apply(product, body)
            self._catalogue.touch(product)

    def trash(self, product: Product) -> None:
        with self._catalogue.lock:
            product.status = "trash"
            self._catalogue.structure += 1
            self._catalogue.touch(product)

    def move_stock(self, product: Product, units: int) -> int | None:
        """Take (negative) or give back units, in one step as orders do (c10). Result: the quantity after; None: not counted."""
        with self._catalogue.lock:
            holder = product.stock_holder
            if holder is None or not self._catalogue.manage_stock:
                return None
            holder.quantity = (holder.quantity or 0) + units
            self._catalogue.touch(product)
            self._catalogue.touch(holder)
            return holder.quantity

    def _check_codes(self, product: Product | None, sku: str, code: str, *, creating: bool) -> None:
        taken = self._catalogue.by_sku(sku) if sku else None
        if taken is not None and taken is not product:
            if taken.status == "trash" and creating:
                message = f"The product with SKU ({sku}) you are trying to insert is already present in the lookup table"
                raise RestError(400, "woocommerce_rest_product_not_created", message)
            raise RestError(400, "product_invalid_sku", "Invalid or duplicated SKU.", resource_id=taken.id, unique_sku=f"{sku}-1")
        known = self._catalogue.by_global_unique_id(code) if code else None
        if known is not None and known is not product:
            message = "Invalid or duplicated GTIN, UPC, EAN or ISBN."
            raise RestError(400, "product_invalid_global_unique_id", message, resource_id=known.id)

    def _apply(self, product: Product, body: Body) -> None:
        for name in ("name", "status", "global_unique_id"):
            if body.get(name) is not None:
                setattr(product, name, str(body[name]))
        for name in ("regular_price", "sale_price"):
            if body.get(name) is not None:
                setattr(product, name, price_text(body[name]))
        if body.get("backorders") in BACKORDERS:
            product.backorders = body["backorders"]
        if "low_stock_amount" in body:
            given = body["low_stock_amount"]
            product.low_stock_amount = None if given in (None, "") else stock_amount(given)
        if body.get("menu_order") is not None:
            product.menu_order = stock_amount(body["menu_order"])
        self._apply_stock(product, body)
        self._apply_cost(product, body.get("cost_of_goods_sold"))
        for row in body.get("meta_data") or ():
            if isinstance(row, dict) and row.get("key"):
                self._catalogue.set_meta(product, str(row["key"]), row.get("value"))
        product.settle(managed_by_shop=self._catalogue.manage_stock)

    def _apply_stock(self, product: Product, body: Body) -> None:
        if body.get("manage_stock") is not None:
            product.manage_stock = body["manage_stock"] in (True, "true", "yes", 1)
        if not self._catalogue.manage_stock:
            return
        if product.manage_stock:
            if body.get("stock_quantity") is not None:
                product.quantity = stock_amount(body["stock_quantity"])
            elif body.get("inventory_delta") is not None:
                product.quantity = (product.quantity or 0) + stock_amount(body["inventory_delta"])
        elif body.get("stock_status") in ("instock", "outofstock", "onbackorder"):
            product.own_status = body["stock_status"]

    def _apply_cost(self, product: Product, given: Any) -> None:
        if not self._catalogue.cost_enabled or not isinstance(given, dict):
            return
        if "values" in given:
            values = given["values"]
            product.cost = _cost(values[0].get("defined_value")) if values else None
        if "defined_value_is_additive" in given:
            product.cost_is_additive = bool(given["defined_value_is_additive"])


def _check_whole(name: str, value: Any) -> None:
    try:
        good = not isinstance(value, bool) and float(value).is_integer()
    except (TypeError, ValueError):
        good = False
    if not good:
        raise wrong_type(name, "integer")


def _check_cost(body: Body) -> None:
    given = body.get("cost_of_goods_sold")
    for place, value in enumerate(given.get("values") or ()) if isinstance(given, dict) else ():
        try:
            float(value.get("defined_value"))
        except (TypeError, ValueError):
            raise wrong_type("cost_of_goods_sold", "number", f"cost_of_goods_sold[values][{place}][defined_value]") from None


def _cost(given: Any) -> float | None:
    """A cost as a batch takes it: `"6,75"` is 6, `"abc"` is nothing (v_f03)."""
    kept = ""
    for character in str(given if given is not None else ""):
        if not (character.isdigit() or character in ".-"):
            break
        kept += character
    try:
        value = float(kept)
    except ValueError:
        return None
    return int(value) if value.is_integer() else value
