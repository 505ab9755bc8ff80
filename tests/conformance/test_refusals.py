"""Keys, signatures, refusals and error pages, as recorded."""

import json

import pytest
from werkzeug.test import Client

from sandbox.woocommerce.auth import signature
from tests.conformance.compare import same_headers, same_product
from tests.conformance.recordings import RECORDINGS, exchanges
from tests.conformance.shop import Shop, key

HTTP = "http://127.0.0.1:8088"
# Whose key each request came with, and how: the recordings keep no request headers.
CALLERS = {
    "10.2/f01_bad_key": {"auth": ("ck_nobody", "cs_nobody")},
    "10.2/f01b_bad_secret": {"auth": (key("rw")[0], "cs_wrong")},
    "10.2/f01c_no_auth": {"auth": None},
    "10.2/f01d_basic_over_http": {"auth": key("rw"), "base": HTTP},
    "10.2/f01e_key_in_query_https": {"auth": None},
    "10.2/f01f_key_in_query_http": {"auth": None, "base": HTTP},
    "10.2/f02_oauth1_http": {"auth": None, "base": HTTP},
    "10.2/f02b_oauth1_bad_signature": {"auth": None, "base": HTTP},
    "10.2/f02c_oauth1_stale_timestamp": {"auth": None, "base": HTTP},
    "10.2/f03_read_only_key_write": {"auth": key("ro"), "body": {"stock_quantity": 1}},
    "10.2/f03b_read_only_key_batch": {"auth": key("ro"), "body": {"update": []}},
    "10.2/f03c_read_only_key_read": {"auth": key("ro")},
    "10.2/f03d_write_only_key_read": {"auth": key("wo")},
    "10.5/v_a11_variations_key_ro": {"auth": key("ro")},
    "10.5/v_a11_variations_key_wo": {"auth": key("wo")},
    "10.5/v_a11_variations_no_auth": {"auth": None},
}
REFUSED = [name for name in exchanges("10.2/f04", "10.2/f06", "10.2/f07", "10.2/f08") if "spaces" not in name]
REFUSED += ["10.2/a13_url_too_long", "10.5/v_h01_v4_off", "10.5/v_h02_products_catalog"]
PAGES = {"10.2/f09_maintenance_503": "maintenance", "10.2/f10_php_fatal_500": "fatal"}
JSON_PAGES = {"10.2/f09b_maintenance_503_accept_json": "maintenance", "10.2/f10b_php_fatal_500_accept_json": "fatal"}
MADE = {
    "10.2/f05b_wrong_content_type": {"data": '{"name": "x"}', "content_type": "text/plain"},
    "10.2/f07e_sku_spaces": {},
}
REPLAYS = {
    *CALLERS,
    *REFUSED,
    *PAGES,
    *JSON_PAGES,
    *MADE,
    "10.2/f05_invalid_json",
    "10.2/h02_batch_dies_midway_500",
    "10.2/h02_batch_php_time_limit_500",
}


@pytest.mark.parametrize("name", CALLERS)
def test_a_key_is_let_in_or_refused_as_recorded(name):
    recording, how = RECORDINGS[name], CALLERS[name]
    shop = Shop(recording)
    if recording.response["status"] == 200 and "sku" in recording.body[0]:
        shop.product(recording.body[0])
    client = Client(shop.store)
    more = {"json": how["body"]} if "body" in how else {}
    response = client.open(
        f"/wp-json{recording.path}",
        method=recording.method,
        query_string=recording.request["query"],
        base_url=how.get("base", recording.base),
        auth=how["auth"],
        **more,
    )
    assert response.status_code == recording.response["status"]
    if recording.response["status"] == 200:
        assert response.headers["X-WP-Total"] == recording.headers["X-WP-Total"]
        assert {frozenset(row) for row in response.json} == {frozenset(row) for row in recording.body}
    else:
        same_headers(recording, response)
        assert response.json == recording.body
    assert shop.store.quantity(954) == 50


def test_our_signature_is_the_one_woocommerce_accepted():
    query = RECORDINGS["10.2/f02_oauth1_http"].request["query"]
    assert signature("GET", f"{HTTP}/wp-json/wc/v3/products", list(query.items()), key("rw")[1]) == query["oauth_signature"]


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_is_refused_as_recorded_and_changes_nothing(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    if "sku_of_trashed" in name:
        made = shop.send("POST", "/wc/v3/products", body={"name": "t", "sku": "TRASH-1"})
        shop.send("DELETE", f"/wc/v3/products/{made.json['id']}")
    before = (shop.store.catalogue.changes, len(shop.store.catalogue.products))
    response = shop.replay()
    assert response.status_code == recording.response["status"]
    same_headers(recording, response)
    expected = recording.body.get("_raw_text")
    assert (response.text if expected else response.json) == (expected or recording.body)
    assert (shop.store.catalogue.changes, len(shop.store.catalogue.products)) == before


def test_broken_json_is_refused_as_recorded():
    recording = RECORDINGS["10.2/f05_invalid_json"]
    shop = Shop(recording)
    response = shop.send("POST", recording.path, data='{"name": ', content_type="application/json")
    assert response.status_code == 400
    same_headers(recording, response)
    assert response.json == recording.body
    assert shop.store.writes[-1].status == 400


@pytest.mark.parametrize("name", MADE)
def test_an_odd_request_makes_a_product_as_recorded(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    shop.next_ids(thing=recording.body["id"])
    response = shop.send("POST", recording.path, body=recording.request["body"], **MADE[name])
    assert response.status_code == 201
    same_headers(recording, response)
    same_product(recording.body, response.json)


@pytest.mark.parametrize("name", [*PAGES, *JSON_PAGES])
def test_an_error_page_is_html_unless_json_is_accepted(name):
    recording = RECORDINGS[name]
    shop = Shop(recording)
    shop.store.faults.arm((PAGES | JSON_PAGES)[name])
    accept = {"headers": {"Accept": "application/json"}} if name in JSON_PAGES else {}
    response = shop.send("GET", recording.path, **accept)
    assert response.status_code == recording.response["status"]
    assert response.headers.get("Retry-After") == recording.headers.get("Retry-After")
    assert response.headers["Content-Type"] == recording.headers["Content-Type"]
    if name in JSON_PAGES:
        assert response.json == recording.body
    else:
        said = recording.body["_raw_text"].rpartition('<div class="wp-die-message">')[2].partition("</div>")[0]
        assert said in response.text


def test_a_batch_that_dies_has_written_what_came_before():
    recording = RECORDINGS["10.2/h02_batch_dies_midway_500"]
    shop = Shop(recording)
    shop.store.faults.arm("die_at", at=40)
    body = {"update": [{"id": 500 + number, "stock_quantity": 7} for number in range(100)]}
    response = shop.send("POST", recording.path, body=body, headers={"Accept": "application/json"})
    assert response.status_code == 500
    assert response.json == recording.body
    written = [number for number in range(100) if shop.store.quantity(500 + number) == 7]
    assert written == list(range(40))
    assert recording.content["note"] == "items actually written: 40 of 100"


def test_a_batch_that_runs_long_is_answered_whole():
    recording = RECORDINGS["10.2/h02_batch_php_time_limit_500"]
    shop = Shop(recording)
    body = {"update": [{"id": 900 + number, "stock_quantity": 7} for number in range(100)]}
    response = shop.send("POST", recording.path, query=recording.request["query"], body=body)
    assert response.status_code == 200
    assert [row["stock_quantity"] for row in json.loads(response.data)["update"]] == [7] * 100
