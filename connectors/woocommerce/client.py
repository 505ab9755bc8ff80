"""The wire to a WooCommerce shop: the official package, sent through our door.

The package makes the addresses; what it does not do well happens here: connections are kept, parameters go out once, the
caller's dictionaries stay clean, and an OAuth signature is right for every character (the package leaves “/” bare, and
picks its nonce from a hundred million, so that a busy shop would refuse one now and then). And no cache answers in the shop's
place: each address is a new one, and what says that it is old is refused.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.auth import AuthBase, HTTPBasicAuth
from woocommerce import API
from woocommerce.oauth import OAuth

from connectors.errors import ConfigError, ConnectorError, RejectedError
from connectors.http.cache import cache_said, is_answer_to_another
from connectors.http.clocks import clock_ahead
from connectors.http.door import Ask, HttpDoor
from connectors.http.reply import Reply
from connectors.wire import label

_HEADERS = {"Accept": "application/json", "User-Agent": "Evenstock"}
_PAST_CACHES = {"Cache-Control": "no-cache", "Pragma": "no-cache"}


class Client(API):  # type: ignore[misc]  # the package has no types
    """Requests to one shop. Replies are JSON; anything else is an error of the type that says what may be done next."""

    def __init__(self, url: str, key: str, secret: str, *, door: HttpDoor, now: Callable[[], datetime]) -> None:
        super().__init__(url.rstrip("/"), key, secret, version="wc/v3")
        self._door, self._now = door, now
        self.clock_ahead = timedelta(0)  # by the last answer
        self._products: int | None = None
        self._auth: AuthBase = HTTPBasicAuth(key, secret) if self.is_ssl else _Signed(key, secret)

    def page(self, endpoint: str, params: Mapping[str, str], *, items: int = 0) -> "Page":
        """Result: one GET's rows with the totals the shop counts; a row that is no object is one without fields. Raises
        ConnectorError, also where none is an object."""
        reply: Reply = self.get(endpoint, params=params, items=items)
        rows = _body(reply)
        if not isinstance(rows, list) or (rows and not any(isinstance(row, dict) for row in rows)):
            raise _strange(reply)
        return Page([row if isinstance(row, dict) else {} for row in rows], _total(reply))

    def rows(self, endpoint: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        """Result: one GET's short list, which is whole without a total."""
        reply: Reply = self.get(endpoint, params=params)
        rows = _body(reply)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _strange(reply)
        return rows

    def one(self, endpoint: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Result: one GET's object."""
        return _object(self.get(endpoint, params=params or {}))

    def change(self, endpoint: str, data: Mapping[str, Any], *, items: int) -> dict[str, Any]:
        """Result: one POST's object. `items`: how many things it changes. Sent once."""
        return _object(self.post(endpoint, data, items=items))

    def remove(self, endpoint: str) -> None:
        """Delete one thing for good. One that is gone already is no error. Sent once."""
        reply: Reply = self.delete(endpoint, params={"force": "true"})
        if reply.status not in (404, 410):
            _object(reply)

    def about(self) -> dict[str, Any]:
        """Result: what the site says of itself to anybody: name, time zone, namespaces."""
        url = f"{self.url}/wp-json/"
        wanted = {"_fields": "name,home,timezone_string,gmt_offset,namespaces"}
        return _object(self._read(Ask("GET", url, params=wanted, headers=_HEADERS)))

    def products_past_caches(self) -> int:
        """Result: how many products the shop has, asked twice; once for each client. Raises ConfigError where something in front
        of the shop answers the second time what it kept of the first: what keeps it in silence shows only so, by the links to the
        next page, and only in a shop of two products or more."""
        if self._products is None:
            asked = [self.page("products", {"per_page": "1", "page": "1", "_fields": "id"}).total for _ in range(2)]
            self._products = asked[-1]
        return self._products

    def _read(self, ask: Ask, *, items: int = 0) -> Reply:
        reply = self._door.read(replace(ask, headers={**ask.headers, **_PAST_CACHES}, fresh=True), items=items)
        said = cache_said(reply.headers)
        if said or is_answer_to_another(link=reply.headers.get("Link", ""), url=reply.url):
            by_header = f" ({said})" if said else ""
            raise ConfigError(
                f"A cache answers in the shop's place{by_header}: what it says may be old, so nothing of it was used.",
                next_step="Exclude /wp-json/ from the page cache: in the caching plugin, at the host, and at a CDN.",
                code="cached",
            )
        return reply

    def _API__request(  # noqa: N802 the package's own, name-mangled: its verbs call it
        self, method: str, endpoint: str, data: Any, params: Mapping[str, str] | None = None, items: int = 0
    ) -> Reply:
        headers, body = dict(_HEADERS), None
        if data is not None:
            body = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
            headers["Content-Type"] = "application/json;charset=utf-8"
        url: str = self._API__get_url(endpoint)
        ask = Ask(method, url, params=dict(params or {}), headers=headers, body=body, auth=self._auth)
        reply = self._read(ask, items=items) if method == "GET" else self._door.write(ask, items=items)
        self.clock_ahead = clock_ahead(reply.headers.get("Date"), now=self._now())
        return reply


class Page:
    """Rows of one reply, and how many rows there are in all."""

    def __init__(self, rows: Sequence[dict[str, Any]], total: int) -> None:
        self.rows, self.total = rows, total


class NoRouteError(RejectedError):
    """This shop's version has no such address."""

    code = "no_route"


class _Signed(AuthBase):
    """OAuth 1.0a in the query, for a shop without https. Signs each attempt anew: WooCommerce takes a nonce once."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(request.url or "")
        kept = "&".join(pair for pair in parts.query.split("&") if pair and not pair.startswith("oauth_"))
        bare = urlunsplit(parts._replace(query=kept))
        request.url = _Signature(bare, self._key, self._secret, version="wc/v3", method=request.method).get_oauth_url()
        return request


class _Signature(OAuth):  # type: ignore[misc]  # the package has no types
    """The package's signature with RFC 3986 encoding, as WooCommerce computes it, and a nonce that does not repeat."""

    @staticmethod
    def normalize_parameters(params: Mapping[str, Any]) -> dict[str, str]:
        """Each name and value encoded twice: once as a parameter, once as part of the base string."""
        return {_twice(name): _twice(str(value)) for name, value in params.items()}

    @staticmethod
    def generate_nonce() -> str:
        """32 hexadecimal digits."""
        return uuid.uuid4().hex


def _twice(text: str) -> str:
    return quote(quote(text, safe="~"), safe="~")


def _object(reply: Reply) -> dict[str, Any]:
    said = _body(reply)
    if said == []:  # PHP's empty array may stand for an empty object
        return {}
    if not isinstance(said, dict):
        raise _strange(reply)
    return said


def _body(reply: Reply) -> Any:
    """The JSON of a good reply. A refusal (4xx) raises: nothing was done."""
    if reply.status < 400:
        return reply.json()
    said = reply.json_or_none()
    code = label(said.get("code"), most=60) if isinstance(said, dict) else ""
    text = label(said.get("message"), most=1000) if isinstance(said, dict) else ""
    raise refusal(reply.status, code, text or reply.snippet())


def refusal(status: int, code: str, text: str) -> ConnectorError:
    """What a 4xx means and what to do about it (woocommerce_answers.md 27, 28). `code` is WooCommerce's own, "" for a page."""
    if status in (401, 403) and code:
        return ConfigError(f"The shop refuses our key: {text}", next_step=_key_advice(code, text), code="unauthorized")
    if status in (401, 403):
        return ConfigError(
            f"Something in front of the shop keeps us out ({status}): “{text}”",
            next_step="Allow our requests in the shop's firewall or security plugin, and remove a password on the folder.",
            code="blocked",
        )
    if status == 404 and code == "rest_no_route":
        return NoRouteError("The shop's WooCommerce does not know this request.", next_step="Update WooCommerce.")
    if status == 404 and not code:
        return ConfigError(
            "There is no WordPress at this address.",
            next_step="Check the shop's address, and that Settings → Permalinks is not “Plain”.",
            code="not_wordpress",
        )
    if status == 413:
        return RejectedError(
            "The shop takes fewer items at once.",
            next_step="If it stays, raise the limit of its server for what is sent.",
            code="too_many",
        )
    if code == "woocommerce_rest_product_invalid_id":
        return RejectedError("It was deleted in the shop.", next_step="Align the item anew, or restore the product.", code=code)
    return RejectedError(
        f"The shop refuses this: {text}", next_step="Look at the product in the shop.", code=code or f"http_{status}"
    )


def _key_advice(code: str, text: str) -> str:
    said = text.lower()
    if "write permission" in said:
        return "The key may only read: give it Read/Write in WooCommerce → Settings → Advanced → REST API."
    if "read permission" in said:
        return "The key may only write: give it Read/Write in WooCommerce → Settings → Advanced → REST API."
    if "secret" in said:
        return "The consumer secret is wrong: make a new key and copy both halves."
    if "timestamp" in said:
        return "The clocks differ by more than 15 minutes: set the clock of this machine, or the shop's."
    if "signature" in said or "nonce" in said:
        return "Over http the secret or the address does not fit: use https, or the address WordPress has in its settings."
    if code == "woocommerce_rest_cannot_view":
        return (
            "Most likely the consumer key was deleted or mistyped. Otherwise the server drops the Authorization header, or "
            "WordPress does not notice that it is called by https."
        )
    return "Give the key Read/Write, and make it for a user who may edit products: a shop manager."


def _strange(reply: Reply) -> ConnectorError:
    return reply.unreadable()


def _total(reply: Reply) -> int:
    named = reply.headers.get("X-WP-Total", "")
    if not re.fullmatch("[0-9]{1,9}", named):  # without it a missing page could not be noticed
        raise ConfigError(
            "The shop does not say how many rows there are.",
            next_step="Let the header X-WP-Total through: a proxy or plugin removes it.",
            code="no_total",
        )
    return int(named)
