"""The drop folder: which files are whole, who has them, and where they lie afterwards.

A file is claimed by renaming it into `processing/`; two runs can't both succeed. From there it goes to `done/`, `refused/` or
`held/`, with a report beside it. What lies in `processing/` when a run begins is what a crash left, and is offered again.
Nothing here follows a symbolic link.
"""

import hashlib
import os
import re
from datetime import UTC, datetime
from fnmatch import fnmatch
from heapq import nlargest
from pathlib import Path
from uuid import uuid4

from connectors.errors import ConfigError
from connectors.pos_csv.reading.dialect import opened
from connectors.pos_csv.settings import PosCsvSettings
from connectors.settings.folders import Folders

PROCESSING, DONE, REFUSED, HELD = "processing", "done", "refused", "held"
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".done")
_OURS = re.compile(r"(?P<stamp>\d{8}T\d{6}Z)_(?P<mark>[0-9a-f]{12})_(?P<name>.+)", re.DOTALL)

_MOST_AT_ONCE = 5_000

Snapshot = tuple[int, int]  # size, modification time in ns


class DropFolder:
    """One till's folder, below those that the operator named (connectors/settings/folders.py)."""

    def __init__(self, folders: Folders, settings: PosCsvSettings) -> None:
        self._folders, self._settings = folders, settings
        self._seen: dict[Path, tuple[Snapshot, float]] = {}

    @property
    def root(self) -> Path:
        """Where the setting leads to now. Raises ConfigError where that is not open to connections."""
        return self._folders.led_to(self._settings.folder)

    def inside(self, *names: str) -> Path:
        """Result: a folder in it, whether or not it is there. Raises ConfigError where it is a link, or not open."""
        folder = self.root
        for name in names:
            folder = folder / name
            if folder.is_symlink():
                raise ConfigError(
                    f"{folder} is a link to somewhere else, and files are not moved through links.",
                    next_step="Replace it by a real folder.",
                    code="linked_folder",
                )
        return self._folders.led_to(folder)

    def require(self) -> None:
        """Raises ConfigError unless the folder is open to us, is there, and files can be moved in it."""
        if not self.root.is_dir():
            raise ConfigError(
                f"There is no folder {self.root}.",
                next_step="Create it, connect the network drive it lies on, or correct the setting folder.",
                code="no_folder",
            )
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise self._unwritable()

    def waiting(self, now: datetime) -> list[Path]:
        """Result: the exports that are whole by now: unchanged for `stable_seconds`, or with a `.done` beside them."""
        return [path for path in self.exports() if self._is_whole(path, now)]

    def newest(self) -> Path | None:
        """Result: the export that was written last, whole or not; None where there is none."""
        return max(self.exports(), key=lambda path: path.lstat().st_mtime, default=None)

    def exports(self) -> list[Path]:
        """Result: the exports that the till has dropped, whole or not."""
        self.require()
        return [path for path in self._files(self.root) if self._is_export(path.name)]

    def interrupted(self, now: datetime) -> list[Path]:
        """Result: claimed files that no run has settled, unless something still writes to them."""
        self.require()
        return [path for path in self._files(self.root / PROCESSING) if self._rests(path, now)]

    def claim(self, path: Path, now: datetime) -> Path | None:
        """Result: where the file lies now, under a name of ours; None where somebody else was quicker."""
        name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}_{uuid4().hex[:12]}_{safe_name(original_name(path))}"
        target = self._subfolder(PROCESSING) / name
        try:
            path.rename(target)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwritable() from error
        for companion in _companions(path):
            companion.unlink(missing_ok=True)
        return target

    def file_away(self, path: Path, where: str, identity: str, report: str) -> None:
        """Move a claimed file to one of the archive folders, with its report. A file that is gone already stays so."""
        match = _OURS.fullmatch(path.name)
        stamp = match["stamp"] if match else f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        name = f"{stamp}_{identity[:12]}_{safe_name(original_name(path))}"
        folder = self._subfolder(where)
        if not path.exists():
            return
        try:
            # The report first: if we die in between, settling again writes it again.
            write_durably(folder / f"{name}.report.txt", report.encode())
            path.rename(folder / name)
        except OSError as error:
            raise self._unwritable() from error

    def find(self, identity: str, *folders: str) -> list[Path]:
        """Result: the files with that content in these folders."""
        return [path for name in folders for path in self._files(self.root / name) if self._has(path, name, identity)]

    def recent(self, where: str, most: int) -> list[Path]:
        """Result: so many files of an archive folder, the last claimed first."""
        return nlargest(most, self._files(self.root / where), key=lambda path: path.name)

    def release(self, identity: str, now: datetime) -> bool:
        """Put a held or refused file back among the claimed ones, so that it is offered again. Result: it was there."""
        for path in self.find(identity, HELD, REFUSED):
            report = path.with_name(f"{path.name}.report.txt")
            if self.claim(path, now) is not None:
                report.unlink(missing_ok=True)
                return True
        return False

    def tidy(self, before: datetime) -> int:
        """Delete what was claimed before then and lies in `done` or `refused`, with its report; only what has a name of ours.
        Result: how many exports. At most so many at a time that a run can wait for it."""
        oldest = f"{before.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        old = [
            path
            for folder in (DONE, REFUSED)
            for path in self._files(self.root / folder)
            if (match := _OURS.fullmatch(path.name)) and match["stamp"] < oldest
        ][:_MOST_AT_ONCE]
        for path in old:
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.report.txt").unlink(missing_ok=True)
        return len(old)

    def _has(self, path: Path, folder: str, identity: str) -> bool:
        match = _OURS.fullmatch(path.name)
        if folder != PROCESSING and match and match["mark"] != identity[:12]:
            return False
        return identity_of(path) == identity

    def _is_export(self, name: str) -> bool:
        lowered = name.lower()
        hidden = name.startswith((".", "~"))
        return not hidden and not lowered.endswith(_UNFINISHED) and fnmatch(lowered, self._settings.pattern.lower())

    def _is_whole(self, path: Path, now: datetime) -> bool:
        if any(companion.is_file() for companion in _companions(path)):
            return True
        return not self._settings.wait_for_done and self._rests(path, now)

    def _rests(self, path: Path, now: datetime) -> bool:
        """Unchanged for `stable_seconds`, by the file's own time or, where the file server's clock differs from ours, between
        two looks."""
        try:
            snapshot = snapshot_of(path)
        except FileNotFoundError:
            return False
        if now.timestamp() - snapshot[1] / 1e9 >= self._settings.stable_seconds:
            return True
        seen, since = self._seen.get(path, ((-1, -1), 0.0))
        if seen != snapshot:
            self._seen[path] = (snapshot, now.timestamp())
            return False
        return now.timestamp() - since >= self._settings.stable_seconds

    def _subfolder(self, name: str) -> Path:
        folder = self.inside(name)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise self._unwritable() from error
        return folder

    def _files(self, folder: Path) -> list[Path]:
        if folder.is_symlink() or not folder.is_dir():
            return []
        with os.scandir(self._folders.led_to(folder)) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        return [folder / name for name in sorted(names) if not name.startswith(".") and not name.endswith(".report.txt")]

    def _unwritable(self) -> ConfigError:
        return ConfigError(
            f"Files in {self.root} can't be moved by this program.",
            next_step="Give the user it runs as the right to write in the folder and in its subfolders.",
            code="unwritable_folder",
        )


