"""From a customer's order to the till's number, with nothing left out: the shop's own delivery, the web server, the broker, the
worker, the till's import. Prints how long it took."""

import itertools
import json
import os
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.server import serve
from sandbox.till import Till
from sandbox.till.export import Exporter
from sandbox.till.imports import Importer
from sandbox.woocommerce import StoreApp
from tests.sync.hooked import ADDRESS, SECRET, signed
from tests.sync.shop import product, stocked

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_clock("the till's files have the times that the disk gives"),
]
ROOT = Path(__file__).resolve().parents[3]
ITEMS = 31


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], object], *, seconds: float, what: str, every: float = 0.05) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(every)


class Installation:
    """One shop on one machine, as `manage.py run` serves it, in a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_", "EVENSTOCK_"))},
            "EVENSTOCK_DATA_DIR": str(folder),
            "EVENSTOCK_FOLDERS": str(folder.parent / "drop"),
            "EVENSTOCK_PUBLIC_URL": self.address,
            "EVENSTOCK_LOG_LEVEL": "WARNING",
        }

    def manage(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--port", str(self.port)], cwd=ROOT, env=self.environment, start_new_session=True
        )
        try:
            until(self._answers, seconds=60, what="the web server answers", every=0.2)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=1).ok
        except requests.ConnectionError:
            return False


@dataclass(frozen=True)
class Served:
    """A shop that is open: its store, its till, and Evenstock at an address of its own."""

    app: StoreApp
    till: Till
    importer: Importer
    here: Installation


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("shop")
    app, till, drop = StoreApp(), Till(), folder / "drop"
    stocked(till, {f"ITEM-{n}": 50 for n in range(ITEMS)})
    app.load([product(100 + n, f"ITEM-{n}", 50) for n in range(ITEMS)])
    drop.mkdir()
    here = Installation(folder / "data")
    pairs = folder / "pairs.csv"
    lines = "".join(f"ITEM-{n},ITEM-{n},exact,1.00\n" for n in range(ITEMS))
    pairs.write_text(f"POS SKU,WooCommerce SKU,Match Type,Confidence\n{lines}")
    with serve(app) as server:
        here.manage("migrate", "--verbosity", "0")
        Exporter(till, drop).write()
        here.manage("connect", "pos_csv", "--folder", str(drop), "--set", "stable_seconds=0")
        keys = {"CONSUMER_KEY": app.key, "CONSUMER_SECRET": app.secret, "WEBHOOK_SECRET": SECRET}
        named = {f"EVENSTOCK_{name}": value for name, value in keys.items()}
        said = here.manage("connect", "woocommerce", "--url", server.url, "--mode", "live", **named)
        assert f"The shop tells us of orders, at {here.address}{ADDRESS}" in said
        here.manage("import_alignment", str(pairs))
        here.manage("inventory_sync", "--full")
        with here.running():
            yield Served(app, till, Importer(till, drop / "outbound"), here)
        app.close()


@pytest.mark.timeout(240)
def test_an_online_order_is_at_the_till_within_seconds(served, capsys):
    took = [_order_to_till(served, f"ITEM-{n}", seconds=60 if n == 0 else 30) for n in range(ITEMS)]
    till = served.till
    assert {sku: till.on_hand(sku) for sku in till.skus()} == dict.fromkeys(till.skus(), Decimal(48))
    assert {hook.failures for hook in served.app.hooks.hooks.values()} == {0}
    took = took[1:]  # the first one waits for the worker to start
    with capsys.disabled():
        figures = {
            "orders": len(took),
            "median_s": round(statistics.median(took), 2),
            "p95_s": round(statistics.quantiles(took, n=20)[-1], 2),
        }
        print(f"\norder → till, one machine, SQLite, files as broker: {json.dumps(figures)}")
    assert statistics.median(took) < 5


def _order_to_till(served: Served, sku: str, *, seconds: float) -> float:
    """Result: seconds from the customer's click until the till shows it."""
    began = time.monotonic()
    served.app.place_order([(sku, 2)])

    def arrived() -> bool:
        served.importer.run()
        return served.till.on_hand(sku) == 48

    until(arrived, seconds=seconds, what=f"{sku} at the till")
    return time.monotonic() - began


def _sent(served: Served, head: str, parts: Iterable[bytes]) -> tuple[int, int]:
    """Send raw bytes until the server answers. Result: the answer's status, and how many bytes of the body it let us send."""
    with socket.create_connection(("127.0.0.1", served.here.port), timeout=30) as link:
        link.sendall(f"POST {ADDRESS} HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n\r\n".encode())
        sent = 0
        for part in parts:
            if select.select([link], [], [], 0)[0]:
                break
            try:
                link.sendall(part)
            except OSError:
                break
            sent += len(part)
        return int(link.recv(1000).split()[1]), sent


def test_a_giant_is_sent_away_before_it_has_said_all(served):
    mib = b" " * 2**20
    length = f"Content-Type: application/json\r\nContent-Length: {50 * 2**20}"
    status, sent = _sent(served, length, itertools.repeat(mib, 50))
    assert status == 413
    assert sent < 50 * 2**20


def test_a_giant_that_names_no_length_is_sent_away(served):
    part = f"{2**20:x}\r\n".encode() + b" " * 2**20 + b"\r\n"
    chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked"
    status, _ = _sent(served, chunked, [*itertools.repeat(part, 5), b"0\r\n\r\n"])
    assert status == 413


@pytest.mark.parametrize("secret", [SECRET, "of-somebody-else-00"])
def test_a_chunked_webhook_is_judged_by_all_of_its_body(served, secret):
    body = json.dumps({"order_id": 4711, "items": []}).encode()
    headers = {"Content-Type": "application/json", "X-WC-Webhook-Signature": signed(body, secret)}
    answer = requests.post(f"{served.here.address}/webhook/order", data=iter([body[:7], body[7:]]), headers=headers, timeout=10)
    assert answer.status_code == (200 if secret == SECRET else 401)
