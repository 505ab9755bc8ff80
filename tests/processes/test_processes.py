"""A whole installation, harmed in every way that a machine can harm it while customers come and go (reliability.md, 11–20).

Afterwards, and within five minutes: ledger = till = store, no order lost or doubled, each operation sent once. The figures are
printed as JSON. `LONG=1 make test-processes` goes on for minutes with faults drawn by a seed.
"""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.config.web.crowding import idle_connections, longest_waits, slow_bodies
from tests.processes.installation import SECRET, Installation, installed, missing
from tests.processes.programs import until
from tests.processes.shop import Customers, Shop

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=f"not on this machine: {', '.join(missing())}"),
    pytest.mark.timeout(1200),
]
ACKNOWLEDGED_IN = 5.0  # seconds; the strictest published limit (reliability.md), on a machine that is busy with everything else
CONVERGES_IN = 300.0  # reliability.md
KINDS = ("opening", "till", "online", "store")
LEDGER = """
    SELECT i.sku, sum(m.quantity) FROM inventory_movement m JOIN inventory_item i ON i.id = m.item_id
    WHERE m.kind = ANY(%s) GROUP BY 1
"""
STATE = (
    "SELECT name, lease_owner, lease_until, failures_in_row, last_error FROM connectors_connection",
    "SELECT * FROM jobs_heartbeat",
    "SELECT * FROM jobs_jobslot ORDER BY id DESC LIMIT 20",
    "SELECT id, kind, state, phase, resumed, started_at, message FROM sync_syncrun ORDER BY id DESC LIMIT 5",
    "SELECT pid, state, wait_event, now() - xact_start, left(query, 200) FROM pg_stat_activity WHERE query <> ''",
)
BOOKED = """
    SELECT o.remote_id, l.sku, sum(l.booked) FROM sync_order o JOIN sync_orderline l ON l.order_id = o.id GROUP BY 1, 2
"""


class Verdict:
    """What is so, against what the customers did."""

    def __init__(self, here: Installation, shop: Shop) -> None:
        self.here, self.shop = here, shop

    def ledger(self, *kinds: str) -> dict[str, Decimal]:
        return {sku: quantity for sku, quantity in self.here.postgres.ask(LEDGER, list(kinds or KINDS)) if quantity}

    def wrong(self) -> list[str]:
        """Result: what does not agree yet."""
        ledger, till, store = self.ledger(), self.shop.till(), self.shop.store()
        found = []
        for sku in self.shop.ids:
            online = sum(lines.get(sku, 0) for lines in self.shop.orders.values())
            shelf = self.shop.opening[sku] - online - self.shop.sold_at_till[sku]
            shown = (ledger.get(sku, Decimal(0)), till[sku], Decimal(store[sku]))
            if shown != (shelf, shelf, max(Decimal(0), shelf)):
                found.append(f"{sku}: shelf {shelf}, ledger {shown[0]}, till {shown[1]}, store {shown[2]}")
        return found

    def orders(self) -> tuple[list[int], list[int]]:
        """Result: the orders that were lost, wholly or in part, and those that were booked more than once."""
        booked: dict[int, dict[str, int]] = {}
        for order, sku, units in self.here.postgres.ask(BOOKED):
            booked.setdefault(order, {})[sku] = int(units)
        lost = [
            order
            for order, lines in self.shop.orders.items()
            if any(booked.get(order, {}).get(sku, 0) < n for sku, n in lines.items())
        ]
        doubled = [
            order for order, lines in booked.items() if any(n > self.shop.orders[order].get(sku, 0) for sku, n in lines.items())
        ]
        return lost, doubled

    def units_online(self) -> bool:
        """Are the movements of online orders those of the orders, unit by unit?"""
        sold: Counter[str] = Counter()
        for lines in self.shop.orders.values():
            sold.update(lines)
        return self.ledger("online") == {sku: Decimal(-units) for sku, units in sold.items() if units}

    def units_at_till(self) -> bool:
        """Is what the ledger calls till activity what happened at the till, unit by unit?"""
        return self.ledger("till") == {sku: Decimal(-units) for sku, units in self.shop.sold_at_till.items() if units}


@pytest.fixture
def scene(tmp_path: Path):
    with installed(tmp_path) as (here, shop):
        yield here, shop


