"""Cases 21, 22, 35 and 37, and what else a webhook may be that it should not: each is answered in JSON that says what to do, and
nothing is kept that should not be."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.core.files import uploadhandler
from django.db import connections
from django.test import Client

from connectors.models import Connection
from sync.models import InboundEvent, Order, OrderLine
from tests.factories import store_connection
from tests.sync.hooked import ADDRESS, events, post, share_secret, signed, tell, work
from tests.sync.shop import Shop

HINT = "/webhook/order"
BOTH = pytest.mark.parametrize("address", [ADDRESS, HINT])
GOOD = json.dumps({"order_id": 512, "items": [{"sku": "MUG-1", "quantity": 2}]}).encode()


@pytest.fixture
def store(db) -> Connection:
    store = store_connection("store")
    store.credentials = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}
    share_secret(store)
    return store


def refused(answer, status: int, *words: str) -> None:
    """It is a refusal in JSON that says why and what to do, it is no page, and nothing was kept of what it refuses."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json")
    said = answer.json()["message"]
    for word in words:
        assert word in said
    assert events() == []


@BOTH
def test_each_refusal_says_what_to_do(store, address):
    refused(post(GOOD, address=address, signature=""), 401, "HMAC-SHA256", "same secret")
    refused(post(GOOD, address=address, signature=signed(GOOD, "another-secret-of-16")), 401, "HMAC-SHA256")
    refused(post(GOOD, address=address, content_type="text/plain"), 415, "Content-Type: application/json")
    refused(post(b" " * (2 * 2**20 + 1), address=address), 413, "2097152 bytes", "one at a time")
    refused(Client().get(address), 405, "send a POST")
    assert Client().get(address)["Allow"] == "POST"


@BOTH
def test_no_upload_is_ever_begun(store, address, settings, monkeypatch):
    """A multipart body would be written to the disk by whoever looks at `request.POST` first."""

    def begun(*_args, **_named):
        raise AssertionError("a parser or an upload handler saw the body")

    for handler in (uploadhandler.MemoryFileUploadHandler, uploadhandler.TemporaryFileUploadHandler):
        monkeypatch.setattr(handler, "handle_raw_input", begun)
        monkeypatch.setattr(handler, "new_file", begun)
    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", begun)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    parts = b'--x\r\nContent-Disposition: form-data; name="f"; filename="../../x.php"\r\n\r\n' + b"A" * 100_000 + b"\r\n--x--\r\n"
    refused(post(parts, address=address, content_type="multipart/form-data; boundary=x", signature=signed(parts)), 415)
    refused(post(GOOD, address=address, signature=""), 401)


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b'{"order_id": 512}',
        b'{"order_id": null, "items": []}',
        b'{"order_id": true, "items": []}',
        b'{"order_id": -4, "items": []}',
        b'{"order_id": 0, "items": []}',
        b'{"order_id": 5.5, "items": []}',
        b'{"order_id": 99999999999999999999, "items": []}',
        b'{"order_id": "512 or 1=1", "items": []}',
        b'{"order_id": 512, "items": {"sku": "A"}}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": -1}]}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": 0}]}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": "two"}]}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": "Infinity"}]}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": NaN}]}',
        b'{"order_id": 512, "items": [{"sku": "A", "quantity": true}]}',
        b'{"order_id": 512, "items": [{"quantity": 1}]}',
        b"\xff\xfe{}",
    ],
)
def test_a_snippet_that_says_nonsense_is_told_the_form(store, body):
    refused(post(body, address=HINT), 400, '"order_id": 512', "quantities above 0")


def test_a_fraction_is_kept_as_it_was_said(store):
    body = b'{"order_id": 512, "items": [{"sku": "TEA", "quantity": 0.25}]}'
    assert post(body, address=HINT).status_code == 200
    assert InboundEvent.objects.get().payload["items"] == [{"sku": "TEA", "quantity": "0.25"}]


# -- what a signed order may say ---------------------------------------------------------------------------------------


@pytest.fixture
def shop(open_shop) -> Shop:
    shop = open_shop(stock={"MUG": 10, "TEA": 10}, till_mode="live")
    shop.running()
    share_secret(shop.store)
    return shop


def told(shop: Shop, **changes) -> None:
    """An order of two mugs, as a webhook that says something else of it."""
    order = shop.app.place_order([("MUG", 2)])
    body = shop.app._hook_body("order.updated", order.id)
    line = {**body["line_items"][0], **changes.pop("line", {})}
    assert post(json.dumps({**body, "line_items": [line], **changes}).encode()).status_code == 200
    assert work(shop) == "done"


@pytest.mark.django_db
def test_an_order_in_another_currency_counts_for_the_shelf_and_keeps_its_currency(shop):
    told(shop, currency="JPY")
    assert shop.movements() == [("MUG", Decimal(-2))]
    assert Order.objects.get().currency == "JPY"


@pytest.mark.django_db
@pytest.mark.parametrize("quantity", ["two", "", None, "NaN", True, [1]])
def test_a_quantity_that_is_none_is_kept_for_a_person_and_moves_nothing(shop, quantity):
    told(shop, line={"quantity": quantity})
    assert (InboundEvent.objects.get().state, shop.movements()) == ("done", [])
    assert "quantity" in OrderLine.objects.get().note


@pytest.mark.django_db
def test_a_fraction_is_booked_as_the_shop_took_it(shop):
    taken = [{"key": "_reduced_stock", "value": "1.25"}]
    told(shop, line={"quantity": 1.25, "meta_data": taken})
    assert shop.movements() == [("MUG", Decimal("-1.25"))]


@pytest.mark.django_db
def test_an_unknown_product_is_kept_with_the_order_and_shown_and_moves_nothing(shop):
    told(shop, line={"product_id": 999_999, "sku": "NOBODY-S"})
    assert InboundEvent.objects.get().state == "done"
    assert shop.movements() == []
    assert list(Order.objects.get().lines.values_list("sku", flat=True)) == ["NOBODY-S"]


# -- at once -----------------------------------------------------------------------------------------------------------


def at_once(jobs) -> list:
    """Run the jobs in threads that start together."""
    start = Barrier(len(jobs))

    def begin(job):
        try:
            start.wait(20)
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(begin, jobs))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_webhook_four_times_at_the_same_moment_has_one_effect(open_shop):
    shop = open_shop(stock={"MUG": 10}, till_mode="live")
    shop.running()
    share_secret(shop.store)
    order = shop.app.place_order([("MUG", 2)])
    assert at_once([lambda: tell(shop, order.id).status_code] * 4) == [200] * 4
    assert events() == [("order.updated", order.id, "new")]
    assert sorted(set(at_once([lambda: work(shop)] * 4))) in (["busy", "done"], ["done"])
    assert work(shop) == "done"
    assert events() == [("order.updated", order.id, "done")]
    assert shop.movements() == [("MUG", Decimal(-2))]
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG": Decimal(8)}
