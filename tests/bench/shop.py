"""The sandbox's store in a process of its own, so that its work is not ours, and what it is made to cost."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds that the store takes. Set so that a request costs what was recorded of a real shop (docs/benchmarks.md)."""

    latency: float = 0.0  # the network there and back, and WordPress getting ready: paid by every request
    page_cost: float = 0.0
    row_cost: float = 0.0
    item_cost: float = 0.0
    concurrency: int = 0


NETWORK = 0.050
RECORDED = Cost(latency=NETWORK + 0.057, page_cost=0.0013, row_cost=0.00172, item_cost=0.030, concurrency=2)
NOTHING = Cost()


@dataclass(frozen=True, slots=True)
class Known:
    """What a client needs of a store that another process started."""

    url: str
    key: str
    secret: str
    ca_file: str = ""
    version: str = "10.5"


class Shop:
    """A running store. `url`, `key`, `secret` and `ca_file` are what any client needs."""

    def __init__(self, catalogue_file: Path, *, version: str = "10.5", tls: bool = True) -> None:
        self.version = version
        command = [sys.executable, "-m", "sandbox", "store", "--version", version, "--load", str(catalogue_file)]
        self._process = subprocess.Popen([*command, "--tls"] if tls else command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._process.stdout is not None
        _, self.url, self.key, self.secret, *rest = self._process.stdout.readline().split()
        self.ca_file = rest[0] if rest else ""

    def session(self) -> requests.Session:
        """Result: a connection of a plain client: kept alive, Basic over https."""
        session = requests.Session()
        session.auth, session.verify, session.trust_env = (self.key, self.secret), self.ca_file or True, False
        return session

    def steer(self, method: str, name: str, given: Mapping[str, Any] | None = None) -> Any:
        """Use one of the sandbox's own switches. Result: its answer."""
        reply = requests.request(method, f"{self.url}/__sandbox/{name}", json=given, verify=self.ca_file or True, timeout=30)
        reply.raise_for_status()
        return reply.json()

    @contextmanager
    def costing(self, cost: Cost) -> Iterator[None]:
        """Let requests cost that much, and nothing again afterwards."""
        self.steer("POST", "settings", asdict(cost))
        try:
            yield
        finally:
            self.steer("POST", "settings", asdict(NOTHING))

    def requests_made(self) -> int:
        """Result: the requests since the last time, of which the log is then emptied."""
        count: int = self.steer("GET", "state")["requests"]
        self.steer("DELETE", "requests")
        return count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        if self._process.stdout:
            self._process.stdout.close()
