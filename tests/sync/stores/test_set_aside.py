"""One odd order, product or webhook is named and set aside; the rest of the shop goes on (found/wire.md W1, W2; case 10)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.models import Connection
from inventory.models import Listing
from sync.core.why.steps import Standing
from sync.models import Order, OrderLine, OutboundWrite, SetAside, SyncConflict, SyncState
from sync.orders.poll import orders_poll
from sync.why.read import item_explain, subject_of
from tests.sync.hooked import body_of, events, post, share_secret, work
from tests.sync.shop import FULL, INCREMENTAL, Shop, problems, product

pytestmark = pytest.mark.django_db
STOCK = {"MUG": 10, "BOWL": 6, "CUP": 4}


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    shop = open_shop(stock=STOCK, till_mode="live")
    share_secret(shop.store)
    shop.running()
    return shop


def spoil(shop: Shop, thing: Any, fields: dict[str, str], *, path: str = "orders") -> None:
    """From now on the shop's API says these fields, as JSON text, of one thing, whenever it is read."""
    shop.app.faults.arm("odd_row", method="GET", path=path, thing=thing, count=None, fields=fields)


def synced(shop: Shop, kind: Any = FULL) -> Any:
    shop.clock.tick(minutes=5)
    return shop.sync(kind)


def lines_of(shop: Shop, order_id: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = json.loads(body_of(shop, order_id))["line_items"]
    return lines


def set_aside() -> list[tuple[str, str]]:
    return list(SetAside.objects.values_list("sort", "name"))


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"date_created_gmt": "null"}, "field_odd"),
        ({"date_modified_gmt": '"0000-00-00T00:00:00"'}, "field_odd"),
        ({"status": ""}, "field_missing"),
    ],
)
def test_one_odd_order_among_three_is_named_and_the_others_are_booked(shop, fields, code):
    shop.app.place_order([("MUG", 1)])
    odd = shop.app.place_order([("CUP", 2)])  # so few that an edit would be undone
    shop.app.place_order([("BOWL", 2)])
    spoil(shop, odd.id, fields)
    run = synced(shop)
    assert (run.state, problems(run)) == ("done", [(f"Order {odd.id}", None, code)])
    assert "1 thing in the shop can't be read and is set aside." in run.message
    assert sorted(shop.movements()) == [("BOWL", -2), ("MUG", -1)]
    assert shop.shown() == {"MUG": 9, "BOWL": 4, "CUP": 2}
    assert shop.sent() == {}  # the odd order's sale is not taken for an edit, and not undone
    again = synced(shop, INCREMENTAL)
    assert problems(again) == []  # told once
    assert problems(synced(shop)) == [(f"Order {odd.id}", None, code)]  # and with each whole reading
    shop.app.faults.clear()  # corrected, without a new date
    assert problems(synced(shop)) == []
    assert sorted(shop.movements()) == [("BOWL", -2), ("CUP", -2), ("MUG", -1)]
    assert (shop.shown(), shop.sent(), set_aside()) == ({"MUG": 9, "BOWL": 4, "CUP": 2}, {}, [])
    assert not SyncConflict.objects.exists()


def test_a_poll_goes_past_an_odd_order_and_the_next_run_names_it(shop):
    odd = shop.app.place_order([("CUP", 1)])
    spoil(shop, odd.id, {"date_created_gmt": "null"})
    shop.app.place_order([("MUG", 1)])
    shop.clock.tick(minutes=5)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
    assert shop.movements() == [("MUG", -1)]
    assert Connection.objects.get(pk=shop.store.pk).orders_read_until == shop.clock.now()
    shop.clock.tick(hours=1)  # beyond what a poll reads twice
    assert problems(shop.sync(INCREMENTAL)) == [(f"Order {odd.id}", None, "field_odd")]
    shop.app.faults.clear()
    shop.app.change_order(odd.id, status="completed")
    shop.clock.tick(minutes=5)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
    assert shop.movements() == [("MUG", -1), ("CUP", -1)]
    assert set_aside() == []


