"""The product in a world: its real services, database and connectors, workers that die, and the questions put to its ledger."""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from django.core.management.color import no_style
from django.db import connection as database
from django.db.models import Sum

from alignment.models import Alignment, Listing, StoreLocation
from connectors.http import HttpDoor
from connectors.leases import LeaseHeldError
from connectors.models import Connection
from connectors.pos_csv import outbound
from connectors.services import connection_save
from connectors.woocommerce.hooks import body_parse, payload_kept
from inventory.models import Item, Location, Movement, StockLevel
from sandbox.server import RunningServer, serve
from sync.models import InboundEvent, Order, OutboundWrite, SyncLog, SyncPolicy, SyncRun
from sync.services.inbox import event_receive, inbox_work
from sync.services.order_poll import orders_poll
from sync.services.runs import run_sync
from tests.simulation.crash import Mortal, WorkerDiedError
from tests.simulation.wire import Wire
from tests.simulation.world import SKUS, World

SETTLE = 20.0  # seconds a store may go on working on a request we gave up on
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
SURELY_WITHOUT_EFFECT = ("rate_limit", "maintenance")  # a store that is closed has done nothing


class Bench:
    """What is made once and used for world after world: two servers, a drop folder, three connections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.wires = [Wire(), Wire()]
        self.servers: list[RunningServer] = [serve(wire) for wire in self.wires]
        self.mortal = Mortal()

    def close(self) -> None:
        for server in self.servers:
            server.stop()

    def empty(self) -> None:
        """Forget the world before: every row, every file."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        models = {"alignment", "connectors", "inventory", "sync"}
        tables = [name for name in database.introspection.table_names() if name.partition("_")[0] in models]
        with database.constraint_checks_disabled(), database.cursor() as cursor:
            for table in tables:
                cursor.execute(f"DELETE FROM {database.ops.quote_name(table)}")  # noqa: S608 - names of our own tables
        with database.cursor() as cursor:
            for statement in database.ops.sequence_reset_by_name_sql(no_style(), [{"table": name} for name in tables]):
                cursor.execute(statement)

    def connect(self, stores: int) -> tuple[Connection, list[Connection]]:
        """Result: the till's connection and those of so many stores."""
        till = connection_save(
            name="till",
            kind="pos_csv",
            settings_given={"folder": str(self.folder), "stable_seconds": 0},
            credentials={},
            mode="live",
        )
        key = self.wires[0].app
        assert key is not None
        return till, [
            connection_save(
                name=f"store-{number}",
                kind="woocommerce",
                settings_given={"url": server.url, "settle_seconds": SETTLE, "lanes": 1},
                credentials={"consumer_key": key.key, "consumer_secret": key.secret},
                mode="live",
            )
            for number, server in enumerate(self.servers[:stores])
        ]


