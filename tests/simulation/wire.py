"""What lies between the engine and a store, or a till's API: time that passes, a world that goes on, requests that fare badly.

It wraps the sandbox as a WSGI app, so the engine talks real HTTP. The sandbox's own faults are armed as any test arms them; two
more live here: a request that is carried out only after the caller has given up, and one that the store refuses.
"""

import json
from collections.abc import Callable, Iterable
from io import BytesIO
from random import Random
from typing import Any

from sandbox.till.api import TillApp
from sandbox.woocommerce import StoreApp
from tests.simulation.clock import SimClock

REFUSAL = json.dumps({"code": "not_now", "message": "Not now.", "data": {"status": 400}}).encode()


class Wire:
    """A server that stays, for stores that come and go. `busy` is called before and after each request."""

    def __init__(self) -> None:
        self.app: StoreApp | TillApp | None = None
        self.hold = False
        self.next_write: str = ""  # "late" or "refused"
        self._late: list[tuple[float, dict[str, Any], bytes]] = []

    def begin(
        self,
        app: StoreApp | TillApp,
        clock: SimClock,
        rng: Random,
        *,
        settle: float,
        busy: Callable[[], None],
        told: Callable[[str], None],
        served: Callable[[str], None] = lambda _path: None,
    ) -> None:
        """Serve another system from now on. `settle`: seconds within which a request given up on is carried out; `served` hears
        the path of what was read."""
        self.app, self._clock, self._rng, self._settle, self._busy, self._told = app, clock, rng, settle, busy, told
        self._served = served
        self.next_write, self._late = "", []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert self.app is not None
        self._busy()
        self.land()
        fate, is_write = self.next_write, environ["REQUEST_METHOD"] == "POST"
        if fate and is_write:
            self.next_write = ""
            self._told(f"  {environ['PATH_INFO']} {fate}")
            if fate == "late":
                due = self._clock.at.timestamp() + self._rng.uniform(0, self._settle * 0.95)
                self._late.append((due, environ, environ["wsgi.input"].read()))
                raise ConnectionAbortedError
            start_response("400 Bad Request", [("Content-Type", "application/json"), ("Content-Length", str(len(REFUSAL)))])
            return [REFUSAL]
        said: list[str] = []

        def starts(status: str, *more: Any) -> Any:
            said.append(status)
            return start_response(status, *more)

        try:
            answer = list(self.app(environ, starts))
            if not is_write and said[0].startswith("200"):
                self._served(environ["PATH_INFO"])
        finally:
            if is_write:
                self._told(f"  {environ['PATH_INFO']} {self._shows()}")
        self._busy()
        return answer

    def _shows(self) -> dict[str, int | None]:
        if isinstance(self.app, TillApp):
            return {sku: int(self.app.on_hand(sku)) for sku in self.app.skus()}
        assert self.app is not None
        return {each.sku: each.shown_quantity for each in self.app.catalogue.products.values() if each.manage_stock}

    def land(self) -> None:
        """Carry out what is due of the requests that nobody waits for any more."""
        now = self._clock.at.timestamp()
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _, environ, body in due:
            assert self.app is not None
            list(self.app({**environ, "wsgi.input": BytesIO(body)}, lambda *_: None))
            self._told(f"  carried out late: {self._shows()}")
