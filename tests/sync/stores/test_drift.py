"""An edit in the shop that no order explains is looked at twice, then undone: the till wins."""

import pytest

from inventory.models import Listing
from sync.models import SyncLog, SyncPolicy, SyncState
from tests.sync.shop import FULL, INCREMENTAL

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "B": 10}


@pytest.fixture(autouse=True)
def settled_by_rule_at_any_size() -> None:
    """These tests are about looking twice; what sizes mean is told in test_conflicts.py."""
    SyncPolicy.objects.create(minor_to=1000, major_to=1000)


def edit(shop, sku: str, by: int) -> None:
    found = shop.app.product_by_sku(sku)
    shop.app.set_quantity(found.id, found.quantity + by)


def test_the_first_look_only_suspects_and_the_second_undoes(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    run = shop.sync(may_wait=False)
    assert shop.app.writes == []
    assert shop.shown()["A"] == 14
    assert run.counts["suspects"] == 1
    state = SyncState.objects.get(woo_sku="A")
    assert (state.sync_status, state.woo_quantity) == ("pending", 14)
    assert "+4" in state.reason
    shop.clock.tick(minutes=5)
    run = shop.sync(INCREMENTAL, may_wait=False)
    assert run.counts["drifts"] == 1
    assert shop.sent() == {"A": [-4]}
    assert shop.shown() == STOCK
    assert shop.movements() == []
    log = SyncLog.objects.filter(source="woo").get()
    assert (log.old_value, log.new_value) == ("10", "14")
    assert "no order explains it" in log.reason
    assert shop.logged("sync_engine") == [("A", "14", "10")]
    assert SyncState.objects.get(woo_sku="A").sync_status == "synced"


def test_one_run_that_may_wait_looks_twice_by_itself(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", -3)
    shop.clock.tick(minutes=5)
    began = shop.clock.at
    run = shop.sync()
    assert run.counts["drifts"] == 1
    assert (shop.clock.at - began).total_seconds() >= 30
    assert shop.shown() == STOCK
    assert run.state == "done"


def test_a_second_look_too_soon_decides_nothing(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    shop.clock.tick(seconds=10)
    run = shop.sync(may_wait=False)
    assert run.counts.get("drifts", 0) == 0
    assert shop.app.writes == []


def test_an_edit_on_top_of_an_edit_begins_anew(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    edit(shop, "A", 1)
    shop.clock.tick(minutes=5)
    run = shop.sync(may_wait=False)
    assert run.counts.get("drifts", 0) == 0
    assert Listing.objects.get(sku="A").suspect == 5
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    assert shop.shown() == STOCK
    assert shop.sent() == {"A": [-5]}


def test_an_edit_that_is_taken_back_is_nothing(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    edit(shop, "A", -4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    assert shop.app.writes == []
    assert SyncLog.objects.count() == 0
    assert SyncState.objects.get(woo_sku="A").sync_status == "synced"


def test_a_number_that_an_order_explains_is_no_drift(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    shop.app.place_order([("A", 2)])
    shop.clock.tick(minutes=5)
    run = shop.sync(may_wait=False)
    assert run.counts.get("drifts", 0) == 0  # news about the listing: look again
    assert shop.app.writes == []
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    assert shop.shown()["A"] == 8
    assert shop.movements() == [("A", -2)]
    assert sorted(shop.logged("woo")) == [("A", "10", "8"), ("A", "8", "12")]


def test_an_edit_and_a_sale_at_the_till_are_told_apart(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    edit(shop, "A", 4)
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync(FULL)
    assert shop.shown() == {"A": 9, "B": 10}
    assert shop.movements() == [("A", -1)]
    assert shop.sent() == {"A": [-5]}
    assert shop.logged("woo") == [("A", "10", "14")]


def test_an_edit_seen_in_the_answer_to_a_write_gets_its_second_look_too(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    edited = []

    def meanwhile(phase, done, total):
        if phase == "deliver" and not edited:
            edited.append(edit(shop, "A", 4))

    run = shop.sync(progress=meanwhile)
    assert shop.shown() == {"A": 9, "B": 10}
    assert shop.sent() == {"A": [-1, -4]}
    assert run.counts["drifts"] == 1
