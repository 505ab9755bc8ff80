"""`python -m tests.bench.child JSON`: one step of the engine's measurement, in a process of its own: `prepare` fills the
database, `sync` measures one full sync and prints it as JSON."""

import json
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def main(given: dict[str, Any]) -> None:
    import django

    django.setup()
    {"prepare": prepare, "sync": sync}[given["step"]](given)


def prepare(given: dict[str, Any]) -> None:
    """Make the tables and fill them; one sync, never timed, does what only a first one has to do."""
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import rows
    from tests.bench.catalogue import Catalogue
    from tests.bench.shop import Known

    call_command("migrate", verbosity=0)
    catalogue, folder = Catalogue(simple=given["items"], variable=0), Path(given["folder"])
    (folder / "till").mkdir()
    till, store = rows.connect(Known(given["url"], given["key"], given["secret"]), folder / "till")
    rows.fill(till, store, catalogue)
    with connection.cursor() as cursor:  # fresh statistics, as a database that has lived for a day has
        cursor.execute("ANALYZE")


def sync(given: dict[str, Any]) -> None:
    """Measure one full sync over what `prepare` left: the same numbers, newly exported."""
    from django.db import connection
    from django.utils import timezone

    from connectors.models import Connection
    from sync.models import SyncRun
    from sync.turns.run import run_sync
    from tests.bench.catalogue import Catalogue, Exports

    catalogue = Catalogue(simple=given["items"], variable=0)
    exports = Exports(Path(given["folder"]) / "till", catalogue, turn=given["turn"])
    exports.write({ware.remote_id: ware.quantity for ware in catalogue.wares()})
    store, statements = Connection.objects.get(name="shop"), [0]
    for connection_of_either in Connection.objects.all():  # imports its package: a cost of the process, not of the sync
        connection_of_either.settings_parsed()

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements[0] += 1
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        started = perf_counter()
        run = run_sync(store=store, kind=SyncRun.Kind.FULL, now=timezone.now)
        seconds = perf_counter() - started
    assert run.state == SyncRun.State.DONE, f"{run.state}: {run.message}"
    assert run.counts.get("in_step") == given["items"], run.counts
    assert run.counts.get("feeds_applied") == 1, run.counts
    assert not run.counts.get("changes"), run.counts
    print(json.dumps({"seconds": seconds, "rss_mb": most_resident_mb(), "statements": statements[0]}))


def most_resident_mb() -> float:
    """Result: this process's most resident memory. Not `ru_maxrss`, which on Linux starts at what the parent had."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not say how much memory was resident.")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
