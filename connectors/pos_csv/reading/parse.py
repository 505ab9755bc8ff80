"""One file of a till, read whole: its readings, and what is wrong with it, line by line.

Either the file is refused (FileRefusedError: nothing of it may be used), or every row is a reading, a continuation, or a
problem with its line. Rows stream; what is kept is one small reading per row.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from connectors.contract import RowProblem, TillReading
from connectors.pos_csv.reading.columns import Columns, first_header_line, resolve, resolves
from connectors.pos_csv.reading.dialect import (
    MAX_ROWS,
    BoundedLines,
    cell_too_large,
    cells_of,
    delimiter_of,
    encoding_of,
    lines_of,
    looks_like_utf8,
    separator_line,
)
from connectors.pos_csv.reading.numbers import NumberFormat
from connectors.pos_csv.reading.problems import FileRefusedError, unquoted
from connectors.pos_csv.reading.reader import RowReader
from connectors.pos_csv.reading.spellings import Spellings
from connectors.pos_csv.reading.tracked import TrackedColumn
from connectors.pos_csv.settings import PosCsvSettings

_LOOK_BELOW = 20  # lines among which a header is looked for, to say where it stands


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What one file said."""

    columns: Columns
    readings: Sequence[TillReading]
    problems: Sequence[RowProblem]
    rows: int
    untracked: int  # rows of items that the till doesn't count, by the column that says so
    currencies: tuple[str, ...]
    encoding: str
    delimiter: str
    number_format: NumberFormat | None  # as set, or as the file tells; None: it tells nothing


def parse_file(path: Path, settings: PosCsvSettings) -> ParsedFile:
    """Result: everything the file says. Raises FileRefusedError where nothing of it may be used, ConfigError where a person must
    first say which column is which. What stands in a file is quoted only where its columns are known by their names: by a
    pattern that fits every line a key would be a stock list, and its lines would be in the messages."""
    columns: list[Columns] = []
    try:
        parsed = _parsed(path, settings, columns.append)
    except FileRefusedError as refusal:
        if all(one.are_named for one in columns):
            raise
        raise refusal.unquoted() from None
    if parsed.columns.are_named:
        return parsed
    return replace(parsed, problems=[unquoted(one) for one in parsed.problems])


def _parsed(path: Path, settings: PosCsvSettings, resolved: Callable[[Columns], None]) -> ParsedFile:
    encoding = encoding_of(path, settings)
    spellings, tracked = _heard(path, encoding, settings)
    with lines_of(path, encoding) as lines:
        header, delimiter = _header(lines, settings)
        columns = _columns(header, lines, settings)
        resolved(columns)
        reader = RowReader(columns, settings, spellings, tracked)
        for line, row in _rows(lines, delimiter):
            reader.read(row, line)
            if reader.rows > MAX_ROWS:
                raise FileRefusedError(
                    f"The file has more than {MAX_ROWS:,} rows.",
                    code="too_many_rows",
                    next_step="Export current stock only, not its history.",
                )
        if not lines.ended and settings.final_newline_required:
            raise FileRefusedError(
                f"The last line ({lines.number}) has no end, so the file may be cut off. Nothing of it is used.",
                code="truncated",
                next_step="Export again. If this till always writes files so, set final_newline_required to false.",
            )
    readings, problems = reader.finish()
    if looks_like_utf8(path, encoding):
        text = f"The file looks like UTF-8 but is read as {encoding}: names with accents will be wrong."
        problems.append(RowProblem(0, "", "encoding_suspect", text, "Set encoding to utf-8."))
    return ParsedFile(
        columns=columns,
        readings=readings,
        problems=problems,
        rows=reader.rows,
        untracked=reader.untracked,
        currencies=reader.currencies,
        encoding=encoding,
        delimiter=delimiter,
        number_format=spellings.number_format,
    )


def _header(lines: BoundedLines, settings: PosCsvSettings) -> tuple[list[str], str]:
    for _ in range(settings.skip_lines):
        next(lines, "")
    first = next(lines, "")
    mark = separator_line(first)
    if mark:
        first = next(lines, "")
    delimiter = mark or delimiter_of(first, settings)
    try:
        header = next(csv.reader(chain([first], lines), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise FileRefusedError(
            "The line of column names can't be cut into columns: its quotation marks don't match, or it is far too long.",
            code="header",
            next_step="Check that this is the right list, and export again.",
        ) from error
    if not any(cell.strip() for cell in header):
        raise FileRefusedError("The file has no header line.", code="header", next_step="Export with column names on top.")
    return [cell.lstrip("\ufeff") for cell in header], delimiter


def _columns(header: list[str], lines: BoundedLines, settings: PosCsvSettings) -> Columns:
    try:
        return resolve(header, settings)
    except FileRefusedError as refusal:
        below = [cells_of(line, delimiter_of(line, settings)) for line, _ in zip(lines, range(_LOOK_BELOW), strict=False)]
        above = first_header_line(below, lambda cells: resolves(cells, settings))
        if above is None:
            raise
        raise FileRefusedError(
            refusal.message,
            code=refusal.code,
            next_step=f"The column names seem to stand in line {settings.skip_lines + above + 2}: "
            f"set skip_lines to {settings.skip_lines + above + 1}.",
        ) from refusal


def _heard(path: Path, encoding: str, settings: PosCsvSettings) -> tuple[Spellings, TrackedColumn | None]:
    """Result: what no row tells by itself: how the whole file writes its numbers, and who its items are counted by."""
    spellings = Spellings(settings.numbers)
    with lines_of(path, encoding) as lines:
        header, delimiter = _header(lines, settings)
        columns = _columns(header, lines, settings)
        columns_of_numbers = [(index, sort, set[str]()) for index, sort in columns.numbers()]
        tracked, cells = columns.of("tracked"), set[str]()
        for line, row in _rows(lines, delimiter):
            if len(row) < len(header):
                continue
            for index, sort, heard in columns_of_numbers:
                text = row[index]
                if text not in heard and not text.isdigit():
                    heard.add(text)
                    spellings.hear(sort, line, text)
            if tracked is not None:
                cells.add(row[tracked])
    return spellings, None if tracked is None else TrackedColumn(header[tracked], cells)


def _rows(lines: BoundedLines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every row, with the line it starts on. A quote that nobody closes refuses the whole file."""
    begun = lines.number
    try:
        for row in csv.reader(lines, delimiter=delimiter, strict=True):
            yield begun + 1, row
            begun = lines.number
    except csv.Error as error:
        if "field limit" in str(error):
            raise cell_too_large(begun + 1) from error
        raise FileRefusedError(
            f"The quotation marks from line {begun + 1} on don't match, so the rows after it can't be told apart.",
            code="truncated",
            next_step="The file is cut off or damaged: export again.",
        ) from error
