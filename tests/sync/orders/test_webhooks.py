"""The way in: what is taken, what is refused, and that nothing of the refused is kept (reliability.md, Abuse and Process)."""

import json
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings
from rest_framework.request import Request

from connectors.models import Connection
from connectors.woocommerce.hooks import signature_is_right
from sync.api.body import BodyRefusedError, OneForm, RawBody, body_read
from sync.models import InboundEvent
from tests.conformance.recordings import FOLDER
from tests.factories import store_connection
from tests.sync.hooked import ADDRESS, events, post, share_secret, signed

pytestmark = pytest.mark.django_db
HINT = "/webhook/order"
BOTH = pytest.mark.parametrize("address", [ADDRESS, HINT])
HINT_BODY = b'{"order_id": 512, "items": []}'  # and of an order's own webhook as much as we need
BODY = json.dumps(
    {
        "id": 512,
        "number": "512",
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-03-02T09:00:00",
        "date_modified_gmt": "2026-03-02T09:00:05",
        "billing": {"first_name": "Ada", "email": "ada@example.com"},
        "customer_note": "Ring twice",
        "line_items": [
            {
                "id": 7,
                "product_id": 11,
                "variation_id": 0,
                "sku": "MUG-1",
                "name": "Mug",
                "quantity": 2,
                "price": 4.1,
                "meta_data": [{"key": "_reduced_stock", "value": "2"}, {"key": "engraving", "value": "Ada"}],
            }
        ],
    }
).encode()


@pytest.fixture(autouse=True)
def store(db: None) -> Connection:
    store = store_connection("store")
    store.credentials = {"consumer_key": "ck_1", "consumer_secret": "cs_1"}
    share_secret(store)
    return store


def test_a_signed_webhook_is_kept_without_its_customer(store):
    assert post(BODY).status_code == 200
    event = InboundEvent.objects.get()
    assert (event.connection, event.topic, event.resource_id, event.state) == (store, "order.updated", 512, "new")
    assert "Ada" not in json.dumps(event.payload)
    assert "Ring twice" not in json.dumps(event.payload)
    assert event.payload["line_items"] == [
        {
            "id": 7,
            "product_id": 11,
            "variation_id": 0,
            "sku": "MUG-1",
            "name": "Mug",
            "quantity": 2,
            "meta_data": [{"key": "_reduced_stock", "value": "2"}],
        }
    ]


def test_the_slash_at_the_end_is_no_redirect():
    answers = [post(BODY, address=address) for address in (ADDRESS, ADDRESS.rstrip("/"))]
    assert [answer.status_code for answer in answers] == [200, 200]
    body = b'{"order_id": 1, "items": []}'
    assert [post(body, address=address).status_code for address in (HINT, f"{HINT}/")] == [200, 200]


@pytest.mark.parametrize(
    "signature",
    ["", signed(BODY, "another-secret-of-16"), signed(BODY[:-1]), signed(BODY).rstrip("="), "ü", signed(BODY).lower()],
)
@BOTH
def test_a_forged_or_unsigned_webhook_is_refused_and_not_kept(signature, address):
    assert post(BODY, address=address, signature=signature).status_code == 401
    assert events() == []


def test_a_body_changed_on_the_way_is_refused():
    assert post(BODY.replace(b'"quantity": 2', b'"quantity": 9'), signature=signed(BODY)).status_code == 401
    assert events() == []


def test_an_unknown_connection_is_refused_like_a_wrong_signature():
    known, unknown = post(BODY, signature="x"), post(BODY, address="/webhooks/woocommerce/nobody/")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 401


@pytest.mark.parametrize("change", [{"is_active": False}, {"credentials": {"consumer_key": "ck_1", "consumer_secret": "cs_1"}}])
def test_a_connection_out_of_use_or_without_a_secret_takes_nothing(store, change):
    for name, value in change.items():
        setattr(store, name, value)
    store.save()
    for body, signature in ((BODY, None), (BODY, signed(BODY, "")), (BODY, "")):
        for address in (ADDRESS, HINT):
            assert post(body, address=address, signature=signature).status_code == 401
    assert events() == []


def test_one_shop_cannot_speak_for_another(store):
    other = store_connection("other")
    other.credentials = {"consumer_key": "ck_2", "consumer_secret": "cs_2"}
    share_secret(other, "whsec-of-the-other-shop")
    assert post(BODY, signature=signed(BODY, "whsec-of-the-other-shop")).status_code == 401
    assert post(BODY, address="/webhooks/woocommerce/other/").status_code == 401
    body = b'{"order_id": 9, "items": [{"sku": "MUG-1", "quantity": 1}]}'
    assert post(body, address=HINT, signature=signed(body, "whsec-of-the-other-shop")).status_code == 200
    assert InboundEvent.objects.get().connection == other


