"""Orders, their lines and refunds, as the shop keeps them."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.woocommerce.product import Meta, Product

STATUSES = ["auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"]
TAKES_STOCK = frozenset({"processing", "on-hold", "completed"})
GIVES_BACK = frozenset({"cancelled", "pending"})
PAID = frozenset({"processing", "completed"})


@dataclass
class Line:
    """One line. `reduced` is the stock it has taken (`_reduced_stock`), None for never; `quantity` stays the original."""

    id: int
    product: Product | None
    quantity: int
    subtotal: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    name: str = ""
    reduced: int | None = None
    restocked: int = 0
    meta_ids: dict[str, int] = field(default_factory=dict)

    @property
    def price(self) -> float | int:
        each = float(self.total) / self.quantity if self.quantity else 0
        return int(each) if float(each).is_integer() else each


@dataclass
class RefundLine:
    """What a refund gives back of one line; `quantity` and `total` are positive."""

    id: int
    of: Line
    quantity: int
    total: Decimal
    meta_id: int


@dataclass
class Refund:
    """One refund of an order. Moments: whole seconds."""

    id: int
    order_id: int
    amount: Decimal
    reason: str
    created: int
    meta_id: int
    full: bool = False
    lines: list[RefundLine] = field(default_factory=list)


@dataclass
class Note:
    """One note on an order. Their wording changes between versions."""

    id: int
    at: int
    text: str


@dataclass
class Order:
    """One order. `reserved_until`: an unpaid checkout keeps its stock from other shoppers until then (0: no hold)."""

    id: int
    key: str
    created: int
    modified: int
    status: str = "pending"
    created_via: str = "rest-api"
    payment_method: str = ""
    lines: list[Line] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    meta: list[Meta] = field(default_factory=list)
    paid: int | None = None
    completed: int | None = None
    stock_reduced: bool = False
    counted_as_sold: bool = False
    reserved_until: int = 0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        return sum((refund.amount for refund in self.refunds), Decimal(0))

    @property
    def needs_processing(self) -> bool:
        return any(line.product is not None or line.name for line in self.lines)

    def line(self, line_id: Any) -> Line | None:
        """Result: the line of that id, or None."""
        return next((line for line in self.lines if line.id == line_id), None)


def money(amount: Decimal) -> str:
    """Result: an amount with two decimals."""
    return f"{amount:.2f}"
