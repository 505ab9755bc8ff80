"""When a file was true. Not when we got it: an export that lay for an hour must not undo an hour's sales (ledger.md §3).

Its name says it best, then a column the shop has named for it, then the file's own time. A “last modified” column is used
only where it is named: in most exports it tells when an item last changed, which is earlier than the export.

What a name says may be no time at all (a running number), or one of another time zone. So it is held against the file's own time,
and where the two differ, against the files before it:

- later than the file itself: it can't be. The file's own time counts.
- earlier, while names of this till have been right before: the file came late. The name's time counts.
- earlier than the arrival of a file that came before it: it would have come along with that one. The file's own time counts.
- earlier by less than time zones differ by: it came a little late, or the till's clock is slow. The name's time counts.
- earlier, and nothing else tells. The file's own time counts.

Where an earlier time may be right all the same, it was true at one of the two, so what the till was told in between is left open
(`earliest`, `latest`).
"""

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from connectors.errors import ConnectorError
from connectors.pos_csv.files import DONE, DropFolder, original_name
from connectors.pos_csv.reading.dialect import cells_of, delimiter_of, encoding_of, lines_of, separator_line
from connectors.pos_csv.reading.presets import header_key
from connectors.pos_csv.reading.problems import FileRefusedError
from connectors.pos_csv.settings import PosCsvSettings

CLOCKS_APART = timedelta(minutes=15)  # a till's clock may run ahead of ours by this much
AGREES = timedelta(minutes=2)  # the engine allows a till's clock so much, and a name without seconds or a slow disk needs it
_REMEMBERED = {"name": 20, "column": 3}  # files read before that are looked at; a column is read through, a name is not
_RIGHT_IN = 5  # one in so many of them agrees: names of this till are times, though many files come late
_NEAREST_ZONE, _FARTHEST_ZONE = timedelta(minutes=15), timedelta(hours=14)


class Doubt(StrEnum):
    """Why the time that a file says is not simply believed."""

    AHEAD = "ahead"  # it is later than the file itself
    OUT_OF_ORDER = "out of order"  # the file before it came later than that, without it
    LATE = "late"  # the file came late: its names have been right before
    NEAR = "near"  # it is a little earlier than the file, and less than time zones differ by
    OPEN = "open"  # nothing tells


@dataclass(frozen=True, slots=True)
class FileTime:
    """What one file says of its time. `said`: by its name or column, None where neither does; `first`: the earlier of the two
    moments it may mean in the hour that a clock change shows twice; `written`: the file's own time. All UTC."""

    written: datetime
    said: datetime | None = None
    first: datetime | None = None
    source: str = "file"  # or `name`, `column`

    @property
    def agrees(self) -> bool:
        return self.said is not None and abs(self.written - self.said) <= AGREES


@dataclass(frozen=True, slots=True)
class Truth:
    """When a file was true: `at`, but not before `earliest` nor after `latest`, which differ only where there is doubt."""

    at: datetime
    earliest: datetime
    latest: datetime
    source: str
    time: FileTime
    doubt: Doubt | None = None


class FileTimes:
    """The times of the files at hand, each held against the others and against those that were read before."""

    def __init__(self, folder: DropFolder, settings: PosCsvSettings, paths: Iterable[Path]) -> None:
        self._folder, self._settings = folder, settings
        self._at_hand = {original_name(path): found for path in paths if (found := self._time(path))}
        self._read_before: dict[str, list[FileTime]] = {}

    def truth(self, path: Path) -> Truth:
        """Result: when the file was true. Raises FileNotFoundError where it is gone."""
        name = original_name(path)
        time = self._at_hand.get(name)
        if time is None or time.written != _written(path):
            time = file_time(path, name, self._settings)
        return truth_of(time, lambda: self._others(name, time.source))

    def _others(self, name: str, source: str) -> list[FileTime]:
        if source not in self._read_before:
            paths = self._folder.recent(DONE, _REMEMBERED[source])
            self._read_before[source] = [time for path in paths if (time := self._time(path))]
        return [*(time for other, time in self._at_hand.items() if other != name), *self._read_before[source]]

    def _time(self, path: Path) -> FileTime | None:
        try:
            return file_time(path, original_name(path), self._settings)
        except FileNotFoundError:  # another run was quicker
            return None


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat(follow_symlinks=False).st_mtime, UTC)


