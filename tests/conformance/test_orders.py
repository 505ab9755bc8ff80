"""Orders and refunds: what they answer, and what they do to the stock, as recorded."""

from typing import Any

import pytest

from sandbox.woocommerce.order import Line, Order
from sandbox.woocommerce.product import Meta
from tests.conformance.compare import cleaned, same_headers, same_order
from tests.conformance.recordings import RECORDINGS, Recording, exchanges, kept
from tests.conformance.shop import Shop, moment

STOCK = 100
CREATES = [
    *exchanges("10.2/d01_", "10.2/d03", "10.2/d04", "10.2/d05", "10.2/d33", "10.2/a22_order", "10.2/b10c"),
    *exchanges("10.5/v_d01", "10.5/v_d_old01", "10.5/v_f07", "10.5/v_f_old07"),
]
CHANGES = exchanges("10.2/d02", "10.5/v_d02", "10.5/v_d_old02")
# What an order had been before the recorded change, where the change's name does not say it all.
PASTS = {
    "10.2/d02_pending_then_completed": ["pending"],
    "10.2/d02_pending_then_processing": ["pending", "completed", "pending"],
    "10.2/d02_pending_then_cancelled": ["pending", "completed", "pending"],
    "10.2/d02_processing_then_processing": ["processing", "pending"],
    "10.2/d02_on-hold_then_failed": ["on-hold"],
}
REFUNDS = {
    f"10.2/{start}": f"10.2/{start}_order_after"
    for start in (
        "d10_refund_partial_default",
        "d10b_refund_partial_restock",
        "d10c_refund_partial_norestock",
        "d11_refund_full",
        "d12_refund_then_cancel",
        "d13_refund_norestock_then_cancel",
    )
} | {"10.5/v_d03_refund_partial": "", "10.5/v_d_old03_refund_partial": ""}
BAD_REFUNDS = ["10.2/d14_refund_amount_only", "10.2/d14b_refund_amount_too_big", "10.2/d14c_refund_api_refund_default"]
EDITS = [
    f"10.2/{name}"
    for name in ("d20_edit_quantity_up", "d20b_edit_quantity_down", "d21_add_item_to_processing", "d22_remove_item")
]
TRASH = [
    f"10.2/{name}" for name in ("d23_trash_order", "d23b_get_trashed_order", "d23c_force_delete_order", "d23d_get_deleted_order")
]
LISTS = [
    "10.2/d30_orders_modified_after",
    "10.2/d30b_orders_fields",
    "10.2/d31_orders_status_any",
    "10.2/d31b_orders_status_trash",
]
LISTS += ["10.2/d31c_orders_no_status"]
PAGES = ["10.5/v_d20_orders_modified_after_page1", "10.5/v_d20_orders_modified_after_page2"]
NOTES = ["10.5/v_d04_order_notes", "10.5/v_d_old04_order_notes"]
REFUND_LISTS = ["10.2/d32_refunds_list", "10.2/d32b_refunds_after"]
REPLAYS = {
    *CREATES,
    *CHANGES,
    *REFUNDS,
    *filter(None, REFUNDS.values()),
    *BAD_REFUNDS,
    *EDITS,
    *TRASH,
    *LISTS,
    *PAGES,
    *NOTES,
    *REFUND_LISTS,
    "10.2/d12b_cancel_after_partial_refund",
    "10.2/d34_order_of_deleted_product",
    "10.5/v_d10_order_transitions",
}


def _stocked(shop: Shop, order: dict[str, Any]) -> None:
    """Put the products of a recorded order on the shelf: 100 of each, at the recorded price, unless they inherit stock."""
    for line in order["line_items"]:
        product = shop.store.catalogue.products.get(line["variation_id"] or line["product_id"])
        if product is None:
            continue
        product.regular_price = f"{line['price']:.2f}"
        if line["sku"] != product.sku:
            shop.store.catalogue.rename_sku(product, line["sku"])
        if product.parent is None:
            product.name = line["name"]
        product.quantity = STOCK


def _placed(shop: Shop, order: dict[str, Any], *, status: str) -> Order:
    """Make the order of a recording, with its numbers, in the status it had then. Result: the order."""
    _stocked(shop, order)
    first = min((line["id"] for line in order["line_items"]), default=1)
    shop.next_ids(thing=order["id"], line=first)
    lines = [
        {"product_id": line["product_id"], "variation_id": line["variation_id"], "quantity": line["quantity"]}
        for line in order["line_items"]
    ]
    return shop.store.book.create({"status": status, "line_items": lines})


