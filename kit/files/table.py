"""Bytes → rows of named cells (reliability.md 28–31). A file that can't be read as a whole is refused with its reason; what is
wrong with a single row is left to its reader, so that a preview can show the row."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kit.errors import FileError
from kit.files.cells import cell_plain

Encoding = Literal["utf-8", "cp1252"]
ENCODINGS: Mapping[Encoding, str] = {"utf-8": "UTF-8 (usual)", "cp1252": "Windows (cp1252)"}
MAX_ROWS = 200_000
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class TableRow:
    """One data row as text, by column. `line` counts from 1, the header included. `is_short`: a cell is missing."""

    line: int
    cells: Mapping[str, str]
    is_short: bool = False


def table_parse(
    content: bytes, *, encoding: str = "utf-8", limit: int, columns: Sequence[str], others: Sequence[str] = ()
) -> list[TableRow]:
    """Result: the rows of a file with these columns, and with the others where it has them; blank ones left out. Raises
    FileError for a file over `limit` bytes or MAX_ROWS rows, in another encoding, without its columns, or with a quote
    that is never closed."""
    if len(content) > limit:
        raise FileError(
            f"The file has {len(content) / 1e6:.1f} MB; the limit is {limit / 1e6:.0f} MB.",
            next_step="Check that it is the right file, or split it.",
        )
    text = _decode(content, encoding)
    lines = text.count("\n")
    if lines > MAX_ROWS:
        raise FileError(
            f"The file has {lines:,} lines; the limit is {MAX_ROWS:,}.", next_step="Check that it is the right file, or split it."
        )
    skipped = 0
    if text[:4].lower() == "sep=":  # Excel's way of naming the delimiter
        text, skipped = text.partition("\n")[2], 1
    delimiter, places = _header(text, columns, others)
    rows = list(_rows(text, delimiter, places, columns, skipped))
    if not rows:
        raise FileError("The file has a header and no rows.", next_step="Export it again, with its rows.")
    return rows


def _decode(content: bytes, encoding: str) -> str:
    if content[:4] == b"PK\x03\x04" or content[:2] == b"\x1f\x8b" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise FileError("This is a workbook or an archive, not a CSV file.", next_step="Save it as “CSV UTF-8” first.")
    if b"\x00" in content:
        raise FileError("This is not plain CSV text (it has null bytes).", next_step="Save it as “CSV UTF-8” first.")
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        other = ENCODINGS["cp1252"] if encoding == "utf-8" else ENCODINGS["utf-8"]
        raise FileError(
            f"Line {line} has letters that are not {encoding}.",
            next_step=f"Choose the encoding {other}, or save the file as “CSV UTF-8”.",
        ) from None


def _header(text: str, columns: Sequence[str], others: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Result: the delimiter under which the header makes most sense, and each column's place."""
    first = text.partition("\n")[0].rstrip("\r")
    if len(first) > _HEADER_LENGTH:
        raise FileError("The first line is far too long for a header.", next_step="Check that it is the right file.")
    best: tuple[str, dict[str, int]] = (",", {})
    found: list[str] = []
    for delimiter in _DELIMITERS:
        names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        places = {name.casefold(): place for place, name in reversed(list(enumerate(names)))}
        known = {column: places[column.casefold()] for column in (*columns, *others) if column.casefold() in places}
        if (len(known), len(names)) > (len(best[1]), len(found)):
            best, found = (delimiter, known), names
    missing = [column for column in columns if column not in best[1]]
    if missing:
        wanted = ", ".join(f"“{column}”" for column in missing)
        seen = ", ".join(f"“{name[:40]}”" for name in found[:20] if name) or "nothing"
        verb = "columns {} are" if len(missing) > 1 else "column {} is"
        raise FileError(
            f"The {verb.format(wanted)} missing. The header has: {seen}.",
            next_step=f"The first line must name the columns {', '.join(columns)}.",
        )
    return best


def _rows(text: str, delimiter: str, places: dict[str, int], columns: Sequence[str], skipped: int) -> Iterator[TableRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1 + skipped
    try:
        next(reader)
        while True:
            line = reader.line_num + 1 + skipped
            cells = [cell_plain(cell) for cell in next(reader)]
            if any(cells):
                named = {column: cells[place] if place < len(cells) else "" for column, place in places.items()}
                yield TableRow(line, named, is_short=max(places[column] for column in columns) >= len(cells))
    except StopIteration:
        return
    except csv.Error as error:
        raise FileError(
            f"Line {line} can't be read: {error}.",
            next_step="Look for a quotation mark that is never closed. Nothing was applied.",
        ) from None
