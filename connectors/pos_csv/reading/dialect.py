"""From bytes to cells: refuse what is no text table, decode strictly, find the delimiter, bound every line.

Nothing here reads a whole file into memory, and every refusal comes before a row is believed.
"""

import codecs
import csv
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from connectors.pos_csv.reading.problems import FileRefusedError
from connectors.pos_csv.settings import PosCsvSettings

MAX_BYTES = 200_000_000
MAX_ROWS = 2_000_000
MAX_CELL = 64 * 1024
MAX_LINE = 1_000_000
_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "a gzip archive"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"SQLite format 3", "a database"),
    (b"{\\rtf", "a text-processor document"),
)
_MARKUP = ((b"<!doctype", "a web page"), (b"<html", "a web page"), (b"<?xml", "an XML file"), (b"<svg", "a picture"))
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_BYTE_ENCODINGS = ("cp1252", "latin-1", "cp1250", "cp1253", "cp1254")


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file for reading, never through a symbolic link."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as stream:
        yield stream


def encoding_of(path: Path, settings: PosCsvSettings) -> str:
    """Result: the encoding to decode with; a byte order mark beats the setting. Raises FileRefusedError for a file that is too
    large, empty, or of another kind (by its first bytes, whatever its name says)."""
    size = path.stat(follow_symlinks=False).st_size
    if size > MAX_BYTES:
        raise FileRefusedError(
            f"The file has {size // 1_000_000} MB; more than {MAX_BYTES // 1_000_000} MB is not read.",
            code="too_large",
            next_step="Export the stock list only, without history or pictures.",
        )
    with opened(path) as stream:
        head = stream.read(4096)
    if not head.strip():
        raise FileRefusedError("The file is empty.", code="empty", next_step="Export again and check the till's disk.")
    _refuse_other_kinds(head)
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    return settings.encoding


def _refuse_other_kinds(head: bytes) -> None:
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if head.startswith(b"PK\x03\x04") and (b"[Content_Types].xml" in head or b"xl/" in head):
        kind = "an Excel workbook (xlsx)"
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:16].lower()
    kind = kind or next((kind for magic, kind in _MARKUP if start.startswith(magic)), "")
    if kind:
        raise FileRefusedError(
            f"This is {kind}, whatever its name says, not a CSV file.",
            code="not_csv",
            next_step="Unpack it, or save it as “CSV UTF-8”, and drop that.",
        )


@contextmanager
def lines_of(path: Path, encoding: str) -> Iterator["BoundedLines"]:
    """The file's lines as text, with their own line ends."""
    with opened(path) as stream, io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="") as text:
        yield BoundedLines(text, path, encoding)


class BoundedLines:
    """Lines of a text file, counted, none longer than MAX_LINE, none with NUL. Ends with `ended` telling whether the last
    line had a line end. Raises FileRefusedError at the first that breaks a rule."""

    def __init__(self, text: io.TextIOWrapper, path: Path, encoding: str) -> None:
        self._text, self._path, self._encoding = text, path, encoding
        self.number = 0
        self.ended = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_LINE)
        except UnicodeError as error:
            raise _undecodable(self._path, self._encoding) from error
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) >= MAX_LINE:
            raise FileRefusedError(
                f"Line {self.number} is over {MAX_LINE:,} characters long.",
                code="line_too_long",
                next_step="This is hardly a stock list: check what the till exported.",
            )
        if "\0" in line:
            raise FileRefusedError(
                f"Line {self.number} holds NUL characters, which text never does.",
                code="nul",
                next_step="If Excel saved it as “Unicode text”, set encoding to utf-16; else the file is damaged: export again.",
            )
        self.ended = line[-1] in "\r\n"
        return line


def _undecodable(path: Path, encoding: str) -> FileRefusedError:
    """Result: the refusal that names the line, the setting to change, and an encoding that would do."""
    spoken = "utf-8" if encoding == "utf-8-sig" else encoding
    line, bad = _first_undecodable(path, encoding)
    where = f"Line {line}" if line else "The file"
    what = f" (byte {bad:#04x})" if bad is not None else ""
    fitting = next((name for name in ("utf-8", "cp1252") if name != spoken and decodes(path, name)), "")
    if fitting == "cp1252":
        step = "Set encoding to cp1252 (Windows, western Europe), in which the whole file can be read, then look at the names."
    elif fitting:
        step = f"Set encoding to {fitting}, in which the whole file can be read."
    else:
        step = "Change the setting encoding to what the till writes, or have the till write UTF-8."
    return FileRefusedError(f"{where} can't be read as {spoken}{what}.", code="encoding", next_step=step)


def _first_undecodable(path: Path, encoding: str) -> tuple[int, int | None]:
    if encoding.startswith("utf-16"):
        return 0, None
    with opened(path) as stream:
        for number, raw in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=1):
            try:
                raw.decode(encoding)
            except UnicodeDecodeError as error:
                return number, raw[error.start]
    return 0, None


def decodes(path: Path, encoding: str) -> bool:
    """Result: the whole file is valid in that encoding, and has no control characters that text never holds."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with opened(path) as stream:
        try:
            for chunk in iter(lambda: stream.read(_CHUNK), b""):
                if "\0" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def looks_like_utf8(path: Path, encoding: str) -> bool:
    """Result: the file is read in a one-byte encoding, yet is valid UTF-8 with letters beyond ASCII: almost surely UTF-8."""
    if encoding not in _BYTE_ENCODINGS:
        return False
    with opened(path) as stream:
        if all(chunk.isascii() for chunk in iter(lambda: stream.read(_CHUNK), b"")):
            return False
    return decodes(path, "utf-8")


def cells_of(line: str, delimiter: str) -> list[str]:
    """Result: the cells of one line on its own; none where it can't be cut into cells."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def delimiter_of(header_line: str, settings: PosCsvSettings) -> str:
    """Result: what separates the header's cells: the configured delimiter, or the one that gives the most cells."""
    if settings.delimiter != "auto":
        return settings.delimiter
    return max(_DELIMITERS, key=lambda mark: len(cells_of(header_line, mark)))


def separator_line(line: str) -> str:
    """Result: the delimiter that Excel's first line `sep=;` names, or ""."""
    text = line.strip("\ufeff\r\n")
    return text[4] if len(text) == 5 and text.lower().startswith("sep=") else ""


def cell_too_large(line: int) -> FileRefusedError:
    """Result: the refusal of a file with a cell over MAX_CELL."""
    return FileRefusedError(
        f"Line {line} has a cell of more than {MAX_CELL // 1024} kB.",
        code="cell_too_large",
        next_step="Leave descriptions and pictures out of the export.",
    )
