"""Webhooks as a shop sends them, for tests of the way in."""

import base64
import hmac
import json
from hashlib import sha256
from typing import Any

from django.http import HttpResponse
from django.test import Client

from connectors.models import Connection
from sync.models import InboundEvent
from sync.orders.inbox import inbox_work
from tests.sync.shop import Shop

SECRET = "whsec-0123456789abcdef"
ADDRESS = "/webhooks/woocommerce/store/"


def signed(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()


def share_secret(store: Connection, secret: str = SECRET) -> None:
    store.credentials = {**store.credentials, "webhook_secret": secret}
    store.save()


def post(
    body: bytes, *, address: str = ADDRESS, topic: str = "order.updated", signature: str | None = None, **more: Any
) -> HttpResponse:
    """Send a body as WooCommerce does."""
    headers = {
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Signature": signed(body) if signature is None else signature,
        "X-WC-Webhook-Delivery-ID": "c6bedfc4c154e4b32d5852e28457c52a",
        **more.pop("headers", {}),
    }
    return Client(raise_request_exception=False).post(
        address, body, content_type=more.pop("content_type", "application/json"), headers=headers, **more
    )


def body_of(shop: Shop, order_id: int, topic: str = "order.updated") -> bytes:
    """What the shop would send of that order now."""
    return json.dumps(shop.app._hook_body(topic, order_id)).encode()


def tell(shop: Shop, order_id: int, topic: str = "order.updated") -> HttpResponse:
    return post(body_of(shop, order_id, topic), topic=topic)


def work(shop: Shop) -> str:
    return inbox_work(store=Connection.objects.get(pk=shop.store.pk), now=shop.clock.now)


def events() -> list[tuple[str, int, str]]:
    """(topic, order, state) of everything in the inbox, oldest first."""
    return list(InboundEvent.objects.order_by("id").values_list("topic", "resource_id", "state"))
