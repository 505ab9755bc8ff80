"""Where stores tell us of orders (engine.md). Verify, keep, answer; the work is done by others, afterwards."""

import hashlib
import logging
import secrets
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from connectors.errors import ConfigError
from connectors.models import Connection
from connectors.wire import code, decimal
from connectors.woocommerce.hooks import TOPICS, body_parse, is_ping, payload_kept, signature_is_right
from sync.api.body import BodyRefusedError, OneForm, RawBody, body_read
from sync.orders.inbox import HINT, event_receive
from sync.orders.wake import inbox_wake

logger = logging.getLogger(__name__)
KIND = "woocommerce"
NOBODYS_SECRET = secrets.token_hex(32)
LONGEST_ID = 2**63 - 1
HINT_FORM = 'Say {"order_id": 512, "items": [{"sku": "MUG-1", "quantity": 2}]}: a number of the shop, and quantities above 0.'
NOT_SIGNED = (
    "Not signed by a shop we know. X-WC-Webhook-Signature is the base64 of the HMAC-SHA256 of the body as it is sent, made with "
    "the connection's webhook secret. Check that both sides have the same secret, and that the address names the connection."
)


class _Spaced(JSONRenderer):
    """JSON as these addresses have always said it: with a space after each comma and colon."""

    compact = False


class _Webhook(APIView):
    """What both addresses share: POST only, the body as it came, no login beside the signature, refusals as JSON, and 503 when
    nothing can be kept."""

    http_method_names = ["post"]
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (RawBody,)
    renderer_classes = (_Spaced,)
    content_negotiation_class = OneForm

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, MethodNotAllowed):
            return _answer(405, "This is an address for webhooks: send a POST.")
        if isinstance(exc, BodyRefusedError):
            return _answer(exc.status, str(exc))
        if isinstance(exc, DatabaseError):
            logger.error("A webhook could not be kept", exc_info=exc)
            return _answer(
                503, "Not kept: our database does not answer. Send it again in a minute, or leave it to the next poll."
            )
        return super().handle_exception(exc)


class WooCommerceWebhook(_Webhook):
    """WooCommerce's own webhooks. The answer is the same whether the connection or the signature is wrong."""

    def post(self, request: Request, connection: str) -> Response:
        body = body_read(request, limit=settings.EVENSTOCK_WEBHOOK_LIMIT)
        if is_ping(body):  # unsigned, and wants exactly 200; it tells nothing, so nothing is kept
            return _answer(200, "pong")
        _json_only(request)
        store = _signed_by(request, body, Connection.objects.filter(name=connection, kind=KIND, is_active=True))
        topic = request.headers.get("X-WC-Webhook-Topic", "")
        if topic not in TOPICS:
            return _answer(200, "Nothing we need.")
        try:
            payload = payload_kept(body_parse(body))
        except ValueError:
            payload = None
        _keep(store, topic, (payload or {}).get("id"), body, payload)
        return _answer(200, "Kept.")


class OrderWebhook(_Webhook):
    """The shop's own snippet (docs/webhooks.md): an order's number and what is in it. Whose it is shows in whose secret fits."""

    def post(self, request: Request) -> Response:
        body = body_read(request, limit=settings.EVENSTOCK_WEBHOOK_LIMIT)
        _json_only(request)
        store = _signed_by(request, body, Connection.objects.filter(kind=KIND, is_active=True).order_by("pk"))
        try:
            said = body_parse(body)
            order_id = _order_number(said["order_id"])
            lines = [{"sku": code(line["sku"], most=190), "quantity": _quantity(line["quantity"])} for line in said["items"]]
        except (ValueError, TypeError, KeyError):
            return _answer(400, HINT_FORM)
        _keep(store, HINT, order_id, body, {"order_id": order_id, "items": lines})
        return _answer(200, "Kept.")


def _order_number(said: Any) -> int:
    """Result: the order's number. Raises ValueError or TypeError for what can't be one."""
    number = int(said)
    if isinstance(said, bool) or not 0 < number <= LONGEST_ID or str(number) != str(said):
        raise ValueError(said)
    return number


def _quantity(said: Any) -> str:
    """Result: the quantity as it was said. Only to be looked up: what is booked is read from the order. Raises ValueError."""
    if decimal(said) <= 0:
        raise ValueError(said)
    return str(said)


def _json_only(request: Request) -> None:
    media_type = request._request.content_type  # noqa: SLF001 - the framework's own has the parameters in it
    if media_type != "application/json":
        raise BodyRefusedError(415, "JSON only: send it with Content-Type: application/json.")


def _signed_by(request: Request, body: bytes, stores: Iterable[Connection]) -> Connection:
    """Result: the store whose secret signed the body. Raises BodyRefusedError (401). Every secret is tried, and a pretended one
    where there is none, so that the time tells nothing."""
    signature = request.headers.get("X-WC-Webhook-Signature", "")
    fitting: Connection | None = None
    tried = False
    for store in stores:
        tried = True
        if signature_is_right(body, secret=_secret(store), signature=signature) and fitting is None:
            fitting = store
    if not tried:
        signature_is_right(body, secret=NOBODYS_SECRET, signature=signature)
    if fitting is None:
        raise BodyRefusedError(401, NOT_SIGNED)
    return fitting


def _secret(store: Connection) -> str:
    try:
        credentials: Any = store.credentials_parsed()
    except ConfigError:
        logger.warning("The credentials of “%s” can't be read: its webhooks are refused.", store.name)
        return ""
    return str(credentials.webhook_secret.get_secret_value())


def _keep(store: Connection, topic: str, resource_id: Any, body: bytes, payload: dict[str, Any] | None) -> None:
    fits = isinstance(resource_id, int) and 0 <= resource_id <= LONGEST_ID
    now = timezone.now()
    event_receive(
        connection=store,
        topic=topic,
        resource_id=resource_id if fits else 0,
        body_hash=hashlib.sha256(body).hexdigest(),
        payload=payload,
        now=now,
    )
    inbox_wake(store_id=store.pk, now=now)


def _answer(status: int, said: str) -> Response:
    return Response({"message": said}, status=status)
