"""How fast the admin's pages are in a large shop: `python -m tests.bench.pages [--rows 100000] [--rounds 20]`.

“Today”, its live part, “Review matches”, and every list: as it opens, and half as often its last page, searched, by each filter
and sorted by each column; by the test client as a lead who is logged in, on SQLite and on a Postgres of its own. Time is the
server's, without the network: the view, its statements and the template. “CPU” is what our own thread used, for machines that
have other things to do.
`--write` puts the tables into docs/benchmarks.md. The last line is JSON.
"""

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from tests.bench.engine import DATABASES, database_new
from tests.bench.page_report import Page, pages_write
from tests.bench.shop import ROOT

LAST_PAGE, FILTERS, FILTER_LINKS = r"[?&]p=(\d+)", r'<nav id="changelist-filter".*?</nav>', r'<li><a href="(\?[^"]+)"'
SORTERS = r'<th scope="col" class="sortable.*?<a href="(\?[^"]+)"'
WORDS = ("product 777", "nothing-has-this")  # four in a thousand have the first, none the second


def main() -> int:
    """Result: the exit code; 1 where a page misses a limit."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="pages whose name contains this")
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--here", metavar="FOLDER", help="the shop of DATABASE_URL, or of this folder: filled if it is empty")
    asked = parser.parse_args()
    if asked.write and (asked.only or asked.database):
        parser.error("--write needs a whole run: leave out --only and --database")
    if asked.here:
        pages = _here(Path(asked.here), asked)
        print(json.dumps([page.as_json() for page in pages]))
        return 0
    found = {name: _there(name, asked) for name in DATABASES if asked.database in (None, name)}
    if asked.write:
        pages_write(found, rows=asked.rows)
    missed = [f"{name}: {page}" for name, pages in found.items() for page in pages if not page.is_met]
    for page in missed:
        print(f"Misses its limit on {page}", file=sys.stderr)
    print(json.dumps({name: {page.name: page.as_json() for page in pages} for name, pages in found.items()}))
    return 1 if missed else 0


def _there(database: str, asked: argparse.Namespace) -> list[Page]:
    """Result: the pages on a new database of that sort, measured in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="evenstock-bench-") as folder, database_new(database, Path(folder)) as url:
        print(f"{database}, {asked.rows:,} of everything", file=sys.stderr, flush=True)
        options = ["--rows", str(asked.rows), "--rounds", str(asked.rounds), "--only", asked.only, "--here", folder]
        command = [sys.executable, "-m", "tests.bench.pages", *options]
        environment = {**os.environ, "DATABASE_URL": url}
        answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return [Page(**row) for row in json.loads(answer.stdout.splitlines()[-1])]


def _here(folder: Path, asked: argparse.Namespace) -> list[Page]:
    os.environ.update(DJANGO_SETTINGS_MODULE="tests.settings", EVENSTOCK_DATA_DIR=str(folder), EVENSTOCK_LOG_LEVEL="CRITICAL")
    import django

    django.setup()
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # a page that a lead may not see is asked for by root
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from inventory.models import Item
    from tests.bench.page_rows import PageRows

    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    if not Item.objects.exists():
        PageRows(asked.rows).fill()
        if connection.vendor == "postgresql":  # after loads we do so there too; SQLite plans without figures
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
    return list(_measure(asked.rounds, asked.only))


def _measure(rounds: int, only: str) -> Iterator[Page]:
    from django.contrib.auth.models import User
    from django.test import Client

    clients = {}
    for login in ("lead", "root"):
        clients[login] = Client()
        clients[login].force_login(User.objects.get(username=login), backend="django.contrib.auth.backends.ModelBackend")
    print(Page.HEAD, file=sys.stderr)
    for name, path in _paths(clients["root"], only):
        client = clients["root" if clients["lead"].get(path).status_code == 403 else "lead"]
        page = _page(client, name, path, rounds if "," not in name.removeprefix("Today,") else max(3, rounds // 2))
        print(page, file=sys.stderr, flush=True)
        yield page


def _paths(client: Any, only: str) -> Iterator[tuple[str, str]]:
    from django.contrib import admin
    from django.urls import reverse

    alone = {"Today": "index", "Today, live part": "today_live", "Review matches": "alignment_alignment_review"}
    for name, view in alone.items():
        if only in name:
            yield name, reverse(f"admin:{view}")
    for model, shown in admin.site._registry.items():
        meta = model._meta
        if only in meta.label_lower:
            path = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
            for way, query in _ways(client.get(path).content.decode(), is_searched=bool(shown.search_fields)):
                yield f"{meta.label_lower}{way}", f"{path}{query}"


def _ways(html: str, *, is_searched: bool) -> Iterator[tuple[str, str]]:
    """Result: what a list can be asked for: as (words, query). Of each filter the first choice beside “all”."""
    yield "", ""
    if last := max(map(int, re.findall(LAST_PAGE, html)), default=0):
        yield ", last page", f"?p={last}"
    if is_searched:
        for word in WORDS:
            yield f", searched for {word}", f"?q={word.replace(' ', '+')}"
    if filters := re.search(FILTERS, html, flags=re.DOTALL):
        for drop in filters[0].split("<details")[1:]:
            links = [unescape(link) for link in re.findall(FILTER_LINKS, drop) if link != "?"]
            if links:
                yield f", filtered {links[0]}", links[0]
    for link in re.findall(SORTERS, html, flags=re.DOTALL):
        yield f", sorted {link}", unescape(link)


def _page(client: Any, name: str, path: str, rounds: int) -> Page:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    statements = list(seen.captured_queries)  # the next request clears the log
    slowest = max(statements, key=lambda one: float(one["time"]))
    wall, cpu = [], []
    for _ in range(rounds):
        began, used = time.perf_counter(), time.thread_time()
        client.get(path)
        cpu.append((time.thread_time() - used) * 1000)
        wall.append((time.perf_counter() - began) * 1000)
    wall.sort()
    cpu.sort()
    return Page(
        name,
        statements=len(statements),
        median_ms=wall[rounds // 2],
        p95_ms=wall[_place95(rounds)],
        cpu_ms=cpu[rounds // 2],
        cpu_p95_ms=cpu[_place95(rounds)],
        slowest_ms=float(slowest["time"]) * 1000,
        slowest=slowest["sql"][:300],
    )


def _place95(rounds: int) -> int:
    """Result: the place of the 95th percentile among so many sorted values: the largest that 5 % lie beyond."""
    return max(0, min(rounds - 1, -(-rounds * 95 // 100) - 1))


if __name__ == "__main__":
    sys.exit(main())
