"""The till's export into a drop folder: complete files only, each under a name of its own that says when it was true."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.till.catalogue import write_catalogue
from sandbox.till.shelf import Till


class Exporter:
    """Writes `pos_export_YYYYMMDD_HHMMSS.csv` (UTC). A second file within one second gets microseconds at the end.

    Whole seconds are rounded down, so a file never claims to know of more than it does: it may show up to a second more.
    """

    def __init__(self, till: Till, folder: Path, *, encoding: str = "utf-8", location: str | None = None) -> None:
        self.till, self.folder, self.encoding, self.location = till, folder, encoding, location
        self._used: set[str] = set()

    def write(self) -> Path:
        """Export everything as it is now. Returns the file. A character the encoding lacks becomes a question mark."""
        self.folder.mkdir(parents=True, exist_ok=True)
        as_of, rows = self.till.snapshot(self.location)
        name = self._name(as_of.astimezone(UTC))
        part = self.folder / f"{name}.part"
        with part.open("w", encoding=self.encoding, errors="replace", newline="") as out:
            write_catalogue(out, rows, zone=self.till.zone)
            out.flush()
            os.fsync(out.fileno())
        return part.rename(self.folder / f"{name}.csv")

    def _name(self, as_of: datetime) -> str:
        """A name this exporter has not used: a reader that takes files away must not see the same one twice."""
        name = f"pos_export_{as_of:%Y%m%d_%H%M%S}"
        while name in self._used:
            name = f"pos_export_{as_of:%Y%m%d_%H%M%S_%f}"
            as_of += timedelta(microseconds=1)
        self._used.add(name)
        return name
