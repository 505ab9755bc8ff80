"""What went wrong with one request, and whether anything can have been sent (ledger.md §6)."""

import re
import ssl
from datetime import datetime
from http.client import BadStatusLine, RemoteDisconnected
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import SSLError as TlsError

from connectors.http.clocks import http_date
from connectors.http.reply import Reply
from connectors.rests import LONGEST_CLOSED, LONGEST_WISH

_PASSING = frozenset({502, 503, 504})
_SLOW = frozenset({408, 504, 524})
_MEANT_FOR_TLS = re.compile(rb"(?i)plain http\b.{0,30}\b(ssl|https|tls)\b")  # nginx, Apache, and their kin


class AttemptFailedError(Exception):
    """One attempt without a usable reply.

    `sent`: the system may have acted on it. `passing`: worth another try at once, if it was a read. `busy`: the system has
    too much to do. `retry_after`: seconds to leave it alone for; `is_wish`: because it asked for that (connectors/rests.py).
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        next_step: str = "",
        sent: bool = True,
        passing: bool = False,
        busy: bool = False,
        retry_after: float | None = None,
        is_wish: bool = False,
    ) -> None:
        self.code, self.message, self.next_step = code, message, next_step
        self.sent, self.passing, self.busy, self.retry_after = sent, passing, busy, retry_after
        self.is_wish = is_wish
        super().__init__(message)


def failure_of_connection(error: Exception, system: str) -> AttemptFailedError:
    """No connection came about: never sent, whatever it was. `system`: what we talk to, in a word: shop, till."""
    cause = error.__cause__ or error
    if isinstance(cause, NameResolutionError):
        return AttemptFailedError(
            "dns",
            f"The {system}'s name is not known.",
            next_step="Check the address; if it is right, wait.",
            sent=False,
            passing=True,
        )
    if isinstance(cause, (ssl.SSLError, TlsError)):
        return _of_tls(cause, system)
    if isinstance(cause, (ConnectTimeoutError, TimeoutError)) and not isinstance(cause, NewConnectionError):
        return AttemptFailedError(
            "connect_timeout", f"The {system}'s server does not pick up.", sent=False, passing=True, busy=True
        )
    return AttemptFailedError(
        "unreachable",
        f"The {system}'s server refuses the connection.",
        next_step="Check address and port; if they are right, the server is down.",
        sent=False,
        passing=True,
    )


def _of_tls(cause: Exception, system: str) -> AttemptFailedError:
    reason = str(getattr(cause, "verify_message", "")) or str(cause)
    if "WRONG_VERSION_NUMBER" in reason or "RECORD_LAYER" in reason or "HTTP_REQUEST" in reason:
        step = "The server does not speak https there: check the address, or use http:// inside your own network."
    elif "expired" in reason:
        step = f"The {system}'s certificate has run out: renew it."
    elif "self-signed" in reason or "self signed" in reason or "local issuer" in reason:
        step = "The certificate's issuer is not known: name its file under “CA file”, or get a public certificate."
    elif "mismatch" in reason or "doesn't match" in reason or "not valid for" in reason:
        step = "The certificate belongs to another name: use the address it was made for."
    else:
        step = f"Check the {system}'s certificate."
    return AttemptFailedError("tls", f"No secure connection to the {system} came about.", next_step=step, sent=False)


def failure_of_exchange(error: Exception, system: str, *, plain: bool = False) -> AttemptFailedError:
    """The connection stood: the request may have arrived, whatever became of the reply. `plain`: it went over http."""
    reason: Any = error.args[0] if error.args else None
    cause: Any = reason.args[-1] if getattr(reason, "args", None) else None
    if plain and isinstance(cause, BadStatusLine) and str(cause).startswith("\x15\x03"):  # how TLS says that it makes no sense
        return _wants_tls()
    if isinstance(error, requests.Timeout) or isinstance(reason, ReadTimeoutError):
        return AttemptFailedError("timeout", f"The {system} did not answer in time.", busy=True)
    return AttemptFailedError(
        "cut_off",
        "The connection broke off before the answer was complete.",
        next_step="If it stays, try https:// in front of the address." if plain and isinstance(cause, RemoteDisconnected) else "",
        passing=True,
    )


def _wants_tls() -> AttemptFailedError:
    return AttemptFailedError(
        "wants_https",
        "The server speaks https at this address, and was asked over http.",
        next_step="Write https:// in front of the address, and keep the port.",
        sent=False,
    )


def failure_of_status(reply: Reply, system: str, *, now: datetime) -> AttemptFailedError | None:
    """429 and 5xx as failures; any other reply is for the caller to understand."""
    status = reply.status
    wait = _retry_after(reply, most=LONGEST_WISH if status == 429 else LONGEST_CLOSED, now=now)
    if status == 400 and _MEANT_FOR_TLS.search(reply.body[:2000]):
        return _wants_tls()
    if status == 429:
        return AttemptFailedError(
            "rate_limit",
            f"The {system} asked us to slow down.",
            sent=False,
            passing=True,
            busy=True,
            retry_after=wait,
            is_wish=True,
        )
    if status == 503 and _in_maintenance(reply):
        return AttemptFailedError(
            "maintenance",
            f"The {system} is being updated and closed for a moment.",
            next_step="It opens by itself; if it stays closed, look whether an update there got stuck.",
            sent=False,
            passing=True,
            busy=True,
            retry_after=wait,
        )
    if status >= 500 or status in _SLOW:
        return AttemptFailedError(
            f"http_{status}",
            f"The {system}'s server failed ({status}): “{reply.snippet()}”",
            next_step="If it stays, its error log says why.",
            passing=status in _PASSING,
            busy=status in _PASSING or status in _SLOW,
            retry_after=wait,
        )
    return None


def _in_maintenance(reply: Reply) -> bool:
    """WordPress's own page comes before any plugin runs, so nothing happened. Any other 503 may be a proxy that gave up on
    a shop still at work (Varnish says it so)."""
    said = reply.json_or_none()
    return (isinstance(said, dict) and said.get("code") == "wp_die") or b"maintenance" in reply.body[:20_000].lower()


def _retry_after(reply: Reply, *, most: float, now: datetime) -> float | None:
    """Seconds, `most` at most, from seconds or from an HTTP date by the system's own clock; None where it names no time that can
    be read. A moment that has passed is 0."""
    named = reply.headers.get("Retry-After", "").strip()
    if named.isascii() and named.isdecimal():
        return min(float(named), most)
    until = http_date(named)
    if until is None:
        return None
    return max(0.0, min((until - (http_date(reply.headers.get("Date")) or now)).total_seconds(), most))
