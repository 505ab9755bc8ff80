"""Orders and refunds as JSON."""

from typing import Any

from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.fields import ITEM_METHODS
from sandbox.woocommerce.order import Line, Note, Order, Refund, RefundLine, money

NAMES = ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country")
NO_MONEY = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax")


class OrderView:
    """Renders orders for one address and version; `with_cost` when the shop keeps cost prices."""

    def __init__(self, clock: SiteClock, *, base: str, version: str, with_cost: bool) -> None:
        self._clock, self._base, self._version, self._with_cost = clock, base, version, with_cost

    def order(self, order: Order) -> dict[str, Any]:
        """Result: the order as the API shows it."""
        pay = f"{self._base}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.key}"
        return {
            "id": order.id,
            "parent_id": 0,
            "status": order.status,
            "currency": "EUR",
            "version": self._version,
            "prices_include_tax": False,
            "date_created": self._clock.local(order.created),
            "date_modified": self._clock.local(order.modified),
            **dict.fromkeys(NO_MONEY, "0.00"),
            "total": money(order.total),
            "total_tax": "0.00",
            "customer_id": 0,
            "order_key": order.key,
            "billing": dict.fromkeys((*NAMES, "email", "phone"), "") | order.extra.get("billing", {}),
            "shipping": dict.fromkeys((*NAMES, "phone"), "") | order.extra.get("shipping", {}),
            "payment_method": order.payment_method,
            "payment_method_title": order.extra.get("payment_method_title", ""),
            "transaction_id": order.extra.get("transaction_id", ""),
            "customer_ip_address": "",
            "customer_user_agent": "",
            "created_via": order.created_via,
            "customer_note": order.extra.get("customer_note", ""),
            "date_completed": self._local(order.completed),
            "date_paid": self._local(order.paid),
            "cart_hash": "",
            "number": str(order.id),
            "meta_data": [{"id": row.id, "key": row.key, "value": row.value} for row in order.meta],
            "line_items": [self._line(line) for line in order.lines],
            "tax_lines": [],
            "shipping_lines": [],
            "fee_lines": [],
            "coupon_lines": [],
            "refunds": [
                {"id": refund.id, "reason": refund.reason, "total": f"-{money(refund.amount)}"} for refund in order.refunds
            ],
            "payment_url": pay,
            "is_editable": order.status in ("pending", "on-hold", "auto-draft"),
            "needs_payment": order.status in ("pending", "failed", "checkout-draft") and order.total > 0,
            "needs_processing": order.needs_processing,
            "date_created_gmt": self._clock.gmt(order.created),
            "date_modified_gmt": self._clock.gmt(order.modified),
            "date_completed_gmt": self._gmt(order.completed),
            "date_paid_gmt": self._gmt(order.paid),
            **({"cost_of_goods_sold": {"total_value": sum(map(_cost, order.lines))}} if self._with_cost else {}),
            "currency_symbol": "€",
            "_links": self._links(order.id),
        }

    def refund(self, refund: Refund, *, with_parent: bool = False) -> dict[str, Any]:
        """Result: the refund as the API shows it; `with_parent` in the list of all refunds."""
        return {
            "id": refund.id,
            **({"parent_id": refund.order_id} if with_parent else {}),
            "date_created": self._clock.local(refund.created),
            "date_created_gmt": self._clock.gmt(refund.created),
            "amount": money(refund.amount),
            "reason": refund.reason,
            "refunded_by": 1,
            "refunded_payment": False,
            "meta_data": [{"id": refund.meta_id, "key": "_refund_type", "value": "full" if refund.full else "partial"}],
            "line_items": [_refund_line(line) for line in refund.lines],
            "shipping_lines": [],
            "tax_lines": [],
            "fee_lines": [],
            "_links": self._child_links(refund.order_id, "refunds", refund.id),
        }

    def note(self, order: Order, note: Note) -> dict[str, Any]:
        """Result: the note as the API shows it."""
        return {
            "id": note.id,
            "author": "WooCommerce",
            "date_created": self._clock.local(note.at),
            "date_created_gmt": self._clock.gmt(note.at),
            "note": note.text,
            "customer_note": False,
            "_links": self._child_links(order.id, "notes", note.id),
        }

    def _line(self, line: Line) -> dict[str, Any]:
        return _line(line) | ({"cost_of_goods_sold": {"value": _cost(line)}} if self._with_cost else {})

    def _local(self, moment: int | None) -> str | None:
        return None if moment is None else self._clock.local(moment)

    def _gmt(self, moment: int | None) -> str | None:
        return None if moment is None else self._clock.gmt(moment)

    def _child_links(self, order_id: int, what: str, child_id: int) -> dict[str, Any]:
        order = f"{self._base}/wp-json/wc/v3/orders/{order_id}"
        return {
            "self": [{"href": f"{order}/{what}/{child_id}", "targetHints": {"allow": ["GET", "DELETE"]}}],
            "collection": [{"href": f"{order}/{what}"}],
            "up": [{"href": order}],
        }

    def _links(self, order_id: int) -> dict[str, Any]:
        rest = f"{self._base}/wp-json/wc/v3/orders"
        return {
            "self": [{"href": f"{rest}/{order_id}", "targetHints": {"allow": ITEM_METHODS}}],
            "collection": [{"href": rest}],
            "email_templates": [{"embeddable": True, "href": f"{rest}/{order_id}/actions/email_templates"}],
        }


