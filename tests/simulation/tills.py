"""The world's till, in the two ways a till can speak to us: by files that come late, or by an API that answers at once.

Both say afterwards what the till had moved by itself when it said something: the truth that the ledger is held against.
"""

import io
import os
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.till.api import TillApp
from sandbox.till.catalogue import CatalogueRow, write_catalogue
from sandbox.till.imports import Importer, read_adjustments

if TYPE_CHECKING:
    from tests.simulation.world import World

SKEW = 120.0  # seconds a till's clock may be off; the engine allows for as much


class SimTill(TillApp):
    """`instore`: what the till moved by itself so far, in units by SKU."""

    kind = ""

    def __init__(self, world: "World", skus: tuple[str, ...], stock: int) -> None:
        super().__init__(clock=world.clock.now)
        self.world, self.instore = world, Counter[str]()
        rows = [
            CatalogueRow(sku, f"Thing {sku}", "", "Pots", "Maker", Decimal(2), Decimal(5), Decimal(stock), world.clock.at)
            for sku in skus
        ]
        self.stock(rows)

    @property
    def is_speaking(self) -> bool:
        """Is something that it said still on its way?"""
        return False

    def export(self, *, late: float | None = None) -> None:
        """It writes down what it shows; the file comes `late` seconds later."""

    def book_adjustments(self) -> None:
        """Somebody imports our adjustments."""

    def catch_up(self) -> None:
        """What is due comes."""

    def moved_by(self, sku: str, read_at: datetime) -> list[int]:
        """Result: what it had moved by itself when it said what the ledger has used, true at `read_at`; where several things that
        it said may have been the one, all of them, the earliest first."""
        raise NotImplementedError


@dataclass
class Export:
    """One file the till wrote: when it comes, what it is called, what it says."""

    due: float
    name: str
    content: bytes


class FileTill(SimTill):
    """Its exports come late, doubled and out of order, with a clock that is off; it books our files when it likes."""

    kind = "pos_csv"

    def __init__(self, world: "World", skus: tuple[str, ...], stock: int) -> None:
        super().__init__(world, skus, stock)
        self.importer = Importer(self, world.folder / "outbound")
        self.exports: list[Export] = []
        self.booked: set[str] = set()  # adjustment files it has booked, and not put aside yet
        self.moved_at: dict[str, datetime] = {}  # adjustment files it has put aside
        self.said: dict[datetime, Counter[str]] = {}  # an export's own time -> what it had moved by then

    @property
    def is_speaking(self) -> bool:
        return bool(self.exports)

    def moved_by(self, sku: str, read_at: datetime) -> list[int]:
        return [self.said[read_at][sku]]

    def export(self, *, late: float | None = None) -> None:
        """Its name says when, by the till's clock."""
        rng, clock = self.world.rng, self.world.clock
        skew = rng.uniform(1 - SKEW, SKEW) * rng.choice((0, 0.2, 1))
        true_at = (clock.at + timedelta(seconds=skew)).replace(microsecond=0)
        if true_at in self.said:
            return
        out = io.StringIO(newline="")
        write_catalogue(out, self.snapshot()[1], zone=UTC)
        self.said[true_at] = Counter(self.instore)
        if late is None:
            late = rng.choice((0.0, 0.0, rng.uniform(0, 1800)))
        name = f"pos_export_{true_at:%Y%m%d_%H%M%S}.csv"
        self.world.told(f"export {name}, {late:.0f} s late: {out.getvalue().split(chr(13))[1:-1]}")
        export = Export(clock.at.timestamp() + late, name, out.getvalue().encode())
        self.exports.append(export)
        if rng.random() < 0.1:
            self.exports.append(Export(export.due + rng.uniform(0, 600), name, export.content))

    def book_adjustments(self) -> None:
        """It books what lies in its folder, and puts the files aside now or later; or it refuses one."""
        rng, told = self.world.rng, self.world.told
        waiting = sorted(self.importer.outbound.glob("*.csv"))
        if waiting and waiting[0].name not in self.booked and rng.random() < 0.05:
            rejected = self.importer.outbound / "rejected"
            rejected.mkdir(exist_ok=True)
            first = waiting.pop(0)
            told(f"till rejects {first.name}")
            first.rename(rejected / first.name)
        if waiting and rng.random() < 0.2:
            booked = [self.adjust_all(list(read_adjustments(path))) for path in waiting]
            self.booked |= {path.name for path in waiting}
            told(f"till books {booked} and leaves the files")
        elif waiting:
            taken = self.importer.run()
            told(f"till imports {[imported.booked for imported in taken]}")
            self.moved_at |= {imported.name: self.world.clock.at for imported in taken}

    def catch_up(self) -> None:
        now, folder = self.world.clock.at.timestamp(), self.world.folder
        for export in sorted((one for one in self.exports if one.due <= now), key=lambda one: one.due):
            if folder.is_dir():
                self.exports.remove(export)
                path = folder / export.name
                path.write_bytes(export.content)
                os.utime(path, (export.due, export.due))


class ApiTill(SimTill):
    """It answers at once, over HTTP. Nobody need export anything, or import."""

    kind = "rest_pos"

    def __init__(self, world: "World", skus: tuple[str, ...], stock: int) -> None:
        super().__init__(world, skus, stock)
        self.served: dict[str, list[tuple[datetime, int]]] = {sku: [] for sku in skus}

    def _list_levels(self, request: Any) -> tuple[int, Any]:
        status, body = super()._list_levels(request)
        for row in body["data"]:
            self.served[row["sku"]].append((self.world.clock.at, self.instore[row["sku"]]))
        return status, body

    def moved_by(self, sku: str, read_at: datetime) -> list[int]:
        # A reading counts from when it was asked for: what was served from then on is what it may have been.
        return [moved for at, moved in self.served[sku] if at >= read_at]


KINDS: dict[str, type[SimTill]] = {till.kind: till for till in (FileTill, ApiTill)}
