"""What the simulation found, each as short as it gets."""

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
