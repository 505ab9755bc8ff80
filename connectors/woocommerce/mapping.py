"""WooCommerce's payloads as the engine's dataclasses, through the gate. A field that is missing or odd is an error, never a zero;
what can't be read is set aside by itself."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from connectors.contract import OrderLine, OrderState, SetAside, Sort, StockManagement, StoreReading, StoreWrite
from connectors.errors import UnreadableError
from connectors.money import PriceError, price_parse, price_text
from connectors.wire import (
    OddValueError,
    Thing,
    code,
    decimal,
    evidence,
    identity,
    label,
    listed,
    moment,
    objects,
    quantity,
    whole,
)

RECEIPT = "_evenstock_op"
COST_DECIMALS = 4
LISTING_FIELDS = (
    "id,parent_id,type,sku,name,global_unique_id,status,manage_stock,stock_quantity,backorders,regular_price,sale_price,"
    "cost_of_goods_sold"
)
ORDER_FIELDS = "id,number,status,currency,date_created_gmt,date_modified_gmt,line_items"
MEND = "Correct it in the shop and save it. If it looks right there, a plugin changes what the shop's API says: ask its maker."
ZERO = Decimal(0)

Row = Mapping[str, Any]


def reading_or_aside(row: Row, *, parent_remote_id: int = 0) -> StoreReading | SetAside:
    """Result: as of `reading_from`; what can't be read is named."""
    try:
        return reading_from(row, parent_remote_id=parent_remote_id)
    except UnreadableError as error:
        name = evidence(row.get("sku"), most=190) or label(row.get("name"), most=190)
        remote_id = _product(row).remote_id
        return SetAside(Sort.LISTING, remote_id, name or f"#{remote_id or '?'}", error, (remote_id,) if remote_id else ())


def order_or_aside(row: Row) -> OrderState | SetAside:
    """Result: as of `order_from`; what can't be read is named."""
    try:
        return order_from(row)
    except UnreadableError as error:
        remote_id = _order(row).remote_id
        number = label(row.get("number"), most=60) or str(remote_id or "?")
        return SetAside(Sort.ORDER, remote_id, f"Order {number}", error, _listings_named(row))


def reading_from(row: Row, *, parent_remote_id: int = 0) -> StoreReading:
    """Result: one product or variation. `parent_remote_id` where the address named it: older shops leave it out of a
    variation. Raises UnreadableError, naming the id and the field, where something we need is missing or odd."""
    thing = _product(row)
    parent = (thing.get("parent_id", whole) if "parent_id" in row else 0) or parent_remote_id
    if row.get("meta_data") is not None:
        thing.get("meta_data", listed)  # a receipt that can't be read is no missing receipt
    return StoreReading(
        remote_id=thing.get("id", identity),
        parent_remote_id=parent,
        kind=_kind(thing, parent),
        sku=thing.get("sku", partial(code, most=190)),
        name=label(row.get("name"), most=500),
        barcode=evidence(row.get("global_unique_id"), most=40),  # older shops have no such field
        status=thing.get("status", partial(code, most=30)),
        stock_management=_management(thing),
        quantity=_quantity(thing),
        price=thing.get("regular_price", _amount),
        sale_price=thing.get("sale_price", _amount),
        backorders=thing.get("backorders", lambda said: said in ("yes", "notify")),
        receipt=receipt_from(row),
        cost=_cost(row),
    )


def receipt_from(row: Row) -> str:
    """The operation id of our last write, "" where there is none. Two first writes at once leave two rows (woocommerce.md
    33): the newest row counts."""
    try:
        ours = [meta for meta in objects(row.get("meta_data")) if meta.get("key") == RECEIPT]
    except OddValueError:
        return ""
    newest = max(ours, key=_number_of, default=None)
    return label(newest.get("value"), most=100) if newest else ""


def order_from(row: Row) -> OrderState:
    """Result: an order as it is now. `_reduced_stock` is what a line holds of the shop's number, in every status: it drops
    with a restocked refund, goes with a cancel, and stays with a trashed, failed or refunded order (woocommerce_answers.md 16,
    17). Raises UnreadableError where its number, status or times are missing or odd; an odd line is told as its own problem."""
    thing = _order(row)
    remote_id = thing.get("id", identity)
    return OrderState(
        remote_id=remote_id,
        number=label(row.get("number"), most=60) or str(remote_id),
        status=thing.get("status", partial(code, most=40)),
        currency=evidence(row.get("currency"), most=3),
        created_at=thing.get("date_created_gmt", moment),
        modified_at=thing.get("date_modified_gmt", moment),
        lines=_lines(thing.get("line_items", listed)),
    )


