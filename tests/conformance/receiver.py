"""A webhook receiver that writes down what comes and answers as it is told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Condition
from typing import Any

from werkzeug.wrappers import Request, Response


@dataclass(frozen=True)
class Received:
    """One delivery as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A WSGI app. `status` is what it answers with from now on."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[Received] = []
        self._came = Condition()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        one = Received(request.path, dict(request.headers), request.get_data())
        with self._came:
            self.received.append(one)
            self._came.notify_all()
        return Response(status=self.status, headers={"Location": "/elsewhere"})(environ, start_response)

    def wait_for(self, count: int, seconds: float = 5) -> list[Received]:
        """Result: everything so far, once that many have come. Fails after `seconds`."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.received) >= count, timeout=seconds)
            assert came, f"{len(self.received)} of {count} deliveries came"
            return list(self.received)

    def forget(self) -> None:
        with self._came:
            self.received.clear()