def _meta(meta_id: int, key: str, value: str, title: str = "") -> dict[str, Any]:
    return {"id": meta_id, "key": key, "value": value, "display_key": title or key, "display_value": value}


def _line(line: Line) -> dict[str, Any]:
    product = line.product
    meta = []
    if product is not None and product.parent is not None:
        meta.append(_meta(line.meta_ids["size"], "size", product.name, "Size"))
    if line.reduced is not None:
        meta.append(_meta(line.meta_ids["_reduced_stock"], "_reduced_stock", str(line.reduced)))
    if line.restocked:
        meta.append(_meta(line.meta_ids["_restock_refunded_items"], "_restock_refunded_items", str(line.restocked)))
    return {
        "id": line.id,
        "name": product.full_name if product else line.name,
        **_product_ids(line),
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": money(line.subtotal),
        "subtotal_tax": "0.00",
        "total": money(line.total),
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": meta,
        **_product_codes(line),
        "price": line.price,
        **_picture(line),
    }


def _cost(line: Line) -> float:
    return (line.product.cost or 0) * line.quantity if line.product else 0


def _refund_line(refunded: RefundLine) -> dict[str, Any]:
    line, each = refunded.of, float(refunded.total) / refunded.quantity if refunded.quantity else 0
    return {
        "id": refunded.id,
        "name": line.product.full_name if line.product else line.name,
        **_product_ids(line),
        "quantity": -refunded.quantity,
        "tax_class": "",
        "subtotal": f"-{money(refunded.total)}",
        "subtotal_tax": "0.00",
        "total": f"-{money(refunded.total)}",
        "total_tax": "0.00",
        "taxes": [],
        "meta_data": [_meta(refunded.meta_id, "_refunded_item_id", str(line.id))],
        **_product_codes(line),
        "price": int(each) if float(each).is_integer() else each,
        **_picture(line),
    }


def _product_ids(line: Line) -> dict[str, int]:
    product = line.product
    if product is None:
        return {"product_id": 0, "variation_id": 0}
    if product.parent is None:
        return {"product_id": product.id, "variation_id": 0}
    return {"product_id": product.parent_id, "variation_id": product.id}


def _product_codes(line: Line) -> dict[str, str | None]:
    product = line.product
    return {"sku": product.sku if product else None, "global_unique_id": product.global_unique_id if product else None}


def _picture(line: Line) -> dict[str, Any]:
    parent = line.product.parent if line.product else None
    simple = line.product is not None and parent is None
    return {"image": {"id": "" if simple else 0, "src": ""}, "parent_name": parent.name if parent else None}
