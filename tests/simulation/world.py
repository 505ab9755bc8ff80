"""A shop and everything that happens to it: the truth that the engine's ledger is held against. It knows nothing of the engine.

Customers buy at the till and in up to two stores; the till counts and receives; orders are cancelled, refunded, taken up again;
somebody edits a store by hand. Exports are late, doubled and out of order, with a clock that is off; webhooks are lost, doubled
and reordered; an order is seen a moment after it moved the store's number.
"""

import io
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from sandbox.store import StoreApp
from sandbox.store.errors import RestError
from sandbox.till.api import TillApp
from sandbox.till.catalogue import CatalogueRow, write_catalogue
from sandbox.till.imports import Importer, read_adjustments
from tests.simulation.clock import SimClock

SKUS = ("A", "B", "C", "D")
STOCK = 20
TILL_SKEW = 120.0  # seconds; the engine allows for as much
ORDER_LAG = 25.0  # seconds between a number that moves and an order that can be seen; the engine allows for 30


@dataclass
class Web:
    """One store and what truly happened in it, in units by SKU: `sold` is what customers hold, `edits` what people typed."""

    app: StoreApp
    buffer: int
    ids: dict[str, int]
    sold: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    edits_lately: dict[str, list[int]] = field(default_factory=dict)  # what `edits` was before each edit since somebody looked
    unseen: list[tuple[float, int, str, int]] = field(default_factory=list)  # due, taken when (store's clock), SKU, units
    hooks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  # due, body
    orders: list[int] = field(default_factory=list)

    def shows(self, sku: str) -> int:
        return self.app.quantity(self.ids[sku]) or 0


@dataclass
class Export:
    """One file the till wrote: when it comes, what it is called, what it says."""

    due: float
    name: str
    content: bytes


