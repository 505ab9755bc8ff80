"""WooCommerce's webhooks: their signature, what we keep of their bodies, and the subscriptions (woocommerce_answers.md 22–26)."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from connectors.contract import Hook, OrderState
from connectors.errors import ConfigError
from connectors.wire import OddValueError, code, identity, json_parse, label, listed, objects, scalar
from connectors.woocommerce.client import Client
from connectors.woocommerce.mapping import ORDER_FIELDS, order_from

# Orders only: our own writes to products would echo as product.updated, and a batch of 99 queues 99 deliveries at the store.
TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
_BARE_TOPICS = frozenset({"order.deleted"})  # body: {"id": 512}
_ORDER_FIELDS = frozenset(ORDER_FIELDS.split(","))
_LINE_FIELDS = ("id", "product_id", "variation_id", "sku", "name", "quantity")
_PING = re.compile(rb"webhook_id=\d{1,20}")


def signature_is_right(body: bytes, *, secret: str, signature: str) -> bool:
    """Is `signature` (X-WC-Webhook-Signature) the one of the raw `body`? Takes as long for a near miss as for a far one. An
    empty secret or signature is never right."""
    expected = b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(expected, signature.encode()) and bool(secret)


def is_ping(body: bytes) -> bool:
    """Is this the unsigned form that a new webhook sends to see whether we are there?"""
    return _PING.fullmatch(body.strip()) is not None


def body_parse(body: bytes) -> dict[str, Any]:
    """Result: a body's object, numbers with a dot as text, exactly as they were written. Raises ValueError."""
    said = json_parse(body, dotted=str)
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


def payload_kept(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Result: what we need of an order's body, and nothing of its customer; all of it can be kept. What is odd stays odd, for
    `order_told` to name."""
    kept = {name: scalar(value) for name, value in payload.items() if name in _ORDER_FIELDS}
    with suppress(OddValueError):
        lines = listed(payload.get("line_items"))
        kept["line_items"] = [_line_kept(line) if isinstance(line, dict) else scalar(line) for line in lines]
    return kept


def order_told(topic: str, payload: Mapping[str, Any]) -> OrderState | None:
    """Result: the order as the body has it, which is as it was when the body was built; None where the topic carries none: an
    order in the bin goes on holding its stock (woocommerce_answers.md 16, 25). Raises UnreadableError."""
    return None if topic in _BARE_TOPICS else order_from(payload)


def hooks_read(client: Client) -> Sequence[Hook]:
    """Result: every webhook of the shop, anybody's."""
    found: dict[int, Hook] = {}
    for number in count(1):
        asked = {"orderby": "id", "order": "asc", "per_page": "100", "page": str(number)}
        page = client.page("webhooks", {**asked, "_fields": "id,topic,delivery_url,status"})
        found.update((hook.remote_id, hook) for hook in map(_hook, page.rows))
        if not page.rows or len(found) >= page.total:
            return list(found.values())
    raise AssertionError("count does not end")


def hook_create(client: Client, *, topic: str, address: str, secret: str) -> Hook:
    """Result: the new webhook. Raises ConnectorError."""
    named = {"name": f"Evenstock {topic}", "topic": topic, "delivery_url": address, "secret": secret, "status": "active"}
    return _hook(client.change("webhooks", named, items=0))


def _hook(row: Mapping[str, Any]) -> Hook:
    try:
        address = label(row["delivery_url"], most=2000)
        return Hook(identity(row["id"]), code(row["topic"], most=200), address, row["status"] == "active")
    except (KeyError, ValueError) as error:
        raise ConfigError(
            "The shop describes its webhooks in a way that can't be used.",
            next_step="A plugin changes what the shop's API says: switch it off, or ask its maker.",
            code="field_odd",
        ) from error


def _line_kept(line: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: scalar(line[name]) for name in _LINE_FIELDS if name in line}
    if "meta_data" in line:
        kept["meta_data"] = _metas_kept(line["meta_data"])
    return kept


def _metas_kept(said: Any) -> Any:
    try:
        metas = objects(said)
    except OddValueError:
        return scalar(said)
    taken = [meta.get("value") for meta in metas if meta.get("key") == "_reduced_stock"]
    return [{"key": "_reduced_stock", "value": scalar(value)} for value in taken]
