"""Webhooks that are lost, doubled, late or out of order, and what a shop holds back."""

import json
import time

import pytest

from sandbox.server import serve
from tests.conformance.receiver import Receiver


@pytest.fixture
def receiver():
    app = Receiver()
    with serve(app) as running:
        app.url = running.url
        yield app


@pytest.fixture
def hooked(call, receiver):
    for topic in ("order.updated", "product.updated"):
        call("POST", "webhooks", json={"topic": topic, "delivery_url": f"{receiver.url}/{topic}", "secret": "s"})
    receiver.wait_for(2)
    assert call.store.hooks.wait_idle()
    assert {one.body for one in receiver.received} == {b"webhook_id=1", b"webhook_id=2"}
    assert not any("X-Wc-Webhook-Signature" in one.headers for one in receiver.received)
    receiver.forget()
    return call.store


def _told(store, receiver):
    assert store.hooks.wait_idle()
    return [(one.path[1:], json.loads(one.body)["id"]) for one in receiver.received]


def test_a_lost_delivery_never_comes_and_a_doubled_one_comes_twice(hooked, receiver):
    hooked.faults.arm("webhook_lost", path="product")
    hooked.faults.arm("webhook_doubled", path="product")
    hooked.set_quantity(11, 1)
    hooked.set_quantity(12, 1)
    hooked.set_quantity(21, 1)
    assert _told(hooked, receiver) == [("product.updated", 12), ("product.updated", 12), ("product.updated", 21)]


def test_a_reordered_delivery_comes_after_the_next(hooked, receiver):
    hooked.hooks.pause()
    hooked.faults.arm("webhook_reordered")
    hooked.set_quantity(11, 1)
    hooked.set_quantity(12, 1)
    hooked.hooks.resume()
    assert _told(hooked, receiver) == [("product.updated", 12), ("product.updated", 11)]


def test_a_late_delivery_says_what_is_so_when_it_comes(hooked, receiver):
    hooked.faults.arm("webhook_late", seconds=0.2)
    hooked.set_quantity(11, 1)
    time.sleep(0.05)
    hooked.product(11).quantity = 2
    assert _told(hooked, receiver) == [("product.updated", 11)]
    assert json.loads(receiver.received[0].body)["stock_quantity"] == 2


def test_changes_that_wait_together_come_as_one(hooked, receiver):
    hooked.hooks.pause()
    for quantity in (1, 2, 3):
        hooked.set_quantity(11, quantity)
    assert hooked.hooks.waiting == 1
    hooked.hooks.resume()
    assert _told(hooked, receiver) == [("product.updated", 11)]
    assert json.loads(receiver.received[0].body)["stock_quantity"] == 3


def test_latency_holds_deliveries_back(hooked, receiver):
    hooked.hooks.latency = 0.2
    hooked.set_quantity(11, 1)
    assert receiver.received == []
    assert _told(hooked, receiver) == [("product.updated", 11)]


def test_a_receiver_that_is_not_there_counts_as_a_failure(call):
    call("POST", "webhooks", json={"topic": "product.updated", "delivery_url": "http://127.0.0.1:1/x"})
    call.store.set_quantity(11, 1)
    assert call.store.hooks.wait_idle()
    assert call.store.hooks.hooks[1].failures == 1


def test_a_deleted_webhook_is_told_nothing_more(hooked, receiver, call):
    hooked.hooks.pause()
    hooked.set_quantity(11, 1)
    assert call("DELETE", "webhooks/2", params={"force": "true"}).status_code == 200
    hooked.hooks.resume()
    assert _told(hooked, receiver) == []


def test_the_body_is_signed_as_sent_not_as_python_would_write_it(hooked, receiver):
    hooked.set_quantity(11, 1)
    assert _told(hooked, receiver)
    body = receiver.received[0].body
    assert b"\\/" in body
    assert json.dumps(json.loads(body), separators=(",", ":")).encode() != body


def test_a_shop_that_is_stopped_keeps_what_it_had_to_tell(call, receiver):
    call("POST", "webhooks", json={"topic": "product.updated", "delivery_url": receiver.url, "secret": "s"})
    receiver.wait_for(1)
    call.store.hooks.pause()
    call.store.set_quantity(11, 1)
    call.store.close()
    assert call.store.hooks.waiting == 1
    call.store.hooks.resume()
    receiver.wait_for(2)