class Engine:
    """The product at work in one world. `figures` counts what it met, `wrong` says where its ledger was not exact."""

    def __init__(self, bench: Bench, world: World, rng: Random) -> None:
        self.bench, self.world, self.rng, self.clock = bench, world, rng, world.clock
        self.figures: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.drift: dict[tuple[int, str], int] = {}
        self.orders: dict[tuple[int, int], datetime] = {}  # when the known state of each order is from
        self.newest: dict[str, datetime] = {}  # the newest reading of the till that was used, by SKU
        bench.empty()
        for wire, web in zip(bench.wires, world.webs, strict=False):
            wire.begin(web.app, self.clock, rng, settle=SETTLE, busy=world.during_a_request, told=lambda words: world.told(words))
        HttpDoor.__init__.__kwdefaults__["sleep"] = self.clock.sleep
        outbound.moved_at = lambda path, **_: world.moved_at[path.name]  # the file system's own clock can't be set
        self.till, self.stores = bench.connect(len(world.webs))
        wins = SyncPolicy.Policy.STORE_WINS if world.edits_are_true else SyncPolicy.Policy.POS_WINS
        SyncPolicy.objects.create(policy=wins, minor_to=1000, major_to=1000)  # no manager sits here to decide
        self.clock.during_sleep = world.during_a_nap
        self._open()

    def _open(self) -> None:
        """Both sides are read in a quiet hour, and aligned."""
        self.world.is_quiet = True
        self.world.export(late=0)
        self.world.catch_up()
        for number, web in enumerate(self.world.webs):
            self.run(number, SyncRun.Kind.FULL, read_only=True)
            place = Location.objects.get()
            StoreLocation.objects.update_or_create(store=self.stores[number], location=place, defaults={"buffer": web.buffer})
            items = dict(Item.objects.values_list("sku", "id"))
            listings = dict(Listing.objects.filter(connection=self.stores[number]).values_list("sku", "id"))
            Alignment.objects.filter(listing__connection=self.stores[number]).delete()
            Alignment.objects.bulk_create(
                Alignment(item_id=items[sku], listing_id=listings[sku], match_type="exact", confidence=1, status="confirmed")
                for sku in SKUS
            )
            self.clock.tick(60)
            self.run(number, SyncRun.Kind.FULL)
        self.clock.tick(60)
        self.world.is_quiet = False

    # -- at work -----------------------------------------------------------------------------------------------------

    def run(self, number: int, kind: SyncRun.Kind, *, steps: int | None = None, may_wait: bool = False, **options: Any) -> bool:
        """One run for one store, by a worker that lives for so many steps. Result: it came to its end."""
        try:
            with self.bench.mortal.living(steps):
                run = run_sync(
                    store=Connection.objects.get(pk=self.stores[number].pk),
                    kind=kind,
                    now=self.clock.now,
                    sleep=self.clock.sleep,
                    may_wait=may_wait,
                    **options,
                )
        except WorkerDiedError:
            self.world.told(f"run of store {number} dies after {steps} steps")
            self.figures["crashes"] += 1
            self._bury(number)
            return False
        self.world.told(f"{kind} run of store {number}: {run.state} {run.counts} {run.message if run.state == 'failed' else ''}")
        self.figures["runs"] += 1
        for name in ("till_readings_deferred", "shop_readings_deferred"):
            self.figures["deferred"] += run.counts.get(name, 0)
        for name in ("looked_up_landed", "looked_up_without_effect"):
            self.figures["looked_up"] += run.counts.get(name, 0)
        return True

    def _bury(self, number: int) -> None:
        """The dead worker's turn: it ends by itself after a while, or at once where its process is seen to be gone."""
        if self.rng.random() < 0.5:
            with suppress(LeaseHeldError):
                if self._is_taken(number):
                    run_sync(store=self.stores[number], kind=SyncRun.Kind.INCREMENTAL, now=self.clock.now, sleep=self.clock.sleep)
                    self.wrong.append("a run began while a dead worker's turn had not ended")
            self.clock.tick(301)
            return
        for connection in Connection.objects.exclude(lease_owner=""):
            host, _, rest = connection.lease_owner.partition(":")
            owner = f"{host}:{NO_SUCH_PROCESS}:{rest.partition(':')[2]}"
            Connection.objects.filter(pk=connection.pk).update(lease_owner=owner)

    def _is_taken(self, number: int) -> bool:
        """Does a worker that may still be alive, for all that can be seen, hold this store or the till?"""
        held = Connection.objects.filter(pk__in=[self.till.pk, self.stores[number].pk], lease_until__gt=self.clock.at)
        return held.exclude(lease_owner="").exclude(lease_owner__contains=f":{NO_SUCH_PROCESS}:").exists()

    def sync(self, *, calm: bool = False) -> None:
        """One run as life brings it: some kind, some store, perhaps with a network that fails, or a worker that dies."""
        number, rng = self.rng.randrange(len(self.stores)), self.rng
        kind = SyncRun.Kind.FULL if rng.random() < 0.35 else SyncRun.Kind.INCREMENTAL
        steps = rng.randint(1, 160) if not calm and rng.random() < 0.12 else None
        may_wait = rng.random() < 0.15
        if not calm:
            self._trouble(number)
        if not calm and rng.random() < 0.02:
            away = self.bench.folder.with_name("away")
            self.bench.folder.rename(away)
            self.run(number, kind, steps=steps, may_wait=may_wait)
            away.rename(self.bench.folder)
        else:
            self.run(number, kind, steps=steps, may_wait=may_wait)
        self._soothe(number)
        self.look()

    def _trouble(self, number: int) -> None:
        """Arm what goes wrong in the next run."""
        rng, faults = self.rng, self.world.webs[number].app.faults
        chance = rng.random()
        if chance < 0.10:
            faults.arm(rng.choice(READ_FAULTS), method="GET", skip=rng.randint(0, 4), count=rng.choice((1, 1, 5)))
        elif chance < 0.32:
            kind = rng.choice(WRITE_FAULTS)
            applied = rng.random() < 0.5 and kind not in SURELY_WITHOUT_EFFECT
            faults.arm(kind, method="POST", path="batch", applied=applied, at=rng.randint(0, 2))
        elif chance < 0.45:
            self.bench.wires[number].next_write = rng.choice(("late", "late", "refused"))

    def hear(self, number: int, *, calm: bool = False) -> None:
        """The webhooks that arrive now are kept, and worked off unless the wake-up is lost."""
        for body in self.world.hooks_due(self.world.webs[number]):
            raw = json.dumps(body).encode()
            self.world.told(f"store {number} tells of order {body['id']}: {[line['meta_data'] for line in body['line_items']]}")
            event_receive(
                connection=self.stores[number],
                topic="order.updated",
                resource_id=body["id"],
                body_hash=hashlib.sha256(raw).hexdigest(),
                payload=payload_kept(body_parse(raw)),
                now=self.clock.at,
            )
        due = InboundEvent.objects.filter(connection=self.stores[number], state=InboundEvent.State.NEW)
        if due.exists() and (calm or self.rng.random() < 0.8):
            self.job(number, inbox_work, calm=calm)

    def poll(self, number: int) -> None:
        """The store's orders are read between two runs."""
        self.job(number, orders_poll)

    def job(self, number: int, work: Callable[..., str], *, calm: bool = False) -> None:
        """A worker does one small thing; it may die of it."""
        steps = self.rng.randint(1, 60) if not calm and self.rng.random() < 0.08 else None
        if not calm:
            self._trouble(number)
        try:
            with self.bench.mortal.living(steps):
                done = work(store=Connection.objects.get(pk=self.stores[number].pk), now=self.clock.now)
        except WorkerDiedError:
            self.world.told(f"{work.__name__} of store {number} dies after {steps} steps")
            self.figures["crashes"] += 1
            self._bury(number)
        else:
            self.world.told(f"{work.__name__} of store {number}: {done}")
        self._soothe(number)
        self.look()

    def _soothe(self, number: int) -> None:
        self.world.webs[number].app.faults.clear()
        self.bench.wires[number].next_write = ""

    # -- the questions -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Is the ledger exact? What it called till activity happened at the till; what it called drift was edited by hand."""
        accounts = Listing.objects.exclude(baseline=None).order_by("connection", "sku")
        told = accounts.values_list("connection", "sku", "baseline", "suspect")
        self.world.told(
            "  " + " ".join(f"{store}:{sku}={units:f}{f'?{off:+f}' if off else ''}" for store, sku, units, off in told)
        )
        booked = dict(
            Movement.objects.filter(kind=Movement.Kind.TILL).order_by().values_list("item__sku").annotate(units=Sum("quantity"))
        )
        sums = dict(Movement.objects.order_by().values_list("item__sku").annotate(units=Sum("quantity")))
        for sku, on_hand, read_at in StockLevel.objects.values_list("item__sku", "on_hand", "read_at"):
            newest = self.newest[sku] = max(read_at, self.newest.get(sku, read_at))
            happened = self.world.said[newest][sku]
            if booked.get(sku, 0) != happened:
                self._wrong(f"{sku}: booked {booked.get(sku, 0)} from the till by {newest:%H:%M:%S}, {happened} happened")
            if sums[sku] != on_hand:
                self._wrong(f"{sku}: on hand is {on_hand}, its movements say {sums[sku]}")
        for store, order, modified_at in Order.objects.values_list("connection", "remote_id", "modified_at"):
            known_at = self.orders.setdefault((store, order), modified_at)
            if modified_at < known_at:
                self._wrong(f"order {order} went back from {known_at:%H:%M:%S} to {modified_at:%H:%M:%S}")
            self.orders[store, order] = modified_at
        drift = self._drift()
        for (number, sku), units in drift.items():
            known, web = self.drift.get((number, sku), 0), self.world.webs[number]
            edits = [web.edits[sku], *web.edits_lately.get(sku, ())]  # somebody may have typed since the engine read
            if units != known and all(abs(units - typed) >= abs(known - typed) for typed in edits):
                self._wrong(
                    f"{sku} in store {number}: drift of {units - known:+d}, {edits[0] - known:+d} were edited and not known"
                )
        for web in self.world.webs:
            web.edits_lately.clear()
        self.drift = drift

    def _wrong(self, words: str) -> None:
        self.world.told(f"WRONG: {words}")
        self.wrong.append(words)

    def _drift(self) -> dict[tuple[int, str], int]:
        units: Counter[tuple[int, str]] = Counter()
        rows = SyncLog.objects.filter(source=SyncLog.Source.WOO, reason__contains="no order explains it")
        numbers = {store.pk: number for number, store in enumerate(self.stores)}
        for old, new, sku, store in rows.values_list(
            "old_value", "new_value", "alignment__listing__sku", "alignment__listing__connection"
        ):
            units[numbers[store], sku] += int(new) - int(old)
        return dict(units)

    def rest(self, rounds: int = 14) -> list[str]:
        """Nothing new happens; everything under way arrives. Result: what still disagrees, in words; empty: at rest."""
        world = self.world
        world.is_quiet = True
        amiss: list[str] = []
        for turn in range(rounds):
            self.clock.tick(25 * 3600 if turn == 2 else 600)
            for number in range(len(self.stores)):
                self.bench.wires[number].land()
                self.hear(number, calm=True)
            world.catch_up()
            world.book_adjustments()
            self.clock.tick(300)
            for number in range(len(self.stores)):
                self.run(number, SyncRun.Kind.FULL if turn % 2 else SyncRun.Kind.INCREMENTAL, may_wait=turn > 8)
                self.clock.tick(60)
            world.export(late=0)
            world.catch_up()
            self.look()
            amiss = self.amiss()
            if not amiss and turn >= 3 and not world.exports:
                break
        for number, web in enumerate(world.webs):
            for sku in SKUS:
                known, edited = self.drift.get((number, sku), 0), web.edits[sku]
                if known != edited:
                    self._wrong(f"{sku} in store {number}: {known} called drift, {edited} edited")
        return amiss

    def amiss(self) -> list[str]:
        """What disagrees now: ledger, shelf, till and stores (design.md §3.9)."""
        found = []
        on_hand = dict(StockLevel.objects.values_list("item__sku", "on_hand"))
        for sku in SKUS:
            shelf, till = self.world.shelf(sku), self.world.till.on_hand(sku)
            if not shelf == till == on_hand[sku]:
                found.append(f"{sku}: shelf {shelf}, till {till}, ledger {on_hand[sku]}")
            for number, web in enumerate(self.world.webs):
                target = max(0, shelf - web.buffer)
                if web.shows(sku) != target:
                    found.append(f"{sku} in store {number}: shows {web.shows(sku)}, should {target}")
        open_writes = OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN).count()
        return [*found, f"{open_writes} writes open"] if open_writes else found
