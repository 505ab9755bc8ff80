"""`python -m tests.bench`: how fast we are, beside a floor and beside how others do it. The last line is JSON."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.full_sync import FullSync

from tests.bench.engine import DATABASES, SIZES, engine_measure
from tests.bench.matching import matching_measure

PAGE = Path("docs") / "benchmarks.md"
Say = Callable[[str], None]


def main() -> int:
    """Run what is asked for. Result: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=["engine", "full_sync", "matching"])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, for a look in between")
    parser.add_argument("--json-only", action="store_true", help="no tables")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE}")
    parser.add_argument("--version", choices=["10.5", "10.2"], default="10.5", help="which WooCommerce the store plays")
    asked = parser.parse_args()
    if asked.write and (asked.quick or asked.only):
        parser.error("--write needs a whole run: leave out --quick and --only")
    began, load = time.monotonic(), os.getloadavg()[0]

    def say(what: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {what}", file=sys.stderr, flush=True)

    from tests.bench.page_report import pages_kept
    from tests.bench.report import Measured, page

    with tempfile.TemporaryDirectory(prefix="evenstock-bench-") as folder:
        synced = _full_sync(Path(folder), asked, say) if asked.only in (None, "full_sync") else None
        engines = _engines(Path(folder), asked, say) if asked.only in (None, "engine") else []
    matching = matching_measure(quick=asked.quick, say=say) if asked.only in (None, "matching") else []
    say("done")
    measured = Measured(synced, engines, asked.quick, (load, os.getloadavg()[0]), matching)
    if asked.write:
        PAGE.write_text(page(measured) + pages_kept(), encoding="utf-8")
    if not asked.json_only:
        print(f"{measured.as_text()}\n")
    print(json.dumps(measured.as_json()))
    return 0


def _full_sync(folder: Path, asked: argparse.Namespace, say: Say) -> "FullSync":
    """On SQLite, as one shop on one machine has it."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["EVENSTOCK_DATA_DIR"] = str(folder / "data")
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    from django.core.management import call_command

    from tests.bench.catalogue import Catalogue
    from tests.bench.full_sync import full_sync_measure

    call_command("migrate", verbosity=0)
    catalogue = Catalogue(simple=300, variable=5) if asked.quick else Catalogue()
    return full_sync_measure(folder=folder, catalogue=catalogue, version=asked.version, quick=asked.quick, say=say)


def _engines(folder: Path, asked: argparse.Namespace, say: Say) -> list:
    small, large = SIZES
    sizes, times = ((small // 10, large // 10), 1) if asked.quick else (SIZES, 2)
    return [engine_measure(folder=folder, database=name, sizes=sizes, times=times, say=say) for name in DATABASES]


if __name__ == "__main__":
    sys.exit(main())
