"""One run at a time, and nothing from a run that lost its turn."""

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import OperationalError

from connectors.leases import LeaseHeldError, lease_acquire
from connectors.models import Connection
from connectors.services import CallLog
from jobs.process import _began, process_is_gone, process_name
from sync.models import OutboundWrite, SyncRun

pytestmark = pytest.mark.django_db
STOCK = {f"S{n:02}": 20 + n for n in range(12)}


def changed(open_shop, **options):
    shop = open_shop(stock=STOCK, **options)
    shop.running()
    for sku in STOCK:
        shop.till.sell(sku, 1)
    shop.clock.tick(minutes=10)
    shop.export()
    return shop


@pytest.mark.parametrize("side", ["store", "pos"])
def test_a_second_run_is_refused_and_changes_nothing(open_shop, side):
    shop = changed(open_shop)
    lease = lease_acquire(connection=getattr(shop, side), now=shop.clock.now())
    runs = SyncRun.objects.count()
    with pytest.raises(LeaseHeldError):
        shop.sync()
    assert SyncRun.objects.count() == runs
    assert shop.app.requests == []
    assert len(shop.waiting_files()) == 1
    # The turns it got before it was refused are given back.
    assert Connection.objects.exclude(lease_owner="").count() == 1
    lease.release()
    assert shop.sync().state == "done"


def test_a_turn_that_was_just_taken_is_not_left_over_for_another_thread_of_the_process(open_shop, monkeypatch):
    shop, met = changed(open_shop), []

    def meanwhile(self, **fields):
        monkeypatch.undo()
        with pytest.raises(LeaseHeldError):
            lease_acquire(connection=shop.store, now=shop.clock.now())
        met.append(self)
        self.refresh_from_db(**fields)

    monkeypatch.setattr(Connection, "refresh_from_db", meanwhile)
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    assert met
    lease.beat(now=shop.clock.now())  # it is still its own


def test_the_turn_of_a_dead_process_is_taken_over_at_once(open_shop):
    shop = changed(open_shop)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owner = f"{socket.gethostname()}:{dead.pid}:12345678"
    later = shop.clock.now() + timedelta(minutes=5)
    Connection.objects.update(lease_owner=owner, lease_until=later)
    assert shop.sync().state == "done"
    assert shop.shown() == shop.expected()


def test_the_turn_of_a_process_elsewhere_is_respected_until_it_ends(open_shop):
    shop = changed(open_shop)
    Connection.objects.update(
        lease_owner=f"elsewhere:{os.getpid()}:12345678", lease_until=shop.clock.now() + timedelta(minutes=5)
    )
    with pytest.raises(LeaseHeldError):
        shop.sync()
    shop.clock.tick(minutes=5, seconds=1)
    assert shop.sync().state == "done"


class TakenOver:
    """A newer run takes the shop over when this one comes to a phase."""

    def __init__(self, shop, phase: str) -> None:
        self.shop, self.phase, self.newer = shop, phase, None

    def __call__(self, phase, done, total) -> None:
        if phase == self.phase and self.newer is None:
            Connection.objects.update(lease_until=self.shop.clock.now() - timedelta(seconds=1))
            self.newer = True
            self.newer = self.shop.sync(may_wait=False)


@pytest.mark.parametrize("phase", ["till", "store", "plan", "deliver"])
def test_a_run_that_lost_its_turn_writes_nothing_more_and_leaves_the_newer_one_alone(open_shop, phase):
    shop = changed(open_shop, lanes=1, batch_size=5)
    takes_over = TakenOver(shop, phase)
    shop.sync(progress=takes_over)
    assert takes_over.newer.state == "done"
    assert shop.shown() == shop.expected()
    assert {len(deltas) for deltas in shop.sent().values()} == {1}
    assert shop.movements() == [(sku, -1) for sku in STOCK]
    row = SyncRun.objects.get(pk=takes_over.newer.pk)
    assert (row.state, row.epoch) == ("done", takes_over.newer.epoch)
    assert SyncRun.objects.filter(state="running").count() == 0
    assert Connection.objects.exclude(lease_owner="").count() == 0


def test_a_run_that_lost_its_turn_between_two_batches_stops_there(open_shop):
    shop = changed(open_shop, lanes=1, batch_size=3)
    seen: list[int] = []

    def after_a_batch(phase, done, total) -> None:
        if phase == "deliver" and done and not seen:
            seen.append(done)
            Connection.objects.filter(pk=shop.store.pk).update(lease_owner="elsewhere:1:1", lease_epoch=10_000)

    run = shop.sync(progress=after_a_batch)
    assert run.state == "failed"
    assert "newer run" in run.message
    assert sum(len(deltas) for deltas in shop.sent().values()) <= 6  # the batch under way when the turn was lost
    Connection.objects.update(lease_owner="", lease_until=None)
    shop.clock.tick(minutes=10)
    assert shop.sync().state == "done"
    assert shop.shown() == shop.expected()
    assert OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN).count() == 0


def test_the_turn_of_a_process_whose_number_was_given_out_again_is_taken_over(open_shop):
    shop = open_shop(stock={"A": 1})
    later = shop.clock.now() + timedelta(minutes=5)
    alive = process_name()
    again = f"{alive.rpartition(':')[0]}:t1-12345678"  # a container that is started again counts from the beginning
    for owner, gone in ((f"{alive}-12345678", False), (again, True)):
        assert process_is_gone(owner) is gone
    Connection.objects.update(lease_owner=again, lease_until=later)
    assert lease_acquire(connection=shop.store, now=shop.clock.now()).owner.startswith(alive)


def test_a_killed_process_that_nobody_has_buried_is_gone():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    name = f"{process_name().partition(':')[0]}:{child.pid}:{_began(child.pid)}"
    assert not process_is_gone(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended; its parent has not asked
    assert process_is_gone(name)
    child.wait()
    assert process_is_gone(name)


def test_a_turn_that_could_not_be_given_back_is_taken_by_the_next_of_the_same_process(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 1})
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    with pytest.raises(LeaseHeldError):
        lease_acquire(connection=shop.store, now=shop.clock.now())

    def away(*_, **__):
        raise OperationalError("the database system is shutting down")

    with monkeypatch.context() as patched:
        patched.setattr(Connection.objects, "filter", away)
        with pytest.raises(OperationalError):
            lease.release()
    assert Connection.objects.get(pk=shop.store.pk).lease_owner == lease.owner
    assert lease_acquire(connection=shop.store, now=shop.clock.now()).epoch == lease.epoch + 1


def test_a_run_whose_database_went_away_keeps_nobody_of_its_process_waiting(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 1})
    shop.export()

    def away(*_, **__):
        raise OperationalError("the database system is shutting down")

    with monkeypatch.context() as patched:
        real = Connection.objects.filter
        patched.setattr(CallLog, "flush", away)
        patched.setattr(
            Connection.objects, "filter", lambda *given, **named: away() if "lease_owner" in named else real(*given, **named)
        )
        with pytest.raises(OperationalError):
            shop.sync()
    assert Connection.objects.exclude(lease_owner="").exists()
    assert shop.sync().state == "done"