def test_the_greeting_of_a_new_webhook_is_answered_and_not_kept():
    form = "application/x-www-form-urlencoded"
    assert post(b"webhook_id=4", signature="", content_type=form).status_code == 200
    assert post(b"webhook_id=4", signature="", content_type=form, address="/webhooks/woocommerce/nobody/").status_code == 200
    assert post(b"webhook_id=4&a=1", signature="", content_type=form).status_code == 415
    assert events() == []


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_only_json_is_taken(content_type):
    assert post(BODY, content_type=content_type).status_code == 415
    assert events() == []


def test_a_form_is_not_parsed_before_the_signature(monkeypatch):
    def parse(self: Any) -> None:
        raise AssertionError("a parser saw the body")

    monkeypatch.setattr("django.http.request.HttpRequest._load_post_and_files", parse)
    assert post(BODY, content_type="multipart/form-data; boundary=x", signature="").status_code == 415
    assert post(BODY, signature="").status_code == 401
    assert post(BODY).status_code == 200


def test_a_giant_body_is_refused_before_it_is_read(rf):
    class Untouched:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    request = Request(rf.post(ADDRESS), parsers=[RawBody()], negotiator=OneForm())
    request.META["CONTENT_LENGTH"] = str(50 * 1024 * 1024)
    request._stream = Untouched()
    with pytest.raises(BodyRefusedError) as refused:
        body_read(request, limit=2 * 1024 * 1024)
    assert refused.value.status == 413
    big = b" " * (2 * 1024 * 1024 + 1)
    assert post(big).status_code == 413
    assert events() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff\xfe", b'<br />Notice: x{"id": 1}', b'{"id": NaN}', b"[" * 50_000])
def test_what_the_shop_signed_and_nobody_can_read_is_kept_for_a_person(body):
    assert post(body).status_code == 200  # a refusal would only make the shop disable the webhook
    event = InboundEvent.objects.get()
    assert (event.state, event.payload, event.resource_id) == ("failed", None, 0)
    assert "no JSON" in event.note


def test_the_same_webhook_four_times_is_kept_once():
    assert [post(BODY).status_code for _ in range(4)] == [200] * 4
    assert events() == [("order.updated", 512, "new")]


def test_two_orders_with_one_delivery_id_are_both_kept():
    other = BODY.replace(b"512", b"513")
    assert [post(body).status_code for body in (BODY, other)] == [200, 200]  # `post` sends one delivery id always
    assert events() == [("order.updated", 512, "new"), ("order.updated", 513, "new")]


def test_news_of_products_is_answered_and_not_kept():
    assert post(BODY, topic="product.updated").status_code == 200
    assert post(BODY, topic="").status_code == 200
    assert events() == []


@BOTH
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_only_post_is_answered(method, address):
    headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signed(BODY)}
    answer = Client().generic(method, address, BODY, content_type="application/json", headers=headers)
    said = b'{"message": "This is an address for webhooks: send a POST."}'
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer.content == (b"" if method == "HEAD" else said)
    assert events() == []


@BOTH
@pytest.mark.parametrize(
    "asked", ["text/html,application/xhtml+xml,*/*;q=0.8", "application/xml", "application/json; indent=4", "?"]
)
@pytest.mark.parametrize("question", ["", "?format=api", "?format=xml"])
def test_the_answer_is_the_same_json_whatever_was_asked_for(address, asked, question):
    answer = post(HINT_BODY, address=f"{address}{question}", headers={"Accept": asked})
    assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "application/json", b'{"message": "Kept."}')
    assert len(events()) == 1


@BOTH
def test_no_login_opens_or_closes_it_and_no_cookie_is_set(address, admin_client):
    admin_client.handler.enforce_csrf_checks = True
    headers = {"X-WC-Webhook-Topic": "order.updated", "Origin": "https://elsewhere.example"}
    for signature, status in (("", 401), (signed(HINT_BODY), 200)):
        answer = admin_client.post(
            address,
            HINT_BODY,
            content_type="application/json",
            headers={**headers, "X-WC-Webhook-Signature": signature, "Authorization": "Basic YTpi"},
        )
        assert (answer.status_code, dict(answer.cookies), "WWW-Authenticate" in answer) == (status, {}, False)
        assert "Cookie" not in answer.get("Vary", "")
    assert len(events()) == 1