def test_an_odd_order_that_is_deleted_is_forgotten(shop):
    odd = shop.app.place_order([("CUP", 1)], status="pending")
    spoil(shop, odd.id, {"date_created_gmt": "null"})
    synced(shop)
    assert set_aside() == [("order", f"Order {odd.id}")]
    del shop.app.book.orders[odd.id]
    synced(shop)
    assert set_aside() == []


ODD_LINES: dict[str, Callable[[dict[str, Any]], str]] = {
    "null": lambda _line: "null",
    "no number": lambda line: json.dumps({**line, "id": None}),
    "no product": lambda line: json.dumps({name: line[name] for name in line if name != "product_id"}),
    "no such quantity": lambda line: json.dumps({**line, "quantity": "@"}).replace('"@"', "1e999999999"),
    "odd meta data": lambda line: json.dumps({**line, "meta_data": "x"}),
}


@pytest.mark.parametrize("which", ODD_LINES)
def test_of_an_order_with_one_odd_line_the_others_are_booked(shop, which):
    order = shop.app.place_order([("MUG", 1), ("BOWL", 2)])
    good, bad = lines_of(shop, order.id)
    spoil(shop, order.id, {"line_items": f"[{json.dumps(good)}, {ODD_LINES[which](bad)}]"})
    run = synced(shop, INCREMENTAL)
    assert (run.state, problems(run)) == ("done", [(f"Order {order.id}", None, "bad_order_line")])
    assert shop.movements() == [("MUG", -1)]
    assert OrderLine.objects.exclude(note="").get().note.startswith("Not booked: ")
    assert problems(synced(shop, INCREMENTAL)) == []
    assert Order.objects.get().state_count == 1
    shop.app.faults.clear()
    synced(shop)
    assert shop.movements() == [("MUG", -1), ("BOWL", -2)]
    assert list(OrderLine.objects.values_list("sku", "note")) == [("MUG", ""), ("BOWL", "")]
    assert (shop.shown(), shop.sent(), set_aside()) == ({"MUG": 9, "BOWL": 4, "CUP": 4}, {}, [])


@pytest.mark.parametrize("which", ["null", "no product", "no such quantity"])
def test_what_was_booked_of_a_line_that_turns_odd_stands(shop, which):
    order = shop.app.place_order([("MUG", 1), ("BOWL", 2)])
    synced(shop, INCREMENTAL)
    good, bad = lines_of(shop, order.id)
    spoil(shop, order.id, {"line_items": f"[{json.dumps(good)}, {ODD_LINES[which](bad)}]"})
    shop.clock.tick(minutes=1)
    shop.app.change_order(order.id, status="completed")
    synced(shop, INCREMENTAL)
    assert sorted(shop.movements()) == [("BOWL", -2), ("MUG", -1)]
    assert Order.objects.get().status == "completed"


def test_two_lines_of_one_number_are_told_and_not_booked(shop):
    order = shop.app.place_order([("MUG", 1), ("BOWL", 2)])
    first, second = lines_of(shop, order.id)
    spoil(shop, order.id, {"line_items": json.dumps([first, {**second, "id": first["id"]}])})
    assert problems(synced(shop, INCREMENTAL)) == [(f"Order {order.id}", None, "bad_order_line")]
    assert shop.movements() == []


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59", "2199-01-01T00:00:00"])
def test_an_order_dated_far_ahead_is_booked_and_its_later_states_still_count(shop, date):
    order = shop.app.place_order([("MUG", 3)])
    spoil(shop, order.id, {"date_modified_gmt": f'"{date}"'})
    shop.clock.tick(minutes=5)
    orders_poll(store=shop.store, now=shop.clock.now)
    assert shop.movements() == [("MUG", -3)]
    for _ in range(3):
        run = synced(shop, INCREMENTAL)
    assert Order.objects.get().state_count == 1  # the same again is no news
    shop.app.faults.clear()
    shop.app.change_order(order.id, status="cancelled")
    assert run.state == "done"
    synced(shop)
    assert shop.movements() == [("MUG", -3), ("MUG", 3)]
    assert (Order.objects.get().status, shop.shown()["MUG"], shop.sent()) == ("cancelled", 10, {})