def truth_of(time: FileTime, others: Callable[[], Sequence[FileTime]]) -> Truth:
    """Result: when a file was true. `others` are asked for only where the file does not agree with itself. Pure."""
    said, written = time.said, time.written
    if said is None or time.first is None:
        return Truth(written, written, written, "file", time)
    if time.agrees:
        return Truth(said, said, said, time.source, time)
    if said > written:
        return Truth(written, written, written, "file", time, Doubt.AHEAD)
    known = [other for other in others() if other.said is not None]
    if any(other.agrees for other in known) and sum(other.agrees for other in known) * _RIGHT_IN >= len(known):
        return Truth(said, time.first, written, time.source, time, Doubt.LATE)
    before = max((other.written for other in known if other.written < written - AGREES), default=None)
    if before is not None and said < before - AGREES:
        return Truth(written, written, written, "file", time, Doubt.OUT_OF_ORDER)
    if written - said < _NEAREST_ZONE - AGREES:
        return Truth(said, time.first, written, time.source, time, Doubt.NEAR)
    # Of files that were copied together only their names tell which is newer; a column was named by a person for this.
    are_alike = any(abs(one.written - written) <= AGREES < abs(one.said - said) for one in known if one.said)
    counts, source = (said, time.source) if are_alike or time.source == "column" else (written, "file")
    return Truth(counts, time.first, written, source, time, Doubt.OPEN)


def file_time(path: Path, name: str, settings: PosCsvSettings) -> FileTime:
    """Result: what the file says of its time. Raises FileNotFoundError."""
    written = _written(path)
    if moments := _moments_in_name(name, settings):
        return FileTime(written, _nearest(moments, written), min(moments), "name")
    if settings.time_column and (said := time_in_column(path, settings, near=written)):
        return FileTime(written, said, said, "column")
    return FileTime(written)


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
    moments = _moments_in_name(name, settings)
    return _nearest(moments, near) if moments else None


def _moments_in_name(name: str, settings: PosCsvSettings) -> tuple[datetime, ...]:
    """Result: the moment that a name tells; two in the hour that a clock change shows twice; none where it tells none."""
    match = re.search(settings.time_pattern, name)
    if match is None:
        return ()
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
        return ()
    return (naive.replace(tzinfo=UTC),) if parts.get("utc") else _moments(naive, settings)


def _moments(naive: datetime, settings: PosCsvSettings) -> tuple[datetime, ...]:
    return tuple({naive.replace(tzinfo=settings.zone, fold=fold).astimezone(UTC) for fold in (0, 1)})


def _nearest(moments: Iterable[datetime], near: datetime) -> datetime:
    """The hour that a clock change shows twice is the one nearer to when the file was written."""
    return min(sorted(moments), key=lambda moment: abs(moment - near))


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
        aware = naive_or_aware if naive_or_aware.tzinfo else _nearest(_moments(naive_or_aware, settings), near)
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


def doubt_said(truth: Truth, settings: PosCsvSettings) -> tuple[str, str]:
    """Result: why the time a file says is not simply believed, and what to do; in words for the shop."""
    time, where = truth.time, "Its name" if truth.time.source == "name" else f"Its column “{settings.time_column}”"
    said = f"{where} says {_clock(time.said)}, and the file was written at {_clock(time.written)}"
    match truth.doubt:
        case Doubt.AHEAD:
            told = f"{said}: no list is of a time to come. The file's own time counts."
        case Doubt.OUT_OF_ORDER:
            told = f"{said}. A file came in between without this one, so that can't be its time. The file's own time counts."
        case Doubt.LATE:
            told = f"{said}: it came late, since such times have been right before. What it says counts."
        case _:
            told = (
                f"{said}, and nothing tells which is right. A product that the till was told about in between keeps its number "
                "until a later list."
            )
    return told, "" if truth.doubt == Doubt.LATE else _step(time)


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _step(time: FileTime) -> str:
    gap = abs(time.written - time.said) if time.said else timedelta(0)
    quarters = round(gap / _NEAREST_ZONE)
    is_zone = quarters and gap <= _FARTHEST_ZONE and abs(gap - quarters * _NEAREST_ZONE) <= AGREES
    if is_zone:
        off = f"{quarters // 4}:{quarters % 4 * 15:02}"
        return f"They are {off} hours apart, as two time zones are: set timezone to where the till stands, if it is not."
    return "If it is the till's time, set timezone to where the till stands; if it is a running number, nothing needs doing."
