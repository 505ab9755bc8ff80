"""Shop life at random over the real engine, connectors and sandbox: at rest everything agrees, and all of it has its true name.

Customers buy at the till and online, cancel and send back; the till counts; somebody edits the shop; exports come late; runs
are full or incremental, wait or don't; writes go unanswered. What happened is counted here, beside what the engine made of it.
`EVENSTOCK_WORLDS=200` tries more of them.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random

import pytest
from django.db.models import Sum

from inventory.models import Movement, StockLevel
from sync.models import OutboundWrite, SyncLog, SyncPolicy, SyncRun
from sync.turns.context import Progress
from tests.sync.shop import FULL, INCREMENTAL, Shop, product

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.every_database]
WORLDS = int(os.environ.get("EVENSTOCK_WORLDS", "12"))
STEPS = 40
STOCK = {"A": 20, "B": 20, "C": 3, "V1": 20, "V2": 8}
LISTED = [
    product(11, "A", 17),
    product(12, "B", 20),
    product(13, "C", 9),
    product(20, "P", None, type="variable"),
    product(21, "V1", 20, parent_id=20),
    product(22, "V2", 8, parent_id=20),
]


@dataclass
class World:
    """One shop, and what truly happened in it, in units by SKU."""

    shop: Shop
    rng: Random
    at_the_till: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    orders: list[int] = field(default_factory=list)
    late: list[tuple[bytes, str]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    # What was so at some time, by SKU: a wrong number that a later reading heals was wrong all the same.
    till_at: dict[datetime, Counter[str]] = field(default_factory=dict)
    read_at: dict[str, datetime] = field(default_factory=dict)
    edits_once: dict[str, set[int]] = field(default_factory=lambda: {sku: {0} for sku in STOCK})
    online_once: dict[str, set[int]] = field(default_factory=lambda: {sku: {0} for sku in STOCK})

    def happen(self) -> None:
        deeds = {
            self.sells: 22, self.counts: 8, self.buys: 18, self.cancels: 5, self.refunds: 4, self.edits_the_shop: 4,
            self.exports: 12, self.late_exports_come: 6, self.takes_in: 10, self.goes_wrong: 4, self.runs: 30,
        }  # fmt: skip
        (deed,) = self.rng.choices(list(deeds), list(deeds.values()))
        deed()
        self.shop.clock.tick(seconds=self.rng.choice((7, 40, 100, 400, 900)))

    def told(self, words: str) -> None:
        online = self.online()
        for sku in STOCK:
            self.edits_once[sku].add(self.edits[sku])
            self.online_once[sku].add(online[sku])
        self.story.append(f"{self.shop.clock.at:%H:%M:%S} {words}")

    def sells(self) -> None:
        sku, units = self.rng.choice(list(STOCK)), self.rng.randint(1, 3)
        self.shop.till.sell(sku, units)
        self.at_the_till[sku] -= units
        self.told(f"sold {units} {sku}")

    def counts(self) -> None:
        sku, units = self.rng.choice(list(STOCK)), self.rng.choice((-2, -1, 1, 4, 6))
        self.shop.till.receive(sku, units)
        self.at_the_till[sku] += units
        self.told(f"received {units} {sku}")

    def buys(self) -> None:
        lines = [(sku, self.rng.randint(1, 3)) for sku in self.rng.sample(list(STOCK), self.rng.choice((1, 1, 2)))]
        if all((self.shop.app.product_by_sku(sku).quantity or 0) >= units for sku, units in lines):
            order = self.shop.app.place_order(lines, status=self.rng.choice(("processing", "processing", "on-hold", "pending")))
            self.orders.append(order.id)
            self.told(f"order {order.id} {lines} {order.status}")

    def cancels(self) -> None:
        if self.orders:
            order = self.rng.choice(self.orders)
            status = self.rng.choice(("cancelled", "completed", "processing"))
            self.shop.app.change_order(order, status=status)
            self.told(f"order {order} is {status}")

    def refunds(self) -> None:
        if self.orders:
            order = self.shop.app.order(self.rng.choice(self.orders))
            line = order.lines[0]
            if order.status in ("processing", "completed") and (line.reduced or 0) > 0:
                restock = self.rng.random() < 0.7
                self.shop.app.refund_order(order.id, {line.id: 1}, restock=restock)
                self.told(f"refund of 1 in order {order.id}, restock {restock}")

    def edits_the_shop(self) -> None:
        sku, by = self.rng.choice(list(STOCK)), self.rng.choice((-2, 2, 5))
        found = self.shop.app.product_by_sku(sku)
        self.shop.app.set_quantity(found.id, (found.quantity or 0) + by)
        self.edits[sku] += by
        self.told(f"edit {by} {sku}")

    def exports(self) -> None:
        path = self.shop.export()
        self.till_at[self.shop.clock.at] = self.at_the_till.copy()
        if self.rng.random() < 0.3:
            self.late.append((path.read_bytes(), path.name))
            path.unlink()
            self.told(f"export {path.name} is late")
        else:
            self.told(f"export {path.name}")

    def late_exports_come(self) -> None:
        for content, name in self.late:
            self.shop.drop(content, name)
            self.told(f"{name} comes")
        self.late.clear()

    def takes_in(self) -> None:
        taken = self.shop.take_in_adjustments()
        self.told(f"till takes in {[each.booked for each in taken]}")

    def takes_in_and_exports(self) -> None:
        self.takes_in()
        self.exports()

    def goes_wrong(self) -> None:
        applied = self.rng.random() < 0.5
        self.shop.app.faults.arm(self.rng.choice(("close", "fatal", "gateway")), method="POST", path="batch", applied=applied)
        self.told(f"the next write goes unanswered, applied {applied}")

    def runs(self) -> SyncRun:
        kind, may_wait = self.rng.choice((FULL, INCREMENTAL, INCREMENTAL)), self.rng.random() < 0.3
        self.told(f"{kind} run, may wait {may_wait}")
        run = self.shop.sync(kind, may_wait=may_wait, progress=self._meanwhile())
        self.told(f"  {run.state}: {run.counts}")
        self.is_exact()
        return run

    def _meanwhile(self) -> Progress:
        """Somebody does something while a run is at it."""
        phase = self.rng.choice(("till", "store", "plan", "deliver", "look_again", "", "", ""))
        deeds = [self.rng.choice((self.sells, self.buys, self.takes_in, self.takes_in_and_exports, self.cancels))]

        def progress(at: SyncRun.Phase, done: int, total: int) -> None:
            if at == phase and deeds:
                self.told(f"  meanwhile ({phase}):")
                deeds.pop()()

        return progress

    def is_exact(self) -> None:
        """What the engine has called till activity, orders and drift so far is what happened, up to what it has seen."""
        story = "\n".join(self.story)
        till, online, drift = booked(Movement.Kind.TILL), booked(Movement.Kind.ONLINE), drifts()
        for sku, read_at in StockLevel.objects.values_list("item__sku", "read_at"):
            assert read_at >= self.read_at.get(sku, read_at), f"{sku}: history is not news\n{story}"
            self.read_at[sku] = read_at
            if read_at in self.till_at:
                assert till.get(sku, 0) == self.till_at[read_at][sku], f"{sku}\n{story}"
            assert -online.get(sku, 0) in self.online_once[sku], f"{sku}\n{story}"
            assert drift.get(sku, 0) in self.edits_once[sku], f"{sku}\n{story}"

    def comes_to_rest(self) -> None:
        """Nothing new happens; everything that is under way arrives."""
        self.shop.app.faults.clear()
        self.late_exports_come()
        for _ in range(4):
            self.shop.clock.tick(minutes=10)
            self.takes_in()
            self.shop.clock.tick(minutes=10)
            self.shop.sync()
            self.shop.clock.tick(minutes=10)
            self.exports()
            self.late_exports_come()
            self.told(f"  rest: {self.shop.sync().counts}")
            self.is_exact()

    def online(self) -> Counter[str]:
        """What orders hold of the shelf now."""
        held: Counter[str] = Counter()
        for order in self.shop.app.book.orders.values():
            for line in order.lines:
                held[line.product.sku] += line.reduced or 0
        return held


def booked(kind: Movement.Kind) -> dict[str, Decimal]:
    rows = Movement.objects.filter(kind=kind).order_by().values("item__sku").annotate(units=Sum("quantity"))
    return {row["item__sku"]: row["units"] for row in rows if row["units"]}


def drifts() -> dict[str, int]:
    units: Counter[str] = Counter()
    for log in SyncLog.objects.filter(reason__contains="no order explains it").select_related("alignment__listing"):
        units[log.alignment.listing.sku] += int(log.new_value) - int(log.old_value)
    return {sku: number for sku, number in units.items() if number}


@pytest.mark.parametrize("seed", range(WORLDS))
def test_at_rest_all_agree_and_everything_has_its_true_name(open_shop, seed):
    shop = open_shop(stock=STOCK, listed=LISTED, till_mode="live")
    SyncPolicy.objects.create(minor_to=1000, major_to=1000)  # nobody is there to review what was edited
    shop.running()
    world = World(shop, Random(seed))
    for _ in range(STEPS):
        world.happen()
    world.comes_to_rest()
    online, story = world.online(), "\n".join(world.story)
    shelf = {sku: STOCK[sku] + world.at_the_till[sku] - online[sku] for sku in STOCK}
    assert {sku: int(units) for sku, units in shop.shelf().items()} == shelf, story
    assert dict(StockLevel.objects.values_list("item__sku", "on_hand")) == shelf, story
    shown = shop.shown()
    assert {sku: shown[sku] for sku in STOCK} == {sku: max(0, units) for sku, units in shelf.items()}, story
    assert booked(Movement.Kind.TILL) == {sku: units for sku, units in world.at_the_till.items() if units}, story
    assert booked(Movement.Kind.ONLINE) == {sku: -units for sku, units in online.items() if units}, story
    assert drifts() == {sku: units for sku, units in world.edits.items() if units}, story
    assert OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN).count() == 0, story
