"""A till that knows only files books the adjustments, and takes the prices, others leave in its `outbound` folder."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sandbox.till.shelf import Till
from sandbox.till.words import Adjustment

HEADER = ("Operation ID", "SKU", "Location", "Quantity Change", "Reason", "Reference")
PRICE_HEADER = ("Operation ID", "SKU", "Retail Price", "Currency", "Reason")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file: `booked` rows happened now (0 when all were known), or it was rejected for `reason`."""

    name: str
    booked: int = 0
    reason: str = ""


class Importer:
    """Takes `*.csv` out of a folder in the order of their names, each wholly or not at all.

    A file that was booked goes to `imported/`; one that can't be goes to `rejected/` beside a `NAME.reason.txt`. A file is
    booked before it is moved: after a crash in between it is read again, and its operation ids are known.
    """

    def __init__(self, till: Till, outbound: Path) -> None:
        self.till, self.outbound = till, outbound

    def run(self) -> list[Imported]:
        """Take in everything that lies there now."""
        waiting = [path for path in sorted(self.outbound.glob("*.csv")) if path.is_file() and not path.name.startswith(".")]
        return [self._take(path) for path in waiting]

    def _take(self, path: Path) -> Imported:
        try:
            booked = self._book(path)
        except (ValueError, csv.Error) as refusal:
            reason = str(refusal)
            rejected = self._move(path, "rejected")
            rejected.with_name(f"{rejected.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")
            return Imported(path.name, reason=reason)
        self._move(path, "imported")
        return Imported(path.name, booked)

    def _book(self, path: Path) -> int:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            header = tuple(next(csv.reader(lines, strict=True), ()))
        if header != PRICE_HEADER:
            return self.till.adjust_all(list(read_adjustments(path)))
        prices = list(read_prices(path))
        changed = [sku for sku, price in prices if self.till.item(sku).price != price]
        for sku, price in prices:
            self.till.reprice(sku, price)
        return len(changed)

    def _move(self, path: Path, where: str) -> Path:
        (self.outbound / where).mkdir(exist_ok=True)
        return path.rename(self.outbound / where / path.name)


def read_adjustments(path: Path) -> Iterator[Adjustment]:
    """Every row of an adjustments file. Raises ValueError with the line number where it is not one."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        if tuple(next(reader, ())) != HEADER:
            raise ValueError(f"The header is not {','.join(HEADER)}.")
        for cells in reader:
            if len(cells) != len(HEADER):
                raise ValueError(f"Line {reader.line_num}: {len(cells)} cells instead of {len(HEADER)}.")
            operation_id, sku, location, change, reason, reference = cells
            if not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,6})?", change):
                raise ValueError(f"Line {reader.line_num}: {change!r} is not a quantity.")
            try:
                identity = UUID(operation_id)
            except ValueError:
                raise ValueError(f"Line {reader.line_num}: {operation_id!r} is not an operation id.") from None
            sku, location, reason, reference = map(_unguarded, (sku, location, reason, reference))
            yield Adjustment(identity, sku, Decimal(change), location, reason, reference)


def read_prices(path: Path) -> Iterator[tuple[str, Decimal]]:
    """Every row of a price file, as (SKU, price). Raises ValueError with the line number where it is not one."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        next(reader)
        for cells in reader:
            if len(cells) != len(PRICE_HEADER) or not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", cells[2]):
                raise ValueError(f"Line {reader.line_num}: not a price.")
            yield _unguarded(cells[1]), Decimal(cells[2])


def _unguarded(text: str) -> str:
    """Without the `'` that keeps spreadsheets from taking a text for a formula."""
    return text[1:] if re.match(r"'\s*[=+\-@＝＋－＠]", text) else text