def test_an_order_that_was_once_kept_with_a_date_far_ahead_moves_on(shop):
    order = shop.app.place_order([("MUG", 3)])
    synced(shop, INCREMENTAL)
    ahead = shop.clock.now() + timedelta(days=40_000)
    Order.objects.update(modified_at=ahead)
    Listing.objects.filter(sku="MUG").update(news_at=ahead)
    shop.clock.tick(minutes=1)
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=1)
    post(body_of(shop, order.id))
    work(shop)
    assert Order.objects.get().status == "cancelled"
    assert shop.movements() == [("MUG", -3), ("MUG", 3)]
    assert Listing.objects.get(sku="MUG").news_at < shop.clock.now()


# -- products ----------------------------------------------------------------------------------------------------------

ODD_PRODUCTS = [
    {"stock_quantity": "1" + "0" * 30},
    {"sku": '"M\\ud800"'},
    {"sku": '"M\\u0000"'},
    {"sku": json.dumps("M" * 191)},
    {"manage_stock": '"perhaps"'},
    {"parent_id": str(2**80)},
    {"stock_quantity": ""},
]


@pytest.mark.parametrize("fields", ODD_PRODUCTS)
def test_an_odd_product_is_named_and_kept_and_the_others_are_written(shop, fields):
    mug = shop.app.product_by_sku("MUG").id
    spoil(shop, mug, fields, path="products|variations")
    shop.till.sell("MUG", 2)
    shop.till.sell("BOWL", 1)
    shop.export()
    run = synced(shop)
    assert [subject for subject, _, _ in problems(run)] == ["MUG"]
    assert shop.sent() == {"BOWL": [-1]}
    listing = Listing.objects.get(remote_id=mug)
    assert (listing.sku, listing.missing_since, listing.quantity, listing.baseline) == ("MUG", None, 10, 10)
    state = SyncState.objects.get(woo_sku="MUG")
    assert state.sync_status == "error"
    assert state.reason.startswith("The shop's answer can't be read, so nothing is written to it. The shop ")
    assert f"product number {mug}" in state.reason
    item, pairs = subject_of(listing=listing.pk) or (None, [])
    (explained,) = item_explain(item=item, pairs=pairs, now=shop.clock.now()).shops
    assert (explained.bridge.standing, f"product number {mug}" in explained.bridge.why_not) == (Standing.PERSON, True)
    assert problems(synced(shop, INCREMENTAL)) == []
    shop.app.faults.clear()
    synced(shop, INCREMENTAL)
    assert shop.sent() == {"BOWL": [-1], "MUG": [-2]}
    synced(shop)
    assert (shop.shown(), set_aside()) == ({"MUG": 8, "BOWL": 5, "CUP": 4}, [])
    assert SyncState.objects.get(woo_sku="MUG").sync_status == "synced"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": '"a\\u0000b\\ud800"'},
        {"name": json.dumps("x" * 900)},
        {"global_unique_id": json.dumps("4" * 43)},
        {"regular_price": "1e400000000"},
        {"regular_price": '"9' + "9" * 400 + '"'},
        {"cost_of_goods_sold": '{"values": [{"defined_value": 1e400000000}]}'},
        {"meta_data": "[null]"},
    ],
)
def test_what_is_odd_and_not_needed_sets_nothing_aside(shop, fields):
    spoil(shop, shop.app.product_by_sku("MUG").id, fields, path="products|variations")
    shop.till.sell("MUG", 2)
    shop.export()
    run = synced(shop)
    assert (run.state, problems(run)) == ("done", [])
    assert shop.sent() == {"MUG": [-2]}


@pytest.mark.parametrize("number", [str(2**80), "null", '"7"', "-3"])
def test_while_a_product_has_no_number_none_is_taken_for_gone(shop, number):
    spoil(shop, shop.app.product_by_sku("MUG").id, {"id": number}, path="products|variations")
    run = synced(shop)
    assert [(subject, code) for subject, _, code in problems(run)] == [("MUG", "field_odd")]
    assert run.state == "done"
    assert not Listing.objects.exclude(missing_since=None).exists()
    assert shop.sent() == {}