@pytest.mark.parametrize("name", CREATES)
def test_a_new_order_is_answered_and_takes_stock_as_recorded(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    if recording.response["status"] == 201:
        _stocked(shop, recording.body)
        shop.next_ids(thing=recording.body["id"], line=recording.body["line_items"][0]["id"])
    if "cogs" in name:
        shop.store.catalogue.cost_enabled = True
        shop.store.product(recording.body["line_items"][0]["product_id"]).cost = 4.25
    if "b10c" in name:
        shop.store.product(130).manage_stock, shop.store.product(130).quantity = True, STOCK
        shop.store.product(131).manage_stock = False
    response = shop.replay()
    assert response.status_code == recording.response["status"]
    same_headers(recording, response)
    if recording.response["status"] != 201:
        assert response.json == recording.body
        assert shop.store.book.orders == {}
        return
    same_order(recording.body, response.json)
    for line in recording.body["line_items"]:
        taken = sum(int(row["value"]) for row in line["meta_data"] if row["key"] == "_reduced_stock")
        if line["product_id"]:
            assert shop.store.quantity(line["variation_id"] or line["product_id"]) == STOCK - taken


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_status_is_answered_and_moves_stock_as_recorded(name):
    recording = RECORDINGS[name]
    before = name.rpartition("/")[2].removeprefix("v_").partition("_then_")[0].partition("_")[2].removeprefix("old02_")
    past = PASTS.get(name, [before])
    shop = Shop(recording)
    order = _placed(shop, recording.body, status=past[0])
    for status in past[1:]:
        shop.store.change_order(order.id, status=status)
    if past[-1] != before:
        shop.store.change_order(order.id, status=before)
    if recording.body["status"] in ("completed", "cancelled") and recording.body["date_paid"] is None:
        order.paid = None
    shop.next_ids(thing=recording.body["refunds"][0]["id"] if recording.body["refunds"] else 9000)
    response = shop.replay()
    assert response.status_code == 200
    same_headers(recording, response)
    same_order(recording.body, response.json)
    [line] = recording.body["line_items"]
    taken = sum(int(row["value"]) for row in line["meta_data"] if row["key"] == "_reduced_stock")
    assert shop.store.quantity(line["product_id"]) == STOCK - taken


def _line_of(refund: Recording, after: str) -> dict[str, Any]:
    """The recorded order of a refund; where only the refund is recorded, an order that fits it."""
    if after:
        return RECORDINGS[after].body
    [line] = refund.body["line_items"]
    order_id = int(refund.path.split("/")[4])
    original = line | {"id": refund.request["body"]["line_items"][0]["id"], "quantity": 2, "price": 28.95}
    return {"id": order_id, "line_items": [original]}


@pytest.mark.parametrize("name", REFUNDS)
def test_a_refund_is_answered_and_restocks_as_recorded(name):
    recording, after = RECORDINGS[name], REFUNDS[name]
    shop = Shop(recording)
    order = _placed(shop, _line_of(recording, after), status="processing")
    shop.next_ids(thing=recording.body["id"], line=recording.body["line_items"][0]["id"])
    response = shop.replay()
    assert response.status_code == 201
    dates = {"date_created", "date_created_gmt"}
    assert cleaned(response.json, dates) == cleaned(recording.body, dates)
    assert set(response.json) == set(recording.body)
    if after:
        same_order(RECORDINGS[after].body, shop.replay(RECORDINGS[after]).json)
        [line] = RECORDINGS[after].body["line_items"]
        left = next(int(row["value"]) for row in line["meta_data"] if row["key"] == "_reduced_stock")
        assert shop.store.quantity(line["product_id"]) == STOCK - left
    else:
        assert shop.store.quantity(order.lines[0].product.id) == STOCK - 1


def test_a_cancel_after_a_partial_refund_gives_back_exactly_the_rest():
    refund, cancel = RECORDINGS["10.2/d12_refund_then_cancel"], RECORDINGS["10.2/d12b_cancel_after_partial_refund"]
    shop = Shop(refund)
    _placed(shop, _line_of(refund, REFUNDS[refund.name]), status="processing")
    shop.next_ids(thing=refund.body["id"])
    shop.replay()
    same_order(cancel.body, shop.replay(cancel).json)
    assert shop.store.quantity(707) == STOCK


@pytest.mark.parametrize("name", BAD_REFUNDS)
def test_a_refund_of_money_alone_is_answered_as_recorded_and_moves_no_stock(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    order = {"id": 3591, "line_items": [{"id": 331, "product_id": 713, "variation_id": 0, "quantity": 5, "price": 33.95}]}
    order["line_items"][0] |= {"sku": shop.store.product(713).sku, "name": "Hydro item 421"}
    placed = _placed(shop, order, status="processing")
    if "too_big" in name:
        shop.send("POST", recording.path, body={"api_refund": False, "amount": "1.00"})
    shop.next_ids(thing=3592)
    response = shop.replay()
    assert response.status_code == recording.response["status"]
    dates = {"date_created", "date_created_gmt"}
    assert cleaned(response.json, dates) == cleaned(recording.body, dates)
    assert shop.store.quantity(713) == STOCK - 5
    assert len(placed.refunds) == (0 if "default" in name else 1)


def test_edits_of_a_processing_order_move_stock_as_recorded():
    first = RECORDINGS[EDITS[0]]
    shop = Shop(first)
    shop.store.product(724).regular_price, shop.store.product(724).name = "36.95", "Hydro item 424"
    shop.store.catalogue.rename_sku(shop.store.product(724), "HYD-000424")
    shop.store.product(724).quantity = STOCK
    original = first.body | {"line_items": [first.body["line_items"][0] | {"quantity": 2, "price": 35.95}]}
    _placed(shop, original, status="processing")
    stock = []
    for name in EDITS:
        response = shop.replay(RECORDINGS[name])
        assert response.status_code == 200
        same_order(RECORDINGS[name].body, response.json)
        stock.append((shop.store.quantity(721), shop.store.quantity(724)))
    assert stock == [(STOCK - 5, STOCK), (STOCK - 1, STOCK), (STOCK - 1, STOCK - 3), (STOCK, STOCK - 3)]


def test_trash_and_deletion_are_answered_as_recorded_and_keep_the_stock_taken():
    shop = Shop(RECORDINGS[TRASH[0]])
    _placed(shop, RECORDINGS[TRASH[0]].body, status="processing")
    shop.now = shop.now.fromtimestamp(1795219228, tz=shop.now.tzinfo)
    for name in TRASH:
        recording = RECORDINGS[name]
        response = shop.replay(recording)
        assert response.status_code == recording.response["status"]
        same_headers(recording, response)
        if recording.response["status"] == 200:
            same_order(recording.body, response.json)
        else:
            assert response.json == recording.body
    assert shop.store.quantity(727) == STOCK - 2


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_orders_is_answered_as_recorded(name):
    """One order of 5 with one restocked, the refund deleted, a note of ours: the newest of 326."""
    recording = RECORDINGS[name]
    row = RECORDINGS["10.2/d30_orders_modified_after"].body[0]
    shop = Shop(recording)
    shop.now = shop.now.fromtimestamp(moment("2026-11-21T00:00:00"), tz=shop.now.tzinfo)
    for number in range(325):
        shop.next_ids(thing=3262 + number)
        shop.store.book.create({"line_items": []})
    order = _placed(shop, row, status="processing")
    shop.store.book.restock(order.lines[0], 1)
    order.meta.append(Meta(718, "_pos_ref", "X1"))
    order.created, order.modified = moment(row["date_created_gmt"]), moment(row["date_modified_gmt"])
    shop.now = recording.at
    response = shop.replay()
    assert response.status_code == 200
    for header in ("X-WP-Total", "X-WP-TotalPages"):
        assert response.headers[header] == recording.headers[header]
    assert len(response.json) == len(recording.body)
    for mine, recorded in zip(response.json, recording.body, strict=True):
        same_order(recorded, mine)


def test_pages_of_orders_by_date_are_answered_as_recorded():
    pages = [RECORDINGS[name] for name in PAGES]
    shop = Shop(pages[0])
    rows = [row for page in pages for row in kept(page.body)]
    listed = [(number, "2026-11-21T01:17:58") for number in range(3425, 3437)]
    known = {row["id"]: row["date_modified_gmt"] for row in rows}
    for number, modified in listed:
        row = next((row for row in rows if row["id"] == number), rows[0])
        order = _placed(shop, row | {"id": number}, status="processing")
        order.modified = moment(known.get(number, max(known.values()) if number > max(known) else modified))
    for page in pages:
        response = shop.replay(page)
        same_headers(page, response)
        recorded = kept(page.body)
        assert [row["id"] for row in response.json[: len(recorded)]] == [row["id"] for row in recorded]
        for mine, row in zip(response.json, recorded, strict=False):
            same_order(row, mine)


@pytest.mark.parametrize("name", NOTES)
def test_the_notes_of_an_order_are_worded_as_in_that_version(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    product = next(p for p in shop.store.catalogue.products.values() if p.sku == "HYD-000610")
    line = {
        "id": 1,
        "product_id": product.id,
        "variation_id": 0,
        "quantity": 2,
        "price": 28.95,
        "sku": product.sku,
        "name": product.name,
    }
    _placed(shop, {"id": int(recording.path.split("/")[4]), "line_items": [line]}, status="processing")
    response = shop.replay()
    assert response.status_code == 200
    assert [row["note"] for row in response.json] == [row["note"] for row in recording.body]
    assert {frozenset(row) for row in response.json} == {frozenset(row) for row in recording.body}


@pytest.mark.parametrize("name", REFUND_LISTS)
def test_the_list_of_all_refunds_is_answered_as_recorded(name):
    recording = RECORDINGS[name]
    recorded = RECORDINGS[REFUND_LISTS[0]].body
    shop = Shop(recording)
    # Before the three on the page there were six more.
    for refund_id, parent in ((3567, 3566), (3571, 3570), (3580, 3579), (3582, 3581), (3584, 3583), (3586, 3585)):
        _refunded(shop, {"id": refund_id, "parent_id": parent, "date_created_gmt": "2026-11-21T00:00:20", "amount": "1.00"})
    for row in reversed(recorded):
        _refunded(shop, row)
    shop.now = recording.at
    response = shop.replay()
    assert response.status_code == 200
    same_headers(recording, response)
    assert cleaned(response.json, set()) == cleaned(recording.body, set())


def _refunded(shop: Shop, row: dict[str, Any]) -> None:
    shop.now = shop.now.fromtimestamp(moment(row["date_created_gmt"]), tz=shop.now.tzinfo)
    lines, sent = [], []
    for line in row.get("line_items", []):
        each = abs(float(line["total"])) / abs(line["quantity"])
        lines.append(line | {"id": int(line["meta_data"][0]["value"]), "quantity": 5, "price": each})
        sent.append({"id": lines[-1]["id"], "quantity": -line["quantity"], "refund_total": abs(float(line["total"]))})
    order = _placed(shop, {"id": row["parent_id"], "line_items": lines}, status="processing")
    if not lines:
        order.lines.append(Line(9999, None, 1, total=100, name="anything"))
    shop.next_ids(thing=row["id"], line=row["line_items"][0]["id"] if lines else 0)
    body = {"api_refund": False, "amount": row["amount"], "reason": row.get("reason", ""), "line_items": sent}
    assert shop.send("POST", f"/wc/v3/orders/{row['parent_id']}/refunds", body=body).status_code == 201


def test_a_line_of_a_deleted_product_has_no_product_and_no_sku():
    recording = RECORDINGS["10.2/d34_order_of_deleted_product"]
    shop = Shop(recording)
    made = shop.send(
        "POST", "/wc/v3/products", body={"name": "tmp", "regular_price": "1", "manage_stock": True, "stock_quantity": 5}
    )
    [line] = recording.body["line_items"]
    shop.next_ids(thing=recording.body["id"], line=line["id"])
    shop.store.place_order([(made.json["id"], 1)])
    shop.send("DELETE", f"/wc/v3/products/{made.json['id']}", query={"force": "true"})
    same_order(recording.body, shop.replay().json)


@pytest.mark.parametrize("run", ["new", "old"])
def test_stock_follows_a_whole_run_of_transitions_as_recorded(run):
    recording = RECORDINGS["10.5/v_d10_order_transitions"]
    shop = Shop(recording)
    product = shop.store.product(632)
    product.name, product.quantity = "Hydro item 610", STOCK
    for step in recording.content[run]:
        if "from" in step:
            order = shop.store.place_order([(product.id, 2)], status=step["from"])
            assert (product.quantity, _reduced(order)) == (step["stock_after_create"], step["_reduced_stock_after_create"])
            shop.store.change_order(order.id, status=step["to"])
            assert (product.quantity, _reduced(order)) == (step["stock_after_change"], step["_reduced_stock_after_change"])
            product.quantity = STOCK
        elif "create" in step:
            order = shop.store.place_order([(product.id, 2)], status=step["create"])
            assert (product.quantity, _reduced(order)) == (step["stock"], step["_reduced_stock"])
        elif "refund_1_of_2_default" in step:
            order = shop.store.place_order([(product.id, 2)])
            shop.store.refund_order(order.id, {order.lines[0].id: 1})
            assert (product.quantity, _reduced(order)) == (step["refund_1_of_2_default"], step["_reduced_stock"])
        elif "then_cancel" in step:
            shop.store.change_order(order.id, status="cancelled")
            assert (product.quantity, _reduced(order)) == (step["then_cancel"], step["_reduced_stock"])
        elif "edit_qty_2_to_5" in step:
            order = shop.store.place_order([(product.id, 2)])
            shop.store.change_order(order.id, line_items=[{"id": order.lines[0].id, "quantity": 5}])
            assert (product.quantity, _reduced(order)) == (step["edit_qty_2_to_5"], step["_reduced_stock"])
        elif "trash" in step:
            shop.store.book.trash(order)
            assert product.quantity == step["trash"]
    assert len(recording.content[run]) == 13


def _reduced(order: Order) -> list[str]:
    return [str(line.reduced) for line in order.lines if line.reduced is not None]
