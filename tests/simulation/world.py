"""A shop and everything that happens to it: the truth that the engine's ledger is held against. It knows nothing of the engine.

Customers buy at the till and in up to two stores; the till counts and receives; orders are cancelled, refunded, taken up again;
somebody edits a store by hand. Webhooks are lost, doubled and reordered; an order is seen a moment after it moved the store's
number. What the till says, and how, is in tills.py.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sandbox.woocommerce import StoreApp
from sandbox.woocommerce.errors import RestError
from tests.simulation.clock import SimClock
from tests.simulation.tills import KINDS

SKUS = ("A", "B", "C", "D")
STOCK = 20
PARENT = 50  # the variable product that the last SKU is a variation of
ORDER_LAG = 25.0  # seconds between a number that moves and an order that can be seen; the engine allows for 30


@dataclass
class Late:
    """Units that a customer has bought: the store's number has moved, and the order is seen only when it is due."""

    due: float
    moment: int  # by the store's clock
    sku: str
    units: int
    order_id: int = 0  # 0: not to be seen yet


@dataclass
class Shown:
    """The store has shown numbers to the engine: those of its products, or of its variations; what nobody could see in them."""

    at: datetime
    of_variations: bool
    unseen: list[Late]
    edits: Counter[str]


@dataclass
class Web:
    """One store and what truly happened in it, in units by SKU: `sold` is what customers hold, `edits` what people typed,
    `before` what customers held already when both sides were read for the first time (docs/sync.md, "The first reading")."""

    app: StoreApp
    buffer: int
    ids: dict[str, int]
    sold: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    decided: Counter[str] = field(default_factory=Counter)  # of `edits`: what the manager was asked about, and no rule accepted
    edits_lately: dict[str, list[int]] = field(default_factory=dict)  # what `edits` was before each edit since somebody looked
    before: Counter[str] = field(default_factory=Counter)
    unseen: list[Late] = field(default_factory=list)
    served: list["Shown"] = field(default_factory=list)
    uncounted: dict[str, int] = field(
        default_factory=dict
    )  # SKUs whose “Manage stock” is off, with the number that was forgotten
    hooks: list[tuple[float, dict[str, Any]]] = field(default_factory=list)  # due, body
    orders: list[int] = field(default_factory=list)

    def shows(self, sku: str) -> int:
        return self.app.quantity(self.ids[sku]) or 0