class World:
    """`rng` decides everything; the same seed and the same engine live the same life."""

    def __init__(
        self, rng: Random, clock: SimClock, folder: Path, *, stores: int | None = None, is_crowded: bool | None = None
    ) -> None:
        self.rng, self.clock, self.folder = rng, clock, folder
        self.till = TillApp(clock=clock.now)
        self.till.stock(
            CatalogueRow(sku, f"Thing {sku}", "", "Pots", "Maker", Decimal(2), Decimal(5), Decimal(STOCK), clock.at)
            for sku in SKUS
        )
        self.importer = Importer(self.till, folder / "outbound")
        self.webs = [self._web(buffer) for buffer in (0, rng.choice((0, 3)))[: stores or rng.choice((1, 2))]]
        # Where all want the same thing, one event can pass for another.
        self.is_crowded = rng.random() < 0.3 if is_crowded is None else is_crowded
        self.edits_are_true = rng.random() < 0.25  # the rule in force: the store wins; else what is typed there is undone
        self.instore: Counter[str] = Counter()
        self.exports: list[Export] = []
        self.booked: set[str] = set()  # adjustment files it has booked, and not put aside yet
        self.moved_at: dict[str, datetime] = {}  # adjustment files the till has put aside
        self.said: dict[datetime, dict[str, int]] = {}  # an export's own time -> what the till had moved by itself till then
        self.is_quiet = False
        self.told: Callable[[str], None] = lambda _words: None

    def _web(self, buffer: int) -> Web:
        offset = timedelta(seconds=self.rng.uniform(-4, 4))
        app = StoreApp(version=self.rng.choice(("10.2", "10.5")), clock=lambda: self.clock.at + offset)
        app.keys._now = lambda: datetime.now(UTC).timestamp()  # signatures carry the real time
        parent = {"id": 50, "sku": "P", "name": "P", "type": "variable", "manage_stock": False, "regular_price": ""}
        rows: list[dict[str, Any]] = [parent]
        for number, sku in enumerate(SKUS):
            row = {
                "id": 101 + number,
                "sku": sku,
                "name": sku,
                "regular_price": "10",
                "manage_stock": True,
                "stock_quantity": STOCK - buffer,
            }
            rows.append(row | ({"parent_id": 50, "type": "variation"} if sku == SKUS[-1] else {}))
        app.load(rows)
        return Web(app, buffer, {sku: 101 + number for number, sku in enumerate(SKUS)})

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shelf(self, sku: str) -> int:
        """Units that truly lie on the shelf and belong to nobody."""
        typed = sum(web.edits[sku] for web in self.webs) if self.edits_are_true else 0
        return STOCK + self.instore[sku] + typed - sum(web.sold[sku] for web in self.webs)

    # -- what people do ----------------------------------------------------------------------------------------------

    def happen(self) -> None:
        """One thing, anywhere."""
        web, sku, units, chance = self.rng.choice(self.webs), self.rng.choice(SKUS), self.rng.randint(1, 3), self.rng.random()
        if self.is_crowded:
            web, sku, units = self.webs[0], SKUS[0], 2
        if chance < 0.30:
            self.at_the_till(sku, -units)
        elif chance < 0.40:
            self.at_the_till(sku, self.rng.choice((-2, -1, 1, 2, 4, 6)))
        elif chance < 0.70:
            self.buy(web, sku, units)
        elif chance < 0.82:
            self.change_an_order(web)
        elif chance < 0.88:
            self.edit(web, sku, self.rng.choice((-2, 2)))
        else:
            self.export()

    def at_the_till(self, sku: str, units: int) -> None:
        self.told(f"till {sku} {units:+d}")
        if units < 0:
            self.till.sell(sku, -units)
        else:
            self.till.receive(sku, units)
        self.instore[sku] += units

    def buy(self, web: Web, sku: str, units: int) -> None:
        if web.shows(sku) < units:
            return
        web.sold[sku] += units
        if self.rng.random() < (0.6 if self.is_crowded else 0.2):  # the number moves now, the order is seen later
            self.told(f"web{self.webs.index(web)} takes {units} {sku}; its order is seen later")
            web.app.product(web.ids[sku]).quantity -= units
            due = self.clock.at.timestamp() + self.rng.uniform(1, ORDER_LAG)
            web.unseen.append((due, web.app.clock.now(), sku, units))
        else:
            self._order(web, web.app.clock.now(), sku, units)

    def _order(self, web: Web, moment: int, sku: str, units: int) -> None:
        order = web.app.place_order([(sku, units)])
        order.created = order.modified = moment
        web.orders.append(order.id)
        self.told(f"web{self.webs.index(web)} order {order.id}: {units} {sku}")
        self._tell(web, order.id)

    def change_an_order(self, web: Web) -> None:
        """It is cancelled, taken up again, completed, or a part of it is sent back."""
        if not web.orders:
            return
        order = web.app.order(self.rng.choice(web.orders))
        line = order.lines[0]
        sku = line.product.sku
        before = web.shows(sku)
        deed = self.rng.choice(("cancelled", "processing", "completed", "refund", "refund"))
        if deed != "refund":
            if order.status == "refunded":
                return
            web.app.change_order(order.id, status=deed)
        elif order.status in ("processing", "completed") and (line.reduced or 0) > 0:
            restock = self.rng.random() < 0.8
            try:
                web.app.refund_order(order.id, {line.id: 1}, restock=restock)
            except RestError:  # it has been refunded already
                return
        else:
            return
        web.sold[sku] += before - web.shows(sku)
        self.told(f"web{self.webs.index(web)} order {order.id} {deed}: {sku} {web.shows(sku) - before:+d}")
        self._tell(web, order.id)

    def edit(self, web: Web, sku: str, units: int) -> None:
        self.told(f"web{self.webs.index(web)} edit {sku} {units:+d}")
        web.app.set_quantity(web.ids[sku], web.shows(sku) + units)
        web.edits_lately.setdefault(sku, []).append(web.edits[sku])
        web.edits[sku] += units

    def _tell(self, web: Web, order_id: int) -> None:
        for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
            due = self.clock.at.timestamp() + self.rng.expovariate(1 / 180)
            web.hooks.append((due, web.app._hook_body("order.updated", order_id)))

    # -- the till's files --------------------------------------------------------------------------------------------

    def export(self, *, late: float | None = None) -> None:
        """The till writes down what it shows; the file comes `late` seconds later. Its name says when, by the till's clock."""
        skew = self.rng.uniform(1 - TILL_SKEW, TILL_SKEW) * self.rng.choice((0, 0.2, 1))
        true_at = (self.clock.at + timedelta(seconds=skew)).replace(microsecond=0)
        if true_at in self.said:
            return
        out = io.StringIO(newline="")
        write_catalogue(out, self.till.snapshot()[1], zone=UTC)
        self.said[true_at] = {sku: self.instore[sku] for sku in SKUS}
        if late is None:
            late = self.rng.choice((0.0, 0.0, self.rng.uniform(0, 1800)))
        name = f"pos_export_{true_at:%Y%m%d_%H%M%S}.csv"
        self.told(f"export {name}, {late:.0f} s late: {out.getvalue().split(chr(13))[1:-1]}")
        export = Export(self.clock.at.timestamp() + late, name, out.getvalue().encode())
        self.exports.append(export)
        if self.rng.random() < 0.1:
            self.exports.append(Export(export.due + self.rng.uniform(0, 600), name, export.content))

    def book_adjustments(self) -> None:
        """The till books what lies in its folder, and puts the files aside now or later; or it refuses one."""
        waiting = sorted(self.importer.outbound.glob("*.csv"))
        if waiting and waiting[0].name not in self.booked and self.rng.random() < 0.05:
            rejected = self.importer.outbound / "rejected"
            rejected.mkdir(exist_ok=True)
            first = waiting.pop(0)
            self.told(f"till rejects {first.name}")
            first.rename(rejected / first.name)
        if waiting and self.rng.random() < 0.2:
            booked = [self.till.adjust_all(list(read_adjustments(path))) for path in waiting]
            self.booked |= {path.name for path in waiting}
            self.told(f"till books {booked} and leaves the files")
        elif waiting:
            taken = self.importer.run()
            self.told(f"till imports {[imported.booked for imported in taken]}")
            self.moved_at |= {imported.name: self.clock.at for imported in taken}

    # -- the passing of time -----------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """What is due comes: orders become visible, files arrive."""
        now = self.clock.at.timestamp()
        for web in self.webs:
            for due in [one for one in web.unseen if one[0] <= now]:
                web.unseen.remove(due)
                _, moment, sku, units = due
                web.app.product(web.ids[sku]).quantity += units
                self._order(web, moment, sku, units)
        for export in sorted((one for one in self.exports if one.due <= now), key=lambda one: one.due):
            if self.folder.is_dir():
                self.exports.remove(export)
                path = self.folder / export.name
                path.write_bytes(export.content)
                os.utime(path, (export.due, export.due))

    def hooks_due(self, web: Web) -> list[dict[str, Any]]:
        """Result: the bodies that arrive now, in any order."""
        now = self.clock.at.timestamp()
        due = [body for at, body in web.hooks if at <= now]
        web.hooks = [(at, body) for at, body in web.hooks if at > now]
        self.rng.shuffle(due)
        return due

    def during_a_request(self) -> None:
        """Called around each request of the engine: a little time passes, and now and then something happens in it."""
        if self.is_quiet:
            self.clock.tick(0.1)
            return
        self.clock.tick(self.rng.choice((0.05, 0.3, 2.0)))
        if self.rng.random() < 0.12:
            self.happen()
        if self.rng.random() < 0.05:
            self.book_adjustments()
        self.catch_up()

    def during_a_nap(self, seconds: float) -> None:
        """Called when the engine waits."""
        if not self.is_quiet and self.rng.random() < 0.02 * seconds:
            self.happen()
        self.catch_up()
