"""What shoppers do at the front of the shop: they check out, and pay, now or later (recordings d40–d42, e20, e21).

No address of WooCommerce is played here: the Store API wants carts and nonces. It is reached from Python, and by
`POST /__sandbox/checkout`, `/__sandbox/pay`, `/__sandbox/cancel`.
"""

from typing import Any

from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.order import Order
from sandbox.woocommerce.order_book import OrderBook
from sandbox.woocommerce.product import Product, stock_amount

# Cash on delivery is taken for granted; a transfer waits for its money; a redirect is unpaid until the shopper comes back.
STATUS_BY_PAYMENT = {"cod": "processing", "bacs": "on-hold", "cheque": "on-hold", "redirect": "pending"}


class Checkout:
    """Orders by shoppers. An unpaid one holds its stock for `hold_minutes` from other shoppers; REST doesn't show that."""

    def __init__(self, book: OrderBook) -> None:
        self._book = book
        self.hold_minutes = 60

    def check_out(self, lines: list[dict[str, Any]], *, payment_method: str = "cod", draft: bool = False) -> Order:
        """Result: the new order. `lines`: `{"id" or "sku", "quantity"}`. Raises RestError when stock doesn't do, KeyError
        for an unknown product or way to pay. `draft`: the shopper is still looking at the checkout page."""
        status = STATUS_BY_PAYMENT[payment_method]
        with self._book.catalogue.lock:
            wanted = [(self._product(line), stock_amount(line.get("quantity", 1))) for line in lines]
            for product, units in wanted:
                self._check(product, units)
            items = [{"product_id": product.id, "quantity": units} for product, units in wanted]
            body = {"status": "checkout-draft", "line_items": items, "payment_method": payment_method}
            order = self._book.create(body, via="store-api")
            self._hold(order)
            if not draft:
                self._book.update(order, {"status": status})
            return order

    def finish(self, order: Order) -> None:
        """The shopper leaves the checkout page: the draft becomes an order."""
        self._book.update(order, {"status": STATUS_BY_PAYMENT[order.payment_method]})

    def pay(self, order: Order) -> None:
        """The money of an unpaid order arrives. Stock is taken then, below zero if it must be (woocommerce_answers.md 19)."""
        self._book.update(order, {"set_paid": True, "status": "processing"})

    def cancel_unpaid(self) -> list[Order]:
        """What the shop's cron does: unpaid orders whose hold is over are cancelled. Result: those."""
        now = self._book.catalogue.clock.now()
        over = [order for order in self._book.orders.values() if order.status == "pending" and 0 < order.reserved_until <= now]
        for order in over:
            self._book.update(order, {"status": "cancelled"})
        return over

    def reserved(self, product: Product) -> int:
        """Result: units that unpaid orders of shoppers hold of this product."""
        now = self._book.catalogue.clock.now()
        return sum(
            line.quantity
            for order in self._book.orders.values()
            if order.reserved_until > now
            for line in order.lines
            if line.product is not None and line.product.stock_holder is product.stock_holder
        )

    def _hold(self, order: Order) -> None:
        order.reserved_until = self._book.catalogue.clock.now() + 60 * self.hold_minutes

    def _product(self, line: dict[str, Any]) -> Product:
        if line.get("sku"):
            product = self._book.catalogue.by_sku(str(line["sku"]))
            if product is None:
                raise KeyError(line["sku"])
            return product
        return self._book.catalogue.products[int(line["id"])]

    def _check(self, product: Product, units: int) -> None:
        holder = product.stock_holder
        if holder is None or not self._book.catalogue.manage_stock or holder.backorders != "no":
            return
        left = (holder.quantity or 0) - self.reserved(product)
        if units > left:
            raise RestError(
                400,
                "woocommerce_rest_product_partially_out_of_stock",
                f"You cannot add that amount of &quot;{product.full_name}&quot; to the cart because there is not enough stock "
                f"({left} remaining).",
            )