class World:
    """`rng` decides everything; the same seed and the same engine live the same life."""

    def __init__(
        self,
        rng: Random,
        clock: SimClock,
        folder: Path,
        *,
        till: str,
        stores: int | None = None,
        is_crowded: bool | None = None,
    ) -> None:
        self.rng, self.clock, self.folder = rng, clock, folder
        self.told: Callable[[str], None] = lambda _words: None
        self.till = KINDS[till](self, SKUS, STOCK)
        self.webs = [self._web(buffer) for buffer in (0, rng.choice((0, 3)))[: stores or rng.choice((1, 2))]]
        # Where all want the same thing, one event can pass for another.
        self.is_crowded = rng.random() < 0.3 if is_crowded is None else is_crowded
        self.edits_are_true = rng.random() < 0.25  # the rule in force: the store wins; else what is typed there is undone
        # Or a manager sits there: what is more than a little off is left to them.
        self.has_manager = not self.edits_are_true and rng.random() < 0.4
        self.accepted: Counter[str] = Counter()  # units that the manager found on the shelf, or accepted from a store
        self.is_quiet = False
        self.may_edit = True
        self.rush: Callable[[], None] | None = None  # what happens around each request, for a while

    def _web(self, buffer: int) -> Web:
        offset = timedelta(seconds=self.rng.uniform(-4, 4))
        app = StoreApp(version=self.rng.choice(("10.2", "10.5")), clock=lambda: self.clock.at + offset)
        app.keys._now = lambda: datetime.now(UTC).timestamp()  # signatures carry the real time
        parent = {"id": PARENT, "sku": "P", "name": "P", "type": "variable", "manage_stock": False, "regular_price": ""}
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
            rows.append(row | ({"parent_id": PARENT, "type": "variation"} if sku == SKUS[-1] else {}))
        app.load(rows)
        return Web(app, buffer, {sku: 101 + number for number, sku in enumerate(SKUS)})

    # -- the truth ---------------------------------------------------------------------------------------------------

    def shelf(self, sku: str) -> int:
        """Units that truly lie on the shelf and belong to nobody."""
        typed = sum(web.edits[sku] - web.decided[sku] for web in self.webs) if self.edits_are_true else 0
        sold = sum(web.sold[sku] - web.before[sku] for web in self.webs)
        return STOCK + self.till.instore[sku] + typed + self.accepted[sku] - sold

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
            if self.may_edit and sku not in web.uncounted:
                self.edit(web, sku, self.rng.choice((-5, -2, 2, 5) if self.has_manager else (-2, 2)))
        else:
            self.till.export()

    def at_the_till(self, sku: str, units: int) -> None:
        self.told(f"till {sku} {units:+d}")
        if units < 0:
            self.till.sell(sku, -units)
        else:
            self.till.receive(sku, units)
        self.till.instore[sku] += units

    def buy(self, web: Web, sku: str, units: int, *, is_late: bool | None = None) -> None:
        if web.shows(sku) < units:
            return
        web.sold[sku] += units
        if is_late is None:
            is_late = self.rng.random() < (0.6 if self.is_crowded else 0.2)
        if is_late:  # the number moves now, the order is seen later
            self.told(f"web{self.webs.index(web)} takes {units} {sku}; its order is seen later")
            web.app.product(web.ids[sku]).quantity -= units
            due = self.clock.at.timestamp() + self.rng.uniform(1, ORDER_LAG)
            web.unseen.append(Late(due, web.app.clock.now(), sku, units))
        else:
            self._order(web, web.app.clock.now(), sku, units)

    def _order(self, web: Web, moment: int, sku: str, units: int) -> int:
        order = web.app.place_order([(sku, units)])
        order.created = order.modified = moment
        web.orders.append(order.id)
        self.told(f"web{self.webs.index(web)} order {order.id}: {units} {sku}")
        self._tell(web, order.id)
        return order.id

    def change_an_order(self, web: Web) -> None:
        """It is cancelled, taken up again, completed, or a part of it is sent back."""
        if not web.orders:
            return
        order = web.app.order(self.rng.choice(web.orders))
        line = order.lines[0]
        sku = line.product.sku
        before, held = web.shows(sku), line.reduced or 0
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
        web.sold[sku] += (line.reduced or 0) - held  # not what the store shows: it may not be counting at the moment
        self.told(f"web{self.webs.index(web)} order {order.id} {deed}: {sku} {web.shows(sku) - before:+d}")
        self._tell(web, order.id)

    def edit(self, web: Web, sku: str, units: int) -> None:
        self.told(f"web{self.webs.index(web)} edit {sku} {units:+d}")
        web.app.set_quantity(web.ids[sku], web.shows(sku) + units)
        web.edits_lately.setdefault(sku, []).append(web.edits[sku])
        web.edits[sku] += units

    def stop_counting(self, web: Web, sku: str) -> None:
        """Somebody unticks “Manage stock”: the store forgets the number."""
        self.told(f"web{self.webs.index(web)} stops counting {sku}")
        product = web.app.product(web.ids[sku])
        web.uncounted[sku] = product.quantity or 0
        product.manage_stock, product.quantity = False, None
        web.app.catalogue.touch(product)

    def count_again(self, web: Web, sku: str, units: int) -> None:
        """Somebody ticks it again, and types a number: an edit like any."""
        self.told(f"web{self.webs.index(web)} counts {sku} again: {units}")
        web.edits_lately.setdefault(sku, []).append(web.edits[sku])
        web.edits[sku] += units - web.uncounted.pop(sku)
        product = web.app.product(web.ids[sku])
        product.manage_stock, product.quantity = True, units
        web.app.catalogue.touch(product)

    def _tell(self, web: Web, order_id: int) -> None:
        for _ in range(self.rng.choice((0, 1, 1, 1, 2))):
            due = self.clock.at.timestamp() + self.rng.expovariate(1 / 180)
            web.hooks.append((due, web.app._hook_body("order.updated", order_id)))

    # -- the passing of time -----------------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """What is due comes: orders become visible, files arrive."""
        now = self.clock.at.timestamp()
        for web in self.webs:
            for late in [one for one in web.unseen if one.due <= now]:
                web.unseen.remove(late)
                web.app.product(web.ids[late.sku]).quantity += late.units
                late.order_id = self._order(web, late.moment, late.sku, late.units)
        self.till.catch_up()

    def served(self, web: Web, path: str) -> None:
        """The store has shown its numbers to the engine."""
        if path.endswith(("/products", "/variations")):
            web.served.append(Shown(self.clock.at, "variations" in path, list(web.unseen), Counter(web.edits)))

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
        if self.rush:
            self.rush()
        if self.rng.random() < 0.12:
            self.happen()
        if self.rng.random() < 0.05:
            self.till.book_adjustments()
        self.catch_up()

    def during_a_nap(self, seconds: float) -> None:
        """Called when the engine waits."""
        if not self.is_quiet and self.rng.random() < 0.02 * seconds:
            self.happen()
        self.catch_up()
