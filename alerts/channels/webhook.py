"""By webhook: JSON, signed, through the one HTTP door, which vets the address it dials (reliability.md, case 41)."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.conf import settings as django_settings

from alerts.channels.message import Line, Message
from alerts.channels.settings import WebhookSecrets, WebhookSettings
from connectors.contract import CallRecord
from connectors.errors import ConfigError, ConnectorError, RejectedError, RetryableError
from connectors.http.door import Ask, HttpDoor, Limits
from connectors.http.pacing import Pacer
from connectors.settings.allowed import folders_allowed

SECTION: Final = 2900  # characters; Slack takes 3,000 in a section, and 50 sections
LIMITS: Final = Limits(connect=5, read=10, whole=20, bytes=200_000, retries=0)
WORDS: Final = {
    "dns": "The receiver's name is not known.",
    "tls": "No secure connection to the receiver came about: look at its certificate.",
    "unreachable": "The receiver refuses the connection.",
    "connect_timeout": "The receiver does not pick up.",
    "timeout": "The receiver did not answer in time. It may have got the message.",
    "cut_off": "The connection broke off before the receiver had answered. It may have got the message.",
    "rate_limit": "The receiver asked us to slow down.",
    "redirect": "The receiver sends us elsewhere, which we don't follow. Use the address it sends to.",
    "redirect_https": "The receiver accepts only https. Use https:// in its address.",
}


def webhook_deliver(settings: WebhookSettings, secrets: WebhookSecrets, message: Message, now: datetime) -> None:
    """Send it once. Raises ConnectorError for anything but an answer below 300; after a time-out it may have arrived, and comes
    again with the same alerts."""
    body = json.dumps(webhook_body(settings.shape, message), ensure_ascii=False).encode()
    url, secret = secrets.url.get_secret_value(), secrets.secret.get_secret_value()
    door = HttpDoor(
        record=_unrecorded,
        pacer=Pacer(lanes=1),
        now=lambda: now,
        limits=LIMITS,
        ca_file=settings.ca_file,
        folders=folders_allowed(),
        allow_private=django_settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS,
        secrets=(url, secret),
    )
    headers = {"Content-Type": "application/json", "User-Agent": "Evenstock", "X-Evenstock-Delivery": str(message.delivery)}
    try:
        reply = door.write(Ask("POST", url, headers=headers | signature_headers(secret, body, now), body=body))
    except ConfigError as error:
        raise ConfigError(WORDS.get(error.code, error.message), next_step=error.next_step, code=error.code) from error
    except ConnectorError as error:
        words = WORDS.get(error.code, "The receiver failed.")
        raise RetryableError(words, next_step="It is sent again by itself.", code=error.code) from error
    if reply.status >= 300:
        raise RejectedError(
            f"The receiver refuses the message ({reply.status}): “{reply.snippet()}”",
            next_step="Check the address, and whether the receiver still knows it.",
            code=f"http_{reply.status}",
        )


def signature_headers(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """Result: when it was sent (seconds since 1970) and the HMAC-SHA256 of `<time>.<body>`; nothing without a secret."""
    if not secret:
        return {}
    at = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Evenstock-Timestamp": at, "X-Evenstock-Signature": f"sha256={digest}"}


def webhook_body(shape: str, message: Message) -> dict[str, Any]:
    """Result: what is sent. `slack`: the fields that Slack's incoming webhooks know, and no other; `json`: the alerts as well."""
    said: dict[str, Any] = {
        "text": _escaped(f"{message.subject}. {message.intro}".strip()),
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in _sections(message)][:50],
    }
    if shape == "json":
        said["delivery"] = str(message.delivery)
        said["more"] = message.more
        said["alerts"] = [
            {
                "id": line.alert_id,
                "severity": line.severity_word.lower(),
                "rule": line.rule,
                "title": line.title,
                "words": line.words,
                "next_step": line.next_step,
                "system": line.system,
                "link": line.link,
            }
            for line in message.lines
        ]
    return said


def _sections(message: Message) -> Iterator[str]:
    """The message in pieces that fit; one line is never torn."""
    piece = f"*{_escaped(message.subject)}*\n{_escaped(message.intro)}".strip()
    for text in [*(_line(line) for line in message.lines), *_tail(message)]:
        if len(piece) + len(text) > SECTION:
            yield piece
            piece = ""
        piece = f"{piece}\n{text}".strip()
    yield piece


def _line(line: Line) -> str:
    title = _escaped(line.title)
    named = f"<{line.link}|{title}>" if line.link else f"*{title}*"
    return f"{line.sign} {line.severity_word} · {_escaped(line.rule_title)} · {named}: {_escaped(line.words)}"[:SECTION]


def _tail(message: Message) -> Iterator[str]:
    if message.more:
        totals = ", ".join(f"{_escaped(title)} {count}" for title, count in message.totals)
        yield f"And {message.more} more. In all: {totals}"
    if message.link:
        yield f"<{message.link}|All open alerts>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unrecorded(_call: CallRecord) -> None:
    """The log of requests is about connections; what became of a message is kept with it."""
