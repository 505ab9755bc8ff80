"""The one HTTP door: every connector's requests go through it.

It keeps connections alive, retries reads, never a write, logs each attempt, and turns whatever goes wrong into the type
that says what may be done next (reliability.md, 1–10). A write that failed is *not sent* only when that is sure;
everything else is an unknown outcome.
"""

import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from threading import Lock
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util.retry import Retry

from connectors.contract import CallRecord, Recorder
from connectors.errors import ConfigError, ConnectorError, RetryableError, UnknownOutcomeError
from connectors.http.address import NotConnectedError, pools
from connectors.http.cache import FRESH
from connectors.http.failure import AttemptFailedError, failure_of_connection, failure_of_exchange, failure_of_status
from connectors.http.pacing import Pacer
from connectors.http.reply import Reply, path_shown
from connectors.rests import Rest
from connectors.settings.folders import Folders

_CHUNK = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_IDLE = 4.0  # seconds; Apache closes an idle connection after five, and a request on a closed one has an unknown outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much the door waits for. Seconds and bytes."""

    connect: float = 10.0
    read: float = 60.0  # without a byte
    whole: float = 180.0  # for the whole reply, against one that drips
    bytes: int = 64 * 1024 * 1024
    retries: int = 3
    longest_wait: float = 10.0  # a longer Retry-After is handed to the caller, so that no worker sleeps through it


@dataclass(slots=True)
class Ask:
    """One request as a caller wants it. `auth` signs each attempt anew: a nonce is good for one. `fresh`: each attempt goes to an
    address that no cache knows."""

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    auth: AuthBase | None = None
    fresh: bool = False


