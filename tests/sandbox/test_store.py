"""The pretend store where no recording leads: switches, shoppers, and the Python side."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from requests_oauthlib import OAuth1
from werkzeug.test import Client

from sandbox.woocommerce import StoreApp


def test_basic_is_accepted_over_https_only_unless_switched_on(open_store):
    over_http = open_store(basic_over_http=False)
    assert over_http("GET", "products").status_code == 401
    assert over_http.control("POST", "shop", {"basic_over_http": True}).json()["basic_over_http"] is True
    assert over_http("GET", "products").status_code == 200
    assert open_store(basic_over_http=False, tls=True)("GET", "products").status_code == 200


def test_oauth_over_http_is_checked_and_a_nonce_works_once(open_store):
    call = open_store(basic_over_http=False)
    call.session.auth = OAuth1(call.store.key, call.store.secret, signature_method="HMAC-SHA256", signature_type="query")
    first = call("GET", "products", params={"search": "a b&c", "per_page": "2"})
    assert first.status_code == 200
    again = requests.get(first.request.url, timeout=5)
    assert (again.status_code, again.json()["message"]) == (401, "Invalid nonce - nonce has already been used.")
    call.session.auth = OAuth1(call.store.key, "wrong", signature_method="HMAC-SHA1", signature_type="query")
    assert call("GET", "products").status_code == 401


def test_the_address_without_permalinks_works_too(call):
    got = call.session.get(f"{call.server.url}/?rest_route=/wc/v3/products/11", timeout=5)
    assert got.json()["sku"] == "A-1"


def test_a_catalogue_is_loaded_with_parents_after_their_children(call):
    store = StoreApp()
    store.load(
        list(reversed([{"id": 20, "name": "Hose", "type": "variable"}, {"id": 21, "parent_id": 20, "name": "1m", "sku": "V-1"}]))
    )
    assert store.product_by_sku("v-1").full_name == "Hose - 1m"
    assert [child.id for child in store.product(20).children] == [21]


def test_the_shipped_catalogue_is_whole():
    store = StoreApp()
    store.load("sandbox/data/hydro/store_catalogue.json")
    products = store.catalogue.products.values()
    assert len(products) == 2875
    assert sum(1 for product in products if product.type == "variation") == 475
    assert store.quantity(1001) == 59


def test_an_edit_by_hand_moves_the_date_and_tells_the_webhooks(call):
    call.store.product(11).modified = 0
    call.store.set_quantity(11, 4)
    row = call("GET", "products/11").json()
    assert row["stock_quantity"] == 4
    assert row["date_modified_gmt"] > "2020"


def test_orders_of_customers_move_stock_from_python(call):
    order = call.store.place_order([("A-1", 3), (21, 1)])
    assert (call.store.quantity(11), call.store.quantity(21)) == (7, 6)
    call.store.refund_order(order.id, {order.lines[0].id: 1})
    assert call.store.quantity(11) == 8
    call.store.change_order(order.id, status="cancelled")
    assert (call.store.quantity(11), call.store.quantity(21)) == (10, 7)


def test_nothing_comes_back_of_a_product_that_is_not_counted_when_the_order_is_cancelled(call):
    """`wc_increase_stock_levels` passes over it, and leaves the line's `_reduced_stock` alone."""
    order = call.store.place_order([("A-1", 3), (21, 1)])
    assert call("PUT", "products/11", json={"manage_stock": False}).status_code == 200
    call.store.change_order(order.id, status="cancelled")
    lines = call("GET", f"orders/{order.id}").json()["line_items"]
    kept = [[meta["value"] for meta in line["meta_data"] if meta["key"] == "_reduced_stock"] for line in lines]
    assert (kept, call.store.quantity(21)) == ([["3"], []], 7)


def test_a_hold_ends_after_its_minutes(open_store):
    call = open_store()
    call.store.set_option("products", "woocommerce_hold_stock_minutes", "1")
    held = call.store.checkout.check_out([{"sku": "A-2", "quantity": 5}], payment_method="redirect")
    refused = call.control("POST", "checkout", {"lines": [{"id": 12, "quantity": 1}]}).json()
    assert refused["code"] == "woocommerce_rest_product_partially_out_of_stock"
    held.reserved_until = int(time.time()) - 1
    bought = call.control("POST", "checkout", {"lines": [{"id": 12, "quantity": 1}]}).json()
    assert (bought["status"], call.store.quantity(12)) == ("processing", 4)
    assert call.control("POST", "pay", {"id": held.id}).json()["status"] == "processing"
    assert call.store.quantity(12) == -1


