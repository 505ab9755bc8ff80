"""What the minutely jobs do: the till's news carried at once, what a crash left paid without waiting, and else nothing at all."""

from decimal import Decimal

import pytest

from connectors.leases import lease_acquire
from connectors.models import Connection
from sync import tasks
from sync.models import Order, OutboundWrite, SyncConflict, SyncRun
from sync.outbox import sweep as outbox
from sync.outbox.sweep import outbox_sweep, outbox_work
from sync.tills.poll import feed_poll
from sync.turns.killed import run_set_aside
from sync.turns.recheck import conflicts_check
from tests.ledger import keeping
from tests.sync.tills.test_rest_pos import api_shop  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "B": 6, "C": 7}


@pytest.fixture
def shop(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.clock.tick(minutes=10)
    return shop


@pytest.fixture
def woken(monkeypatch):
    """The runs that were asked for."""
    asked = []
    monkeypatch.setattr(outbox, "run_wake", lambda **asked_for: asked.append(asked_for))
    return asked


def poll(shop):
    return feed_poll(store=shop.store, now=shop.clock.now)


def work(shop):
    return outbox_work(store=shop.store, now=shop.clock.now)


def nothing_happened(shop, runs):
    return SyncRun.objects.count() == runs and shop.app.requests == []


# -- the till feed -------------------------------------------------------------------------------------------------------


def test_a_till_without_news_costs_no_run_and_no_word_to_the_shop(shop):
    runs = SyncRun.objects.count()
    assert [poll(shop) for _ in range(5)] == ["nothing"] * 5
    assert nothing_happened(shop, runs)


def test_a_new_export_is_in_the_shop_a_minute_later(shop):
    shop.till.sell("A", 3)
    shop.export()
    assert poll(shop) == "done"
    assert shop.shown() == shop.expected() == {"A": 7, "B": 6, "C": 7}
    assert poll(shop) == "nothing"


def test_a_file_that_a_crash_left_claimed_is_news(shop):
    path = shop.export()
    (shop.folder / "processing").mkdir(exist_ok=True)
    path.rename(shop.folder / "processing" / path.name)
    assert poll(shop) == "done"


def test_a_till_with_an_api_is_asked_for_one_row_and_its_change_is_carried(api_shop):  # noqa: F811
    shop = api_shop()
    runs = SyncRun.objects.count()
    assert poll(shop) == "nothing"
    assert [request.query["limit"] for request in shop.pos_app.requests] == ["1", "1"]
    assert nothing_happened(shop, runs)
    shop.pos_app.sell("B", 2)
    assert poll(shop) == "done"
    assert shop.shown()["B"] == 4
    assert poll(shop) == "nothing"


def test_a_till_that_cannot_be_asked_is_noted_without_a_run(api_shop):  # noqa: F811
    shop = api_shop()
    runs = SyncRun.objects.count()
    shop.pos_app.faults.arm("forbidden", count=None)
    assert poll(shop) == "failed"
    assert SyncRun.objects.count() == runs
    assert Connection.objects.get(pk=shop.pos.pk).failures_in_row == 1


def test_a_held_run_waits_for_its_manager_and_is_not_pushed_aside_by_the_next_minute(open_shop):
    shop = open_shop(stock={f"S{n:02}": 5 for n in range(40)})
    shop.running()
    shop.clock.tick(minutes=10)
    for sku in shop.till.skus():
        shop.till.sell(sku, 5)
    shop.export()
    assert poll(shop) == "held"
    shop.clock.tick(minutes=1)
    shop.export()
    assert poll(shop) == "waiting"
    assert SyncRun.objects.order_by("-id").first().state == "held"
    assert work(shop) == "nothing"
    assert set(shop.shown().values()) == {5}


def test_after_a_run_that_failed_the_till_is_left_to_the_scheduled_syncs_for_a_while(shop):
    shop.export()
    SyncRun.objects.create(store=shop.store, kind="full", state="failed", started_at=shop.clock.at, finished_at=shop.clock.at)
    assert poll(shop) == "waiting"
    shop.clock.tick(minutes=16)
    assert poll(shop) == "done"


def test_while_a_run_is_at_work_the_till_feed_keeps_away(shop):
    shop.export()
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    assert poll(shop) == "busy"
    lease.release()
    assert poll(shop) == "done"


# -- the outbox ----------------------------------------------------------------------------------------------------------


def test_an_outbox_with_nothing_in_it_asks_nobody(shop):
    runs = SyncRun.objects.count()
    assert work(shop) == "nothing"
    assert outbox_sweep(now=shop.clock.now) == 0
    assert nothing_happened(shop, runs)


def take_two(level):
    """Two are gone from the shelf, and nobody was told."""
    level.on_hand -= Decimal(2)
    with keeping():
        level.save(update_fields=["on_hand"])


def test_what_was_booked_and_not_told_is_told_by_the_sweep(shop):
    """As after a kill between booking and telling."""
    level = shop.pos.locations.get().levels.get(item__sku="A")
    take_two(level)
    assert work(shop) == "done"
    assert shop.shown()["A"] == 8
    (write,) = OutboundWrite.objects.filter(level=level)
    assert (write.state, write.delta) == ("unknown", Decimal(-2))
    shop.take_in_adjustments()
    assert shop.till.on_hand("A") == Decimal(8)
    assert work(shop) == "done"
    write.refresh_from_db()
    assert write.state == "applied"
    assert work(shop) == "nothing"


def test_a_write_that_a_crash_left_unanswered_is_looked_up_and_not_sent_twice(shop):
    shop.till.sell("A", 3)
    shop.export()
    shop.app.faults.arm("close", method="POST", path="batch", applied=True)
    poll(shop)
    write = OutboundWrite.objects.get(listing__sku="A")
    assert write.state in OutboundWrite.UNANSWERED
    shop.clock.tick(minutes=2)
    shop.app.forget_requests()
    assert work(shop) == "done"
    write.refresh_from_db()
    assert write.state == "applied"
    assert shop.app.writes == []
    assert shop.shown()["A"] == 7


def test_an_adjustment_that_the_till_takes_its_time_with_is_left_to_the_syncs(shop):
    level = shop.pos.locations.get().levels.get(item__sku="A")
    take_two(level)
    assert work(shop) == "done"
    assert work(shop) == "done"  # asked again every minute …
    shop.clock.tick(minutes=16)
    assert work(shop) == "nothing"  # … for a quarter of an hour


def test_a_store_in_observe_mode_is_not_swept_for_what_it_is_owed(shop):
    Connection.objects.filter(pk=shop.store.pk).update(mode="observe")
    shop.store.refresh_from_db()
    shop.till.sell("A", 3)
    shop.export()
    poll(shop)
    assert work(shop) == "nothing"
    assert shop.shown()["A"] == 10


def test_a_killed_run_is_taken_up_again_within_a_minute_as_what_it_was(shop, woken):
    SyncRun.objects.create(store=shop.store, kind="full", state="running", started_at=shop.clock.at)
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    assert work(shop) == "busy"  # it may be alive
    assert woken == []
    lease.release()
    assert work(shop) == "woken"
    assert woken == [{"store_id": shop.store.pk, "kind": "full"}]


def test_a_run_that_ends_its_worker_three_times_is_set_aside_and_the_next_one_begins_anew(shop):
    killed = SyncRun.objects.create(store=shop.store, kind="full", state="running", resumed=1, started_at=shop.clock.at)
    assert run_set_aside(store=shop.store, now=shop.clock.now) is None
    SyncRun.objects.filter(pk=killed.pk).update(resumed=2)
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    assert run_set_aside(store=shop.store, now=shop.clock.now) is None  # this time it may come to an end
    lease.release()
    assert tasks.sync_store(shop.store.pk, "full") == "set aside"
    killed.refresh_from_db()
    assert (killed.state, killed.message[:24]) == ("failed", "It was begun 3 times, an")
    assert tasks.sync_store(shop.store.pk, "full") == "done"
    killed.refresh_from_db()
    assert killed.state == "failed"
    assert SyncRun.objects.filter(state="done", resumed=0).exclude(pk=killed.pk).exists()


# -- the conflict check --------------------------------------------------------------------------------------------------


def test_a_conflict_that_has_settled_itself_is_closed_by_the_hourly_check_which_writes_nothing(shop):
    shop.app.set_quantity(100, 15)
    shop.sync()
    assert SyncConflict.objects.get(resolved_at=None).woo_value == "15"
    shop.app.set_quantity(100, 10)
    shop.clock.tick(hours=1)
    shop.app.forget_requests()
    runs = SyncRun.objects.count()
    assert conflicts_check(store=shop.store, now=shop.clock.now) == "done"
    assert SyncConflict.objects.get().resolution == "gone"
    assert shop.app.writes == []
    assert SyncRun.objects.count() == runs


def test_an_order_that_the_conflict_check_comes_across_is_told_by_the_sweep(shop):
    shop.app.place_order([("B", 2)])
    shop.clock.tick(minutes=5)
    assert conflicts_check(store=shop.store, now=shop.clock.now) == "done"
    assert Order.objects.count() == 1
    assert work(shop) == "done"
    shop.take_in_adjustments()
    assert shop.till.on_hand("B") == Decimal(4)


def test_a_conflict_check_during_a_run_keeps_away(shop):
    lease = lease_acquire(connection=shop.pos, now=shop.clock.now())
    assert conflicts_check(store=shop.store, now=shop.clock.now) == "busy"
    lease.release()
