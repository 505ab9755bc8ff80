"""Webhooks: made, delivered, disabled, as recorded."""

import base64
import hmac
import json
from hashlib import sha256

import pytest

from sandbox.server import serve
from tests.conformance.compare import cleaned, same_headers, same_order, same_product
from tests.conformance.receiver import Receiver
from tests.conformance.recordings import RECORDINGS, exchanges
from tests.conformance.shop import Shop, moment

SECRET = "whsec-local-test"
MADE = [*exchanges("10.2/e01", "10.2/e13"), *exchanges("10.5/v_w01")]
MADE = [name for name in MADE if "_bad_" not in name]
BAD = ["10.2/e13c_create_webhook_bad_topic", "10.2/e13d_create_webhook_bad_url"]
DELIVERIES = [
    *(
        f"10.2/{name}"
        for name in ("e03_delivery_product_updated_by_rest", "e04_deliveries_order_create", "e05_deliveries_order_cancel")
    ),
    *(f"10.2/{name}" for name in ("e06_deliveries_refund", "e07_deliveries_force_delete", "e08_deliveries_variation_rest")),
    *(f"10.2/{name}" for name in ("e08b_deliveries_variation_order", "e20_deliveries_checkout_draft")),
    *(f"10.2/{name}" for name in ("e21_deliveries_shopper_checkout",)),
    *(f"10.5/{name}" for name in ("v_w02_delivery_product_updated", "v_w04_deliveries_variation_rest")),
    *(f"10.5/{name}" for name in ("v_w05_deliveries_order_variation",)),
]
TOPICS = [
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "product.created",
    "product.updated",
    "product.deleted",
]
REPLAYS = {
    *MADE,
    *BAD,
    *DELIVERIES,
    "10.2/e10_webhook_disabled",
    "10.2/e11_webhook_reenable",
    "10.2/e12_failure_counts",
    "10.2/e14_list_webhooks",
    "10.5/v_w03_delivery_id_uniqueness",
    "10.5/v_w06_failures_until_disabled",
    "10.5/v_w06b_webhook_disabled",
    "10.5/v_w07_reenable",
}
DATES = {"date_created", "date_created_gmt", "date_modified", "date_modified_gmt"}


@pytest.fixture
def receiver():
    app = Receiver()
    with serve(app) as running:
        app.url = running.url
        yield app


@pytest.fixture
def made():
    """Shops made in a test; the threads of their webhooks end with it."""
    shops = []

    def make(name: str) -> Shop:
        shops.append(Shop(RECORDINGS[name]))
        return shops[-1]

    yield make
    for shop in shops:
        shop.store.close()


def _subscribe(shop: Shop, receiver: Receiver, topics: list[str] = TOPICS) -> None:
    for topic in topics:
        body = {"name": topic, "topic": topic, "delivery_url": f"{receiver.url}/hook/{topic}", "secret": SECRET}
        assert shop.send("POST", "/wc/v3/webhooks", body=body).status_code == 201
    receiver.wait_for(len(topics))
    receiver.forget()


@pytest.mark.parametrize("name", MADE)
def test_a_webhook_is_made_as_recorded_and_keeps_its_secret(name, made):
    recording = RECORDINGS[name]
    shop = made(name)
    shop.store.hooks.pause()
    for number in range(1, recording.body["id"]):
        shop.store.hooks.create(
            topic="order.created", delivery_url="http://127.0.0.1:1", secret="", name=str(number), status="paused"
        )
    shop.now = shop.now.fromtimestamp(moment(recording.body["date_created_gmt"]), tz=shop.now.tzinfo)
    response = shop.replay()
    assert response.status_code == 201
    same_headers(recording, response)
    assert response.json == recording.body
    assert "secret" not in response.json


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_webhook_is_refused_as_recorded(name, made):
    recording = RECORDINGS[name]
    shop = made(name)
    response = shop.replay()
    assert response.status_code == 400
    assert response.json == recording.body
    assert shop.store.hooks.hooks == {}


def test_webhooks_are_listed_as_recorded(made):
    recording = RECORDINGS["10.2/e14_list_webhooks"]
    shop = made(recording.name)
    shop.store.hooks.pause()
    shop.now = shop.now.fromtimestamp(moment("2026-11-21T00:02:40"), tz=shop.now.tzinfo)
    for name in sorted(exchanges("10.2/e01"), key=lambda one: RECORDINGS[one].body["id"]):
        shop.send("POST", "/wc/v3/webhooks", body=RECORDINGS[name].request["body"])
    response = shop.replay()
    assert response.status_code == 200
    assert response.headers["X-WP-Total"] == recording.headers["X-WP-Total"]
    recorded = [row for row in recording.body if "id" in row]
    mine = {row["id"]: row for row in response.json}
    assert len(recorded) >= 4
    for row in recorded:
        assert set(mine[row["id"]]) == set(row)
        assert cleaned(mine[row["id"]], DATES | {"status"}) == cleaned(row, DATES | {"status"})


