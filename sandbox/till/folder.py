"""The drop folder's daily life: exports go out at an interval, adjustments are taken in as they come."""

import logging
from pathlib import Path
from threading import Event
from time import monotonic

from sandbox.till.export import Exporter
from sandbox.till.imports import Importer
from sandbox.till.shelf import Till

logger = logging.getLogger(__name__)


class DropFolder:
    """Exports into `folder`, imports out of `folder/outbound`. Intervals in seconds; `export_every` 0 means never by itself."""

    def __init__(
        self, till: Till, folder: Path, *, export_every: float = 60, import_every: float = 1, encoding: str = "utf-8"
    ) -> None:
        self.exporter = Exporter(till, folder, encoding=encoding)
        self.importer = Importer(till, folder / "outbound")
        self.export_every, self.import_every = export_every, import_every
        self.importer.outbound.mkdir(parents=True, exist_ok=True)

    def run(self, stop: Event) -> None:
        """Export at once, then go on until `stop` is set."""
        due = monotonic()
        while True:
            try:
                self.importer.run()
                if self.export_every > 0 and monotonic() >= due:
                    due = monotonic() + self.export_every
                    self.exporter.write()
            except OSError:
                logger.exception("The drop folder can't be used just now; trying again.")
            if stop.wait(self.import_every):
                return
