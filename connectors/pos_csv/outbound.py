"""Adjustments, and prices, for a till that reads files: one CSV per sending in `outbound/`, each row with its operation id.

The till, or the manager, says “booked” by moving the file to `outbound/imported/` (or adding `.done` to its name), and “refused”
by moving it to `outbound/rejected/`. A copy of what was sent stays in `outbound/.sent/`, so that a file somebody deleted
is known to have been there: it may have been booked, and must not be sent again blindly.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from connectors.contract import Outcome, TillPriceWrite, TillWrite, WriteResult
from connectors.errors import ConfigError, RetryableError, UnknownOutcomeError
from connectors.money import price_text
from connectors.pos_csv.files import DropFolder, write_durably
from connectors.pos_csv.reading.dialect import opened
from connectors.pos_csv.settings import PosCsvSettings
from kit.files.cells import cell_safe
from kit.words import quantity_text

HEADER = ("Operation ID", "SKU", "Location", "Quantity Change", "Reason", "Reference")
PRICE_HEADER = ("Operation ID", "SKU", "Retail Price", "Currency", "Reason")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of file for the till. `name` begins the file's name; a cell of `row` is safe for a spreadsheet."""

    name: str
    what: str
    header: tuple[str, ...]
    row: Callable[[Any], list[str]]


class Fate(IntEnum):
    """Where the file that carries an operation lies; VANISHED: only our own copy of it is left."""

    REJECTED = 1
    VANISHED = 2
    WAITING = 3
    IMPORTED = 4


class Outbound:
    """The `outbound` folder of one till. One run at a time uses it (the connection's lease sees to that)."""

    def __init__(self, folder: DropFolder, settings: PosCsvSettings, paper: Paper | None = None) -> None:
        self._drop, self._paper = folder, paper or ADJUSTMENTS
        self._vanished_means = settings.vanished_means
        self._read: dict[tuple[Path, int, int], frozenset[UUID]] = {}

    @property
    def _root(self) -> Path:
        return self._drop.inside("outbound")

    def send(self, writes: Sequence[TillWrite] | Sequence[TillPriceWrite], now: datetime) -> list[WriteResult]:
        """Write what no file carries yet into one new file. Result: one per write; UNKNOWN for what waits to be imported."""
        try:
            self._drop.require()
            self._discard_unpublished()
            known = self._fates()
            fresh = {write.operation_id: write for write in writes if known.get(write.operation_id, 0) <= Fate.REJECTED}
            name = self._publish(list(fresh.values()), now) if fresh else ""
        except (OSError, ConfigError) as error:
            with suppress(OSError, ConfigError):
                self._discard_unpublished()
            return [WriteResult(write.operation_id, Outcome.NOT_SENT, error=_not_written(error, self._paper)) for write in writes]
        return [self._result(write, known.get(write.operation_id, 0), name) for write in writes]

    def look_up(self, operation_ids: Iterable[UUID]) -> dict[UUID, Outcome]:
        """Result: APPLIED where the file was imported, REJECTED where it was rejected, NOT_SENT where it was never written, else
        UNKNOWN. Raises ConfigError where the folder can't be reached: then nobody can tell."""
        self._drop.require()
        self._discard_unpublished()
        fates = self._fates()
        rejected = {operation_id: Outcome.REJECTED for operation_id, fate in fates.items() if fate == Fate.REJECTED}
        return {one: rejected.get(one) or self._outcome(fates.get(one, 0)) for one in operation_ids}

    def acknowledged_at(self, operation_ids: Iterable[UUID]) -> dict[UUID, datetime]:
        """Result: when the file of each imported adjustment was moved away, UTC; others are left out. The till may have booked
        it earlier than that, if a person moves the files."""
        wanted, found = set(operation_ids), dict[UUID, datetime]()
        journal = self._root / ".sent"
        for path, fate in self._files():
            if fate is Fate.IMPORTED:
                for operation_id in wanted & self._operations(path):
                    found[operation_id] = moved_at(path, journal=journal)
        return found

    def _outcome(self, fate: int) -> Outcome:
        if fate == Fate.IMPORTED or (fate == Fate.VANISHED and self._vanished_means == "imported"):
            return Outcome.APPLIED
        return Outcome.NOT_SENT if fate <= Fate.REJECTED else Outcome.UNKNOWN

    def _result(self, write: TillWrite | TillPriceWrite, fate: int, name: str) -> WriteResult:
        if self._outcome(fate) is Outcome.APPLIED:
            return WriteResult(write.operation_id, Outcome.ALREADY_APPLIED)
        if fate == Fate.VANISHED:
            error = UnknownOutcomeError(
                f"The file with the {self._paper.what} of {write.sku} is gone from outbound, neither imported nor rejected.",
                next_step="Look at the till whether it was booked. If this till deletes what it imports, set vanished_means "
                "to imported.",
                code="vanished",
            )
        else:
            where = f"outbound/{name}" if name and fate <= Fate.REJECTED else "outbound"
            error = UnknownOutcomeError(
                f"The {self._paper.what} of {write.sku} waits in {where} for the till to import it.",
                next_step="Import the file at the till, then move it to outbound/imported.",
                code="waiting",
            )
        return WriteResult(write.operation_id, Outcome.UNKNOWN, error=error, is_of_batch=True)

    def _publish(self, writes: Sequence[TillWrite | TillPriceWrite], now: datetime) -> str:
        """Write the journal's copy, then let the file appear under its name, whole."""
        name = f"{self._paper.name}_{now.astimezone(UTC):%Y%m%dT%H%M%SZ}_{uuid4().hex[:8]}.csv"
        root, journal = self._root, self._drop.inside("outbound", ".sent")
        for folder in (root, journal):
            folder.mkdir(exist_ok=True)
        content = _csv(self._paper, writes)
        hidden = root / f".{name}.tmp"
        write_durably(hidden, content)
        write_durably(journal / name, content)
        hidden.rename(root / name)
        return name

    def _discard_unpublished(self) -> None:
        """A hidden file is a sending that died before its file appeared. Taking it away decides that it never will."""
        root, journal = self._root, self._drop.inside("outbound", ".sent")
        for hidden in sorted(root.glob(f".{self._paper.name}_*.csv.tmp")):
            (journal / hidden.name[1:-4]).unlink(missing_ok=True)
            hidden.unlink(missing_ok=True)

    def _fates(self) -> dict[UUID, Fate]:
        """Result: where each adjustment stands. One that was sent more often than it was rejected, and is nowhere, vanished."""
        carried = {fate: Counter[UUID]() for fate in Fate}
        for path, fate in self._files():
            carried[fate].update(self._operations(path))
        rejected = carried[Fate.REJECTED]
        fates = dict.fromkeys(rejected, Fate.REJECTED)
        fates |= {key: Fate.VANISHED for key, times in carried[Fate.VANISHED].items() if times > rejected[key]}
        return fates | dict.fromkeys(carried[Fate.WAITING], Fate.WAITING) | dict.fromkeys(carried[Fate.IMPORTED], Fate.IMPORTED)

    def _files(self) -> Iterator[tuple[Path, Fate]]:
        """Every file of ours. The waiting ones first: one that is moved away while we look is then still met, in `imported`."""
        root = self._root
        for folder, pattern, fate in (
            (root / ".sent", "*.csv", Fate.VANISHED),
            (root, "*.csv", Fate.WAITING),
            (root, "*.csv.done", Fate.IMPORTED),
            (root / "rejected", "*.csv*", Fate.REJECTED),
            (root / "imported", "*.csv*", Fate.IMPORTED),
        ):
            if folder.is_dir() and not folder.is_symlink():
                yield from (
                    (path, fate) for path in sorted(folder.glob(pattern)) if path.is_file() and not path.name.endswith(".txt")
                )

    def _operations(self, path: Path) -> frozenset[UUID]:
        """Result: the operation ids a file carries; none where it was moved away as we looked, or is no file of ours."""
        try:
            state = path.lstat()
            key = (path, state.st_mtime_ns, state.st_size)
            if key not in self._read:
                with opened(path) as stream:
                    self._read[key] = frozenset(_operation_ids(stream.read().decode("utf-8-sig", errors="replace")))
            return self._read[key]
        except OSError:
            return frozenset()