def test_the_cron_cancels_what_was_not_paid_in_time_and_nothing_else(call):
    late = call.store.checkout.check_out([{"id": 11, "quantity": 1}], payment_method="redirect")
    waiting = call.store.checkout.check_out([{"id": 11, "quantity": 1}], payment_method="redirect")
    by_staff = call.store.place_order([(11, 1)], status="pending")
    late.reserved_until = 1
    assert call.control("POST", "cancel_unpaid").json() == {"cancelled": [late.id]}
    assert [order.status for order in (late, waiting, by_staff)] == ["cancelled", "pending", "pending"]
    assert call.store.quantity(11) == 10


def test_nothing_is_lost_between_many_hands(call):
    url, key = f"{call.server.url}/wp-json/wc/v3", call.session.auth

    def work(number):
        if number % 3 == 0:
            assert requests.put(f"{url}/products/11", json={"inventory_delta": 2}, auth=key, timeout=10).status_code == 200
        elif number % 3 == 1:
            body = {"status": "processing", "line_items": [{"product_id": 11, "quantity": 1}]}
            assert requests.post(f"{url}/orders", json=body, auth=key, timeout=10).status_code == 201
        else:
            made = call.store.place_order([(11, 1)])
            body = {"status": "cancelled"}
            assert requests.put(f"{url}/orders/{made.id}", json=body, auth=key, timeout=10).status_code == 200

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(work, range(90)))
    assert call.store.quantity(11) == 10 + 30 * 2 - 30
    assert len(call.store.book.orders) == 60


def test_another_process_can_act_as_customers_and_staff(call):
    order = call.control("POST", "checkout", {"lines": [{"id": 11, "quantity": 2}], "payment_method": "bacs"}).json()
    assert (order["status"], call.store.quantity(11)) == ("on-hold", 8)
    call.control("POST", "refund", {"id": order["order_id"]})
    assert call.store.quantity(11) == 10
    call.control("POST", "quantity", {"id": 11, "quantity": 99})
    assert call.store.quantity(11) == 99


def test_a_write_while_stock_is_not_managed_by_the_shop_changes_nothing(call):
    call.store.set_option("products", "woocommerce_manage_stock", "no")
    row = call("PUT", "products/11", json={"stock_quantity": 3}).json()
    assert (row["manage_stock"], row["stock_quantity"]) == (False, 10)


def test_a_walk_is_sorted_once_and_sees_what_changes_between_its_pages(call):
    query = {"orderby": "id", "order": "asc", "per_page": "2", "_fields": "id,stock_quantity"}
    assert [row["id"] for row in call("GET", "products", params=query).json()] == [11, 12]
    call.store.set_quantity(12, 77)
    assert call("GET", "products", params=query).json()[1]["stock_quantity"] == 77
    call("DELETE", "products/11", params={"force": "true"})
    assert [row["id"] for row in call("GET", "products", params=query).json()] == [12, 13]


def test_a_trashed_product_leaves_the_list_and_keeps_its_sku(call):
    assert call("DELETE", "products/11").json()["status"] == "publish"
    listed = call("GET", "products", params={"_fields": "id"}).json()
    assert 11 not in [row["id"] for row in listed]
    assert [row["id"] for row in call("GET", "products", params={"status": "trash", "_fields": "id"}).json()] == [11]
    assert call("POST", "products", json={"sku": "A-1"}).status_code == 400


@pytest.mark.parametrize("version", ["10.2", "10.5"])
def test_a_hundred_thousand_products_are_walked_whole_and_fast(version):
    store = StoreApp(version=version, basic_over_http=True)
    store.generate(products=100_000, variable=0)
    lists, found, page = store.lists, set(), 1
    before = time.process_time()
    while rows := lists.products({"orderby": "id", "order": "asc", "per_page": "100", "page": str(page)}).rows:
        found |= {row.id for row in rows}
        page += 1
    assert len(found) == 100_000
    assert time.process_time() - before < 2


def test_a_hundred_rows_of_chosen_fields_cost_little():
    store = StoreApp(basic_over_http=True)
    store.generate(products=3000)
    fields = "id,sku,type,parent_id,stock_quantity,manage_stock,stock_status,backorders,regular_price,sale_price,price"
    query = {"per_page": "100", "orderby": "id", "order": "asc", "_fields": f"{fields},date_modified_gmt"}
    client, key = Client(store), (store.key, store.secret)
    client.get("/wp-json/wc/v3/products", query_string=query, auth=key)
    before = time.process_time()
    for page in range(1, 31):
        reply = client.get("/wp-json/wc/v3/products", query_string=query | {"page": str(page)}, auth=key)
        assert len(reply.json) == 100
    assert (time.process_time() - before) / 30 < 0.003
