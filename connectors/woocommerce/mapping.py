"""WooCommerce's payloads as the engine's dataclasses. Strict: a field that is missing or odd is an error, never a zero."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.contract import OrderLine, OrderState, StockManagement, StoreReading, StoreWrite
from connectors.errors import ConfigError
from connectors.money import PriceError, price_parse, price_text

RECEIPT = "_evenstock_op"
COST_DECIMALS = 4
LISTING_FIELDS = (
    "id,parent_id,type,sku,name,global_unique_id,status,manage_stock,stock_quantity,backorders,regular_price,sale_price,"
    "cost_of_goods_sold"
)
ORDER_FIELDS = "id,number,status,currency,date_created_gmt,date_modified_gmt,line_items"

Row = Mapping[str, Any]


def reading_from(row: Row, *, parent_remote_id: int = 0) -> StoreReading:
    """Result: one product or variation. `parent_remote_id` where the address named it: older shops leave it out of a
    variation. Raises ConfigError, naming the id and the field, where something we need is missing or odd."""
    parent = _whole(row, "parent_id") if "parent_id" in row else parent_remote_id
    return StoreReading(
        remote_id=_whole(row, "id"),
        parent_remote_id=parent or parent_remote_id,
        kind=_kind(row, parent or parent_remote_id),
        sku=str(_need(row, "sku") or ""),
        name=str(row.get("name") or ""),
        barcode=str(row.get("global_unique_id") or ""),  # older shops have no such field
        status=str(_need(row, "status")),
        stock_management=_management(row),
        quantity=_quantity(row),
        price=_price(row, "regular_price"),
        sale_price=_price(row, "sale_price"),
        backorders=_need(row, "backorders") in ("yes", "notify"),
        receipt=receipt_from(row),
        cost=_cost(row),
    )


def receipt_from(row: Row) -> str:
    """The operation id of our last write, "" where there is none. Two first writes at once leave two rows (woocommerce.md
    33): the newest row counts."""
    rows = row.get("meta_data")
    ours = [meta for meta in rows if meta.get("key") == RECEIPT] if isinstance(rows, list) else []
    newest = max(ours, key=lambda meta: int(meta.get("id") or 0), default=None)
    return str(newest.get("value") or "") if newest else ""


def order_from(row: Row) -> OrderState:
    """Result: an order as it is now. `_reduced_stock` is what a line holds of the shop's number, in every status: it drops
    with a restocked refund, goes with a cancel, and stays with a trashed, failed or refunded order (woocommerce.md 16, 17)."""
    lines = _need(row, "line_items")
    if not isinstance(lines, list):
        raise _odd(row, "line_items")
    return OrderState(
        remote_id=_whole(row, "id"),
        number=str(row.get("number") or row["id"]),
        status=str(_need(row, "status")),
        currency=str(row.get("currency") or ""),
        created_at=_moment(row, "date_created_gmt"),
        modified_at=_moment(row, "date_modified_gmt"),
        lines=tuple(_line(line) for line in lines),
    )


def item_from(write: StoreWrite) -> dict[str, Any]:
    """One item of a batch. Whole numbers and dotted strings only: a batch checks nothing (woocommerce.md 8, 9)."""
    item: dict[str, Any] = {"id": write.remote_id}
    if write.delta is not None:
        item["inventory_delta"] = int(write.delta)
    elif write.quantity is not None:
        item["stock_quantity"] = int(write.quantity)
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


def _line(row: Row) -> OrderLine:
    """One line. Quantities that can't be used are told as its problem: one odd line must not stop the reading of every order."""
    taken = [meta.get("value") for meta in row.get("meta_data") or () if meta.get("key") == "_reduced_stock"]
    zero, problem = Decimal(0), ""
    try:
        ordered = _number(row, "quantity", _need(row, "quantity"))
        held = _number(row, "_reduced_stock", taken[-1]) if taken else zero
    except ConfigError as error:
        ordered, held, problem = zero, zero, error.message
    return OrderLine(
        remote_id=_whole(row, "id"),
        listing_remote_id=_whole(row, "variation_id") or _whole(row, "product_id"),
        sku=str(row.get("sku") or ""),
        name=str(row.get("name") or ""),
        ordered=ordered,
        taken=held,
        problem=problem,
    )


def _management(row: Row) -> StockManagement:
    said = _need(row, "manage_stock")
    if said == "parent":
        return StockManagement.PARENT
    if not isinstance(said, bool):
        raise _odd(row, "manage_stock")
    return StockManagement.OWN if said else StockManagement.NONE


def _quantity(row: Row) -> Decimal | None:
    """None where nobody counts: a number left over from before says nothing (woocommerce.md 10). A product that is counted,
    and never was given a number, is sold out for WooCommerce, which adds a difference to 0."""
    said, management = _need(row, "stock_quantity"), _management(row)
    if management is StockManagement.NONE:
        return None
    if said is None or said == "":
        return Decimal(0) if management is StockManagement.OWN else None
    return _number(row, "stock_quantity", said)


def _price(row: Row, field: str) -> Decimal | None:
    """None where there is no price, or one that can't be read: importers write “12,50” past WooCommerce's checks. One such
    product must not stop the reading of the others."""
    return _amount(_need(row, field))


def _cost(row: Row) -> Decimal | None:
    """The product's own cost; a variation without one has its parent's (woocommerce.md 34). None where none is kept."""
    kept = row.get("cost_of_goods_sold")
    values = kept.get("values") if isinstance(kept, dict) else None
    return (
        _amount(values[0].get("defined_value")) if isinstance(values, list) and values and isinstance(values[0], dict) else None
    )


def _amount(said: Any) -> Decimal | None:
    if isinstance(said, bool) or not isinstance(said, int | Decimal | str):
        return None
    try:
        return price_parse(said if isinstance(said, str) else f"{said:f}")
    except PriceError:
        return None


def _number(row: Row, field: str, said: Any) -> Decimal:
    if isinstance(said, bool) or not isinstance(said, int | Decimal | str):
        raise _odd(row, field)
    try:
        number = Decimal(said)
    except InvalidOperation as error:
        raise _odd(row, field) from error
    if not number.is_finite():
        raise _odd(row, field)
    return number


def _whole(row: Row, field: str) -> int:
    said = _need(row, field)
    if isinstance(said, bool) or not isinstance(said, int):
        raise _odd(row, field)
    return said


def _moment(row: Row, field: str) -> datetime:
    try:
        return datetime.fromisoformat(str(_need(row, field))).replace(tzinfo=UTC)
    except ValueError as error:
        raise _odd(row, field) from error


def _kind(row: Row, parent_remote_id: int) -> str:
    """The type, which older shops leave out of a variation."""
    return "variation" if parent_remote_id and not row.get("type") else str(_need(row, "type"))


def _need(row: Row, field: str) -> Any:
    if field not in row:
        raise ConfigError(
            f"The shop leaves out “{field}” of number {row.get('id', '?')}.",
            next_step="A plugin changes what the shop's API says: switch it off, or ask its maker.",
            code="field_missing",
        )
    return row[field]


def _odd(row: Row, field: str) -> ConfigError:
    return ConfigError(
        f"The shop says “{str(row.get(field))[:40]}” for “{field}” of number {row.get('id', '?')}, which can't be used.",
        next_step="A plugin changes what the shop's API says: switch it off, or ask its maker.",
        code="field_odd",
    )