@pytest.mark.parametrize("version", ["10.2", "10.5"])
def test_an_odd_variation_is_set_aside_and_its_sisters_are_read(open_shop, version):
    rows = [
        {"id": 20, "type": "variable", "sku": "SOIL", "name": "Soil", "manage_stock": False},
        *({**product(21 + n, f"SOIL-{n}", 5), "parent_id": 20} for n in range(3)),
    ]
    shop = open_shop(stock={f"SOIL-{n}": 5 for n in range(3)}, listed=rows, version=version)
    shop.running()
    spoil(shop, 21, {"stock_quantity": '"many"'}, path="variations")
    spoil(shop, 20, {"stock_quantity": '"many"', "manage_stock": "true"}, path="products$")
    for n in range(3):
        shop.till.sell(f"SOIL-{n}", 1)
    shop.export()
    run = synced(shop)
    assert {subject for subject, _, _ in problems(run)} == {"SOIL", "SOIL-0"}
    assert shop.sent() == {"SOIL-1": [-1], "SOIL-2": [-1]}
    assert not Listing.objects.exclude(missing_since=None).exists()


def test_a_shop_whose_every_product_is_odd_fails_as_a_whole(open_shop):
    shop = open_shop(stock={f"S{n:02}": 5 for n in range(20)})
    shop.running()
    spoil(shop, None, {"manage_stock": ""}, path="products")
    shop.till.sell("S01", 1)
    shop.export()
    run = synced(shop)
    assert run.state == "failed"
    assert "20 of 20 things that the shop shows can't be read." in run.message
    assert (shop.sent(), set_aside()) == ({}, [])
    assert not Listing.objects.exclude(missing_since=None).exists()


def test_a_write_whose_receipt_cannot_be_read_is_not_sent_again(shop):
    mug = shop.app.product_by_sku("MUG").id
    shop.app.faults.arm("close", method="POST", path="batch", applied=True)
    spoil(shop, mug, {"meta_data": '"x"'}, path="products")
    shop.till.sell("MUG", 2)
    shop.export()
    for _ in range(3):
        synced(shop, INCREMENTAL)
    assert list(OutboundWrite.objects.filter(listing__sku="MUG").values_list("state", flat=True)) == ["unknown"]
    shop.app.faults.clear()
    synced(shop, INCREMENTAL)
    assert list(OutboundWrite.objects.filter(listing__sku="MUG").values_list("state", flat=True)) == ["applied"]
    assert (shop.sent(), shop.shown()["MUG"]) == ({"MUG": [-2]}, 8)


# -- webhooks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800", "\\udc00\\ud800"])
@pytest.mark.parametrize("field", ["number", "currency", "sku", "name", "status"])
def test_a_webhook_with_a_character_that_no_database_keeps_is_answered_and_its_order_booked(shop, odd, field):
    order = shop.app.place_order([("MUG", 3)])
    said = json.loads(body_of(shop, order.id))
    holder = said["line_items"][0] if field in ("sku", "name") else said
    holder[field] = f"{holder[field]}@"
    answer = post(json.dumps(said).replace("@", odd).encode())
    assert answer.status_code == 200
    work(shop)
    assert events() == [("order.updated", order.id, "done")]
    assert shop.movements() == [("MUG", -3)]


@pytest.mark.parametrize("odd", ["1e999999999", "1" * 5000, "[" * 400 + "]" * 400, '{"a": null}', "null"])
@pytest.mark.parametrize("field", ["quantity", "sku", "meta_data", "line_items"])
def test_a_webhook_of_any_form_is_answered_and_ends(shop, odd, field):
    order = shop.app.place_order([("MUG", 3)])
    said = json.loads(body_of(shop, order.id))
    (said if field == "line_items" else said["line_items"][0])[field] = "@"
    assert post(json.dumps(said).replace('"@"', odd).encode()).status_code == 200
    for _ in range(2):
        work(shop)
        shop.clock.tick(minutes=10)
    assert [state for _, _, state in events()] in (["done"], ["failed"])
    shop.sync(INCREMENTAL)
    synced(shop)
    assert shop.movements() == [("MUG", -3)]


@pytest.mark.parametrize("sku", ["\\u0000", "\\ud800"])
def test_a_hint_with_such_a_character_is_refused_with_the_right_form(shop, sku):
    body = f'{{"order_id": 1, "items": [{{"sku": "{sku}", "quantity": 1}}]}}'.encode()
    assert post(body, address="/webhook/order").status_code == 400
    assert events() == []