# What was done before each recorded delivery, with the recorded numbers.


def _rest_write(shop, _receiver, recorded):
    body = json.loads(recorded[0]["body"])
    shop.product(body | {"stock_quantity": 1})
    path = f"/wc/v3/products/{body['id']}"
    if body["type"] == "variation":
        path = f"/wc/v3/products/{body['parent_id']}/variations/{body['id']}"
    assert shop.send("PUT", path, body={"stock_quantity": body["stock_quantity"]}).status_code == 200


def _stock_up(shop, recorded, extra=0):
    for one in recorded:
        body = json.loads(one["body"])
        if "stock_quantity" in body:
            shop.product(body | {"stock_quantity": body["stock_quantity"] + extra, "total_sales": 0})


def _order(shop, _receiver, recorded):
    order = json.loads(recorded[0]["body"])
    _stock_up(shop, recorded, extra=order["line_items"][0]["quantity"])
    shop.next_ids(thing=order["id"], line=order["line_items"][0]["id"])
    line = {name: order["line_items"][0][name] for name in ("product_id", "variation_id", "quantity")}
    assert shop.send("POST", "/wc/v3/orders", body={"status": "processing", "line_items": [line]}).status_code == 201


def _cancel(shop, receiver, recorded):
    _before_order(shop, receiver)
    shop.store.change_order(3605, status="completed")
    _settled(shop, receiver)
    shop.store.change_order(3605, status="cancelled")


def _refund(shop, receiver, recorded):
    _before_order(shop, receiver)
    shop.store.change_order(3605, status="completed")
    shop.store.change_order(3605, status="processing")
    _settled(shop, receiver)
    refund = json.loads(next(one for one in recorded if "order" in one["path"])["body"])["refunds"][0]
    shop.next_ids(thing=refund["id"])
    body = {
        "api_refund": False,
        "reason": refund["reason"],
        "line_items": [{"id": 343, "quantity": 1, "refund_total": -float(refund["total"])}],
    }
    assert shop.send("POST", "/wc/v3/orders/3605/refunds", body=body).status_code == 201


def _force_delete(shop, receiver, recorded):
    _before_order(shop, receiver)
    assert shop.send("DELETE", "/wc/v3/orders/3605", query={"force": "true"}).status_code == 200


def _before_order(shop, receiver):
    _order(shop, receiver, RECORDINGS["10.2/e04_deliveries_order_create"].content)
    _settled(shop, receiver)


def _draft(shop, receiver, recorded, *, finish=False):
    order = json.loads(recorded[0]["body"])
    line = order["line_items"][0]
    shop.product({"id": line["product_id"], "type": "simple", "name": line["name"], "sku": line["sku"], "stock_quantity": 50})
    _stock_up(shop, recorded, extra=line["quantity"])
    shop.store.product(line["product_id"]).regular_price = f"{line['price']:.2f}"
    shop.next_ids(thing=order["id"], line=line["id"])
    made = shop.store.checkout.check_out([{"id": line["product_id"], "quantity": line["quantity"]}], draft=True)
    if finish:
        _settled(shop, receiver)
        shop.store.checkout.finish(made)


def _checkout(shop, receiver, recorded):
    _draft(shop, receiver, recorded, finish=True)


def _settled(shop, receiver):
    assert shop.store.hooks.wait_idle()
    receiver.forget()


DONE = {
    "e03": _rest_write,
    "e04": _order,
    "e05": _cancel,
    "e06": _refund,
    "e07": _force_delete,
    "e08": _rest_write,
    "e08b": _order,
    "e20": _draft,
    "e21": _checkout,
    "w02": _rest_write,
    "w04": _rest_write,
    "w05": _order,
}
FROM_SHOPPERS = {"payment_method", "payment_method_title", "billing", "shipping", "meta_data", "needs_payment", "created_via"}


@pytest.mark.parametrize("name", DELIVERIES)
def test_what_happens_is_told_as_recorded(name, receiver, made):
    recording = RECORDINGS[name]
    shop = made(name)
    shop.store.hooks.site_url = shop.recording.base.replace("https", "http")
    if recording.content:
        shop.now = shop.now.fromtimestamp(int(recording.content[0]["t"]), tz=shop.now.tzinfo)
    _subscribe(shop, receiver)
    DONE[name.rpartition("/")[2].removeprefix("v_").partition("_")[0]](shop, receiver, recording.content)
    assert shop.store.hooks.wait_idle()
    got = {one.path: one for one in receiver.received}
    assert sorted(one.path for one in receiver.received) == sorted(one["path"] for one in recording.content)
    for one in recording.content:
        mine = got[one["path"]]
        recorded = dict(one["headers"])
        assert set(mine.headers) == {header.title() for header in recorded}
        same = ("User-Agent", "Accept", "Content-Type", "X-Wc-Webhook-Topic", "X-Wc-Webhook-Resource", "X-Wc-Webhook-Event")
        assert {k: v for k, v in mine.headers.items() if k in same} == {
            k.title(): v for k, v in recorded.items() if k.title() in same
        }
        assert mine.headers["X-Wc-Webhook-Signature"] == _signed(mine.body)
        assert len(mine.headers["X-Wc-Webhook-Delivery-Id"]) == len(recorded["X-WC-Webhook-Delivery-ID"])
        _same_body(json.loads(one["body"]), json.loads(mine.body))