class HttpDoor:
    """Requests to one system. Thread-safe: a thread borrows a session for one request, and the next one gets it warm.

    `read` may ask again by itself; `write` sends once. Both return replies below 500 for the caller to understand, except
    429 and redirects. `secrets` are never shown; `system` is what messages call the other end. While a `rest` stands, nothing is
    asked; `zone` is whose clock its end is told by.
    """

    def __init__(
        self,
        *,
        record: Recorder,
        pacer: Pacer,
        now: Callable[[], datetime],
        limits: Limits | None = None,
        ca_file: str = "",
        folders: Folders | None = None,
        allow_private: bool = False,
        rest: Rest | None = None,
        zone: tzinfo = UTC,
        secrets: tuple[str, ...] = (),
        sleep: Callable[[float], None] = time.sleep,
        system: str = "shop",
    ) -> None:
        self._record, self._pacer, self._now, self._sleep = record, pacer, now, sleep
        self._system, self._zone = system, zone
        self._limits = limits or Limits()
        self._ca_file, self._folders = ca_file, folders or Folders()
        self._allow_private, self._secrets = allow_private, secrets
        self._lock = Lock()
        self._idle: list[tuple[requests.Session, float]] = []
        self._adapter_tls: ssl.SSLContext | None = None
        self._rest = rest

    def read(self, ask: Ask, *, items: int = 0) -> Reply:
        """Result: a reply below 500. Retries lost connections, 429, 502, 503 and 504; then raises RetryableError.
        Raises ConfigError where the address is wrong or leads elsewhere. `items`: rows asked for, for the pacer."""
        policy = Retry(total=self._limits.retries, backoff_factor=0.5, backoff_max=8, backoff_jitter=0.5)
        while True:
            try:
                return self._answered(self._follow(ask), items)
            except AttemptFailedError as failure:
                self._noted(failure)
                error = RetryableError(
                    failure.message, next_step=failure.next_step, code=failure.code, retry_after=failure.retry_after
                )
                if not failure.passing or (failure.retry_after or 0) > self._limits.longest_wait:
                    raise error from failure
                try:
                    policy = policy.increment(ask.method, path_shown(ask.url), error=failure)
                except MaxRetryError:
                    raise error from failure
                if not failure.retry_after:  # else the next attempt waits for it, like every thread's
                    self._sleep(policy.get_backoff_time() or random.uniform(0.05, 0.4))

    def write(self, ask: Ask, *, items: int = 0) -> Reply:
        """Result: a reply below 500. Sends once. Raises RetryableError or ConfigError when surely nothing took effect, and
        UnknownOutcomeError whenever that is not sure. `items`: rows written, for the pacer."""
        try:
            reply = self._attempt(ask, wrote=True)
            if reply.status in _REDIRECTS:
                raise self._elsewhere(ask.url, reply)
            return self._answered(reply, items)
        except AttemptFailedError as failure:
            self._noted(failure)
            if failure.sent:
                raise UnknownOutcomeError(
                    failure.message, code=failure.code, next_step="We look whether the change arrived before doing more."
                ) from failure
            raise RetryableError(
                failure.message, next_step=failure.next_step, code=failure.code, retry_after=failure.retry_after
            ) from failure

    def _answered(self, reply: Reply, items: int) -> Reply:
        if items and reply.status < 400:
            self._pacer.answered(seconds=reply.seconds, items=items)
        return reply

    def _noted(self, failure: AttemptFailedError) -> None:
        if failure.busy:
            self._pacer.refused()
        if failure.retry_after and failure.code != "busy":
            rest = Rest(self._now() + timedelta(seconds=failure.retry_after), is_wish=failure.is_wish)
            with self._lock:
                self._rest = rest if self._rest is None or rest.until > self._rest.until else self._rest

    def _follow(self, ask: Ask) -> Reply:
        """A read, following redirects on the same host only."""
        for _ in range(_MOST_REDIRECTS):
            reply = self._attempt(ask, wrote=False)
            if reply.status not in _REDIRECTS:
                return reply
            target = urljoin(ask.url, reply.headers.get("Location", ""))
            if urlsplit(target)[:2] != urlsplit(ask.url)[:2]:
                raise self._elsewhere(ask.url, reply)
            is_bare = ask.fresh and FRESH not in target
            ask = Ask(ask.method, target, headers=ask.headers, auth=ask.auth, fresh=is_bare)  # the target carries its own query
        raise ConfigError(
            f"The {self._system} sends us in a circle.", next_step=f"Check the {self._system}'s redirects.", code="redirect"
        )

    def _elsewhere(self, url: str, reply: Reply) -> ConfigError:
        here, there = urlsplit(url), urlsplit(urljoin(url, reply.headers.get("Location", "")))
        place = f"{there.scheme}://{there.netloc}"
        if here.scheme == "http" and there.scheme == "https":
            return ConfigError(
                f"The {self._system} accepts only https.",
                next_step=f"Use {place} as the {self._system}'s address.",
                code="redirect_https",
            )
        return ConfigError(
            f"The {self._system} at {here.netloc} sends us to {place}, which we don't follow.",
            next_step=f"If that is the {self._system}'s real address, use it in the settings.",
            code="redirect",
        )

    def _attempt(self, ask: Ask, *, wrote: bool) -> Reply:
        """One request, logged whatever comes of it. Raises AttemptFailedError, or ConfigError for a useless address."""
        self._hold()
        at, started = self._now(), time.monotonic()
        status, note, wait = 0, "", 0.0
        url = ask.url
        try:
            with self._session() as session:
                prepared = self._prepared(session, ask)
                url = prepared.url or url
                reply = self._exchange(session, prepared, wrote=wrote)
            status = reply.status
            failure = failure_of_status(reply, self._system, now=self._now())
            if failure:
                raise failure
            note = reply.snippet() if status >= 400 else ""
            return reply
        except (AttemptFailedError, ConnectorError) as error:
            note = error.message
            wait = getattr(error, "retry_after", None) or 0.0
            raise
        finally:
            spent = round((time.monotonic() - started) * 1000)
            self._record(CallRecord(at, ask.method, path_shown(url, self._secrets), status, spent, note, wait))

    def _prepared(self, session: requests.Session, ask: Ask) -> requests.PreparedRequest:
        params = {**ask.params, FRESH: uuid4().hex} if ask.fresh else ask.params
        try:
            return session.prepare_request(
                requests.Request(ask.method, ask.url, params=params, headers=ask.headers, data=ask.body, auth=ask.auth)
            )
        except (requests.RequestException, ValueError) as error:
            raise ConfigError("The address can't be used.", next_step="Check it for typing errors.", code="address") from error

    def _exchange(self, session: requests.Session, prepared: requests.PreparedRequest, *, wrote: bool) -> Reply:
        limits, started = self._limits, time.monotonic()
        try:
            with session.send(prepared, stream=True, allow_redirects=False, timeout=(limits.connect, limits.read)) as response:
                body = bytearray()
                for chunk in response.iter_content(_CHUNK):
                    body += chunk
                    if len(body) > limits.bytes:
                        raise AttemptFailedError("too_large", "The system's answer is too large to be true.")
                    if time.monotonic() - started > limits.whole:
                        raise AttemptFailedError("timeout", "The system's answer takes too long.", busy=True)
        except NotConnectedError as error:
            raise failure_of_connection(error, self._system) from error
        except (requests.RequestException, HTTPError, OSError) as error:
            raise failure_of_exchange(error, self._system, plain=(prepared.url or "").startswith("http:")) from error
        spent = time.monotonic() - started
        return Reply(response.status_code, response.headers, bytes(body), spent, wrote, self._secrets, prepared.url or "")

    def _hold(self) -> None:
        """The system rests, at its own wish or ours: every thread keeps to it, or says how long it lasts."""
        rest = self._rest
        left = (rest.until - self._now()).total_seconds() if rest else 0.0
        if rest and left > self._limits.longest_wait:
            until = f"{rest.until.astimezone(self._zone):%H:%M %Z}"
            raise AttemptFailedError(
                "busy",
                f"The {self._system} asked to be left alone until {until}: until then nobody asks it, a person neither."
                if rest.is_wish
                else f"The {self._system} is left alone until {until}: it is closed, or failed again and again.",
                next_step="It is asked again by itself."
                if rest.is_wish
                else "It is asked again by itself. “Test connection”, or a sync that you start, asks at once.",
                sent=False,
                retry_after=left,
            )
        if left > 0:
            self._sleep(left)
            with self._lock:
                self._rest = None if self._rest is rest else self._rest

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A session for one request; connections that idled too long are closed first."""
        with self._lock:
            session, since = self._idle.pop() if self._idle else (None, 0.0)
        if session and time.monotonic() - since > _IDLE:
            session.close()  # its pools start empty again
        session = session or self._session_new()
        try:
            yield session
        finally:
            with self._lock:
                self._idle.append((session, time.monotonic()))

    def _session_new(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False  # a netrc file or a proxy of the machine must not change who we are or where we go
        session.mount("http://", _Adapter(None, allow_private=self._allow_private))
        session.mount("https://", _Adapter(self._tls(), allow_private=self._allow_private))
        return session

    def _tls(self) -> ssl.SSLContext:
        """One context for all connections: loading the authorities takes longer than a request."""
        with self._lock:
            if self._adapter_tls is None:
                authority = self._folders.led_to(self._ca_file) if self._ca_file else DEFAULT_CA_BUNDLE_PATH
                try:
                    self._adapter_tls = ssl.create_default_context(cafile=authority)
                except OSError as error:
                    raise ConfigError(
                        f"The certificate file {self._ca_file} can't be read.", next_step="Check its path.", code="ca_file"
                    ) from error
            return self._adapter_tls


class _Adapter(HTTPAdapter):
    """Dials vetted addresses only, and verifies every certificate by the door's own context."""

    def __init__(self, tls: ssl.SSLContext | None, *, allow_private: bool) -> None:
        self._tls, self._allow_private = tls, allow_private
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)
        self.poolmanager.pool_classes_by_scheme = pools(allow_private=self._allow_private)

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:  # noqa: FBT001 requests' own
        """The context carries the authorities; requests would load them again for every connection."""
        conn.cert_reqs = "CERT_REQUIRED"