class Faults:
    """The ways to harm it. Each leaves it able to go on."""

    def __init__(self, here: Installation, shop: Shop) -> None:
        self.here, self.shop, self.programs = here, shop, here.programs
        self.acknowledged: list[float] = []
        self.unanswered: list[int] = []  # orders whose webhook was kept, and never answered

    def kill_worker(self, name: str = "worker-1") -> None:
        self.programs.kill(name)
        self.programs.start(name)

    def kill_workers_child(self, name: str = "worker-2") -> None:
        self.programs.kill_child(name)

    def kill_web(self) -> None:
        self.programs.kill("web")
        self.programs.start("web")
        until(self.here.answers, seconds=90, what="the web server answers again")

    def kill_beat(self, pause: float = 3) -> None:
        self.programs.kill("beat")
        time.sleep(pause)
        self.programs.start("beat")

    def second_beat(self) -> None:
        if not self.programs.is_running("beat-2"):
            self.programs.start("beat-2")

    def flush_redis(self) -> None:
        assert self.here.redis.say("FLUSHALL") == "OK"

    def reset_redis_connections(self) -> None:
        self.here.redis.say("CLIENT", "KILL", "TYPE", "normal")
        self.here.redis.say("CLIENT", "KILL", "TYPE", "pubsub")

    def stop_redis(self, seconds: float = 6) -> None:
        """Redis hangs; webhooks are acknowledged all the same (case 17)."""
        with self.programs.stopped("redis"):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                began = time.monotonic()
                assert self.here.tell(next(reversed(self.shop.orders))) == 200
                self.acknowledged.append(time.monotonic() - began)
                time.sleep(0.25)

    def restart_postgres(self, down: float = 2) -> None:
        """The database goes away in mid-transaction. Nothing is called kept that is not (case 19)."""
        self.here.postgres.stop()
        end, refused = time.monotonic() + down, []
        while time.monotonic() < end:
            refused.append(self.here.tell(next(reversed(self.shop.orders))))
            time.sleep(0.25)
        self.here.postgres.start()
        assert set(refused) == {503}, refused

    def kill_web_before_its_reply(self) -> None:
        """Between commit and reply (case 12): nobody sends it again, and it is worked off all the same (`judge` looks)."""
        order = self.shop.buy_online(next(iter(self.shop.ids)), 1) or next(reversed(self.shop.orders))
        assert self.here.tell(order, die=True) == 0
        self.programs.kills += 1
        assert self.here.events_of(order) != []
        self.unanswered.append(order)
        until(self._web_is_back, seconds=90, what="the web server answers again")

    def _web_is_back(self) -> bool:
        """Granian begins its worker anew, and gives up at the second death within seconds: then Docker begins Granian anew."""
        if "web" in self.programs.dead():
            self.programs.start("web")
        return self.here.answers()


def last_words(here: Installation) -> list[str]:
    """Result: what the database holds and how each program's log ends, for whoever has to find out."""
    for pid in here.worker_pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGUSR1)  # Celery writes down where each thread is
    time.sleep(1)
    return [str(row) for sql in STATE for row in here.postgres.ask(sql)] + [
        f"\n== {name}\n{here.programs.words(name)}" for name in ("web", "worker-1", "worker-2", "beat", "beat-2")
    ]


def none_has_died(here: Installation) -> None:
    """A part that ends by itself would be started again by Docker; that it has to be is a fault all the same."""
    assert not here.programs.dead(), "\n".join([f"{here.programs.dead()} ended by themselves", *last_words(here)])


def settled(here: Installation, shop: Shop) -> float:
    """Result: seconds from the end of all faults until everything agrees."""
    verdict = Verdict(here, shop)
    began = time.monotonic()
    wrong = verdict.wrong()
    while wrong:
        none_has_died(here)
        assert time.monotonic() - began < CONVERGES_IN, "\n".join([*wrong, *last_words(here)])
        time.sleep(0.5)
        wrong = verdict.wrong()
    return time.monotonic() - began


