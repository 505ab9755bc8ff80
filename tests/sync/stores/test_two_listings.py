"""One item of the till that a store lists twice: both show what is there, and an order on either takes it from the shelf."""

import pytest

from inventory.models import StockLevel
from sync.models import SyncState
from tests.sync.hooked import share_secret, tell, work
from tests.sync.shop import FULL, INCREMENTAL, product

pytestmark = pytest.mark.django_db
KINDS = pytest.mark.parametrize("kind", [FULL, INCREMENTAL])


@pytest.fixture
def shop(open_shop):
    """MUG is sold alone and as a gift."""
    listed = [product(11, "MUG", 10), product(12, "MUG-GIFT", 4)]
    shop = open_shop(stock={"MUG": 10}, listed=listed, till_mode="live")
    share_secret(shop.store)
    shop.open(pairs=[("MUG", "MUG"), ("MUG", "MUG-GIFT")])
    shop.sync()
    shop.clock.tick(minutes=5)
    assert shop.shown() == {"MUG": 10, "MUG-GIFT": 10}
    shop.app.forget_requests()
    return shop


@KINDS
def test_a_sale_at_the_till_shows_on_both(shop, kind):
    shop.till.sell("MUG", 3)
    shop.export()
    run = shop.sync(kind)
    assert shop.shown() == {"MUG": 7, "MUG-GIFT": 7}
    assert shop.sent() == {"MUG": [-3], "MUG-GIFT": [-3]}
    assert run.counts["writes"] == 2
    assert list(SyncState.objects.values_list("sync_status", flat=True)) == ["synced", "synced"]


@KINDS
@pytest.mark.parametrize("bought", ["MUG", "MUG-GIFT"])
def test_an_order_on_either_is_taken_from_the_shelf_once_and_told_to_the_other(shop, kind, bought):
    order = shop.app.place_order([(bought, 3)])
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    other = ({"MUG", "MUG-GIFT"} - {bought}).pop()
    assert shop.sent() == {other: [-3]}
    assert shop.shown() == {"MUG": 7, "MUG-GIFT": 7}
    assert shop.movements() == [("MUG", -3)]
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG": 7}
    shop.clock.tick(minutes=5)
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.shown() == {"MUG": 10, "MUG-GIFT": 10}
    assert StockLevel.objects.get().on_hand == 10


def test_one_order_of_both_takes_both(shop):
    shop.app.place_order([("MUG", 2), ("MUG-GIFT", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shown() == {"MUG": 5, "MUG-GIFT": 5}
    assert shop.movements() == [("MUG", -2), ("MUG", -3)]
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG": 5}


def test_a_webhook_of_one_tells_the_other_at_once(shop):
    order = shop.app.place_order([("MUG-GIFT", 3)])
    tell(shop, order.id)
    work(shop)
    assert shop.shown() == {"MUG": 7, "MUG-GIFT": 7}
    assert shop.sent() == {"MUG": [-3]}
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG": 7}


def test_both_sold_at_once_may_go_below_zero_and_both_show_nothing(shop):
    shop.app.place_order([("MUG", 8)])
    shop.app.place_order([("MUG-GIFT", 8)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert StockLevel.objects.get().on_hand == -6
    assert shop.shown() == {"MUG": 0, "MUG-GIFT": 0}
    assert shop.movements() == [("MUG", -8), ("MUG", -8)]
    assert sum(sum(deltas) for deltas in shop.sent().values()) == -4  # 10 − 8 on each side, and the rest of it


def test_a_sale_between_plan_and_claim_is_owed_to_the_other_listing(shop):
    shop.till.sell("MUG", 1)
    shop.export()
    placed = []

    def buys(phase, done, total):
        if phase == "deliver" and not placed:
            placed.append(shop.app.place_order([("MUG", 2)]))

    shop.sync(progress=buys)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shown() == {"MUG": 7, "MUG-GIFT": 7}
    assert StockLevel.objects.get().on_hand == 7
