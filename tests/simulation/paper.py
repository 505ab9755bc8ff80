"""The ledger on paper: one item, one till, two web stores, and everything that can go wrong between them, in a thousandth of the
time. Only the decisions are the product's: what a reading means, what an order changes, what is owed (`sync.core`).

Here a store's reading is open while other work goes on, so that writes come in the middle of it. In the product the lease keeps
them apart; this is where that rule is tried all the same. Moments are minutes.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal

from sync.core.orders import LineBooked, line_effect
from sync.core.readings import Activity, Deferred, Drift, Suspect, WriteSpan, store_reading_judge, till_reading_judge
from sync.core.targets import listing_target, owed

SKEW = 2.0  # minutes the till's clock may be off
SETTLE = 2.0  # minutes after which an order that moved the shop's number can surely be seen


@dataclass
class Order:
    taken: int  # what the shop took from its own number and has not given back
    modified: float
    picked: bool = False
    visible: float = 0.0  # the shop's number moves a moment before its order can be seen


@dataclass
class Shop:
    buffer: int
    shows: int = 0
    edits: int = 0  # by hand, in all
    receipt: int = 0  # operation id stored with the last write that took effect
    orders: dict[int, Order] = field(default_factory=dict)
    hooks: list = field(default_factory=list)  # (arrives, order id, taken, picked, modified)


class World:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.t, self.shelf, self.till = 0.0, 20, 20
        self.instore = 0  # units the till itself moved, in all
        self.till_seen: set[int] = set()  # operation ids the till has booked (its idempotency)
        self.shops = [Shop(0), Shop(self.rng.choice([0, 3]))]
        for shop in self.shops:
            shop.shows = 20 - shop.buffer

    def tell(self, shop: Shop, oid: int) -> None:
        for _ in range(self.rng.choice([0, 1, 1, 1, 2])):
            o = shop.orders[oid]
            shop.hooks.append((max(o.visible, self.t) + self.rng.expovariate(1 / 3), oid, o.taken, o.picked, o.modified))

    def change(self, shop: Shop, oid: int, *, taken: int, picked: bool) -> None:
        old = shop.orders.get(oid)
        shop.orders[oid] = Order(taken, self.t, picked, old.visible if old else self.t + self.rng.choice([0, 0, 0, 1.5]))
        self.tell(shop, oid)

    def happen(self, *, only_finish: bool = False) -> None:
        rng, q, shop = self.rng, self.rng.randint(1, 3), self.rng.choice(self.shops)
        open_ = [i for i, o in shop.orders.items() if not o.picked and o.taken]
        r = rng.random()
        if open_ and (only_finish or r < 0.15):  # the order is picked: units leave the shelf
            o = shop.orders[i := rng.choice(open_)]
            self.shelf -= o.taken
            self.change(shop, i, taken=o.taken, picked=True)
        elif only_finish:
            return
        elif r < 0.40:
            self.till -= q
            self.shelf -= q
            self.instore -= q
        elif r < 0.68 and shop.shows >= q:
            shop.shows -= q
            self.change(shop, len(shop.orders) + 1, taken=q, picked=False)
        elif r < 0.80 and shop.orders:  # cancel or restocking refund
            o = shop.orders[i := rng.choice(list(shop.orders))]
            back = rng.randint(0, o.taken)
            shop.shows += back
            self.shelf += back if o.picked else 0
            self.change(shop, i, taken=o.taken - back, picked=o.picked)
        elif r < 0.94:  # delivery or count at the till
            n = rng.randint(-2, 6)
            self.till += n
            self.shelf += n
            self.instore += n
        else:
            n = rng.choice([-2, 2])
            shop.shows += n
            shop.edits += n


@dataclass
class Write:
    op: int
    delta: int
    sent: float
    acked: float = 0.0


@dataclass(eq=False)  # two sides with the same numbers are still two
class Side:
    """What we know of one outside system."""

    baseline: int
    flight: Write | None = None
    history: list[Write] = field(default_factory=list)
    open_reading: tuple[float, int, int] | None = None  # taken at, showed, (edits till then: for the check alone)
    suspect: int | None = None
    suspected_at: float = 0.0
    drift: int = 0
    lines: dict[int, tuple[LineBooked, float]] = field(default_factory=dict)  # order -> what is known of it, modified


class Engine:
    def __init__(self, world: World) -> None:
        self.w, self.on_hand, self.ops = world, 20, 0
        self.till = Side(20)
        self.shops = [Side(s.shows) for s in world.shops]
        self.last_export, self.deferred, self.activity, self.wrong = -1e9, 0, 0, 0
        self.newest, self.instore = -1e9, 0

    # -- what each system should show, and what we owe it ------------------------------------------------
    def target(self, side: Side) -> int:
        if side is self.till:
            return self.on_hand
        return listing_target(available=[Decimal(self.on_hand)], buffer=Decimal(self.w.shops[self.shops.index(side)].buffer))

    def owed(self, side: Side) -> int:
        return owed(target=self.target(side), baseline=side.baseline) - (side.flight.delta if side.flight else 0)

    @staticmethod
    def spans(side: Side) -> list[WriteSpan]:
        flight = [WriteSpan(side.flight.delta, side.flight.sent, None)] if side.flight else []
        return flight + [WriteSpan(write.delta, write.sent, write.acked) for write in side.history]

    # -- what happened elsewhere ---------------------------------------------------------------------------
    def order(self, side: Side, oid: int, taken: int, modified: float) -> None:
        known, at = side.lines.get(oid, (None, -1.0))
        if modified <= at:
            return
        effect = line_effect(known=known, taken=taken, order_created_at=0.0, opened_at=0.0, unseen=0.0)
        side.lines[oid] = (LineBooked(taken=taken, booked=effect.booked), modified)
        side.suspect = None
        side.baseline += effect.baseline
        self.on_hand += effect.on_hand

    def hear(self) -> None:
        for shop, side in zip(self.w.shops, self.shops, strict=True):
            due = [h for h in shop.hooks if h[0] <= self.w.t]
            shop.hooks = [h for h in shop.hooks if h[0] > self.w.t]
            self.w.rng.shuffle(due)
            for _, oid, taken, _, modified in due:
                self.order(side, oid, taken, modified)

    def poll(self, side: Side) -> None:
        for oid, o in self.w.shops[self.shops.index(side)].orders.items():
            if o.visible <= self.w.t:
                self.order(side, oid, o.taken, o.modified)

    # -- readings ------------------------------------------------------------------------------------------
    def export(self, at: float, count: int, instore: int) -> None:
        if at <= self.last_export:
            return  # older than what we know: history
        side = self.till
        writes = [span for span in self.spans(side) if span.answered_at is None or span.answered_at > at - SKEW]
        verdict = till_reading_judge(shows=count, span=(at, at), baseline=side.baseline, writes=writes, skew=SKEW)
        if isinstance(verdict, Deferred):
            self.deferred += 1
            return
        self.last_export = at
        self.newest, self.instore = max((self.newest, self.instore), (at, instore))  # for the check below alone
        residual = verdict.residual if isinstance(verdict, Activity) else 0
        side.baseline += residual
        self.on_hand += residual  # the till is the physical truth
        self.activity += residual
        self.wrong += self.activity != self.instore

    def read(self, side: Side) -> None:
        """Begin with the numbers; end, some time later, with the orders: then nothing the numbers show is unknown."""
        if side.open_reading is None:
            shop = self.w.shops[self.shops.index(side)]
            side.open_reading = (self.w.t, shop.shows, shop.edits)
            return
        (at, shows, edits), side.open_reading = side.open_reading, None
        self.poll(side)
        verdict = store_reading_judge(
            shows=shows,
            read_at=at,
            baseline=side.baseline,
            news_at=max((modified for _, modified in side.lines.values()), default=None),
            writes=[span for span in self.spans(side) if span.answered_at is None or span.answered_at >= at],
            suspect=side.suspect,
            suspected_at=side.suspected_at,
            settle=SETTLE,
            skew=0.0,
        )
        match verdict:
            case Deferred():
                self.deferred += 1
            case Suspect(residual):
                side.suspect, side.suspected_at = residual, at
            case Drift(residual):
                self.wrong += abs(side.drift + residual - edits) >= abs(side.drift - edits)  # not towards what was edited
                side.drift += residual
                side.baseline += residual  # believed; what we owe now undoes it (the till wins)
                side.suspect = None

    # -- writes --------------------------------------------------------------------------------------------
    def deliver(self, side: Side) -> None:
        rng, shop = self.w.rng, None if side is self.till else self.w.shops[self.shops.index(side)]
        if side.flight:  # unanswered: look before anything else
            w = side.flight
            landed = w.op in self.w.till_seen if shop is None else shop.receipt == w.op
            side.flight = None
            if landed:
                self.ack(side, w)
            return
        if not (delta := self.owed(side)):
            return
        self.ops += 1
        w = Write(self.ops, delta, self.w.t)
        fate = rng.random()
        if fate < 0.10:
            return  # refused, surely without effect: still owed
        if fate < 0.95:
            if shop is None:
                self.w.till += delta
                self.w.till_seen.add(w.op)
            else:
                shop.shows += delta
                shop.receipt = w.op
        if fate < 0.80:
            self.ack(side, w)
        else:
            side.flight = w  # timed out, before or after it took effect

    def ack(self, side: Side, w: Write) -> None:
        w.acked = self.w.t
        side.baseline += w.delta
        side.history.append(w)


def run(seed: int) -> tuple[World, Engine]:
    w = World(seed)
    e, exports = Engine(w), []
    for step in range(1000):
        w.t += w.rng.expovariate(1 / 2)
        quiet = step > 450
        if quiet or w.rng.random() < 0.5:
            w.happen(only_finish=quiet)
        if w.rng.random() < 0.15:
            exports.append((w.t + w.rng.uniform(0, 30), w.t + w.rng.uniform(-SKEW, SKEW), w.till, w.instore))
        for x in [x for x in exports if x[0] <= w.t]:
            exports.remove(x)
            e.export(*x[1:])
        e.hear()
        for side in e.shops:
            if quiet or w.rng.random() < 0.05:
                e.poll(side)
            if w.rng.random() < 0.6:
                e.read(side)
        for side in [e.till, *e.shops]:
            if w.rng.random() < 0.4:
                e.deliver(side)
    return w, e


def at_rest(w: World, e: Engine) -> bool:
    return w.shelf == w.till == e.on_hand and all(s.shows == e.target(x) for s, x in zip(w.shops, e.shops, strict=True))


def exact(w: World, e: Engine) -> bool:
    return not e.wrong and all(s.edits == x.drift for s, x in zip(w.shops, e.shops, strict=True))
