"""API keys: Basic and key-in-query over https, OAuth 1.0a over http, and what each key may do."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256
from threading import Lock
from urllib.parse import parse_qsl, quote, unquote

from werkzeug.wrappers import Request

from sandbox.woocommerce.errors import RestError

STALE_AFTER = 15 * 60
DIGESTS = {"HMAC-SHA1": sha1, "HMAC-SHA256": sha256}
# What a caller without a (known) key is told, by what he wanted.
REFUSALS = {
    "list": ("woocommerce_rest_cannot_view", "Sorry, you cannot list resources."),
    "view": ("woocommerce_rest_cannot_view", "Sorry, you cannot view this resource."),
    "create": ("woocommerce_rest_cannot_create", "Sorry, you are not allowed to create resources."),
    "edit": ("woocommerce_rest_cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "delete": ("woocommerce_rest_cannot_delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("woocommerce_rest_cannot_batch", "Sorry, you are not allowed to batch manipulate this resource."),
}


@dataclass(frozen=True)
class Key:
    """One API key. `permissions`: read, write or read_write."""

    key: str
    secret: str
    permissions: str = "read_write"

    def check(self, method: str) -> None:
        """Raises RestError when this key may not do that (f03)."""
        needed = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
        if needed not in self.permissions:
            raise _refused(f"The API key provided does not have {needed} permissions.")


def _refused(message: str) -> RestError:
    return RestError(401, "woocommerce_rest_authentication_error", message)


class Keys:
    """The keys of a shop. `basic_over_http` accepts Basic without TLS, which WooCommerce never does (f01d)."""

    def __init__(self, *, basic_over_http: bool = False, now: Callable[[], float] = time.time) -> None:
        self.basic_over_http = basic_over_http
        self._now = now
        self._keys: dict[str, Key] = {}
        self._nonces: set[str] = set()
        self._lock = Lock()

    def add(self, key: Key) -> Key:
        self._keys[key.key] = key
        return key

    def caller(self, request: Request) -> Key | None:
        """Result: the key of this request, or None for none or an unknown one. Raises RestError for a wrong secret,
        signature or time, or a key that lacks the permission."""
        oauth = _oauth_parameters(request)
        if oauth:
            key = self._by_oauth(request, oauth)
        elif request.is_secure or self.basic_over_http:
            key = self._by_secret(request)
        else:
            return None
        if key is not None:
            key.check(request.method)
        return key

    def _by_secret(self, request: Request) -> Key | None:
        name, secret = request.args.get("consumer_key", ""), request.args.get("consumer_secret", "")
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(encoded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        key = self._keys.get(name)
        if key is not None and not hmac.compare_digest(key.secret.encode(), secret.encode()):
            raise _refused("Consumer secret is invalid.")
        return key

    def _by_oauth(self, request: Request, oauth: dict[str, str]) -> Key | None:
        key = self._keys.get(oauth.get("oauth_consumer_key", ""))
        if key is None:
            raise _refused("Consumer key is invalid.")
        wanted = signature(request.method, request.base_url, _all_parameters(request, oauth), key.secret)
        if not hmac.compare_digest(wanted.encode(), oauth.get("oauth_signature", "").encode()):
            raise _refused("Invalid signature - provided signature does not match.")
        try:
            stamp = int(oauth.get("oauth_timestamp", ""))
        except ValueError:
            stamp = 0
        if abs(self._now() - stamp) > STALE_AFTER:
            raise _refused("Invalid timestamp.")
        with self._lock:
            if oauth.get("oauth_nonce", "") in self._nonces:
                raise _refused("Invalid nonce - nonce has already been used.")
            self._nonces.add(oauth.get("oauth_nonce", ""))
        return key


def _oauth_parameters(request: Request) -> dict[str, str]:
    given = {name: value for name, value in request.args.items() if name.startswith("oauth_")}
    header = request.headers.get("Authorization", "")
    if header.lower().startswith("oauth "):
        for part in header[6:].split(","):
            name, _, value = part.strip().partition("=")
            given[unquote(name)] = unquote(value.strip('"'))
    return given if "oauth_consumer_key" in given else {}


def _all_parameters(request: Request, oauth: dict[str, str]) -> list[tuple[str, str]]:
    query = parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True)
    return list({**dict(query), **oauth}.items())


def signature(method: str, url: str, parameters: list[tuple[str, str]], secret: str) -> str:
    """Result: the OAuth 1.0a signature of a request (RFC 5849), without a token: base64."""
    kept = [(name, value) for name, value in parameters if name not in ("oauth_signature", "realm")]
    digest = DIGESTS.get(dict(parameters).get("oauth_signature_method", ""), sha256)
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in kept)
    text = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(quote(part, safe="~") for part in (method.upper(), url, text))
    return base64.b64encode(hmac.new(f"{secret}&".encode(), base.encode(), digest).digest()).decode()
