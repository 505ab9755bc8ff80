"""A till that drops CSV exports into a folder, as the engine sees it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from connectors.contract import (
    CheckReport,
    Context,
    Feed,
    FeedFate,
    Outcome,
    RowProblem,
    TillNote,
    TillPriceWrite,
    TillWrite,
    WriteResult,
)
from connectors.pos_csv.check import check_folder
from connectors.pos_csv.files import (
    DONE,
    HELD,
    PROCESSING,
    REFUSED,
    DropFolder,
    identity_of,
    original_name,
    snapshot_of,
    unreadable,
)
from connectors.pos_csv.guards import FeedFigures, figures, guard
from connectors.pos_csv.notes import note_write
from connectors.pos_csv.outbound import PRICES, Outbound
from connectors.pos_csv.reading.parse import parse_file
from connectors.pos_csv.reading.problems import FileRefusedError, note
from connectors.pos_csv.reading.truth import CLOCKS_APART, Doubt, FileTimes, Truth, doubt_said, refuse_future
from connectors.pos_csv.report import merged, report_text
from connectors.pos_csv.settings import PosCsvSettings

_ARCHIVE = {FeedFate.APPLIED: DONE, FeedFate.DUPLICATE: DONE, FeedFate.REFUSED: REFUSED, FeedFate.HELD: HELD}


@dataclass(frozen=True, slots=True)
class _Offered:
    """What is remembered of a feed until it is settled."""

    path: Path
    true_at: datetime
    rows: int
    used: int
    problems: Sequence[RowProblem]


class PosCsvTill:
    """The `Till` of one drop folder. One run at a time uses it (the connection's lease sees to that)."""

    patience = timedelta(0)  # a file lies there or it doesn't

    def __init__(self, context: Context) -> None:
        settings: PosCsvSettings = context.settings
        self._settings, self._now = settings, context.now
        self._folder = DropFolder(context.folders, settings)
        self._outbound = Outbound(self._folder, settings)
        self._price_files = Outbound(self._folder, settings, PRICES)
        self._offered: dict[str, _Offered] = {}

    def check(self) -> CheckReport:
        """Look at the folder and at its newest export, moving nothing."""
        return check_folder(self._folder, self._settings, self._now())

    def feeds(self, *, claim: bool = True, since: Mapping[str, Any] | None = None) -> Iterator[Feed]:
        """What a crash left first, then what is new, oldest truth first. A file that can't be read is put into `refused/`
        and raises FileRefusedError. One whose columns only a person can tell apart raises ConfigError and stays claimed:
        it is offered again once the setting is there. With `claim` False nothing is moved. Files know of no `since`."""
        now = self._now()
        left, waiting = self._folder.interrupted(now), self._folder.waiting(now)
        times = FileTimes(self._folder, self._settings, [*left, *waiting])
        for path in [*_in_order(left, times), *_in_order(waiting, times)]:
            claimed = self._folder.claim(path, now) if claim and path not in left else path
            if claimed is None:  # another run was quicker
                continue
            feed = self._feed(claimed, times, now, claim=claim)
            if feed is not None:
                yield feed

    def has_news(self, *, since: Mapping[str, Any] | None) -> bool:
        """By the names and times of the files alone; none is opened."""
        now = self._now()
        return bool(self._folder.interrupted(now) or self._folder.waiting(now))

    def guard(self, feed: Feed, previous: Mapping[str, Any] | None) -> Sequence[str]:
        """Why a person should look first: many items gone or emptied, other columns, another currency (guards.py)."""
        current = FeedFigures.from_json(feed.figures)
        before = FeedFigures.from_json(previous) if previous else None
        return guard(before, current, self._settings) if current else []

    def settle(self, feed_identity: str, fate: FeedFate, problems: Sequence[RowProblem] = ()) -> None:
        """File every claimed copy of that content away, with a report. A settled one is no longer there: nothing happens."""
        offered = self._offered.pop(feed_identity, None)
        content = _content_of(feed_identity)
        for path in self._folder.find(content, PROCESSING):
            report = report_text(
                name=original_name(path),
                identity=content,
                fate=fate,
                true_at=offered.true_at if offered else None,
                rows=offered.rows if offered else 0,
                used=offered.used if offered else 0,
                problems=merged(offered.problems if offered else (), problems),
            )
            self._folder.file_away(path, _ARCHIVE[fate], content, report)

    def tidy(self) -> int:
        """Delete files in `done` and `refused` that were read more than `keep_days` ago, with their reports."""
        if not self._settings.keep_days:
            return 0
        return self._folder.tidy(self._now() - timedelta(days=self._settings.keep_days))

    def release(self, feed_identity: str) -> bool:
        """Offer a held (or refused) file again, with the next `feeds()`. Result: such a file was there."""
        return self._folder.release(_content_of(feed_identity), self._now())

    def send(self, writes: Sequence[TillWrite]) -> Sequence[WriteResult]:
        """One new file in `outbound/`, for what no file there carries yet (outbound.py)."""
        return self._outbound.send(writes, self._now())

    def note(self, note: TillNote) -> None:
        """One text file in `outbound/notes/` (notes.py)."""
        note_write(self._folder, note, self._now())

    def send_prices(self, writes: Sequence[TillPriceWrite]) -> Sequence[WriteResult]:
        """As `send`, in a file of its own."""
        return self._price_files.send(writes, self._now())

    def look_up_prices(self, writes: Sequence[TillPriceWrite]) -> Mapping[UUID, Outcome]:
        return self._price_files.look_up([write.operation_id for write in writes])

    def look_up(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, Outcome]:
        """By where the file that carries each one lies now (outbound.py)."""
        return self._outbound.look_up(operation_ids)

    def acknowledged_at(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
        """When the files of imported adjustments were moved away; the others are left out."""
        return self._outbound.acknowledged_at(operation_ids)

    def _feed(self, path: Path, times: FileTimes, now: datetime, *, claim: bool) -> Feed | None:
        """Result: what the file says; None where something wrote to it while we read (it is offered again later)."""
        name = original_name(path)
        try:
            before, content = snapshot_of(path), identity_of(path)
            truth = times.truth(path)
            refuse_future(truth.at, now, self._settings)
            parsed = parse_file(path, self._settings)
        except OSError as error:
            raise unreadable(name, error) from error
        except FileRefusedError as refusal:
            if snapshot_of(path) != before:
                return None
            raise self._refused(refusal, path, content, claim=claim) from refusal
        if snapshot_of(path) != before:
            return None
        problems = [*parsed.problems, *self._time_notes(truth)]
        identity = _identity(content, truth)
        self._offered[identity] = _Offered(path, truth.at, parsed.rows, len(parsed.readings), problems)
        return Feed(
            identity=identity,
            name=name,
            true_at=truth.at,
            earliest=truth.earliest,
            latest=truth.latest,
            readings=parsed.readings,
            problems=problems,
            rows=parsed.rows,
            is_complete=self._settings.file_is_complete,
            figures=figures(parsed.readings, parsed.columns.header, parsed.currencies).as_json(),
        )

    def _refused(self, refusal: FileRefusedError, path: Path, identity: str, *, claim: bool) -> FileRefusedError:
        """File the refused file away. Result: the refusal with the file's name in it."""
        name = original_name(path)
        whole = RowProblem(0, "", refusal.code, refusal.message, refusal.next_step)
        if claim:
            report = report_text(
                name=name,
                identity=identity,
                fate=FeedFate.REFUSED,
                true_at=None,
                rows=0,
                used=0,
                problems=merged([whole], refusal.problems),
            )
            self._folder.file_away(path, REFUSED, identity, report)
        return FileRefusedError(
            f"“{name}” is not used. {refusal.message}",
            code=refusal.code,
            next_step=refusal.next_step,
            problems=refusal.problems,
            file_name=name,
            identity=identity,
        )

    def _time_notes(self, truth: Truth) -> list[RowProblem]:
        time = truth.time
        is_doubtful = truth.doubt in (Doubt.AHEAD, Doubt.OUT_OF_ORDER, Doubt.OPEN)
        if time.said and is_doubtful and abs(time.written - time.said) >= CLOCKS_APART:
            return [note(0, "", "time_doubtful", *doubt_said(truth, self._settings))]
        if not self._settings.time_column or time.source != "file":
            return []
        text = f"No time could be read from the column “{self._settings.time_column}”; the file's own time is taken."
        return [note(0, "", "time_unknown", text, "Check the settings time_column and time_format.")]


def _in_order(paths: Sequence[Path], times: FileTimes) -> list[Path]:
    """Result: those that are still there, oldest truth first."""
    dated = []
    for path in paths:
        with suppress(FileNotFoundError):  # another run was quicker
            truth = times.truth(path)
            dated.append((truth.at, truth.time.written, original_name(path), path))
    return [path for *_, path in sorted(dated)]


def _identity(content: str, truth: Truth) -> str:
    """Result: equal for the same statement. A shelf may be again as it was an hour ago, in a file that is the same byte for
    byte: a time in its name tells them apart, right or not. Any other copy is one we had."""
    time = truth.time
    return f"{content}@{time.said:%Y%m%dT%H%M%SZ}" if time.source == "name" else content


def _content_of(feed_identity: str) -> str:
    return feed_identity.partition("@")[0]
