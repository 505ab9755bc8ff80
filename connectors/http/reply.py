"""What came back through the HTTP door, and what may be shown of it."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.errors import ConnectorError, RetryableError, UnknownOutcomeError
from connectors.http.cache import FRESH
from connectors.wire import json_parse
from kit.storable import storable

_SNIPPET = 120
_PATH = 240
_SECRET = re.compile(r"(?i)\b(consumer_key|consumer_secret|oauth_\w+|authorization|access_token|api_key)(\W{1,3})[^\s&\"'<>,]+")
_NOT_TEXT = re.compile(r"(?is)<(script|style|head)\b.*?</\1>|<!--.*?-->|<[^>]*>")


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply with a status below 500. `wrote`: the request was one that may change something; `url`: where it went."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    wrote: bool = False
    secrets: Sequence[str] = ()
    url: str = ""

    def json(self) -> Any:
        """Result: the body, numbers with a dot as Decimal. Anything but clean JSON (HTML with 200, a byte order mark, a PHP
        notice in front, half a body) raises: RetryableError for a read, UnknownOutcomeError for a write."""
        try:
            return json_parse(self.body)
        except ValueError as error:
            raise self.unreadable() from error

    def json_or_none(self) -> Any:
        """Result: the body as `json` has it, or None where it is something else: an error page of a proxy or a firewall."""
        try:
            return self.json()
        except ConnectorError:
            return None

    def snippet(self) -> str:
        """At most 120 characters of the body's text, without tags and secrets."""
        return snippet(self.body, self.secrets)

    def unreadable(self) -> ConnectorError:
        shown = f"The system answered, but not in its own language: “{self.snippet()}”"
        if self.wrote:
            return UnknownOutcomeError(shown, code="not_json", next_step="We look whether the change arrived before doing more.")
        return RetryableError(
            shown,
            code="not_json",
            next_step="Nothing of it was used. If it stays, a plugin or a firewall answers in its place: switch it off.",
        )


def snippet(body: bytes, secrets: Sequence[str] = ()) -> str:
    """At most 120 characters of what `body` says, without tags, line breaks and secrets."""
    text = html.unescape(_NOT_TEXT.sub(" ", body[:20_000].decode(errors="replace").lstrip("\ufeff")))
    text = storable(redacted(" ".join(text.split()), secrets))
    return text if len(text) <= _SNIPPET else text[: _SNIPPET - 1] + "…"


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without credentials: known ones by value, unknown ones by the name in front of them."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _SECRET.sub(r"\1\2***", text)


def path_shown(url: str, secrets: Sequence[str] = ()) -> str:
    """Path and query of `url` for the log, without credentials."""
    parts = urlsplit(url)
    asked = [(key, part) for key, part in parse_qsl(parts.query) if key != FRESH and not _SECRET.match(f"{key}=x")]
    query = urlencode(asked, safe=",:")
    shown = redacted(f"{parts.path}?{query}" if query else parts.path, secrets)
    return shown if len(shown) <= _PATH else shown[: _PATH - 1] + "…"
