"""`manage.py detect_conflicts`: look at both sides, and write all that waits for a person into a file."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from connectors.contract import Side
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.models import Connection
from connectors.selectors import connection_named, connections_of
from kit.files.cells import cell_safe
from kit.words import quantity_text
from sync.core.policy import percent_of
from sync.models import SyncConflict, SyncRun
from sync.selectors import conflicts_open
from sync.turns.run import run_sync

HEADER = (
    "store",
    "type",
    "class",
    "pos_sku",
    "woo_sku",
    "name",
    "pos_value",
    "woo_value",
    "difference",
    "percent",
    "detected_at",
    "why",
)


class Command(EvenstockCommand):
    help = (
        "Read both sides, and write every open conflict to conflicts_YYYYMMDD.csv. Nothing is written to shop or till. "
        "Exit codes: 0 done, 1 no shop could be read, 3 some could not, 4 refused because a sync is running."
    )
    connection_help = "Only this store (default: every store in use)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--out", default=".", metavar="DIR", help="Where to put the file (default: here).")
        parser.add_argument("--no-read", action="store_true", help="Only what is known already.")

    def handle(self, *, connection: str, out: str, no_read: bool, **_: Any) -> None:
        stores = [connection_named(connection, side=Side.STORE)] if connection else connections_of(side=Side.STORE)
        folder = Path(out)
        if not folder.is_dir():
            raise ConfigError(f"“{out}” is no folder.", next_step="Make it, or name another one with --out.")
        failed = [] if no_read else [store for store in stores if not self._read(store)]
        rows = [row for store in stores for row in conflicts_open(store=store).select_related(
            "store", "alignment__item", "alignment__listing", "listing"
        )]  # fmt: skip
        path = folder / f"conflicts_{timezone.localdate():%Y%m%d}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(HEADER)
            writer.writerows([cell_safe(cell) for cell in _cells(row)] for row in rows)
        self.stdout.write(f"{len(rows)} open conflicts in {path}")
        if failed:
            code = Exit.FAILED if len(failed) == len(stores) else Exit.PARTIAL
            raise CommandExit(code, f"Could not be read: {', '.join(store.name for store in failed)}.")

    def _read(self, store: Connection) -> bool:
        try:
            run = run_sync(store=store, kind=SyncRun.Kind.FULL, now=timezone.now, read_only=True)
        except LeaseHeldError as error:
            raise CommandExit(Exit.REFUSED, str(error)) from error
        return run.state != SyncRun.State.FAILED


def _cells(row: SyncConflict) -> Sequence[str]:
    pair = row.alignment
    listing = pair.listing if pair else row.listing
    is_quantity = row.conflict_type == SyncConflict.Type.QUANTITY
    percent = percent_of(row.difference, Decimal(row.pos_value)) if is_quantity and row.pos_value else None
    return (
        row.store.name, row.conflict_type, row.drift_class, pair.item.sku if pair else "", listing.sku if listing else "",
        (pair.item.name if pair else "") or (listing.name if listing else ""), row.pos_value, row.woo_value,
        quantity_text(row.difference), quantity_text(percent), row.detected_at.isoformat(timespec="seconds"), row.why,
    )  # fmt: skip
