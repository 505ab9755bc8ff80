"""What the simulation found, each as short as it gets."""

from datetime import timedelta

import pytest

from alignment.models import Listing
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
