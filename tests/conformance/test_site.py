"""Settings, status and index of the shop, and the shopper's checkout, as recorded."""

import pytest

from tests.conformance.compare import cleaned, same_headers, same_order
from tests.conformance.recordings import RECORDINGS, exchanges, kept
from tests.conformance.shop import Shop

SETTINGS = [*exchanges("10.2/g04", "10.2/g05"), "10.2/g06_manage_stock_off"]
LISTS = ["10.2/g03_settings_products", "10.2/g07_settings_general"]
CHECKOUTS = {
    "10.2/d40_store_api_checkout_cod": "cod",
    "10.2/d40_store_api_checkout_bacs": "bacs",
    "10.2/d40_store_api_checkout_cheque": "cheque",
    "10.2/d41_checkout_pending_payment": "redirect",
}
REPLAYS = {
    *SETTINGS,
    *LISTS,
    *CHECKOUTS,
    "10.2/g01_system_status",
    "10.2/g01b_system_status_fields",
    "10.2/g02_v3_index",
    "10.2/g02b_wp_json_root",
    "10.2/g08_currency",
    "10.2/d41c_second_shopper_over_reserved",
    "10.2/d41d_pending_order_with_reservation",
    "10.2/d42_checkout_more_than_stock",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_shown_and_changed_as_recorded(name):
    recording = RECORDINGS[name]
    shop = Shop(recording, filled=False)
    response = shop.replay()
    assert response.status_code == 200
    same_headers(recording, response)
    told = {"options", "tip", "description", "label"}
    assert cleaned(response.json, told) == cleaned(recording.body, told)


@pytest.mark.parametrize("name", LISTS)
def test_a_group_of_settings_is_a_list_of_the_recorded_shape(name):
    recording = RECORDINGS[name]
    response = Shop(recording, filled=False).replay()
    assert response.status_code == 200
    same_headers(recording, response)
    shape = {"id", "label", "description", "type", "default", "value", "_links"}
    assert all(shape <= set(row) for row in kept(recording.body))
    assert all(shape <= set(row) for row in response.json)
    assert not any("group_id" in row for row in [*kept(recording.body), *response.json])


def test_the_status_tells_versions_and_currency_as_recorded():
    recording = RECORDINGS["10.2/g01_system_status"]
    shop = Shop(recording)
    response = shop.replay()
    assert response.status_code == 200
    same_headers(recording, response)
    for part in ("environment", "settings"):
        told = {
            name: value for name, value in response.json[part].items() if name not in ("home_url", "site_url", "enabled_features")
        }
        assert told == {name: recording.body[part][name] for name in told}
    assert all(row in recording.body["post_type_counts"] for row in response.json["post_type_counts"])


def test_the_status_is_trimmed_inside_its_parts():
    recording = RECORDINGS["10.2/g01b_system_status_fields"]
    response = Shop(recording, filled=False).replay()
    assert response.json == recording.body


def test_the_index_lists_the_routes_that_are_there():
    recording = RECORDINGS["10.2/g02_v3_index"]
    shop = Shop(recording, filled=False)
    response = shop.send("GET", "/wc/v3/", auth=("", ""))
    assert response.status_code == 200
    same_headers(recording, response)
    assert response.json["namespace"] == recording.body["namespace"]
    assert set(response.json["routes"]) <= {_as_wordpress(path) for path in recording.body["routes"]}
    assert "/wc/v3/variations" not in response.json["routes"]


def _as_wordpress(path: str) -> str:
    """A recorded route with its parameters written as ours are."""
    names = {
        "(?P<product_id>[\\d]+)/variations/(?P<id>[\\d]+)": "<int:parent_id>/variations/<int:product_id>",
        "(?P<product_id>[\\d]+)/variations": "<int:parent_id>/variations",
        "orders/(?P<order_id>[\\d]+)/refunds/(?P<id>[\\d]+)": "orders/<int:order_id>/refunds/<int:refund_id>",
        "orders/(?P<order_id>[\\d]+)": "orders/<int:order_id>",
        "orders/(?P<id>[\\d]+)": "orders/<int:order_id>",
        "webhooks/(?P<id>[\\d]+)": "webhooks/<int:number>",
        "products/(?P<id>[\\d]+)": "products/<int:product_id>",
    }
    for theirs, ours in names.items():
        path = path.replace(theirs, ours)
    return path


def test_the_root_tells_name_time_zone_and_namespaces_to_everybody():
    recording = RECORDINGS["10.2/g02b_wp_json_root"]
    shop = Shop(recording, filled=False)
    response = shop.send("GET", "/", auth=("", ""))
    assert response.status_code == 200
    for name in ("name", "description", "gmt_offset", "timezone_string"):
        assert response.json[name] == recording.body[name]
    assert set(response.json["namespaces"]) <= set(recording.body["namespaces"])


def test_the_currency_is_told_as_recorded():
    recording = RECORDINGS["10.2/g08_currency"]
    response = Shop(recording, filled=False).replay()
    same_headers(recording, response)
    assert response.json == recording.body


@pytest.mark.parametrize("name", CHECKOUTS)
def test_a_shoppers_order_starts_in_the_status_of_its_way_to_pay(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    shop.next_ids(thing=recording.body["order_id"])
    order = shop.store.checkout.check_out([{"id": 600, "quantity": 4}], payment_method=CHECKOUTS[name])
    assert (order.id, order.status) == (recording.body["order_id"], recording.body["status"])
    assert shop.store.quantity(600) == (50 if recording.body["status"] == "pending" else 46)


def test_an_unpaid_order_holds_stock_that_rest_does_not_show():
    recording = RECORDINGS["10.2/d41d_pending_order_with_reservation"]
    shop = Shop(recording)
    product = shop.store.product(684)
    product.name, product.regular_price, product.quantity = "Hydro item 606", "24.95", 10
    shop.store.catalogue.rename_sku(product, "HYD-000606")
    shop.next_ids(thing=3621, line=353)
    order = shop.store.checkout.check_out([{"id": 684, "quantity": 4}], payment_method="redirect")
    ours = {"payment_method": recording.body["payment_method"], "payment_method_title": "Redirect test"}
    ours |= {"meta_data": [], "billing": {}, "shipping": {}}
    same_order(recording.body | ours, shop.replay().json | ours)
    assert shop.store.quantity(684) == 10
    refused = RECORDINGS["10.2/d41c_second_shopper_over_reserved"]
    assert _tried(shop, 684, 7) == refused.body
    shop.store.checkout.pay(order)
    assert shop.store.quantity(684) == 6


def test_a_shopper_cannot_buy_more_than_there_is():
    recording = RECORDINGS["10.2/d42_checkout_more_than_stock"]
    shop = Shop(recording)
    shop.store.product(690).name, shop.store.product(690).quantity = "Hydro item 608", 56
    assert _tried(shop, 690, 57) == recording.body
    assert shop.store.book.orders == {}


def _tried(shop: Shop, product_id: int, quantity: int) -> dict:
    """What a shopper is told, through the control another process would use."""
    return shop.store.controls["checkout"]({"lines": [{"id": product_id, "quantity": quantity}]})
