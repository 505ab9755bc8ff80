"""When a file was true. Not when we got it: an export that lay for an hour must not undo an hour's sales (design.md §3.3).

The name says it best, then a column the shop has named for it, then the file's own time. A “last modified” column is used
only where it is named: in most exports it tells when an item last changed, which is earlier than the export.
"""

import csv
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.pos_csv.dialect import cells_of, delimiter_of, encoding_of, lines_of, separator_line
from connectors.pos_csv.presets import header_key
from connectors.pos_csv.problems import FileRefusedError
from connectors.pos_csv.settings import PosCsvSettings

CLOCKS_APART = timedelta(minutes=15)  # a till's clock may run ahead of ours by this much


def true_at(path: Path, name: str, settings: PosCsvSettings) -> tuple[datetime, str]:
    """Result: the moment the file speaks of, UTC, and where that was found: `name`, `column` or `file`."""
    written = datetime.fromtimestamp(path.stat(follow_symlinks=False).st_mtime, UTC)
    said = time_in_name(name, settings, near=written)
    if said is not None:
        return said, "name"
    if settings.time_column:
        said = time_in_column(path, settings, near=written)
        if said is not None:
            return said, "column"
    return written, "file"


def refuse_future(moment: datetime, now: datetime, settings: PosCsvSettings) -> None:
    """Raises FileRefusedError for a file from the future: taken as it is, every honest file after it would be “older”."""
    if moment - now > CLOCKS_APART:
        raise FileRefusedError(
            f"The file says it is from {moment.astimezone(settings.zone):%Y-%m-%d %H:%M} ({settings.timezone}): yet to come.",
            code="future",
            next_step="Check the till's clock, and the connection's time zone.",
        )


def time_in_name(name: str, settings: PosCsvSettings, *, near: datetime) -> datetime | None:
    """Result: the time in a file's name, or None. `Z` after it means UTC, else the connection's time zone counts."""
    match = re.search(settings.time_pattern, name)
    if match is None:
        return None
    parts = match.groupdict()
    try:
        naive = datetime(  # noqa: DTZ001 - the zone is added below, by `Z` or by the setting
            int(parts["year"]),
            int(parts["month"]),
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            int(parts.get("second") or 0),
        )
    except ValueError:
        return None
    return naive.replace(tzinfo=UTC) if parts.get("utc") else _localised(naive, settings, near)


def _localised(naive: datetime, settings: PosCsvSettings, near: datetime) -> datetime:
    """The hour that a clock change shows twice is the one nearer to when the file was written."""
    early, late = (naive.replace(tzinfo=settings.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return min(early, late, key=lambda moment: abs(moment - near))


def time_in_column(path: Path, settings: PosCsvSettings, *, near: datetime) -> datetime | None:
    """Result: the latest time in the configured column, or None where it is absent or holds no time that can be read."""
    latest: datetime | None = None
    try:
        with lines_of(path, encoding_of(path, settings)) as lines:
            for _ in range(settings.skip_lines):
                next(lines, "")
            head = next(lines, "")
            mark = separator_line(head)
            head = next(lines, "") if mark else head
            delimiter = mark or delimiter_of(head, settings)
            keys = [header_key(cell) for cell in cells_of(head, delimiter)]
            if header_key(settings.time_column) not in keys:
                return None
            column = keys.index(header_key(settings.time_column))
            seen = {row[column] for row in csv.reader(lines, delimiter=delimiter) if len(row) > column}
    except (ConnectorError, csv.Error):  # reading the rows says it better
        return None
    for text in seen:
        naive_or_aware = parse_time(text, settings)
        if naive_or_aware is None:
            continue
        aware = naive_or_aware if naive_or_aware.tzinfo else _localised(naive_or_aware, settings, near)
        latest = max(latest or aware, aware)
    return latest.astimezone(UTC) if latest else None


def parse_time(text: str, settings: PosCsvSettings) -> datetime | None:
    """Result: a time as a cell holds it, naive where it names no zone; None where it is no time."""
    try:
        if settings.time_format:
            return datetime.strptime(text.strip(), settings.time_format)  # noqa: DTZ007 - zone added by the caller
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