def moved_at(path: Path, *, journal: Path) -> datetime:
    """When a file of ours was moved, by our clock: how long after its writing the file system says, whose own clock may be off.
    A rename changes the inode's time, not the content's."""
    moved = path.lstat().st_ctime
    written = re.search(r"(?:adjustments|prices)_(\d{8}T\d{6})Z_[0-9a-f]{8}\.csv", path.name)
    copy = journal / written[0] if written else None
    if written is None or copy is None or not copy.is_file():
        return datetime.fromtimestamp(moved, UTC)
    sent = datetime.strptime(written[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return sent + timedelta(seconds=max(0.0, moved - copy.lstat().st_mtime))


def _operation_ids(text: str) -> Iterator[UUID]:
    """Found wherever a cell holds one: a till may write the file anew in its own dialect before moving it."""
    for match in re.finditer(r"(?<![0-9a-fA-F-])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F-])", text):
        yield UUID(match[0])


def _csv(paper: Paper, writes: Sequence[TillWrite | TillPriceWrite]) -> bytes:
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(paper.header)
    table.writerows(paper.row(write) for write in writes)
    return out.getvalue().encode("utf-8")


def _adjustment_row(write: TillWrite) -> list[str]:
    texts = (write.reason, write.reference)
    sku, location = safe_text(write.sku), safe_text(write.location)
    return [str(write.operation_id), sku, location, quantity_text(write.delta), *map(safe_text, texts)]


def _price_row(write: TillPriceWrite) -> list[str]:
    price = price_text(write.price, decimals=write.decimals)
    return [str(write.operation_id), safe_text(write.sku), price, write.currency, safe_text(write.reason)]


def safe_text(text: str) -> str:
    """Result: the text with a `'` before it where a spreadsheet would take it for a formula; line breaks become spaces."""
    return _CONTROL.sub(" ", cell_safe(text))


def _not_written(error: OSError | ConfigError, paper: Paper) -> RetryableError | ConfigError:
    if isinstance(error, ConfigError):
        return error
    return RetryableError(
        f"The {paper.name} file could not be written: {error.strerror or error}.", next_step="Check the folder and its disk."
    )


ADJUSTMENTS: Final = Paper("adjustments", "adjustment", HEADER, _adjustment_row)
PRICES: Final = Paper("prices", "price", PRICE_HEADER, _price_row)
