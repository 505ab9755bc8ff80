"""A sample of a till's export, looked at by a person before anything of it is used: how it would be read, line by line, and what
its own letters and numbers say about the settings it needs. Nothing is kept, nothing moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.contract import RowProblem, TillReading
from connectors.errors import ConnectorError
from connectors.pos_csv.reading.columns import first_header_line, presets_that_fit, recognised, resolves
from connectors.pos_csv.reading.dialect import (
    cells_of,
    decodes,
    delimiter_of,
    encoding_of,
    lines_of,
    looks_like_utf8,
    separator_line,
)
from connectors.pos_csv.reading.numbers import NumberFormat
from connectors.pos_csv.reading.parse import parse_file
from connectors.pos_csv.reading.problems import PARTIAL_CODES, FileRefusedError, rejects_row
from connectors.pos_csv.settings import PosCsvSettings

LOOK_BELOW = 20  # lines among which the column names are looked for
SHOWN, SHOWN_BAD = 12, 20
_LIKELY_ENCODINGS = ("utf-8", "cp1252")


@dataclass(frozen=True, slots=True)
class SampleLine:
    """What one line of the file would say. `problem`: why it can't be used, or what of it."""

    line: int
    reading: TillReading | None = None
    problem: RowProblem | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """How a file is read with some settings. `error`: why nothing of it can be used with them."""

    header: Sequence[str] = ()
    encoding: str = ""
    delimiter: str = ""
    found: Mapping[str, str] = field(default_factory=dict)  # what is read from which column
    rows: int = 0
    readings: int = 0
    untracked: int = 0  # rows of items that the till doesn't count, by the column that says so
    bad_rows: int = 0
    bad_prices: int = 0  # rows that are used all the same
    lines: Sequence[SampleLine] = ()  # the first ones, good and bad
    problems: Sequence[RowProblem] = ()  # the first bad lines, wherever they are
    notes: Sequence[RowProblem] = ()  # by which nothing is lost
    error: ConnectorError | None = None


def sample_read(path: Path, settings: PosCsvSettings) -> Sample:
    """Result: the file as it would be read. Never raises for what the file says."""
    try:
        encoding = encoding_of(path, settings)
        header, delimiter = _header(path, encoding, settings)
    except ConnectorError as error:
        return Sample(error=error)
    about: dict[str, Any] = {"header": header, "encoding": encoding, "delimiter": delimiter}
    try:
        parsed = parse_file(path, settings)
    except ConnectorError as error:
        told = error.problems if isinstance(error, FileRefusedError) else ()
        return Sample(
            **about, error=error, problems=[one for one in told if one.serious][:SHOWN_BAD], found=recognised(header, settings)
        )
    serious = [one for one in parsed.problems if one.serious]
    return Sample(
        **about,
        found=parsed.columns.found(),
        rows=parsed.rows,
        readings=len(parsed.readings),
        untracked=parsed.untracked,
        bad_rows=len({one.line for one in serious if rejects_row(one)}),
        bad_prices=len({one.line for one in serious if one.code in PARTIAL_CODES}),
        lines=_lines(parsed.readings, serious),
        problems=serious[:SHOWN_BAD],
        notes=[one for one in parsed.problems if not one.serious][:SHOWN_BAD],
    )


def sample_settings(path: Path, settings: PosCsvSettings) -> dict[str, Any]:
    """Result: the settings that must differ from these for the file to be read, as far as the file itself can tell: its letters,
    where its column names stand, which till wrote it, how it writes numbers. Empty where nothing needs changing, or nothing
    helps."""
    found: dict[str, Any] = {}

    def with_it() -> PosCsvSettings:
        return settings.model_copy(update=found)

    try:
        found |= _encoding(path, settings)
        found |= _place(path, with_it())
        for _ in range(3):  # a file may need all of these, and tells one at a time
            if not (more := _reading(path, with_it())):
                break
            found |= more
    except ConnectorError:
        pass  # `sample_read` says so
    return found


def _encoding(path: Path, settings: PosCsvSettings) -> dict[str, Any]:
    encoding = encoding_of(path, settings)
    if looks_like_utf8(path, encoding):
        return {"encoding": "utf-8"}
    if encoding.startswith("utf-16") or decodes(path, encoding):
        return {}
    better = next((name for name in _LIKELY_ENCODINGS if decodes(path, name)), "")
    return {"encoding": better} if better else {}


def _header(path: Path, encoding: str, settings: PosCsvSettings) -> tuple[list[str], str]:
    """Result: the cells of the line that the settings take for the column names, and what separates them."""
    with lines_of(path, encoding) as lines:
        for _ in range(settings.skip_lines):
            next(lines, "")
        first = next(lines, "")
        mark = separator_line(first)
        first = next(lines, "") if mark else first
    delimiter = mark or delimiter_of(first, settings)
    return [cell.lstrip("\ufeff") for cell in cells_of(first, delimiter)], delimiter


def _place(path: Path, settings: PosCsvSettings) -> dict[str, Any]:
    """Result: which preset finds its columns, and in which line."""
    encoding = encoding_of(path, settings)
    header, _ = _header(path, encoding, settings)
    if better := _preset(header, settings):
        return {} if better == settings.preset else {"preset": better}
    with lines_of(path, encoding) as lines:
        below = [cells_of(line, delimiter_of(line, settings)) for line, _ in zip(lines, range(LOOK_BELOW), strict=False)]
    at = first_header_line(below, lambda cells: bool(_preset(cells, settings)))
    if at is None:
        return {}
    better = _preset(below[at], settings)
    return {"skip_lines": at} | ({} if better == settings.preset else {"preset": better})


def _preset(header: Sequence[str], settings: PosCsvSettings) -> str:
    """Result: a preset that would do, the chosen one first; "" where none does. Of several that fit, the one that reads most."""
    if resolves(header, settings):
        return settings.preset
    fitting = presets_that_fit(header, settings)
    fitting += ["generic"] if resolves(header, settings.model_copy(update={"preset": "generic"})) else []
    return max(fitting, key=lambda name: len(recognised(header, settings.model_copy(update={"preset": name}))), default="")


def _reading(path: Path, settings: PosCsvSettings) -> dict[str, Any]:
    code, bad, _ = _trouble(path, settings)
    whole = settings.model_copy(update={"final_newline_required": False})
    if code == "truncated" and not _trouble(path, whole)[0]:
        return {"final_newline_required": False}
    refused, worse, told = _trouble(path, whole.model_copy(update={"number_format": "auto"}))
    if refused or told is None or told == settings.number_format:
        return {}
    is_better = settings.number_format == "auto" or code in ("number_format", "mostly_bad") or worse < bad
    return {"number_format": told.value} if is_better else {}


def _trouble(path: Path, settings: PosCsvSettings) -> tuple[str, int, NumberFormat | None]:
    """Result: the code of why the file can't be read so, "" where it can; in how many places it can't; and how its numbers are
    read."""
    try:
        parsed = parse_file(path, settings)
    except ConnectorError as error:
        return error.code or "refused", 0, None
    return "", sum(1 for one in parsed.problems if one.serious), parsed.number_format


def _lines(readings: Sequence[TillReading], problems: Sequence[RowProblem]) -> list[SampleLine]:
    """Result: the first lines in the file's order; a line may have several readings, one for each place."""
    good = [SampleLine(reading.line, reading=reading) for reading in readings[: SHOWN * 2]]
    bad = [SampleLine(problem.line, problem=problem) for problem in problems if problem.line][:SHOWN]
    return sorted([*good, *bad], key=lambda one: one.line)[:SHOWN]
