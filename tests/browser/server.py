"""A seeded shop, served by a process of its own, on a database file that can be put back as it was."""

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ServedShop:
    """Where it is, and its database."""

    url: str
    database: Path

    def put_back(self) -> None:
        """Make the database what it was after seeding, while it is being served."""
        kept = f"{self.database}.seeded"
        with contextlib.closing(sqlite3.connect(kept)) as seeded, contextlib.closing(sqlite3.connect(self.database)) as live:
            seeded.backup(live)

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Its tables, to be changed behind the pages' back."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as live:
            yield live
            live.commit()

    def ask(self, sql: str) -> list[tuple]:
        """What its tables say."""
        with contextlib.closing(sqlite3.connect(self.database)) as live:
            return live.execute(sql).fetchall()


@contextlib.contextmanager
def served(folder: Path, *, products: int = 66) -> Iterator[ServedShop]:
    """Seed a shop in that folder and serve it until the block ends."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "EVENSTOCK_DATA_DIR": str(folder),
        "SEED_PRODUCTS": str(products),
    }
    environment.pop("DATABASE_URL", None)
    subprocess.run([sys.executable, "-m", "tests.browser.seed"], cwd=ROOT, env=environment, check=True, timeout=120)
    database = folder / "evenstock.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as made, contextlib.closing(sqlite3.connect(f"{database}.seeded")) as kept:
        made.backup(kept)
    port = _free_port()
    log = (folder / "server.log").open("w")
    command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload", "--insecure", "--skip-checks"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process, folder / "server.log")
        yield ServedShop(f"http://127.0.0.1:{port}", database)
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def chromium() -> str | None:
    """The browser on this machine, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - our own address
            return
        time.sleep(0.1)
    raise RuntimeError(f"The shop was not served. Its last words:\n{log.read_text()[-2000:]}")
