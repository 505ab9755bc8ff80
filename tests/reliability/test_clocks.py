"""Case 25: the shop's clock is ten minutes off, either way: nothing is lost or doubled, whichever way an order is heard of."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sync.orders.poll import orders_poll
from tests.sync.hooked import share_secret, tell, work
from tests.sync.shop import INCREMENTAL, Shop

pytestmark = pytest.mark.django_db
EITHER_WAY = pytest.mark.parametrize("minutes", [-10, 10])


def off_by(open_shop, minutes: int) -> Shop:
    """A running shop whose store has a clock of its own, which was off from the beginning."""
    shop = open_shop(stock={"A": 50, "B": 50}, till_mode="live")
    ours = shop.clock
    shop.app.clock._clock = lambda: ours.at + timedelta(minutes=minutes)
    shop.running()
    share_secret(shop.store)
    shop.clock.tick(minutes=15)  # see the last test
    return shop


@EITHER_WAY
@pytest.mark.parametrize("heard", ["webhook", "poll", "run"])
def test_orders_are_counted_once_whatever_the_shops_clock_says(open_shop, minutes, heard):
    shop = off_by(open_shop, minutes)
    for _ in range(4):
        shop.clock.tick(minutes=5)
        order = shop.app.place_order([("A", 2)])
        shop.till.sell("B", 1)
        if heard == "webhook":
            assert tell(shop, order.id).status_code == 200
            assert work(shop) == "done"
        elif heard == "poll":
            assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
        else:
            shop.sync(INCREMENTAL)
    for _ in range(3):
        shop.clock.tick(minutes=15)
        shop.take_in_adjustments()
        shop.export()
        assert shop.sync().state == "done"
    assert sum(quantity for sku, quantity in shop.movements() if sku == "A") == -8
    assert sum(quantity for sku, quantity in shop.movements() if sku == "B") == -4
    assert shop.shelf() == {"A": Decimal(42), "B": Decimal(46)}
    assert shop.shown() == shop.expected()


@EITHER_WAY
def test_a_cancel_after_an_order_is_the_later_one_whatever_the_shops_clock_says(open_shop, minutes):
    shop = off_by(open_shop, minutes)
    shop.clock.tick(minutes=5)
    order = shop.app.place_order([("A", 3)])
    tell(shop, order.id)
    shop.clock.tick(minutes=1)
    shop.app.change_order(order.id, status="cancelled")
    work(shop)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
    assert sum(quantity for _, quantity in shop.movements()) == 0


@EITHER_WAY
def test_the_first_order_after_the_opening_counts_whatever_the_shops_clock_says(open_shop, minutes):
    shop = open_shop(stock={"A": 50}, till_mode="live")
    ours = shop.clock
    shop.app.clock._clock = lambda: ours.at + timedelta(minutes=minutes)
    shop.running()
    shop.clock.tick(minutes=5)
    shop.app.place_order([("A", 2)])
    shop.sync(INCREMENTAL)
    assert shop.movements() == [("A", -2)]
