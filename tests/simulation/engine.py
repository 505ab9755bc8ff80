"""The product at work in one world: its real services, database and connectors, and workers that die or stall."""

import json
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

from alignment.models import Alignment, StoreLocation
from alignment.services.alignments import listings_recount
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from connectors.models import Connection
from inventory.models import Item, Listing, Location, StockLevel
from sync.conflicts.settle import conflict_resolve
from sync.models import InboundEvent, SyncConflict, SyncPolicy, SyncRun
from sync.orders.inbox import inbox_work
from sync.orders.poll import orders_poll
from sync.turns.run import run_sync
from tests.simulation.bench import Bench
from tests.simulation.crash import WorkerDiedError
from tests.simulation.judge import Judge
from tests.simulation.tills import FileTill
from tests.simulation.world import SKUS, World

SETTLES = (20.0, 90.0)  # seconds a store may go on working on a request we gave up on; the latter is the product's own
TURN = 301  # seconds after which a turn that is not renewed has ended
NO_SUCH_PROCESS = 4_194_305  # above the largest process number there can be
READ_FAULTS = (
    "rate_limit",
    "maintenance",
    "gateway",
    "close",
    "reset",
    "cut_off",
    "half_json",
    "empty_list",
    "missing_row",
    "notice",
)
WRITE_FAULTS = ("close", "reset", "gateway", "fatal", "die_at", "rate_limit", "maintenance", "cut_off", "half_json", "html")
SURELY_WITHOUT_EFFECT = ("rate_limit", "maintenance")  # a system that is closed has done nothing


