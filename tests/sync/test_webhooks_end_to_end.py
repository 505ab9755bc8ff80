"""From a customer's order to the till's number, with nothing left out: the shop's own delivery, the web server, the broker, the
worker, the till's import. Prints how long it took."""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from sandbox.server import serve
from sandbox.store import StoreApp
from sandbox.till import Till
from sandbox.till.export import Exporter
from sandbox.till.imports import Importer
from tests.sync.shop import product, stocked

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_online_order_is_at_the_till_within_seconds(tmp_path, capsys):
    app, till, drop = StoreApp(), Till(), tmp_path / "drop"
    stocked(till, {f"ITEM-{n}": 50 for n in range(ITEMS)})
    app.load([product(100 + n, f"ITEM-{n}", 50) for n in range(ITEMS)])
    drop.mkdir()
    importer = Importer(till, drop / "outbound")
    here = Installation(tmp_path / "data")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(
        "POS SKU,WooCommerce SKU,Match Type,Confidence\n" + "".join(f"ITEM-{n},ITEM-{n},exact,1.00\n" for n in range(ITEMS))
    )
    with serve(app) as server:
        here.manage("migrate", "--verbosity", "0")
        Exporter(till, drop).write()
        here.manage("connect", "pos_csv", "--folder", str(drop), "--set", "stable_seconds=0")
        keys = {"EVENSTOCK_CONSUMER_KEY": app.key, "EVENSTOCK_CONSUMER_SECRET": app.secret}
        said = here.manage("connect", "woocommerce", "--url", server.url, "--mode", "live", **keys)
        assert f"The shop tells us of orders, at {here.address}/webhooks/woocommerce/store/" in said
        here.manage("import_alignment", str(pairs))
        here.manage("inventory_sync", "--full")
        with here.running():
            took = [_order_to_till(app, till, importer, f"ITEM-{n}", answer_within=60 if n == 0 else 30) for n in range(ITEMS)]
        app.close()
    assert {sku: till.on_hand(sku) for sku in till.skus()} == dict.fromkeys(till.skus(), Decimal(48))
    assert {hook.failures for hook in app.hooks.hooks.values()} == {0}
    took = took[1:]  # the first one waits for the worker to start
    with capsys.disabled():
        figures = {
            "orders": len(took),
            "median_s": round(statistics.median(took), 2),
            "p95_s": round(statistics.quantiles(took, n=20)[-1], 2),
        }
        print(f"\norder → till, one machine, SQLite, files as broker: {json.dumps(figures)}")
    assert statistics.median(took) < 5


def _order_to_till(app: StoreApp, till: Till, importer: Importer, sku: str, *, answer_within: float) -> float:
    """Result: seconds from the customer's click until the till shows it."""
    began = time.monotonic()
    app.place_order([(sku, 2)])

    def arrived() -> bool:
        importer.run()
        return till.on_hand(sku) == 48

    until(arrived, seconds=answer_within, what=f"{sku} at the till")
    return time.monotonic() - began
