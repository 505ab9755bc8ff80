"""How the shop was before a recorded write: the reply tells how it was after, and the request what it changed."""

from typing import Any

from sandbox.woocommerce.product import stock_amount
from tests.conformance.recordings import Recording, kept
from tests.conformance.shop import Shop, moment


def before_write(recording: Recording, shop: Shop) -> None:
    """Put every product the recording writes in the state it had before."""
    body, sent = recording.body, recording.request["body"] or {}
    if isinstance(body, dict) and "id" in body:
        rows, items = [body], [sent]
    else:
        pairs = [(row, item) for name in ("update",) for row, item in zip(body.get(name, []), sent.get(name, []), strict=False)]
        pairs = [(row, item) for row, item in pairs if "error" not in row and "_recording_note" not in row]
        rows, items = [row for row, _ in pairs], [item for _, item in pairs]
    last: dict[int, dict[str, Any]] = {}
    for row in rows:
        last[row["id"]] = row
    for number, row in last.items():
        undo(shop, row, [item for one, item in zip(rows, items, strict=True) if one["id"] == number])
    if rows:
        shop.now = shop.now.fromtimestamp(max(moment(row["date_modified_gmt"]) for row in rows), tz=shop.now.tzinfo)


def undo(shop: Shop, row: dict[str, Any], items: list[dict[str, Any]]) -> None:
    """Put one product in the state before these changes."""
    product = shop.product(row)
    product.modified -= 600
    quantity = product.quantity
    for item in items:
        if "inventory_delta" in item and item.get("stock_quantity") is None and quantity is not None:
            quantity -= stock_amount(item["inventory_delta"])
        if "stock_quantity" in item and product.manage_stock:
            single = "update" not in (shop.recording.request["body"] or {})
            if item["stock_quantity"] is not None or single:
                quantity = 987654
    product.quantity = quantity
    changed = {name for item in items for name in item}
    if changed & {"regular_price", "sale_price"}:
        product.regular_price, product.sale_price = "1.23", ""
    if "manage_stock" in changed:
        product.manage_stock = not product.manage_stock
        product.quantity = 9 if product.manage_stock else None
    if "meta_data" in changed:
        for one in product.meta:
            one.value = "before"
    if "global_unique_id" in changed:
        product.global_unique_id = ""
    if "low_stock_amount" in changed:
        product.low_stock_amount = None
    if "cost_of_goods_sold" in changed:
        product.cost = 987.0


def as_listed(recording: Recording, shop: Shop) -> None:
    """Put the products of a recorded list, or the one of a recorded read, in the state the recording shows."""
    rows = recording.body if isinstance(recording.body, list) else [recording.body]
    for row in kept(rows):
        if isinstance(row, dict) and isinstance(row.get("id"), int):
            shop.product(row)
