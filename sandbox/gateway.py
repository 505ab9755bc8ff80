"""The way in to a sandbox app: it keeps a log of requests, makes them slow, lets them fail, and is steered over HTTP."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from io import BytesIO
from threading import Lock
from typing import Any, Self

from werkzeug.wrappers import Request, Response

from sandbox.breakage import broken_reply, spoiled
from sandbox.faults import Fault, Faults, Settings, fault_from_json

Answer = Callable[[Request], Response]
CONTROL = "/__sandbox/"
LOG_LENGTH = 10_000


@dataclass
class LoggedRequest:
    """One request as it came. `status` is 0 until, and unless, a reply is sent; `body` is parsed when it is JSON."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    at: float


class Gateway:
    """A WSGI app around `answer`. Callers in Python use `faults`, `settings` and `requests`; others `POST /__sandbox/…`."""

    def __init__(self, answer: Answer, *, seed: int = 0) -> None:
        self._answer = answer
        self.faults = Faults(seed=seed)
        self.settings = Settings()
        self._log: deque[LoggedRequest] = deque(maxlen=LOG_LENGTH)
        self._log_lock = Lock()
        self.controls: dict[str, Callable[[Any], Any]] = {}

    @classmethod
    def around(cls, app: Callable[..., Iterable[bytes]], *, seed: int = 0) -> Self:
        """Result: a gateway to any WSGI app."""

        def answer(request: Request) -> Response:
            environ = request.environ | {"wsgi.input": BytesIO(request.get_data())}
            return Response.from_app(app, environ, buffered=True)

        return cls(answer, seed=seed)

    @property
    def requests(self) -> list[LoggedRequest]:
        """The requests so far, oldest first, without those that steer the sandbox."""
        with self._log_lock:
            return list(self._log)

    @property
    def writes(self) -> list[LoggedRequest]:
        """The requests that could change something."""
        return [request for request in self.requests if request.method not in ("GET", "HEAD", "OPTIONS")]

    def forget_requests(self) -> None:
        """Empty the log."""
        with self._log_lock:
            self._log.clear()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith(CONTROL):
            return self._control(request)(environ, start_response)
        request.get_data()  # into the cache: a fault may read it before the app does
        entry = LoggedRequest(request.method, request.path, request.args.to_dict(), _body(request), 0, time.time())
        with self._log_lock:
            self._log.append(entry)
        fault = self.faults.take(request.method, request.path)
        with self.settings.slot():
            response = self._answer(request) if fault is None else self._answer_badly(request, fault)
        entry.status = response.status_code
        return response(environ, start_response)

    def _answer_badly(self, request: Request, fault: Fault) -> Response:
        if fault.kind in ("hang", "close", "reset"):
            if fault.applied:
                self._answer(request)
            if fault.kind == "hang":
                _wait(request, fault.seconds)
            raise ConnectionResetError if fault.kind == "reset" else ConnectionAbortedError
        if fault.kind == "die_at":
            request.environ["sandbox.die_at"] = fault.at
            response = self._answer(request)
            return broken_reply(request, fault) if request.environ.get("sandbox.died") else response
        if fault.kind in ("rate_limit", "maintenance", "fatal", "gateway", "forbidden"):
            if fault.applied:
                self._answer(request)
            return broken_reply(request, fault)
        return spoiled(self._answer(request), fault)

    def _control(self, request: Request) -> Response:
        name = request.path.removeprefix(CONTROL)
        try:
            given = json.loads(request.get_data() or b"{}")
            told = self._steer(request.method, name, given)
        except (ValueError, TypeError, KeyError) as error:
            return _json({"error": str(error)}, 400)
        return _json(told, 200) if told is not None else _json({"error": f"No control {request.method} {name}."}, 404)

    def _steer(self, method: str, name: str, given: Any) -> Any:
        if (method, name) == ("POST", "faults"):
            return [asdict(fault_from_json(dict(one), self.faults)) for one in (given if isinstance(given, list) else [given])]
        if (method, name) == ("DELETE", "faults"):
            self.faults.clear()
            return []
        if (method, name) == ("POST", "settings"):
            self.settings.set(**given)
            return self.settings.as_dict()
        if (method, name) == ("GET", "requests"):
            return [asdict(entry) for entry in self.requests]
        if (method, name) == ("DELETE", "requests"):
            self.forget_requests()
            return []
        if (method, name) == ("GET", "state"):
            return self.state()
        if method == "POST" and name in self.controls:
            return self.controls[name](given)
        return None

    def state(self) -> dict[str, Any]:
        """Result: what the sandbox is set to, for a caller in another process."""
        return {
            "settings": self.settings.as_dict(),
            "faults": [asdict(fault) for fault in self.faults.armed],
            "requests": len(self._log),
        }


def _body(request: Request) -> Any:
    data = request.get_data()
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _wait(request: Request, seconds: float) -> None:
    stopping = request.environ.get("sandbox.stopping")
    if stopping is None:
        time.sleep(seconds)
    else:
        stopping.wait(seconds)


def _json(payload: Any, status: int) -> Response:
    return Response(json.dumps(payload), status, mimetype="application/json")
