"""A seeded shop, served by a process of its own, on a database file that can be put back as it was."""

import base64
import contextlib
import json
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
        """Make the database and the till's folder what they were after seeding, while it is being served."""
        kept = f"{self.database}.seeded"
        with contextlib.closing(sqlite3.connect(kept)) as seeded, contextlib.closing(sqlite3.connect(self.database)) as live:
            seeded.backup(live)
        shutil.rmtree(self.till)
        shutil.copytree(f"{self.till}.seeded", self.till)
        for message in self._queue.iterdir():
            message.unlink()

    @property
    def till(self) -> Path:
        """The folder of its till."""
        return self.database.parent / "till"

    @property
    def _queue(self) -> Path:
        return self.database.parent / "broker" / "queue"

    def asked_of_workers(self) -> list[tuple[str, dict]]:
        """What its workers, of whom there are none, were asked for: each task and what with."""
        messages = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(self._queue.iterdir())]
        return [(one["headers"]["task"], json.loads(base64.b64decode(one["body"]))[1]) for one in messages]

    @contextlib.contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Its tables, to be changed behind the pages' back."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as live:
            yield live
            live.commit()

    def ask(self, sql: str, *given: object) -> list[tuple]:
        """What its tables say, with `given` for the question marks."""
        with contextlib.closing(sqlite3.connect(self.database)) as live:
            return live.execute(sql, given).fetchall()


@contextlib.contextmanager
def served(folder: Path, *, products: int = 66) -> Iterator[ServedShop]:
    """Seed a shop in that folder and serve it until the block ends. Without products there are people, and nothing else."""
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
    shutil.copytree(folder / "till", folder / "till.seeded")
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
