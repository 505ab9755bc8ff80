"""A product or a variation, and the rules of its stock and price."""

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Meta:
    """One row of meta data."""

    id: int
    key: str
    value: Any


@dataclass(slots=True)
class Product:
    """Everything the shop keeps about one product or variation. `quantity` None: never counted. Moments: whole seconds."""

    id: int
    type: str = "simple"
    parent: "Product | None" = None
    name: str = "Product"
    sku: str = ""
    status: str = "publish"
    regular_price: str = ""
    sale_price: str = ""
    manage_stock: bool = False
    quantity: int | None = None
    own_status: str = "instock"
    backorders: str = "no"
    global_unique_id: str = ""
    categories: tuple[str, ...] = ()
    created: int = 0
    modified: int = 0
    low_stock_amount: int | None = None
    total_sales: int = 0
    menu_order: int = 0
    cost: float | None = None
    cost_is_additive: bool = False
    written: bool = False
    meta: list[Meta] = field(default_factory=list)
    children: list["Product"] = field(default_factory=list)

    @property
    def parent_id(self) -> int:
        return self.parent.id if self.parent else 0

    @property
    def full_name(self) -> str:
        """The name with its parent's before it, as an order line shows it."""
        return f"{self.parent.name} - {self.name}" if self.parent else self.name

    @property
    def stock_holder(self) -> "Product | None":
        """Whose quantity counts: this product's, its parent's, or nobody's."""
        if self.manage_stock:
            return self
        if self.parent is not None and self.parent.manage_stock:
            return self.parent
        return None

    @property
    def shown_quantity(self) -> int | None:
        holder = self.stock_holder
        return holder.quantity if holder else None

    @property
    def shown_backorders(self) -> str:
        return (self.stock_holder or self).backorders

    @property
    def stock_status(self) -> str:
        holder = self.stock_holder
        if self.children and not self.manage_stock:
            statuses = {child.stock_status for child in self.children}
            return next((s for s in ("instock", "onbackorder") if s in statuses), "outofstock")
        if holder is None:
            return self.own_status
        if (holder.quantity or 0) > 0:
            return "instock"
        return "outofstock" if holder.backorders == "no" else "onbackorder"

    @property
    def on_sale(self) -> bool:
        return self.sale_price != "" and float(self.sale_price) < float(self.regular_price or 0)

    @property
    def price(self) -> str:
        if self.children:
            prices = [child.price for child in self.children if child.price != ""]
            return min(prices, key=float) if prices else ""
        return self.sale_price if self.on_sale else self.regular_price

    def settle(self, *, managed_by_shop: bool) -> None:
        """What WooCommerce puts right while saving: no counting without managed stock, no sale above the price (b04e)."""
        if managed_by_shop and not self.manage_stock:
            self.quantity, self.backorders, self.low_stock_amount = None, "no", None
        elif self.manage_stock and self.quantity is None:
            self.quantity = 0
        if self.sale_price != "" and float(self.sale_price) >= float(self.regular_price or 0):
            self.sale_price = ""


def price_text(given: Any) -> str:
    """Result: a price the way wc_format_decimal leaves it: `"12,50"` becomes `"1250"`, `"abc"` becomes nothing (b04c)."""
    if given is None or isinstance(given, bool):
        return ""
    kept = re.sub(r"[^0-9.\-]", "", str(given))
    try:
        float(kept)
    except ValueError:
        return ""
    return kept


def stock_amount(given: Any) -> int:
    """Result: a number the way PHP's intval makes one: `"abc"` and `""` are 0, `"12.7"` is 12, true and `[1]` are 1 (b04)."""
    if isinstance(given, (list, dict)):
        return 1 if given else 0
    if isinstance(given, (int, float)):
        return int(given)
    found = re.match(r"\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", str(given or ""))
    return int(float(found.group())) if found else 0
