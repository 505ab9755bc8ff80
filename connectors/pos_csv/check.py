"""The connection test of a drop folder, in a shop owner's words. It moves and changes nothing."""

from datetime import datetime
from pathlib import Path

from connectors.contract import CheckReport, Finding
from connectors.errors import ConnectorError
from connectors.pos_csv.files import DropFolder, unreadable
from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.truth import Doubt, FileTimes, Truth, doubt_said, refuse_future
from connectors.pos_csv.settings import PosCsvSettings

_SOURCES = {"name": "its name", "column": "its time column", "file": "the file's own time"}
_SAMPLE = 3
_MEND = "The other rows count. Mend it at the till; the page of a sync's run names every such row."


def check_folder(folder: DropFolder, settings: PosCsvSettings, now: datetime) -> CheckReport:
    """Result: whether the folder can be used and its newest export read, with columns, rows and some problems."""
    try:
        newest = folder.newest()
    except ConnectorError as error:
        return CheckReport((Finding(ok=False, message=error.message, next_step=error.next_step),))
    found = Finding(ok=True, message=f"The folder {folder.root} is there and files in it can be moved.")
    if newest is None:
        step = f"Let the till export its stock list there, as {settings.pattern}."
        return CheckReport((found, Finding(ok=True, message="No export has arrived yet.", next_step=step)))
    try:
        truth = FileTimes(folder, settings, folder.exports()).truth(newest)
        refuse_future(truth.at, now, settings)
        parsed = parse_file(newest, settings)
    except (OSError, ConnectorError) as error:
        told = unreadable(newest.name, error) if isinstance(error, OSError) else error
        bad = Finding(ok=False, message=f"The newest export, “{newest.name}”: {told.message}", next_step=told.next_step)
        return CheckReport((found, bad))
    columns = "; ".join(f"{role} in “{header}”" for role, header in parsed.columns.found().items())
    findings = [
        found,
        Finding(ok=True, message=f"“{newest.name}” can be read: {parsed.rows:,} rows, {len(parsed.readings):,} readings."),
        Finding(ok=True, message=f"Columns: {columns}."),
        _time(truth, settings),
        *_reading(parsed, settings),
        *_samples(parsed),
    ]
    return CheckReport(tuple(findings), _facts(newest, parsed))


def _time(truth: Truth, settings: PosCsvSettings) -> Finding:
    if truth.doubt and truth.doubt != Doubt.NEAR:
        told, step = doubt_said(truth, settings)
        return Finding(ok=True, message=told, next_step=step)
    return Finding(ok=True, message=f"It was true at {truth.at:%Y-%m-%d %H:%M} UTC, by {_SOURCES[truth.source]}.")


def _reading(parsed: ParsedFile, settings: PosCsvSettings) -> list[Finding]:
    """Result: how numbers are read, and what is not counted, where there is something to say of it."""
    findings = []
    if parsed.number_format:
        by = "as its own numbers tell" if settings.numbers is None else "as set"
        findings.append(Finding(ok=True, message=f"Numbers are read like {parsed.number_format.value}, {by}."))
    if parsed.untracked:
        header = parsed.columns.found()["tracked"]
        text = f"{parsed.untracked:,} rows are of items that the till doesn't count, by “{header}”: unknown, never zero."
        findings.append(Finding(ok=True, message=text))
    return findings


def _samples(parsed: ParsedFile) -> list[Finding]:
    serious = [problem for problem in parsed.problems if problem.serious]
    findings = [Finding(ok=True, message=one.message, next_step=one.next_step or _MEND) for one in serious[:_SAMPLE]]
    if len(serious) > _SAMPLE:
        findings.append(Finding(ok=True, message=f"And {len(serious) - _SAMPLE} more rows have problems.", next_step=_MEND))
    return findings


def _facts(newest: Path, parsed: ParsedFile) -> dict[str, str]:
    outlets = sorted({reading.location for reading in parsed.readings} - {""})
    facts = {"newest export": newest.name, "rows": str(parsed.rows), "encoding": parsed.encoding, "delimiter": parsed.delimiter}
    if outlets:
        facts["outlets"] = ", ".join(outlets[:20])
    return facts