def original_name(path: Path) -> str:
    """Result: the name the till gave the file, without the front part that a claim adds."""
    name = path.name
    while match := _OURS.fullmatch(name):
        name = match["name"]
    return name


def safe_name(name: str) -> str:
    """Result: a file name of letters, digits, `.`, `-`, `_`, at most 120 long, that no shell or viewer trips over."""
    cleaned = re.sub(r"[^\w.-]", "_", name).lstrip(".-") or "export.csv"
    if len(cleaned) > 120:
        suffix = Path(cleaned).suffix[:12]
        cleaned = cleaned[: 120 - len(suffix)] + suffix
    return cleaned


def identity_of(path: Path) -> str:
    """Result: the SHA-256 of the content, in hex: equal content, equal identity."""
    with opened(path) as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
        return digest.hexdigest()


def unreadable(name: str, error: OSError) -> ConfigError:
    """Result: the error for a file that is there and can't be opened."""
    return ConfigError(
        f"“{name}” can't be opened: {error.strerror}.",
        next_step="Give the user this program runs as the right to read the till's files.",
        code="unreadable_file",
    )


def write_durably(path: Path, content: bytes) -> None:
    """Write it whole, and have it on the disk; never through a symbolic link."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def snapshot_of(path: Path) -> Snapshot:
    state = path.lstat()
    return state.st_size, state.st_mtime_ns


def _companions(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.done"), path.with_suffix(".done")
