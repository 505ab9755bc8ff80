"""A run that is killed with -9, at any moment: the next one brings the shop into step, and nothing takes effect twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest

from sandbox.server import serve
from sandbox.till import Till
from sandbox.till.export import Exporter
from sandbox.woocommerce import StoreApp
from tests.sync.shop import product, stocked

pytestmark = pytest.mark.real_clock("the till's files have the times that the disk gives")
ROOT = Path(__file__).parents[3]
KILLS = 20


class Engine:
    """Evenstock in processes of its own, with a data folder of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str, kill_when: Callable[[], bool] | None = None) -> int:
        """Result: the exit code; −9 when it was killed, as soon as `kill_when` held."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{json.dumps(arguments)}\n")
        self._process.stdin.flush()
        pid, ended = int(self._process.stdout.readline()), Event()
        watcher = Thread(target=_kill, args=(pid, kill_when, ended)) if kill_when else None
        if watcher:
            watcher.start()
        code = int(self._process.stdout.readline())
        ended.set()
        if watcher:
            watcher.join()
        return code


def _kill(pid: int, when: Callable[[], bool], ended: Event) -> None:
    while not when():
        if ended.wait(0.001):
            return
    os.kill(pid, signal.SIGKILL)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    environment = {
        **os.environ,
        "EVENSTOCK_DATA_DIR": str(folder),
        "EVENSTOCK_FOLDERS": "drop",
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
        "EVENSTOCK_LOG_LEVEL": "ERROR",
    }
    environment.pop("DATABASE_URL", None)
    with (folder / "said.txt").open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.sync.forked"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            yield Engine(process)
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait(20)
            assert process.stdout
            process.stdout.close()


class World:
    """A till and a store in this process; what both must show is known here."""

    def __init__(self, folder: Path, items: int) -> None:
        self.rng = Random(7)
        self.till, self.app = Till(), StoreApp()
        self.shelf = {f"S{n:03}": self.rng.randrange(30, 90) for n in range(items)}
        stocked(self.till, self.shelf)
        half = items // 2
        rows = [product(100 + n, sku, self.rng.randrange(30, 90)) for n, sku in enumerate(list(self.shelf)[:half])]
        parents = [product(1000 + n, "", None, type="variable") for n in range(5)]
        varied = [
            product(2000 + n, sku, self.rng.randrange(30, 90), parent_id=1000 + n % 5)
            for n, sku in enumerate(list(self.shelf)[half:])
        ]
        self.app.load([*rows, *parents, *varied])
        self.first = self.shown()
        self.online: Counter[str] = Counter()
        self.exporter = Exporter(self.till, folder)

    def shown(self) -> dict[str, int | None]:
        return {each.sku: each.shown_quantity for each in self.app.catalogue.products.values() if each.sku}

    def a_day(self, *, buyers: bool = True) -> None:
        """Every item moves at the till, one is bought online, and the till writes an export."""
        for sku in self.shelf:
            by = self.rng.choice((-2, -1, 1, 2))
            self.till.receive(sku, by)
            self.shelf[sku] += by
        if buyers:
            self.someone_buys()
        self.exporter.write()

    def someone_buys(self) -> None:
        sku = self.rng.choice(list(self.shelf))
        self.app.place_order([(sku, 1)])
        self.shelf[sku] -= 1
        self.online[sku] += 1

    def told(self) -> tuple[Counter[str], Counter[str]]:
        """Result: units that were sent for each SKU, and how often each operation id was sent."""
        units: Counter[str] = Counter()
        operations: Counter[str] = Counter()
        for request in self.app.writes:
            for item in (request.body or {}).get("update", ()):
                units[self.app.product(item["id"]).sku] += item["inventory_delta"]
                operations[item["meta_data"][0]["value"]] += 1
        return units, operations


def ask(world: World, evenstock: Engine, url: str, folder: Path) -> None:
    pairs = folder / "pairs.csv"
    rows = "".join(f"{sku},{sku},exact,1.0\n" for sku in world.shelf)
    pairs.write_text(f"POS SKU,WooCommerce SKU,Match Type,Confidence\n{rows}")
    till = ("connect", "pos_csv", "--folder", str(folder / "drop"), "--mode", "observe", "--set", "stable_seconds=0")
    assert evenstock.run(*till) == 0
    settings = [("settle_seconds", "0.5"), ("batch_size", "10"), ("per_page", "20")]
    store = ["connect", "woocommerce", "--url", url, "--key", world.app.key, "--secret", world.app.secret, "--mode", "live"]
    world.exporter.write()
    assert evenstock.run(*store, *[word for name, value in settings for word in ("--set", f"{name}={value}")]) == 0
    assert evenstock.run("import_alignment", str(pairs)) == 0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_at_any_moment_it_converges_and_nothing_takes_effect_twice(tmp_path):
    (tmp_path / "drop").mkdir()
    world = World(tmp_path / "drop", items=120)
    phases: list[Any] = []
    with serve(world.app) as server, engine(tmp_path) as evenstock:
        ask(world, evenstock, server.url, tmp_path)
        world.app.settings.set(latency=0.02, item_cost=0.001)
        world.a_day(buyers=False)  # what was ordered before the first reading is in the numbers already
        before = len(world.app.requests)
        assert evenstock.run("inventory_sync", "--full") == 0
        asked = len(world.app.requests) - before
        assert world.shown() == world.shelf
        for number in range(KILLS):
            world.a_day()
            before = len(world.app.writes)
            # By what the shop was asked, not by the clock: a moment is the same one on a slow machine.
            moment = len(world.app.requests) + 1 + asked * number // KILLS
            killed = evenstock.run("inventory_sync", "--full", kill_when=lambda moment=moment: len(world.app.requests) >= moment)
            phases.append((killed, len(world.app.writes) - before))
            if number % 3 == 0:
                world.someone_buys()
            assert evenstock.run("inventory_sync", "--full") == 0, (tmp_path / "said.txt").read_text()[-2000:]
            assert world.shown() == world.shelf, f"after kill {number}"
    units, operations = world.told()
    assert set(operations.values()) == {1}
    assert {sku: world.first[sku] + units[sku] - world.online[sku] for sku in world.shelf} == world.shown()
    # Some died before the first write, some among the writes: else this proves little.
    assert sum(ended == -signal.SIGKILL for ended, _ in phases) >= KILLS / 2, phases  # a run may ask less than the first
    assert {bool(writes) for _, writes in phases} == {True, False}, phases
