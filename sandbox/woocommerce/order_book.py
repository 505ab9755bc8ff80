"""What happens to orders: lines, statuses, and the stock they take and give back (recordings d01–d34)."""

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.order import GIVES_BACK, PAID, TAKES_STOCK, Line, Note, Order, Refund
from sandbox.woocommerce.product import Meta, Product, stock_amount
from sandbox.woocommerce.writes import ProductWrites

Tell = Callable[[str, Any], None]


class OrderBook:
    """The orders of a shop. Every change holds the catalogue's lock: orders move stock atomically (c10).

    `tell` hears `order.…` with the order's id and `product.updated` with the product.
    """

    def __init__(self, catalogue: Catalogue, writes: ProductWrites, *, version: str, tell: Tell) -> None:
        self.catalogue, self._writes, self._version, self._tell = catalogue, writes, version, tell
        self.orders: dict[int, Order] = {}
        self.changes = 0
        self._line_id = 0

    def create(self, body: dict[str, Any], *, via: str = "rest-api") -> Order:
        """Result: the new order, in the status asked for. Raises RestError for a line without a product."""
        with self.catalogue.lock:
            now = self.catalogue.clock.now()
            lines = [self._new_line(given) for given in body.get("line_items") or ()]
            key = f"wc_order_{secrets.token_hex(7)[:13]}"
            order = Order(self.catalogue.new_id(), key, created=now, modified=now, created_via=via, lines=lines)
            self._describe(order, body)
            self.orders[order.id] = order
            draft = body.get("status") == "checkout-draft"
            self._tell("order.updated" if draft else "order.created", order.id)
            if not draft:
                self._tell("order.updated", order.id)
            status = str(body.get("status") or "pending")
            if body.get("set_paid") in (True, "true", 1):
                status = "processing" if order.needs_processing else "completed"
            self._enter(order, status, first=True)
            return order

    def update(self, order: Order, body: dict[str, Any]) -> None:
        """Save what the body holds: lines, then status."""
        with self.catalogue.lock:
            self._describe(order, body)
            for given in body.get("line_items") or ():
                self._change_line(order, given)
            self._touch(order)
            self._tell("order.updated", order.id)
            status = body.get("status")
            if body.get("set_paid") in (True, "true", 1) and order.paid is None:
                status = status or "processing"
            if status and status != order.status:
                self._enter(order, str(status))

    def trash(self, order: Order) -> None:
        """Into the trash; stock stays taken (d23)."""
        with self.catalogue.lock:
            now = self.catalogue.clock.now()
            for key, value in (("_wp_trash_meta_status", f"wc-{order.status}"), ("_wp_trash_meta_time", str(now))):
                order.meta.append(Meta(self.catalogue.new_meta_id(), key, value))
            order.status = "trash"
            self._touch(order)
            self._tell("order.deleted", order.id)

    def restore(self, order: Order) -> None:
        """Out of the trash, as the shop's own admin can."""
        with self.catalogue.lock:
            before = next(row.value for row in order.meta if row.key == "_wp_trash_meta_status")
            order.meta = [row for row in order.meta if not row.key.startswith("_wp_trash_meta")]
            order.status = str(before).removeprefix("wc-")
            self._touch(order)
            self._tell("order.restored", order.id)

    def delete(self, order: Order) -> None:
        """Gone for good; nothing moves and no webhook tells (e07)."""
        with self.catalogue.lock:
            del self.orders[order.id]
            self.changes += 1

    def forget_product(self, product: Product) -> None:
        """A product was deleted: its lines keep their name, and no product (d34)."""
        gone = {product.id, *(child.id for child in product.children)}
        for order in self.orders.values():
            for line in order.lines:
                if line.product is not None and line.product.id in gone:
                    line.name, line.product = line.product.full_name, None

    # Lines

    def new_line_id(self) -> int:
        """Result: an id for a line of an order or a refund; they share one row of numbers."""
        self._line_id += 1
        return self._line_id

    def _new_line(self, given: dict[str, Any]) -> Line:
        wanted = given.get("variation_id") or given.get("product_id")
        if not wanted and not given.get("sku"):
            raise RestError(400, "woocommerce_rest_required_product_reference", "Product ID or SKU is required.")
        product = self.catalogue.products.get(stock_amount(wanted)) if wanted else self.catalogue.by_sku(str(given["sku"]))
        quantity = stock_amount(given.get("quantity", 1))
        worth = Decimal((product.price if product else "") or 0) * quantity
        subtotal, total = (Decimal(given.get(name) or worth) for name in ("subtotal", "total"))
        line = Line(self.new_line_id(), product, quantity, subtotal, total)
        line.name = str(given.get("name") or "") if product is None else ""
        if product is not None and product.parent is not None:
            line.meta_ids["size"] = self.catalogue.new_meta_id()
        return line

    def _change_line(self, order: Order, given: dict[str, Any]) -> None:
        line = order.line(given.get("id"))
        if line is None:
            if given.get("id"):
                raise RestError(400, "woocommerce_rest_invalid_item_id", "Order item ID provided is not associated with order.")
            line = self._new_line(given)
            order.lines.append(line)
        elif given.get("quantity") == 0 or ("product_id" in given and given["product_id"] is None):
            line.quantity = 0
            order.lines.remove(line)
        else:
            line.quantity = stock_amount(given.get("quantity", line.quantity))
            line.total = Decimal(given.get("total") or line.total)
        if order.status in TAKES_STOCK:
            self._adjust(line)

    def _adjust(self, line: Line) -> None:
        """An edited line takes or gives back the difference (d20–d22)."""
        difference = line.quantity - line.restocked - (line.reduced or 0)
        if line.product is not None and difference and self._move(line.product, -difference) is not None:
            self._note_reduced(line, (line.reduced or 0) + difference)

    # Statuses

    def _enter(self, order: Order, status: str, *, first: bool = False) -> None:
        before, order.status = order.status, status
        if before == "checkout-draft" and status not in ("checkout-draft", "trash"):
            self._tell("order.created", order.id)  # a draft is announced as new only when it stops being one (e21)
        if status in TAKES_STOCK:
            self._take(order)
        elif status in GIVES_BACK and not (first and status == "pending"):
            self._give_back(order)
        if status not in ("pending", "checkout-draft"):
            order.reserved_until = 0
        if status == "refunded" and order.refunded < order.total:
            self._refund_by_status(order)
        if not first or status != "pending":
            self._add_note(order, f"Order status changed from {_title(before)} to {_title(status)}.")
        self._stamp(order)
        self._count_sales(order)
        self._touch(order)

    def _take(self, order: Order) -> None:
        if order.stock_reduced:
            return
        order.stock_reduced = True
        changes = []
        for line in order.lines:
            if line.product is None or line.reduced is not None:
                continue
            left = self._move(line.product, -line.quantity)
            if left is not None:
                self._note_reduced(line, line.quantity)
                changes.append(self._change_text(line.product, left + line.quantity, left))
        if changes:
            self._add_note(order, f"Stock levels reduced: {', '.join(changes)}")

    def _give_back(self, order: Order) -> None:
        if not order.stock_reduced:
            return
        order.stock_reduced = False
        for line in order.lines:
            if line.reduced is None or line.product is None or self._move(line.product, line.reduced) is None:
                continue  # of a product that is gone, or is not counted, nothing comes back: the line keeps what it took
            line.reduced = None

    def _refund_by_status(self, order: Order) -> None:
        """The status alone refunds the money, and gives no stock back (d02)."""
        new_id, meta_id = self.catalogue.new_id(), self.catalogue.new_meta_id()
        amount, now = order.total - order.refunded, self.catalogue.clock.now()
        order.refunds.insert(0, Refund(new_id, order.id, amount, "Order fully refunded.", now, meta_id, full=True))

    def close_refunded(self, order: Order) -> None:
        """After a refund: fully refunded orders say so."""
        if order.refunded >= order.total:
            self._enter(order, "refunded")

    def restock(self, line: Line, units: int) -> None:
        """A refund with restocking: units go back on the shelf, and off `_reduced_stock` (d10)."""
        if line.product is None or not line.reduced:
            return
        if self._move(line.product, units) is not None:
            self._note_reduced(line, line.reduced - units)
            line.restocked += units
            line.meta_ids.setdefault("_restock_refunded_items", self.catalogue.new_meta_id())

    def touched(self, order: Order) -> None:
        """An order changed by other hands than `update`: its date moves and the webhooks hear of it."""
        self._touch(order)
        self._tell("order.updated", order.id)

    # What they share

    def _move(self, product: Product, units: int) -> int | None:
        left = self._writes.move_stock(product, units)
        if left is not None:
            self._tell("product.updated", product)
        return left

    def _note_reduced(self, line: Line, units: int) -> None:
        line.reduced = units
        line.meta_ids.setdefault("_reduced_stock", self.catalogue.new_meta_id())

    def _stamp(self, order: Order) -> None:
        due = "processing" if order.needs_processing else "completed"
        # Cash on delivery is processed before it is paid (e21).
        earned = order.status == "completed" or (order.status == due and order.payment_method != "cod")
        if order.paid is None and order.status in PAID and earned:
            order.paid = self.catalogue.clock.now()
        if order.completed is None and order.status == "completed":
            order.completed = self.catalogue.clock.now()

    def _count_sales(self, order: Order) -> None:
        sold = order.status in TAKES_STOCK
        if sold == order.counted_as_sold or not (sold or order.status == "cancelled"):
            return
        order.counted_as_sold = sold
        for line in order.lines:
            product = line.product.parent or line.product if line.product else None
            if product is not None:
                product.total_sales += line.quantity if sold else -line.quantity

    def _describe(self, order: Order, body: dict[str, Any]) -> None:
        if body.get("payment_method") is not None:
            order.payment_method = str(body["payment_method"])
        for name in ("billing", "shipping", "payment_method_title", "customer_note", "transaction_id"):
            if body.get(name) is not None:
                order.extra[name] = body[name]
        for row in body.get("meta_data") or ():
            known = next((one for one in order.meta if one.key == row.get("key")), None)
            if known is not None:
                known.value = row.get("value")
            else:
                order.meta.append(Meta(self.catalogue.new_meta_id(), str(row.get("key")), row.get("value")))

    def _touch(self, order: Order) -> None:
        order.modified = self.catalogue.clock.now()
        self.changes += 1

    def _add_note(self, order: Order, text: str) -> None:
        order.notes.append(Note(self.catalogue.new_meta_id(), self.catalogue.clock.now(), text))

    def _change_text(self, product: Product, before: int, after: int) -> str:
        # The wording differs between the versions (v_d04): nobody should parse it.
        if self._version == "10.2":
            return f"{product.full_name} ({product.sku}) {before}&rarr;{after}"
        return f"{product.full_name} ({before}&rarr;{after})"


def _title(status: str) -> str:
    return {"pending": "Pending payment", "on-hold": "On hold", "checkout-draft": "Draft"}.get(status, status.capitalize())