def _same_body(recorded, mine):
    links = {"_links", "permalink"}  # they carry the address under which the shop was asked
    if "order_key" not in recorded:
        assert set(mine) == set(recorded)
        dates = {"date_created", "date_created_gmt", "date_modified", "date_modified_gmt", *links}
        same_product({k: v for k, v in recorded.items() if k not in dates}, {k: v for k, v in mine.items() if k not in dates})
        return
    skipped = FROM_SHOPPERS | links if recorded["created_via"] == "store-api" else links
    same_order({k: v for k, v in recorded.items() if k not in skipped}, {k: v for k, v in mine.items() if k not in skipped})


def _signed(body: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), body, sha256).digest()).decode()


@pytest.mark.parametrize("name", [name for name in DELIVERIES if RECORDINGS[name].content])
def test_the_recorded_signatures_are_made_as_ours_are(name):
    for one in RECORDINGS[name].content:
        assert dict(one["headers"])["X-WC-Webhook-Signature"] == _signed(one["body"].encode())


def test_deliveries_of_one_second_share_their_id(receiver, made):
    recorded = RECORDINGS["10.5/v_w03_delivery_id_uniqueness"].content
    shop = made("10.5/v_w03_delivery_id_uniqueness")
    _subscribe(shop, receiver, ["product.updated"])
    first = len([one for one in recorded["ids"] if one == recorded["ids"][0]])
    for number in range(recorded["deliveries"]):
        if number == first:
            assert shop.store.hooks.wait_idle()
            shop.now = shop.now.fromtimestamp(shop.now.timestamp() + 1, tz=shop.now.tzinfo)
        shop.store.set_quantity(500 + number, 3)
    assert shop.store.hooks.wait_idle()
    ids = [one.headers["X-Wc-Webhook-Delivery-Id"] for one in receiver.received]
    assert len(ids) == recorded["deliveries"]
    assert len(set(ids)) == recorded["distinct_delivery_ids"]


def _fail(shop, receiver, status):
    receiver.forget()
    receiver.status = status
    shop.store.set_quantity(500, 1)
    assert shop.store.hooks.wait_idle()
    return len(receiver.received)


def test_failures_are_counted_and_disable_as_recorded(receiver, made):
    shop = made("10.2/e12_failure_counts")
    _subscribe(shop, receiver, ["product.updated"])
    hook = shop.store.hooks.hooks[1]
    for mode, state, delivered in RECORDINGS["10.2/e12_failure_counts"].content:
        status = 200 if mode == "ok" else int(mode) if isinstance(mode, str) else 500
        came = _fail(shop, receiver, status)
        assert (came, f"{hook.status} failure_count={hook.failures}") == (delivered, state), mode


def test_the_seventh_failure_disables_and_an_eighth_follows_at_once_after_enabling(receiver, made):
    shop = made("10.5/v_w06_failures_until_disabled")
    _subscribe(shop, receiver, ["product.updated"])
    for step in RECORDINGS["10.5/v_w06_failures_until_disabled"].content:
        assert _fail(shop, receiver, 500) == step["delivered"]
        hook = shop.store.hooks.hooks[1]
        assert (hook.status, f"{hook.failures}\t{hook.status}") == (step["status"], step["db"])
    for name in ("10.2/e10_webhook_disabled", "10.5/v_w06b_webhook_disabled"):
        _same_hook(RECORDINGS[name].body, shop.send("GET", "/wc/v3/webhooks/1").json)
    for name in ("10.2/e11_webhook_reenable", "10.5/v_w07_reenable"):
        recording = RECORDINGS[name]
        _same_hook(recording.body, shop.send("PUT", "/wc/v3/webhooks/1", body=recording.request["body"]).json)
    assert _fail(shop, receiver, 500) == 1
    assert shop.store.hooks.hooks[1].status == "disabled"
    assert _fail(shop, receiver, 200) == 0


def _same_hook(recorded, mine):
    named = DATES | {"id", "name", "delivery_url", "_links"}
    assert set(mine) == set(recorded)
    assert cleaned(mine, named) == cleaned(recorded, named)
    assert mine["date_modified"] is not None