class Engine:
    """`figures` counts what it met; `judge` says where its ledger was not exact."""

    def __init__(self, bench: Bench, world: World, rng: Random) -> None:
        self.bench, self.world, self.rng, self.clock = bench, world, rng, world.clock
        self.figures: Counter[str] = Counter()
        self.is_busy_meanwhile = False  # does the till sell while a worker stalls?
        settle, till_settle = rng.choice(SETTLES), rng.choice((10.0, 30.0))
        bench.empty()
        bench.begin(world, rng, settle=settle, till_settle=till_settle)
        self.till, self.stores = bench.connect(world, settle=settle, till_settle=till_settle, whole_every=rng.choice((0.2, 20.0)))
        self.judge = Judge(world, self.stores)
        if not world.has_manager:
            wins = SyncPolicy.Policy.STORE_WINS if world.edits_are_true else SyncPolicy.Policy.POS_WINS
            SyncPolicy.objects.create(policy=wins, minor_to=1000, major_to=1000)
        self.clock.during_sleep = world.during_a_nap
        self._open()

    @property
    def wrong(self) -> list[str]:
        return self.judge.wrong

    # -- the first days ----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Both sides are read and aligned: in a quiet hour, or while customers come and go. Nobody edits a store meanwhile."""
        world, is_busy = self.world, self.rng.random() < 0.6
        world.is_quiet, world.may_edit = True, False
        world.till.export(late=0)
        world.catch_up()
        world.is_quiet = not is_busy
        for number in range(len(self.stores)):
            for _ in range(4 if is_busy else 0):
                world.happen()
                self.clock.tick(20)
            self.run(number, SyncRun.Kind.FULL, read_only=True)
            self._align(number)
            for turn in range(8):
                if is_busy:
                    world.happen()
                self.clock.tick(self.rng.uniform(1, 60))
                world.catch_up()
                world.is_quiet = not is_busy or turn > 4
                self.run(number, SyncRun.Kind.FULL, may_wait=self.rng.random() < 0.5)
                self.judge.look()
                if self._all_open(number):
                    break
        self.clock.tick(60)
        world.is_quiet, world.may_edit = False, True

    def _align(self, number: int) -> None:
        store, place = self.stores[number], Location.objects.get()
        StoreLocation.objects.update_or_create(store=store, location=place, defaults={"buffer": self.world.webs[number].buffer})
        items = dict(Item.objects.values_list("sku", "id"))
        listings = dict(Listing.objects.filter(connection=store).values_list("sku", "id"))
        Alignment.objects.filter(listing__connection=store).delete()
        Alignment.objects.bulk_create(
            Alignment(item_id=items[sku], listing_id=listings[sku], match_type="exact", confidence=1, status="confirmed")
            for sku in SKUS
        )

    def _all_open(self, number: int) -> bool:
        return not Listing.objects.filter(connection=self.stores[number], sku__in=SKUS, baseline=None).exists()

    # -- at work -----------------------------------------------------------------------------------------------------

    def run(
        self,
        number: int,
        kind: SyncRun.Kind,
        *,
        steps: int | None = None,
        stall: int | None = None,
        may_wait: bool = False,
        **options: Any,
    ) -> bool:
        """One run for one store, by a worker that dies, or stalls, after so many steps. Result: it came to its end."""

        def work() -> str:
            run = run_sync(
                store=Connection.objects.get(pk=self.stores[number].pk),
                kind=kind,
                now=self.clock.now,
                sleep=self.clock.sleep,
                may_wait=may_wait,
                **options,
            )
            self.figures["runs"] += 1
            for name in ("till_readings_deferred", "shop_readings_deferred"):
                self.figures["deferred"] += run.counts.get(name, 0)
            for name in ("looked_up_landed", "looked_up_without_effect"):
                self.figures["looked_up"] += run.counts.get(name, 0)
            return f"{run.state} {run.counts} {run.message if run.state == 'failed' else ''}"

        return self._live(number, f"{kind} run", work, steps=steps, stall=stall)

    def _live(self, number: int, name: str, work: Callable[[], str], *, steps: int | None, stall: int | None) -> bool:
        """A worker does something. Result: it came to its end."""
        try:
            with self.bench.mortal.living(steps, stall=stall, meanwhile=lambda: self._meanwhile(number, name)):
                done = work()
        except WorkerDiedError:
            self.world.told(f"{name} of store {number} dies after {steps} steps")
            self.figures["crashes"] += 1
            self._bury(number)
            return False
        except LeaseHeldError:  # another worker has taken the turn before this one woke
            done = "refused"
        self.world.told(f"{name} of store {number}: {done}")
        return True

    def _meanwhile(self, number: int, name: str) -> None:
        """A worker has stalled for longer than its turn lasts. Another takes over, and the first one wakes afterwards."""
        self.world.told(f"{name} of store {number} stalls")
        self.figures["stalls"] += 1
        self.clock.tick(TURN)
        for wire in (*self.bench.wires[: len(self.stores)], self.bench.till_wire):
            wire.land()
        if self.is_busy_meanwhile:
            for sku in SKUS:
                self.world.at_the_till(sku, -1)
            self.world.till.export(late=0)
        self.world.catch_up()
        kind = SyncRun.Kind.FULL if self.rng.random() < 0.5 else SyncRun.Kind.INCREMENTAL
        self.run(number, kind, may_wait=self.rng.random() < 0.5)
        self.world.told(f"{name} of store {number} wakes")

    def _bury(self, number: int) -> None:
        """The dead worker's turn: it ends by itself after a while; or at once, where its process is seen to be gone."""
        taken = Connection.objects.exclude(lease_owner="")
        if self.rng.random() < 0.5:
            taken.update(lease_owner=f"{socket.gethostname()}:{NO_SUCH_PROCESS}:12345678")
            return
        taken.update(lease_owner=f"elsewhere:{NO_SUCH_PROCESS}:12345678")
        with suppress(LeaseHeldError):
            if taken.filter(pk__in=[self.till.pk, self.stores[number].pk], lease_until__gt=self.clock.at).exists():
                run_sync(store=self.stores[number], kind=SyncRun.Kind.INCREMENTAL, now=self.clock.now, sleep=self.clock.sleep)
                self.judge.is_wrong("a run began while a dead worker's turn had not ended")
        self.clock.tick(TURN)

    def sync(self, number: int | None = None, *, calm: bool = False) -> None:
        """One run as life brings it: some kind, some store; perhaps the network fails, or the worker dies or stalls."""
        rng = self.rng
        number = rng.randrange(len(self.stores)) if number is None else number
        kind = SyncRun.Kind.FULL if rng.random() < 0.35 else SyncRun.Kind.INCREMENTAL
        steps = rng.randint(1, 200) if not calm and rng.random() < 0.12 else None
        stall = rng.randint(1, 200) if not calm and rng.random() < 0.08 else None
        may_wait = rng.random() < 0.15
        if not calm:
            self._trouble(number)
        if not calm and rng.random() < 0.02:
            self._without_till(lambda: self.run(number, kind, steps=steps, may_wait=may_wait))
        else:
            self.run(number, kind, steps=steps, stall=stall, may_wait=may_wait)
        self._soothe(number)
        self.judge.look()

    def _without_till(self, work: Callable[[], object]) -> None:
        """The till can't be reached meanwhile."""
        if not isinstance(self.world.till, FileTill):
            self.world.till.faults.arm("close", count=None)
            work()
            return
        away = self.bench.folder.with_name("away")
        self.bench.folder.rename(away)
        work()
        away.rename(self.bench.folder)

    def _trouble(self, number: int) -> None:
        """Arm what goes wrong in the next run."""
        rng = self.rng
        systems = [(self.world.webs[number].app, self.bench.wires[number], "batch")]
        if not isinstance(self.world.till, FileTill):
            systems.append((self.world.till, self.bench.till_wire, "adjustments"))
        for app, wire, path in systems:
            chance = rng.random()
            if chance < 0.10:
                app.faults.arm(rng.choice(READ_FAULTS), method="GET", skip=rng.randint(0, 4), count=rng.choice((1, 1, 5)))
            elif chance < 0.32:
                kind = rng.choice(WRITE_FAULTS)
                if kind == "die_at" and path != "batch":
                    kind = "reset"
                applied = rng.random() < 0.5 and kind not in SURELY_WITHOUT_EFFECT
                app.faults.arm(kind, method="POST", path=path, applied=applied, at=rng.randint(0, 2))
            elif chance < 0.45:
                wire.next_write = rng.choice(("late", "late", "refused"))

    def hear(self, number: int, *, calm: bool = False) -> None:
        """The webhooks that arrive now come in over HTTP, and are worked off unless the wake-up is lost."""
        for body in self.world.hooks_due(self.world.webs[number]):
            self.world.told(f"store {number} tells of order {body['id']}: {[line['meta_data'] for line in body['line_items']]}")
            if self.bench.tell(number, json.dumps(body).encode()).status_code != 200:
                self.judge.is_wrong("a webhook was refused")
        due = InboundEvent.objects.filter(connection=self.stores[number], state=InboundEvent.State.NEW)
        if due.exists() and (calm or self.rng.random() < 0.8):
            self.job(number, inbox_work, calm=calm)

    def poll(self, number: int) -> None:
        """The store's orders are read between two runs."""
        self.job(number, orders_poll)

    def job(self, number: int, work: Callable[..., str], *, calm: bool = False) -> None:
        """A worker does one small thing; it may die of it, or stall in it."""
        steps = self.rng.randint(1, 70) if not calm and self.rng.random() < 0.08 else None
        stall = self.rng.randint(1, 70) if not calm and self.rng.random() < 0.04 else None
        if not calm:
            self._trouble(number)
        store = Connection.objects.get(pk=self.stores[number].pk)
        self._live(number, work.__name__, lambda: work(store=store, now=self.clock.now), steps=steps, stall=stall)
        self._soothe(number)
        self.judge.look()

    def _soothe(self, number: int) -> None:
        self.world.webs[number].app.faults.clear()
        self.world.till.faults.clear()
        self.bench.wires[number].next_write = self.bench.till_wire.next_write = ""

    # -- haste: what makes rare moments less rare -----------------------------------------------------------------------

    def read_before_the_order(self) -> None:
        """Somebody buys, and the store is read twice before the order can be seen."""
        number = self.rng.randrange(len(self.stores))
        self.world.buy(self.world.webs[number], self.rng.choice(SKUS), 2, is_late=True)
        self.run(number, SyncRun.Kind.FULL)
        self.sync(number)

    def read_before_the_answer(self) -> None:
        """A write takes effect and its answer is lost. The store is read twice, half a minute apart, before it is looked up."""
        number = self.rng.randrange(len(self.stores))
        self.world.at_the_till(self.rng.choice(SKUS), self.rng.choice((-1, 3)))
        self.world.till.export(late=0)
        self.world.catch_up()
        self.world.webs[number].app.faults.arm("close", method="POST", path="batch", applied=True)
        self.run(number, SyncRun.Kind.INCREMENTAL)
        self._soothe(number)
        for pause in (2, 32):
            self.clock.tick(pause)
            self.world.catch_up()
            self.run(number, SyncRun.Kind.FULL)
            self.judge.look()

    def sell_the_same_twice(self) -> None:
        """A sale is seen before its order; then the order, and another sale of the same that is seen before its order, too."""
        number, sku = self.rng.randrange(len(self.stores)), self.rng.choice(SKUS)
        for _ in range(2):
            self.world.buy(self.world.webs[number], sku, 2, is_late=True)
            self.run(number, SyncRun.Kind.FULL)
            self.judge.look()
            self.clock.tick(31)
            self.world.catch_up()
            self.job(number, orders_poll, calm=True)

    def lose_an_answer(self) -> None:
        """A write's answer is lost: it takes effect at once, or some time after we gave up on it, or never."""
        number = self.rng.randrange(len(self.stores))
        self.world.at_the_till(self.rng.choice(SKUS), self.rng.choice((-1, 3)))
        self.world.till.export(late=0)
        self.world.catch_up()
        fate = self.rng.choice(("at once", "late", "never"))
        if fate == "late":
            self.bench.wires[number].next_write = "late"
        else:
            self.world.webs[number].app.faults.arm("close", method="POST", path="batch", applied=fate == "at once")
        self.run(number, SyncRun.Kind.INCREMENTAL)
        self._soothe(number)
        self.clock.tick(1)
        self.run(number, SyncRun.Kind.FULL)

    def read_exports_out_of_order(self) -> None:
        """The export before the last one comes last."""
        sku = self.rng.choice(SKUS)
        self.world.till.export(late=300)
        self.clock.tick(250)
        self.world.at_the_till(sku, -1)
        self.world.till.export(late=0)
        for pause in (1, 60):
            self.clock.tick(pause)
            self.world.catch_up()
            self.sync(0, calm=True)

    def read_an_export_from_before_a_write(self) -> None:
        """An export was written, then something was sold online and booked at the till; then the export comes."""
        number = self.rng.randrange(len(self.stores))
        self.world.till.export(late=900)
        self.clock.tick(300)
        self.world.buy(self.world.webs[number], self.rng.choice(SKUS), 1, is_late=False)
        for pause in (1, 60, 900):
            self.job(number, orders_poll, calm=True)
            self.run(number, SyncRun.Kind.INCREMENTAL)
            self.world.till.book_adjustments()
            self.clock.tick(pause)
            self.world.catch_up()
            self.judge.look()

    def stand_still(self) -> None:
        """A worker stalls while something is to be read and written, and the till goes on."""
        number = self.rng.randrange(len(self.stores))
        sku = self.rng.choice(SKUS)
        self.world.at_the_till(sku, self.rng.choice((-1, 3)))
        self.world.buy(self.world.webs[number], sku, 1)
        self.world.till.export(late=0)
        self.world.catch_up()
        self.is_busy_meanwhile = self.rng.random() < 0.7
        self.run(number, SyncRun.Kind.INCREMENTAL, stall=self.rng.randint(10, 110))
        self.is_busy_meanwhile = False

    def stop_counting_and_sell(self) -> None:
        """A product that somebody stopped counting, perhaps while a write to it was unanswered, is counted again; and it is sold,
        or an order of it cancelled, before the store is read."""
        number, sku = self.rng.randrange(len(self.stores)), self.rng.choice(SKUS)
        web = self.world.webs[number]
        if self.rng.random() < 0.5:
            self.world.at_the_till(sku, 3)
            self.world.till.export(late=0)
            self.world.catch_up()
            web.app.faults.arm("close", method="POST", path="batch", applied=True)
            self.run(number, SyncRun.Kind.INCREMENTAL)
            self._soothe(number)
        if any(late.sku == sku for late in web.unseen):
            return
        self.world.stop_counting(web, sku)
        self.run(number, SyncRun.Kind.FULL)
        self._count_again(number, sku, self.rng.randint(5, 30))
        if sku not in web.uncounted:
            self.world.buy(web, sku, 2)
            for _ in range(3):
                self.world.change_an_order(web)
        self.clock.tick(self.rng.choice((45, 120)))
        self.world.catch_up()
        self.run(number, SyncRun.Kind.FULL)

    def sell_while_opening(self) -> None:
        """Somebody corrects a pair, so that its account opens anew, and it is sold in the very moment of that reading."""
        number, sku = self.rng.randrange(len(self.stores)), self.rng.choice(SKUS)
        web, world = self.world.webs[number], self.world
        if sku in web.uncounted or any(late.sku == sku for late in web.unseen):
            return
        listings_recount(listing_ids=[Listing.objects.get(connection=self.stores[number], sku=sku).pk])
        world.rush = lambda: world.buy(web, sku, 1, is_late=False) if self.rng.random() < 0.4 else None
        self.run(number, SyncRun.Kind.FULL)
        world.rush = None
        for _ in range(3):
            self.clock.tick(40)
            world.catch_up()
            self.run(number, SyncRun.Kind.FULL)
            self.judge.look()

    # -- what people do that needs the product's own pages ---------------------------------------------------------------

    def manage(self, *, calm: bool = False) -> None:
        """The manager settles one conflict, for either side, or by a count that finds more or less than we know of."""
        waiting = SyncConflict.objects.filter(conflict_type=SyncConflict.Type.QUANTITY, resolved_at=None)
        conflict = waiting.order_by("pk").first()
        if conflict is None:
            return
        sku = conflict.alignment.item.sku
        on_hand = StockLevel.objects.get(item__sku=sku).on_hand
        winner = self.rng.choice(("pos", "woo") if calm else ("pos", "woo", max(Decimal(0), on_hand + self.rng.randint(-2, 2))))
        try:
            conflict_resolve(conflict=conflict, winner=winner, by=None, reason="I looked.", now=self.clock.now)
        except (LeaseHeldError, ConfigError) as refusal:
            self.world.told(f"manager on {sku}, {winner}: {refusal}")
            return
        store = [each.pk for each in self.stores].index(conflict.store_id)
        self.world.webs[store].decided[sku] += int(conflict.difference)
        if winner == "woo":
            self.world.accepted[sku] += int(conflict.difference)
        elif isinstance(winner, Decimal):
            self.world.accepted[sku] += int(winner - on_hand)
        self.figures["decisions"] += 1
        self.world.told(f"manager on {sku} of {conflict.store}: {winner}, {conflict.difference:+f}")
        self.judge.believe()
        self.judge.look()

    def recount(self) -> None:
        """Somebody unticks “Manage stock” of a product; and ticks it again once the engine has noticed."""
        number = self.rng.randrange(len(self.stores))
        web = self.world.webs[number]
        if not web.uncounted:
            sku = self.rng.choice(SKUS)
            if not any(late.sku == sku for late in web.unseen):
                self.world.stop_counting(web, sku)
                self.figures["uncounted"] += 1
            return
        self._count_again(number, min(web.uncounted), self.rng.randint(0, 30))

    # -- in the end --------------------------------------------------------------------------------------------------

    def rest(self, rounds: int = 14) -> list[str]:
        """Nothing new happens; everything under way arrives. Result: what still disagrees, in words; empty: at rest."""
        world = self.world
        world.is_quiet = True
        amiss: list[str] = []
        for turn in range(rounds):
            self.clock.tick(25 * 3600 if turn == 2 else 600)
            self.bench.till_wire.land()
            for number in range(len(self.stores)):
                self.bench.wires[number].land()
                self.hear(number, calm=True)
            world.catch_up()
            world.till.book_adjustments()
            self.clock.tick(300)
            for number in range(len(self.stores)):
                self.run(number, SyncRun.Kind.FULL if turn % 2 else SyncRun.Kind.INCREMENTAL, may_wait=turn > 8)
                self.clock.tick(60)
            for _ in SKUS:
                self.manage(calm=True)
            self.recount_all()
            world.till.export(late=0)
            world.catch_up()
            self.judge.look()
            amiss = self.judge.amiss()
            if not amiss and turn >= 3 and not world.till.is_speaking:
                break
        self.judge.compare_drift()
        return amiss

    def recount_all(self) -> None:
        """Every product is counted again."""
        for number, web in enumerate(self.world.webs):
            for sku in sorted(web.uncounted):
                self._count_again(number, sku, 7)

    def _count_again(self, number: int, sku: str, units: int) -> None:
        if not Listing.objects.get(connection=self.stores[number], sku=sku).counts_stock:
            self.world.count_again(self.world.webs[number], sku, units)
