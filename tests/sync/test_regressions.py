"""What the simulation found, each as short as it gets."""

from datetime import timedelta

import pytest

from connectors.woocommerce.store import WooCommerceStore
from inventory.models import Listing
from sync.models import OutboundWrite
from sync.outbox import plan
from sync.outbox import send as deliver
from sync.tills import read as till_pull
from sync.tills import tell as till_deliver
from tests.sync.shop import INCREMENTAL

pytestmark = pytest.mark.django_db


def test_a_new_order_and_a_refund_of_an_old_one_in_one_reading_both_reach_the_account(open_shop):
    shop = open_shop(stock={"A": 10})
    shop.running()
    old = shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    shop.app.place_order([("A", 1)])
    shop.app.refund_order(old.id, {old.lines[0].id: 1})
    shop.clock.tick(minutes=5)
    shop.app.forget_requests()
    shop.sync(INCREMENTAL)
    assert Listing.objects.get(sku="A").baseline == shop.shown()["A"] == 7
    assert shop.app.writes == []
    assert shop.movements() == [("A", -3), ("A", 1), ("A", -1)]


def test_an_order_just_after_the_opening_counts_though_the_stores_clock_is_behind(open_shop):
    shop = open_shop(stock={"A": 10}, till_mode="live")
    shop.open()
    shop.app.clock._clock = lambda: shop.clock.at - timedelta(seconds=4)
    shop.sync(may_wait=False)
    shop.clock.tick(seconds=1)
    shop.app.place_order([("A", 2)])
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    shop.take_in_adjustments()
    assert shop.movements() == [("A", -2)]
    assert shop.shown() == shop.shelf() == {"A": 8}
    assert shop.app.writes == []


def stand_still(monkeypatch, shop, module, name, *, at=1, meanwhile):
    """The worker stops once, right after that function, for longer than its turn lasts; then it goes on where it was."""
    whole, calls = getattr(module, name), []

    def stops(*args, **kwargs):
        done = whole(*args, **kwargs)
        calls.append(name)
        if len(calls) == at:
            shop.clock.tick(minutes=6)
            meanwhile()
        return done

    monkeypatch.setattr(module, name, stops)


def test_an_adjustment_claimed_before_a_long_sleep_does_not_go_out_beside_its_successor(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 10}, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    stand_still(monkeypatch, shop, till_deliver, "_claim", meanwhile=lambda: shop.sync(INCREMENTAL))
    shop.sync(INCREMENTAL)
    shop.take_in_adjustments()
    assert shop.shelf() == shop.shown() == {"A": 7}


def test_a_write_claimed_before_a_long_sleep_does_not_go_out_beside_its_successor(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 10})
    shop.running()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    stand_still(monkeypatch, shop, deliver, "_claim", meanwhile=lambda: shop.sync(INCREMENTAL))
    shop.sync(INCREMENTAL)
    assert shop.sent() == {"A": [-2]}
    assert shop.shown() == {"A": 8}


def test_who_slept_through_its_turn_plans_nothing_beside_the_next_one(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 10})
    shop.running()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.app.faults.arm("close", method="POST", path="batch")
    stand_still(monkeypatch, shop, plan, "changes_find", meanwhile=lambda: shop.sync(INCREMENTAL, may_wait=False))
    run = shop.sync(INCREMENTAL)
    assert (run.state, "newer run" in run.message) == ("failed", True)
    assert OutboundWrite.objects.get(state__in=OutboundWrite.OPEN).state == "unknown"


def test_who_slept_through_its_turn_leaves_the_tills_feed_to_the_next_one(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 10})
    shop.running()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    stand_still(monkeypatch, shop, till_pull, "_last_applied", at=2, meanwhile=lambda: shop.sync(INCREMENTAL))
    run = shop.sync(INCREMENTAL)
    assert (run.state, "newer run" in run.message) == ("failed", True)
    assert shop.movements() == [("A", -2)]
    assert shop.shown() == {"A": 8}


def uncounted(shop):
    """Somebody unticks “Manage stock”: WooCommerce forgets the number."""
    product = shop.app.product_by_sku("A")
    product.manage_stock, product.quantity = False, None
    shop.app.catalogue.touch(product)


def counted(shop, quantity):
    product = shop.app.product_by_sku("A")
    product.manage_stock, product.quantity = True, quantity
    shop.app.catalogue.touch(product)


def test_what_is_sold_before_a_product_is_seen_to_be_counted_again_reaches_the_till(open_shop):
    shop = open_shop(stock={"A": 10}, till_mode="live")
    shop.running()
    uncounted(shop)
    shop.sync()
    counted(shop, 10)
    shop.clock.tick(minutes=5)
    shop.app.place_order([("A", 2)])
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    shop.take_in_adjustments()
    assert shop.movements() == [("A", -2)]
    assert shop.shown() == shop.shelf() == {"A": 8}
    assert shop.app.writes == []


def test_a_write_found_to_have_landed_does_not_open_the_account_of_a_product_counted_anew(open_shop):
    shop = open_shop(stock={"A": 10})
    shop.running()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.app.faults.arm("close", method="POST", path="batch", applied=True)
    shop.sync(may_wait=False)
    uncounted(shop)
    shop.sync(may_wait=False)  # too soon to look the write up
    counted(shop, 8)
    shop.clock.tick(minutes=1)
    shop.app.forget_requests()
    shop.sync()  # looks the write up; the next one may use what it reads
    shop.clock.tick(minutes=1)
    shop.sync()
    assert OutboundWrite.objects.get().state == "applied"
    assert Listing.objects.get(sku="A").baseline == shop.shown()["A"] == 8
    assert shop.app.writes == []


def test_a_write_is_looked_up_a_settle_time_after_we_gave_up_on_it_however_long_we_waited(open_shop, monkeypatch):
    shop = open_shop(stock={"A": 10})
    shop.running()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.app.faults.arm("close", method="POST", path="batch")
    whole = WooCommerceStore.send

    def waits(store, batch):
        results = whole(store, batch)
        shop.clock.tick(seconds=60)
        return results

    monkeypatch.setattr(WooCommerceStore, "send", waits)
    shop.sync(INCREMENTAL, may_wait=False)
    shop.clock.tick(seconds=4)  # of the five that this store may go on working
    shop.sync(INCREMENTAL, may_wait=False)
    assert shop.sent() == {"A": [-2]}
    shop.clock.tick(seconds=2)
    shop.sync(INCREMENTAL, may_wait=False)
    assert shop.sent() == {"A": [-2, -2]}
    assert shop.shown() == {"A": 8}
