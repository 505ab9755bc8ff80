"""Recorded payloads of a real shop as the engine's dataclasses."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from connectors.contract import StockManagement, StoreReading, StoreWrite
from connectors.errors import ConfigError
from connectors.money import PriceError
from connectors.woocommerce.hooks import signature_is_right
from connectors.woocommerce.mapping import item_from, order_from, reading_from, receipt_from
from tests.connectors.woocommerce import recorded
from tests.connectors.woocommerce.recorded import body, recording

ROW = {
    "id": 7,
    "parent_id": 0,
    "type": "simple",
    "sku": "00123",
    "name": "Mat",
    "status": "publish",
    "manage_stock": True,
    "stock_quantity": 4,
    "backorders": "no",
    "regular_price": "12.50",
    "sale_price": "",
}
OPERATION = UUID("0b9d1c1e-7c1f-4a53-9a0e-1d6f7f6f7a01")


def taken(order: dict) -> list[int]:
    return [int(line.taken) for line in order_from(order).lines]


# -- listings --------------------------------------------------------------------------------------------------------


def test_a_simple_product():
    assert reading_from(ROW) == StoreReading(
        remote_id=7,
        parent_remote_id=0,
        kind="simple",
        sku="00123",
        name="Mat",
        barcode="",
        status="publish",
        stock_management=StockManagement.OWN,
        quantity=Decimal(4),
        price=Decimal("12.50"),
        sale_price=None,
    )


def test_a_variation_with_stock_of_its_own():
    reading = reading_from(body("c03b_delta_variation_batch")["update"][0])
    assert (reading.remote_id, reading.parent_remote_id, reading.kind) == (136, 135, "variation")
    assert (reading.quantity, reading.price, reading.sku) == (Decimal(5), Decimal(10), "HYDV-0006-1L")


def test_a_variation_that_takes_its_stock_from_its_product():
    reading = reading_from(body("b10_variation_manage_stock_parent"))
    assert reading.stock_management is StockManagement.PARENT
    assert reading.quantity == 100


def test_a_variable_product_without_stock_of_its_own():
    reading = reading_from(body("a11b_variable_parent"))
    assert (reading.kind, reading.stock_management, reading.quantity) == ("variable", StockManagement.NONE, None)
    assert reading.price is None


def test_a_number_left_over_from_before_stock_management_was_switched_off_is_unknown():
    row = body("g06b_put_stock_while_manage_stock_off")
    assert row["stock_quantity"] == 14
    assert reading_from(row).quantity is None


def test_a_product_without_sku_and_price():
    reading = reading_from(body("h03_product_without_sku"))
    assert (reading.sku, reading.price, reading.quantity) == ("", None, None)


def test_backorders_with_and_without_notice():
    rows = body("b01_batch_100_stock")["update"]
    assert {row["backorders"]: reading_from(row).backorders for row in rows} == {"no": False, "yes": True, "notify": True}


def test_a_barcode_is_text():
    assert reading_from(body("v_f08_low_stock_gtin", "10.5")).barcode == "8710000000127"


@pytest.mark.parametrize(
    ("said", "quantity"),
    [(12, "12"), (Decimal("12.5"), "12.5"), ("12.50", "12.50"), ("-3", "-3"), (0, "0")],
)
def test_a_quantity_may_be_a_number_or_text(said, quantity):
    assert reading_from(ROW | {"stock_quantity": said}).quantity == Decimal(quantity)


@pytest.mark.parametrize("said", ["", None])
def test_a_counted_product_without_a_number_is_sold_out_and_one_counted_elsewhere_is_unknown(said):
    assert reading_from(ROW | {"stock_quantity": said}).quantity == 0
    assert reading_from(ROW | {"stock_quantity": said, "manage_stock": "parent"}).quantity is None
    assert reading_from(ROW | {"stock_quantity": said, "manage_stock": False}).quantity is None


@pytest.mark.parametrize("said", ["12,50", "free", [1], True])
def test_a_price_that_cannot_be_read_is_unknown_and_stops_nothing(said):
    assert reading_from(ROW | {"regular_price": said}).price is None


@pytest.mark.parametrize("said", ["abc", "12,5", True, [1], {"a": 1}, "NaN", "Infinity"])
def test_an_odd_quantity_is_an_error_that_names_the_product(said):
    with pytest.raises(ConfigError, match="number 7") as caught:
        reading_from(ROW | {"stock_quantity": said})
    assert caught.value.code == "field_odd"


@pytest.mark.parametrize(
    "field", ["id", "type", "sku", "status", "manage_stock", "stock_quantity", "backorders", "regular_price", "sale_price"]
)
def test_a_missing_field_is_an_error_never_a_zero(field):
    with pytest.raises(ConfigError):
        reading_from({key: value for key, value in ROW.items() if key != field})


def test_an_older_shop_names_neither_parent_nor_type_of_a_variation():
    old = {key: value for key, value in ROW.items() if key not in ("parent_id", "type", "name")}
    reading = reading_from(old, parent_remote_id=3)
    assert (reading.parent_remote_id, reading.kind) == (3, "variation")


# -- receipts and writes ---------------------------------------------------------------------------------------------


def test_the_newest_of_two_receipts_counts():
    row = body("v_m11_duplicated_read", "10.5")
    assert receipt_from(row) == "c1"
    assert receipt_from({"meta_data": list(reversed(row["meta_data"]))}) == "c1"


@pytest.mark.parametrize("name", ["v_m06_read_products", "v_m07_read_variations", "v_m08_read_product_variations"])
def test_a_receipt_is_read_from_each_list(name):
    assert receipt_from(body(name, "10.5")[0]) in ("op-3", "vop-2")


def test_no_receipt_and_foreign_meta_data():
    assert receipt_from({"meta_data": [{"id": 1, "key": "_other", "value": "x"}]}) == ""
    assert receipt_from({}) == ""


def test_a_relative_write_is_a_whole_number_with_its_receipt():
    write = StoreWrite(OPERATION, 7, 0, delta=-2)
    assert item_from(write) == {
        "id": 7,
        "inventory_delta": -2,
        "meta_data": [{"key": "_evenstock_op", "value": "0b9d1c1e-7c1f-4a53-9a0e-1d6f7f6f7a01"}],
    }


@pytest.mark.parametrize(
    ("price", "decimals", "text"),
    [("12.50", 2, "12.50"), ("1E+2", 2, "100.00"), ("1234.5000", 2, "1234.50"), ("1250", 0, "1250")],
)
def test_a_price_is_dotted_text_with_the_currencys_decimals(price, decimals, text):
    item = item_from(StoreWrite(OPERATION, 7, 0, price=Decimal(price), decimals=decimals))
    assert item["regular_price"] == text
    assert "inventory_delta" not in item


@pytest.mark.parametrize("price", ["NaN", "-1", "12.345", "Infinity"])
def test_what_is_no_price_is_never_put_on_the_wire(price):
    with pytest.raises(PriceError):
        item_from(StoreWrite(OPERATION, 7, 0, price=Decimal(price)))


def test_a_sale_ends_and_barcode_and_cost_are_filled_in_by_their_own_fields():
    item = item_from(StoreWrite(OPERATION, 7, 0, price=Decimal(5), ends_sale=True, barcode="4006381333931", cost=Decimal("2.5")))
    assert (item["sale_price"], item["global_unique_id"]) == ("", "4006381333931")
    assert item["cost_of_goods_sold"] == {"values": [{"defined_value": "2.5000"}]}


# -- orders ----------------------------------------------------------------------------------------------------------


MOMENTS = [
    ("stock_after_create", "_reduced_stock_after_create"),
    ("stock_after_change", "_reduced_stock_after_change"),
    ("stock", "_reduced_stock"),
    ("refund_1_of_2_default", "_reduced_stock"),
    ("then_cancel", "_reduced_stock"),
    ("edit_qty_2_to_5", "_reduced_stock"),
]


@pytest.mark.parametrize("version", ["new", "old"])
def test_what_a_line_holds_is_what_the_shops_number_lost_through_every_transition(version):
    """The recording has the shop's number, 100 before each order, beside the line's meta data."""
    compared = 0
    for step in recording("v_d10_order_transitions", "10.5")[version]:
        for number, meta in MOMENTS:
            if number in step:
                lines = [{"key": "_reduced_stock", "value": value} for value in step[meta]]
                assert taken(order_with(lines)) == [100 - step[number]], step
                compared += 1
    assert compared == 17


def order_with(meta: list[dict]) -> dict:
    order = body("d01_create_processing")
    return {**order, "line_items": [{**order["line_items"][0], "meta_data": meta}]}


STEPS = {
    "d01_create_auto-draft": [0],
    "d01_create_cancelled": [0],
    "d01_create_checkout-draft": [0],
    "d01_create_completed": [2],
    "d01_create_failed": [0],
    "d01_create_on-hold": [2],
    "d01_create_pending": [0],
    "d01_create_processing": [2],
    "d01_create_refunded": [0],
    "d02_cancelled_then_completed": [2],
    "d02_completed_then_refunded": [2],
    "d02_failed_then_processing": [2],
    "d02_on-hold_then_failed": [2],
    "d02_on-hold_then_processing": [2],
    "d02_pending_then_cancelled": [0],
    "d02_pending_then_completed": [2],
    "d02_pending_then_processing": [2],
    "d02_processing_then_cancelled": [0],
    "d02_processing_then_on-hold": [2],
    "d02_processing_then_pending": [0],
    "d02_processing_then_processing": [2],
    "d03_set_paid": [1],
    "d03b_no_status": [0],
    "d04_oversell": [5],
    "d05_line_item_by_sku": [1],
    "d05b_line_item_unknown_product": [0],
    "d10_refund_partial_default_order_after": [3],
    "d10b_refund_partial_restock_order_after": [3],
    "d10c_refund_partial_norestock_order_after": [5],
    "d11_refund_full_order_after": [0],
    "d12_refund_then_cancel_order_after": [3],
    "d12b_cancel_after_partial_refund": [0],
    "d13_refund_norestock_then_cancel_order_after": [5],
    "d20_edit_quantity_up": [5],
    "d20b_edit_quantity_down": [1],
    "d21_add_item_to_processing": [1, 3],
    "d22_remove_item": [3],
    "d23_trash_order": [2],
    "d23b_get_trashed_order": [2],
    "d33_order_with_variation": [1],
    "d34_order_of_deleted_product": [1],
    "d41d_pending_order_with_reservation": [0],
}


@pytest.mark.parametrize("name", STEPS)
def test_what_an_order_holds_of_the_shops_number(name):
    assert taken(body(name)) == STEPS[name]


def test_every_recorded_order_is_among_them():
    orders = set()
    for path in (recorded.FOLDER / "10.2").glob("d*.json"):
        found = recording(path.stem)["response"].get("body")
        if isinstance(found, dict) and "line_items" in found and "currency" in found:
            orders.add(path.stem)
    assert orders - set(STEPS) == {"d23c_force_delete_order"} & orders


def test_an_order_line_names_the_variation_where_there_is_one():
    order = order_from(body("d33_order_with_variation"))
    assert [(line.listing_remote_id, line.ordered, line.taken) for line in order.lines] == [(158, 1, 1)]


def test_a_line_without_product_keeps_what_it_took():
    line = order_from(body("d34_order_of_deleted_product")).lines[0]
    assert (line.listing_remote_id, line.sku, line.taken) == (0, "", 1)


def test_an_orders_times_are_utc():
    order = order_from(body("d01_create_processing"))
    assert order.created_at == datetime(2026, 11, 21, 0, 0, 18, tzinfo=UTC)
    assert order.modified_at == datetime(2026, 11, 21, 0, 0, 19, tzinfo=UTC)
    assert (order.number, order.status, order.currency) == ("3564", "processing", "EUR")


def test_an_order_without_lines_field_is_an_error():
    order = body("d01_create_processing")
    del order["line_items"]
    with pytest.raises(ConfigError, match="line_items"):
        order_from(order)


# -- webhooks --------------------------------------------------------------------------------------------------------


def test_recorded_deliveries_are_signed_by_the_shops_secret():
    deliveries = recording("e04_deliveries_order_create")
    secret = recording("e01_create_webhook_order_created")["request"]["body"]["secret"]
    assert deliveries
    for delivery in deliveries:
        signature, raw = dict(delivery["headers"])["X-WC-Webhook-Signature"], delivery["body"].encode()
        assert signature_is_right(raw, secret=secret, signature=signature)
        assert not signature_is_right(raw + b" ", secret=secret, signature=signature)
        assert not signature_is_right(raw, secret="other", signature=signature)


@pytest.mark.parametrize("signature", ["", "é", "lDev705+YOI5Pd+l/nejbWMYTdFC7p3QmgDZtAmylz"])
def test_a_wrong_signature_is_refused(signature):
    assert not signature_is_right(b"{}", secret="whsec", signature=signature)


def test_an_empty_secret_signs_nothing():
    assert not signature_is_right(b"{}", secret="", signature="x2q1hM4N4WqBn1k8Hlq0u7W0m0Y8l0R3sQm7vT9Vb5E=")