def item_from(write: StoreWrite) -> dict[str, Any]:
    """One item of a batch. Whole numbers and dotted strings only: a batch checks nothing (woocommerce_answers.md 8, 9)."""
    item: dict[str, Any] = {"id": write.remote_id}
    if write.delta is not None:
        item["inventory_delta"] = int(write.delta)
    if write.price is not None:
        item["regular_price"] = price_text(write.price, decimals=write.decimals)
    if write.ends_sale:
        item["sale_price"] = ""
    if write.barcode:
        item["global_unique_id"] = write.barcode
    if write.cost is not None:
        item["cost_of_goods_sold"] = {"values": [{"defined_value": price_text(write.cost, decimals=COST_DECIMALS)}]}
    item["meta_data"] = [{"key": RECEIPT, "value": str(write.operation_id)}]
    return item


def _product(row: Row) -> Thing:
    return Thing(row, "shop", "product", MEND)


def _order(row: Row) -> Thing:
    return Thing(row, "shop", "order", MEND)


def _lines(rows: list[Any]) -> tuple[OrderLine, ...]:
    """Those lines that can be told apart; and one without a number for all that can't, if there are any."""
    found: dict[int, OrderLine] = {}
    lost: list[str] = []
    for row in rows:
        try:
            line = _line(row if isinstance(row, dict) else {})
        except UnreadableError as error:
            lost.append(error.message)
            continue
        if line.remote_id in found:
            line = replace(line, ordered=ZERO, taken=ZERO, problem=f"Two lines of the order have the number {line.remote_id}.")
        found[line.remote_id] = line
    if lost:
        which = "One of its lines" if len(lost) == 1 else f"{len(lost)} of its lines"
        found[0] = OrderLine(0, 0, "", "", ZERO, ZERO, problem=f"{which} can't be read. {lost[0]}")
    return tuple(found.values())


def _line(row: Row) -> OrderLine:
    """One line. What can't be used is told as its problem: one odd line must not stop the reading of the others. Raises
    UnreadableError where its number can't be read."""
    thing = Thing(row, "shop", "order line", MEND)
    remote_id = thing.get("id", identity)
    listing, ordered, held, problem = 0, ZERO, ZERO, ""
    try:
        listing = thing.get("variation_id", whole) or thing.get("product_id", whole)
        ordered, held = thing.get("quantity", decimal), _held(thing)
    except UnreadableError as error:
        ordered, held, problem = ZERO, ZERO, error.message
    return OrderLine(
        remote_id=remote_id,
        listing_remote_id=listing,
        sku=label(row.get("sku"), most=190),
        name=label(row.get("name"), most=500),
        ordered=ordered,
        taken=held,
        problem=problem,
    )


def _held(line: Thing) -> Decimal:
    """What the line holds of the shop's number. Raises UnreadableError."""
    metas = line.get("meta_data", objects) if line.row.get("meta_data") is not None else []
    taken = [meta.get("value") for meta in metas if meta.get("key") == "_reduced_stock"]
    return replace(line, row={**line.row, "_reduced_stock": taken[-1]}).get("_reduced_stock", decimal) if taken else ZERO


def _listings_named(row: Row) -> tuple[int, ...]:
    """The products of an order that can't be read, as far as its lines can be."""
    try:
        lines = _lines(listed(row.get("line_items")))
    except OddValueError:
        return ()
    return tuple({line.listing_remote_id for line in lines if line.listing_remote_id})


def _management(product: Thing) -> StockManagement:
    said = product.get("manage_stock", lambda said: said)
    if said == "parent":
        return StockManagement.PARENT
    if not isinstance(said, bool):
        raise product.odd("manage_stock", "it is neither yes, no nor “parent”")
    return StockManagement.OWN if said else StockManagement.NONE


def _quantity(product: Thing) -> Decimal | None:
    """None where nobody counts: a number left over from before says nothing (woocommerce_answers.md 10). A product that is
    counted, and never was given a number, is sold out for WooCommerce, which adds a difference to 0."""
    said, management = product.get("stock_quantity", lambda said: said), _management(product)
    if management is StockManagement.NONE:
        return None
    if said is None or said == "":
        return ZERO if management is StockManagement.OWN else None
    return product.get("stock_quantity", quantity)


def _cost(row: Row) -> Decimal | None:
    """The product's own cost; a variation without one has its parent's (woocommerce_answers.md 34). None where none is kept."""
    kept = row.get("cost_of_goods_sold")
    values = kept.get("values") if isinstance(kept, dict) else None
    return (
        _amount(values[0].get("defined_value")) if isinstance(values, list) and values and isinstance(values[0], dict) else None
    )


def _amount(said: Any) -> Decimal | None:
    """None where there is no price, or one that can't be read: importers write “12,50” past WooCommerce's checks. One such
    product must not stop the reading of the others."""
    try:
        return price_parse(said if isinstance(said, str) else f"{decimal(said):f}")
    except (PriceError, OddValueError):
        return None


def _kind(product: Thing, parent_remote_id: int) -> str:
    """The type, which older shops leave out of a variation."""
    is_old = parent_remote_id and not product.row.get("type")
    return "variation" if is_old else product.get("type", partial(code, most=30))


def _number_of(meta: Mapping[str, Any]) -> int:
    try:
        return whole(meta.get("id"))
    except OddValueError:
        return 0
