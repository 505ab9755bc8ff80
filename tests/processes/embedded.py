"""Evenstock as `make run` runs it: web, worker and beat under one command, SQLite, and a broker of files."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.processes.installation import Installation
from tests.processes.programs import Programs, free_port, until
from tests.processes.shop import Shop

PARTS = {"web": "config.web", "worker": " worker ", "beat": " beat "}


class Embedded(Installation):
    """One shop on one machine, and the ways to harm it."""

    def __init__(self, programs: Programs, folder: Path, data: Path) -> None:
        self.programs, self.folder, self.data = programs, folder, data
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        programs.environment |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
            "EVENSTOCK_DATA_DIR": str(data),
            "EVENSTOCK_FOLDERS": str(folder),
            "EVENSTOCK_PUBLIC_URL": self.address,
            "EVENSTOCK_LOG_LEVEL": "WARNING",
        }

    def start(self) -> None:
        self.programs.start("evenstock", sys.executable, "manage.py", "run", "--port", str(self.port))
        until(self.answers, seconds=90, what="the web server answers")
        until(self.is_at_work, seconds=90, what="a scheduled run was done")

    def run_again(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Result: what a second `manage.py run` in the same folder says."""
        command = [sys.executable, "manage.py", "run", *words]
        return subprocess.run(
            command, cwd=Path.cwd(), env=self.programs.environment, capture_output=True, text=True, timeout=60, check=False
        )

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.data / 'evenstock.sqlite3'}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(sql, values).fetchall()

    def is_at_work(self) -> bool:
        return bool(self.ask("SELECT 1 FROM jobs_jobslot WHERE state = 'done' LIMIT 1"))

    def runs_done(self) -> int:
        """Result: how many scheduled runs were done so far."""
        return int(self.ask("SELECT count(*) FROM jobs_jobslot WHERE state = 'done'")[0][0])

    def pids(self) -> dict[str, int]:
        """Result: the parts that live."""
        supervisor = self.programs.pid("evenstock")
        found = {}
        for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            found |= {name: int(child) for name, word in PARTS.items() if word in command}
        return found

    def kill_part(self, name: str) -> int:
        """kill -9 for one part alone. Result: its number."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def events_of(self, order: int) -> list[str]:
        told = "SELECT state FROM sync_inboundevent WHERE resource_id = ? AND topic = 'order.hint'"
        return [row[0] for row in self.ask(told, order)]

    def said(self) -> str:
        return (self.folder / "evenstock.log").read_text(errors="replace")


@contextmanager
def embedded(folder: Path, data: Path, *, often: bool = True) -> Iterator[tuple[Embedded, Shop]]:
    """A shop, and an Evenstock under one command that is in step with it. Everything is gone afterwards."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "DATABASE_", "EVENSTOCK_", "PYTEST_"))
    }
    with Programs(folder, environment) as programs:
        here = Embedded(programs, folder, data)
        drop = folder / "drop"
        drop.mkdir()
        shop = Shop(programs, drop, sys.executable)
        here.connect(shop, often=often)
        here.start()
        yield here, shop
