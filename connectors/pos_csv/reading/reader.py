"""The rows of one file, one at a time: a reading, a continuation of the row above, or a problem with its line."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from sys import intern

from connectors.contract import RowProblem, TillReading
from connectors.pos_csv.reading.cells import DAMAGED, Cells, Unusable, unwrapped
from connectors.pos_csv.reading.columns import Columns, OutletColumn
from connectors.pos_csv.reading.dialect import MAX_CELL, cell_too_large
from connectors.pos_csv.reading.presets import PRESETS
from connectors.pos_csv.reading.problems import PARTIAL_CODES, FileRefusedError, note, rejects_row
from connectors.pos_csv.reading.rows import Rows
from connectors.pos_csv.reading.spellings import Spellings
from connectors.pos_csv.reading.tracked import TrackedColumn
from connectors.pos_csv.settings import PosCsvSettings

MAX_SKU = 190
_MOSTLY_BAD_FROM = 20
_SHOWN_PER_CODE = 200
_TOTALS = frozenset({"total", "totals", "grand total", "sum", "summe", "gesamt", "total général", "totale"})
_KEPT = "The item keeps its last known number."
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class RowReader:
    """Rows in, readings and problems out."""

    def __init__(
        self, columns: Columns, settings: PosCsvSettings, spellings: Spellings, tracked: TrackedColumn | None = None
    ) -> None:
        preset = PRESETS[settings.preset]
        self._columns, self._settings = columns, settings
        self._width = len(columns.header)
        self._sku = columns.roles["sku"]
        self._blank_continues = preset.blank_rows_continue
        self._texts = tuple(columns.of(role) for role in ("name", "barcode", "category", "vendor"))
        self._cost, self._outlet, self._tracked = columns.of("cost"), columns.of("outlet"), columns.of("tracked")
        self._rows = Rows(settings.duplicates)
        self._problems: list[RowProblem] = []
        self._hidden: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._bad_rows = self._unclear = 0
        self._spellings, self._who_is_tracked = spellings, tracked
        self._cells = Cells(settings, spellings)
        self.rows = self.untracked = 0

    def read(self, row: list[str], line: int) -> None:
        """Take one row. Empty rows and continuation rows say nothing; everything else is counted."""
        if not any(row):
            return
        if max(map(len, row)) > MAX_CELL:
            raise cell_too_large(line)
        raw = row[self._sku] if self._sku < len(row) else ""
        sku = unwrapped(raw)
        if self._continues(row, sku) or not (sku.strip() or "".join(row).strip()):
            return
        if self._is_totals(row, sku):
            self._keep(note(line, "", "totals_row", f"Line {line} looks like a line of totals; left out."))
            return
        self.rows += 1
        reason = self._unusable(row, raw, sku)
        if reason is not None:
            code, message, step = reason
            self._reject(RowProblem(line, sku[:MAX_SKU], code, f"Line {line}: {message}", step))
            return
        is_tracked = self._is_tracked(row)
        if is_tracked is None:
            self._reject_untold(row, sku, line)
            return
        self.untracked += not is_tracked
        self._read_quantities(row, sku, line, is_tracked=is_tracked)

    def _is_tracked(self, row: list[str]) -> bool | None:
        """Does the till count the item? None: its column says neither yes nor no."""
        if self._tracked is None or self._who_is_tracked is None:
            return True
        return self._who_is_tracked.is_tracked(row[self._tracked])

    def _reject_untold(self, row: list[str], sku: str, line: int) -> None:
        """Nobody can tell whether the till counts the item, so none of the row's quantities is used."""
        assert self._tracked is not None  # it is this column's cell
        for column in self._columns.quantities:
            self._rows.add_unreadable(sku, column.outlet or self._place(row), line)
        name, cell = self._columns.header[self._tracked].strip(), row[self._tracked].strip()[:40]
        text = f"Line {line}: “{cell}” in the column “{name}” doesn't say whether the till counts the item. {_KEPT}"
        step = "Say yes or no at the till; or choose another column as “tracked” in the setting columns."
        self._reject(RowProblem(line, sku, "bad_tracked", text, step))

    def _continues(self, row: list[str], sku: str) -> bool:
        columns = self._columns
        if columns.row_id is not None and columns.row_id < len(row) and not row[columns.row_id].strip():
            return True
        if columns.component is not None and columns.component < len(row) and row[columns.component].strip():
            return not sku.strip() or self._rows.knows(sku)
        if self._blank_continues and not sku.strip():
            return all(not row[column.quantity].strip() for column in columns.quantities if column.quantity < len(row))
        return False

    def _is_totals(self, row: list[str], sku: str) -> bool:
        first = row[0] or next(cell for cell in row if cell)
        if first.strip().rstrip(":").casefold() not in _TOTALS:
            return False
        name = self._texts[0]
        return not sku.strip() or (sku == first and (name is None or name >= len(row) or not row[name].strip()))

    def _unusable(self, row: list[str], raw: str, sku: str) -> tuple[str, str, str] | None:
        if len(row) < self._width:
            return "short_row", f"it has {len(row)} cells instead of {self._width}.", "Look for a line break inside a name."
        if len(row) > self._width and any(cell.strip() for cell in row[self._width :]):
            step = "Look for a comma inside a name without quotation marks."
            return "long_row", f"it has {len(row)} cells instead of {self._width}, so they may be shifted.", step
        if not sku.strip():
            return "no_sku", "it has no SKU, so nobody can tell which item it is.", "Give the item a SKU at the till."
        if DAMAGED.fullmatch(sku.strip()):
            step = "Export straight from the till, without opening the file in a spreadsheet."
            return "damaged_sku", f"a spreadsheet turned the SKU into “{raw.strip()}”; its digits are lost.", step
        if len(sku) > MAX_SKU or (not sku.isprintable() and _CONTROL.search(sku)):
            return "bad_sku", f"the SKU is longer than {MAX_SKU} characters or holds line breaks.", "Correct it at the till."
        if self._outlet is not None and not row[self._outlet].strip():
            return "no_outlet", "it names no outlet, so nobody can tell where the stock lies.", "Fill the outlet column."
        return None

    def _place(self, row: list[str]) -> str:
        return intern(row[self._outlet].strip()) if self._outlet is not None else ""

    def _read_quantities(self, row: list[str], sku: str, line: int, *, is_tracked: bool) -> None:
        cells, outlet = self._cells, self._place(row)
        name, barcode, category, vendor = (row[index] if index is not None else "" for index in self._texts)
        if barcode:
            barcode = cells.barcode(barcode, line)
        cost = self._money(self._cost, row, sku, line, "cost")
        category, vendor = intern(category), intern(vendor)
        for column in self._columns.quantities:
            location = column.outlet or outlet
            on_hand = cells.quantity(row[column.quantity]) if is_tracked else None
            if isinstance(on_hand, Unusable):
                self._rows.add_unreadable(sku, location, line)
                self._unclear += on_hand.is_unclear
                self._reject(_bad_quantity(row[column.quantity], on_hand, sku, line, column))
                continue
            price = self._money(column.price, row, sku, line, "price")
            self._rows.add(TillReading(sku, location, on_hand, name, barcode, category, vendor, cost, price, line))

    def _money(self, index: int | None, row: list[str], sku: str, line: int, what: str) -> Decimal | None:
        """Result: the amount; None where there is none, or none that can be read (then the row's quantity still counts)."""
        if index is None:
            return None
        amount = self._cells.price(row[index])
        if not isinstance(amount, Unusable):
            return amount
        said = (
            f"Line {line}: the {what} “{row[index].strip()[:40]}” can't be used: {amount.why}. The quantity of this line is used."
        )
        self._keep(RowProblem(line, sku, f"bad_{what}", said, amount.next_step or f"Correct the {what} at the till."))
        return None

    def _keep(self, problem: RowProblem) -> None:
        """Keep a problem, up to so many of its code; the rest are counted."""
        if self._shown[problem.code] < _SHOWN_PER_CODE:
            self._shown[problem.code] += 1
            self._problems.append(problem)
        else:
            self._hidden[problem.code] += 1

    def _reject(self, problem: RowProblem) -> None:
        """Keep every rejected row's problem, since its SKU tells the engine that the item is not missing. A file in which
        most rows are bad is not the file it should be."""
        self._bad_rows += 1
        self._problems.append(problem)
        if self._bad_rows >= 1000 and self._bad_rows * 2 > self.rows:
            raise self._mostly_bad()

    def _mostly_bad(self) -> FileRefusedError:
        if self._unclear * 2 > self._bad_rows:
            first = next(problem for problem in self._problems if problem.code == "unclear_quantity")
            return FileRefusedError(
                f"Most of its numbers could be read in two ways, and nothing tells which is right. Nothing of it is used. "
                f"The first: {first.message}",
                code="number_format",
                next_step=first.next_step,
                problems=self._problems[:1000],
            )
        return FileRefusedError(
            f"{self._bad_rows:,} of {self.rows:,} rows can't be used, the first because: {_first_rejection(self._problems)}",
            code="mostly_bad",
            next_step="Check that this is the right list, and the settings number_format and delimiter.",
            problems=self._problems[:1000],
        )

    @property
    def currencies(self) -> tuple[str, ...]:
        return tuple(sorted(self._cells.currencies))

    def finish(self) -> tuple[list[TillReading], list[RowProblem]]:
        """Result: the readings and the problems by line. Raises FileRefusedError for what only the whole file shows."""
        self._refuse_other_number_format()
        if self.rows == 0:
            raise FileRefusedError(
                "The file has column names but no rows. No rows is never read as no stock.",
                code="empty",
                next_step="Export again, and check the filters of the export.",
            )
        if self._bad_rows >= _MOSTLY_BAD_FROM and self._bad_rows * 2 > self.rows:
            raise self._mostly_bad()
        readings, settled = self._rows.settle()
        problems = sorted([*self._problems, *settled], key=lambda problem: problem.line)
        problems.extend(self._summaries())
        rejected = [problem for problem in problems if rejects_row(problem)]
        partial = [problem for problem in problems if problem.code in PARTIAL_CODES]
        if self._settings.on_bad_rows == "refuse_file" and (rejected or partial):
            first = (rejected or partial)[0]
            raise FileRefusedError(
                f"{len(rejected) + len(partial)} problems, and a file is to be used whole or not at all. First: {first.message}",
                code="bad_rows",
                next_step="Correct them at the till and export again, or set on_bad_rows to apply_good.",
                problems=problems,
            )
        return readings, problems

    def _refuse_other_number_format(self) -> None:
        if contradiction := self._spellings.contradiction():
            line, text, better = contradiction
            raise FileRefusedError(
                f"Numbers are expected like {self._settings.number_format}, but the file writes them like “{text}” "
                f"(line {line}). Nothing of it is used.",
                code="number_format",
                next_step=f"Set number_format to {better.value}, if that is how the till writes them.",
            )

    def _summaries(self) -> Iterator[RowProblem]:
        if self._cells.damaged_barcodes:
            damaged = self._cells.damaged_barcodes
            line, code = damaged[0]
            text = (
                f"{len(damaged)} barcodes were damaged by a spreadsheet, the first on line {line} (“{code}”). "
                "They are left out; their rows are used."
            )
            yield note(0, "", "barcodes_damaged", text, "Export straight from the till, to match items by barcode too.")
        if unproved := self._spellings.unproved():
            line, example = unproved
            text = (
                f"“{example}” on line {line} could be read in two ways; it is read like {self._settings.number_format}, "
                "and no number in the file tells whether that is right."
            )
            yield note(0, "", "numbers_ambiguous", text, "Compare one such item with the till.")
        for code, count in self._hidden.items():
            yield RowProblem(0, "", "more", f"{count} more lines have the same problem ({code}).")


def _bad_quantity(text: str, flaw: Unusable, sku: str, line: int, column: OutletColumn) -> RowProblem:
    where = f" of {column.outlet}" if column.outlet else ""
    message = f"Line {line}: the quantity{where} “{text.strip()[:40]}” can't be used: {flaw.why}. {_KEPT}"
    step = "Correct it at the till. If the till writes this for items it doesn't count, add it to the setting untracked."
    code = "unclear_quantity" if flaw.is_unclear else "bad_quantity"
    return RowProblem(line, sku, code, message, flaw.next_step or step)


def _first_rejection(problems: Sequence[RowProblem]) -> str:
    return next((problem.message for problem in problems if rejects_row(problem)), "")