def judge(here: Installation, shop: Shop, faults: Faults, *, seed: int) -> None:
    """Everything that must be so in the end; the figures are printed first."""
    seconds = settled(here, shop)
    verdict = Verdict(here, shop)
    lost, doubled = verdict.orders()
    operations = shop.sent()
    slots = dict(here.postgres.ask("SELECT state, count(*) FROM jobs_jobslot GROUP BY 1"))
    figures = {
        "seed": seed,
        "kills": here.programs.kills,
        "orders": len(shop.orders),
        "lost": len(lost),
        "doubled": len(doubled),
        "units_at_the_till": sum(map(abs, shop.sold_at_till.values())),
        "operations": len(operations),
        "sent_twice": sum(1 for times in operations.values() if times > 1),
        "slowest_acknowledgement_s": round(max(faults.acknowledged, default=0), 3),
        "converged_s": round(seconds, 1),
        "scheduled_runs": slots,
    }
    print(f"\nprocesses: {json.dumps(figures)}")
    assert (lost, doubled) == ([], [])
    assert [one for one, times in operations.items() if times > 1] == []
    assert verdict.units_online()
    assert verdict.units_at_till()
    assert max(faults.acknowledged, default=0) < ACKNOWLEDGED_IN
    assert "set_aside" not in slots
    assert here.postgres.ask("SELECT job, slot FROM jobs_jobslot GROUP BY 1, 2 HAVING count(*) > 1") == []
    for order in faults.unanswered:  # one whose worker was killed as well waits a minute before it is tried again
        until(
            lambda order=order: set(here.events_of(order)) == {"done"}, seconds=150, what=f"the webhook of order {order} is done"
        )
    both_work = datetime.now(UTC).isoformat()
    until(lambda: here.runs_by_parent(both_work).keys() >= set(here.worker_pids()), seconds=60, what="both workers still work")


def test_harmed_once_in_every_way_it_converges_and_nothing_is_lost_or_doubled(scene):
    here, shop = scene
    faults = Faults(here, shop)
    with Customers(shop, seed=1, pause=0.15):
        until(lambda: len(shop.orders) > 5, seconds=60, what="customers come")
        for harm in (
            faults.kill_worker,
            faults.second_beat,
            faults.kill_web_before_its_reply,
            faults.flush_redis,
            faults.kill_workers_child,
            faults.stop_redis,
            faults.kill_web,
            faults.restart_postgres,
            faults.kill_beat,
            faults.reset_redis_connections,
        ):
            began = time.monotonic()
            harm()
            print(f"processes: {harm.__name__}: {time.monotonic() - began:.1f} s")
            time.sleep(1)
            none_has_died(here)
    judge(here, shop, faults, seed=1)


def test_slow_senders_and_idle_connections_are_not_felt(scene):
    """found/wire.md S1 and S5, with Postgres and the image's own settings."""
    here, _ = scene
    longest_waits(here.address, SECRET)  # its first pages are slow
    with slow_bodies(here.port, 24), idle_connections(here.port, 1000):
        waits = longest_waits(here.address, SECRET)
    print(f"\nprocesses: 24 slow bodies, 1,000 idle connections; longest of 20 answers in seconds: {json.dumps(waits)}")
    assert max(waits.values()) < 2.0


@pytest.mark.skipif(not os.environ.get("LONG"), reason="only with LONG=1")
def test_harmed_at_random_for_minutes_it_converges_and_nothing_is_lost_or_doubled(scene):
    here, shop = scene
    seed = int(os.environ.get("SEED") or time.time())
    print(f"\nprocesses: SEED={seed}")
    rng, faults = Random(seed), Faults(here, shop)
    ways: list[Callable[[], None]] = [
        faults.kill_worker,
        lambda: faults.kill_worker("worker-2"),
        faults.kill_workers_child,
        lambda: faults.kill_workers_child("worker-1"),
        faults.kill_web,
        faults.kill_beat,
        faults.second_beat,
        faults.flush_redis,
        faults.reset_redis_connections,
        faults.kill_web_before_its_reply,
        lambda: faults.stop_redis(rng.uniform(1, 15)),
        lambda: faults.restart_postgres(rng.uniform(0.5, 5)),
    ]
    end = time.monotonic() + float(os.environ.get("SECONDS_OF_HARM") or 240)
    with Customers(shop, seed=seed, pause=0.2):
        until(lambda: len(shop.orders) > 5, seconds=60, what="customers come")
        while time.monotonic() < end:
            rng.choice(ways)()
            time.sleep(rng.expovariate(1 / 3))
            none_has_died(here)
    judge(here, shop, faults, seed=seed)


@pytest.mark.skipif(not os.environ.get("LONG"), reason="only with LONG=1")
def test_a_dead_beat_is_noticed_within_two_minutes(scene):
    here, _ = scene
    here.programs.kill("beat")
    noticed = "SELECT 1 FROM jobs_heartbeat WHERE silent_since IS NOT NULL"
    took = until(lambda: here.postgres.ask(noticed), seconds=120, what="the schedule's silence is noticed")
    print(f"\nprocesses: a dead beat was noticed after {took:.0f} s")
    here.programs.start("beat")
    until(lambda: not here.postgres.ask(noticed), seconds=60, what="its return is noticed")