@BOTH
@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"])
def test_json_is_json_however_it_is_written(content_type, address):
    assert post(HINT_BODY, address=address, content_type=content_type).content == b'{"message": "Kept."}'
    assert len(events()) == 1


@BOTH
@pytest.mark.parametrize(
    "content_type",
    [
        "application/vnd.api+json",
        "text/html",
        "*/*",
        "application/*",
        "garbage",
        "multipart/form-data",
        "application/json, text/html",
        "a" * 300,
    ],
)
def test_a_kind_of_body_that_nobody_knows_is_refused_in_words(content_type, address):
    answer = post(HINT_BODY, address=address, content_type=content_type)
    said = b'{"message": "JSON only: send it with Content-Type: application/json."}'
    assert (answer.status_code, answer["Content-Type"], answer.content) == (415, "application/json", said)
    assert events() == []


@pytest.mark.parametrize(
    ("address", "status", "kept"), [(ADDRESS, 200, [("order.updated", 0, "failed")]), (HINT, 400, [])], ids=["order", "hint"]
)
def test_an_empty_body_must_be_signed_and_json_like_any_other(address, status, kept):
    def sent(content_type: str, signature: str) -> int:
        said = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": "0"}  # Django's client leaves them out where there is no body
        return post(b"", address=address, signature=signature, **said).status_code

    for other in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""):
        assert sent(other, signed(b"")) == 415
    assert sent("application/json", "") == 401
    assert events() == []
    assert sent("application/json", signed(b"")) == status
    assert events() == kept


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"{", b'{"order_id": "x", "items": []}', b'{"order_id": 1, "items": [{"sku": "A"}]}']
)
def test_a_hint_of_another_form_is_refused_with_the_right_one(body):
    answer = post(body, address=HINT)
    assert answer.status_code == 400
    assert "order_id" in answer.json()["message"]
    assert events() == []


def test_a_database_that_is_down_is_never_a_200():
    def down(*_: Any) -> Any:
        raise OperationalError("no connection")

    with connection.execute_wrapper(down):
        assert post(BODY).status_code == 503
        assert post(b'{"order_id": 1, "items": []}', address=HINT).status_code == 503
    assert events() == []


@pytest.fixture
def hanging_broker(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A broker that takes two seconds and then breaks. Result: when it was called."""
    from celery import current_app

    called: list[float] = []

    def hang(*_: Any, **__: Any) -> None:
        called.append(time.monotonic())
        time.sleep(2)
        raise ConnectionError("Redis hangs")

    monkeypatch.setattr(current_app._get_current_object(), "send_task", hang)
    return called


def test_a_broker_that_hangs_delays_no_answer(hanging_broker):
    began = time.monotonic()
    for order_id in range(600, 610):
        assert post(BODY.replace(b"512", str(order_id).encode())).status_code == 200
    assert time.monotonic() - began < 1.5  # the broker alone would have taken 20 s
    assert len(events()) == 10
    deadline = began + 10  # the thread that wakes may still rest from an earlier test's message
    while not hanging_broker and time.monotonic() < deadline:
        time.sleep(0.01)
    assert 1 <= len(hanging_broker) <= 2  # and the ten became one or two messages


def test_the_public_names_and_middleware_are_those_that_webhooks_need(settings):
    assert "django.middleware.csrf.CsrfViewMiddleware" in settings.MIDDLEWARE
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=[r"^healthz$", r"^webhooks?/"]):
        assert post(BODY).status_code == 200
        assert post(b'{"order_id": 1, "items": []}', address=HINT).status_code == 200


@pytest.mark.parametrize(
    "name", ["10.2/e04_deliveries_order_create", "10.2/e05_deliveries_order_cancel", "10.2/e06_deliveries_refund"]
)
def test_deliveries_of_a_real_shop_are_taken(store, name):
    share_secret(store, "whsec-local-test")
    sent = [
        one
        for one in json.loads((FOLDER / f"{name}.json").read_text())
        if dict(one["headers"]).get("X-WC-Webhook-Topic", "").startswith("order.")
    ]
    assert sent
    for one in sent:
        headers = dict(one["headers"])
        body = one["body"].encode()
        assert signature_is_right(body, secret="whsec-local-test", signature=headers["X-WC-Webhook-Signature"])
        assert post(body, topic=headers["X-WC-Webhook-Topic"], signature=headers["X-WC-Webhook-Signature"]).status_code == 200
    assert {state for _, _, state in events()} == {"new"}
    assert len(events()) == len(sent)
