"""`align_files POS_CSV STORE_JSON --out CSV`: match two catalogues from files alone; nothing is read from or written to the
database."""

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import CommandParser

from alignment.importing.catalogues import ENCODINGS, PRESETS, FileCatalogue, store_file_read, till_file_read
from alignment.importing.rows import COLUMNS, STATUS
from alignment.matching.engine import Match, match
from alignment.matching.parts.things import Thing
from alignment.matching.weighing.confidence import USUAL_THRESHOLD, expected_error
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.pos_csv.reading.presets import PresetName
from connectors.pos_csv.settings import Encoding
from kit.errors import FileError
from kit.files.cells import cell_safe

HEADER = (*COLUMNS, STATUS, "Evidence")
_TOLD = 5


class Command(EvenstockCommand):
    help = "Finds which item of a till's export (CSV) is which product of a store (JSON), and writes the pairs to a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("pos_csv", type=Path, metavar="POS_CSV", help="The till's export.")
        parser.add_argument("store_json", type=Path, metavar="STORE_JSON", help="The store's products, from its REST API.")
        parser.add_argument("--out", type=Path, required=True, metavar="CSV", help="The file to write.")
        parser.add_argument(
            "--threshold", type=float, default=USUAL_THRESHOLD, metavar="0…1",
            help=f"From this confidence on a pair confirms itself ({USUAL_THRESHOLD}).",
        )  # fmt: skip
        parser.add_argument("--preset", choices=PRESETS, default="generic", help="Which till wrote the export.")
        parser.add_argument("--encoding", choices=ENCODINGS, default=None, help="How the export's letters are stored.")

    def handle(
        self, *, pos_csv: Path, store_json: Path, out: Path, threshold: float, preset: PresetName, encoding: Encoding | None,
        **_: Any,
    ) -> None:  # fmt: skip
        if not 0 <= threshold <= 1:
            hint = f"Try --threshold {USUAL_THRESHOLD}."
            raise CommandExit(Exit.FAILED, f"A threshold of {threshold:g} is not between 0 and 1.\n{hint}")
        till, store = till_file_read(pos_csv, preset=preset, encoding=encoding), store_file_read(store_json)
        matches = match(till.things, store.things).matches
        rows = list(_rows(matches, till.things, store.things, threshold))
        _write(out, rows)
        self._report(till, store, matches, rows, threshold)

    def _report(
        self, till: FileCatalogue, store: FileCatalogue, matches: list[Match], rows: list[tuple[str, ...]], threshold: float
    ) -> None:
        confirmed = sum(row[4] == "confirmed" for row in rows)
        error = expected_error([match.confidence for match in matches if match.is_safe], threshold)
        wrong = "" if error is None else f" About {error:.2%} of the confirmed pairs are expected to be wrong."
        self.stdout.write(
            f"{len(till.things)} items, {len(store.things)} listings: {confirmed} pairs confirmed, "
            f"{len(rows) - confirmed} proposed, {len(till.things) - len(rows)} items without a listing.{wrong}"
        )
        unusable = till.unusable + store.unusable
        for problem in unusable[:_TOLD]:
            self.stderr.write(f"Left out: {problem}", lambda text: text)
        if unusable:
            raise CommandExit(Exit.PARTIAL, f"{len(unusable)} rows could not be used; the others are matched.")


def _rows(matches: Iterable[Match], items: list[Thing], listings: list[Thing], threshold: float) -> Iterator[tuple[str, ...]]:
    item_of = {item.key: item for item in items}
    listing_of = {listing.key: listing for listing in listings}
    for found in matches:
        item, listing = item_of[found.item_key], listing_of[found.listing_key]
        evidence = found.evidence
        if not listing.sku:
            evidence = f"the listing has no SKU: it is number {listing.key}, “{listing.name[:80]}”; {evidence}"
        is_confirmed = found.is_safe and found.confidence >= threshold and bool(listing.sku)
        yield (
            item.sku, listing.sku, found.kind, f"{found.confidence:.4f}", "confirmed" if is_confirmed else "proposed", evidence
        )  # fmt: skip


def _write(out: Path, rows: Iterable[tuple[str, ...]]) -> None:
    """Write the file whole or not at all. Raises FileError where it can't be written."""
    kept = ""
    try:
        with NamedTemporaryFile("w", dir=out.parent, prefix=f".{out.name}.", delete=False, encoding="utf-8", newline="") as file:
            kept = file.name
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows([cell_safe(cell) for cell in row] for row in rows)
        os.chmod(kept, 0o644)  # noqa: PTH101 - as any file of the person's own
        Path(kept).replace(out)
    except OSError as error:
        if kept:
            Path(kept).unlink(missing_ok=True)
        raise FileError(
            f"“{out}” can't be written: {error.strerror or error}.", next_step="Check the folder's name and its permissions."
        ) from None
