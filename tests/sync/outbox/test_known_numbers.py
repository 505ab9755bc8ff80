"""The numbers shown are those the systems show as far as we know, and never an old reading under “in step”."""

from decimal import Decimal

import pytest

from inventory.models import Listing, StockLevel
from sync.core.readings import shown_after
from sync.models import OutboundWrite, SyncState
from sync.orders.poll import orders_poll
from tests.sync.shop import INCREMENTAL, Shop
from tests.sync.standing.test_why import adds_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(open_shop) -> Shop:
    shop = open_shop(stock={"A": 41, **dict.fromkeys("BCDEFGH", 10)}, till_mode="live")
    shop.running()
    return shop


def state() -> SyncState:
    return SyncState.objects.get(pos_sku="A")


def figures() -> tuple[str, Decimal | None, Decimal | None]:
    row = state()
    return row.sync_status, row.pos_quantity, row.woo_quantity


def in_step_is_true(shop: Shop) -> None:
    """Whatever is said to be in step is so: at the shop, at the till, and in the row."""
    shown = shop.shown()
    for row in SyncState.objects.filter(sync_status="synced"):
        assert (row.woo_sku, row.woo_quantity) == (row.woo_sku, shown[row.woo_sku])
        assert (row.pos_sku, row.pos_quantity) == (row.pos_sku, shop.till.on_hand(row.pos_sku))


def buy(shop: Shop, units: int) -> None:
    shop.clock.tick(minutes=1)
    shop.app.place_order([("A", units)])
    shop.clock.tick(seconds=10)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"


def test_an_hour_of_selling_leaves_no_old_number_under_in_step(shop):
    began = state().last_woo_update
    for units in (3, 2, 5):
        buy(shop, units)
        shop.take_in_adjustments()
        shop.clock.tick(minutes=15)
        shop.export()
        shop.sync(INCREMENTAL)
        assert figures() == ("synced", shop.till.on_hand("A"), shop.shown()["A"])
        in_step_is_true(shop)
    assert figures() == ("synced", 31, 31)
    assert state().last_woo_update > began
    assert shop.app.writes == []
    (bridge,) = [one.bridge for one in adds_up(shop, "A").shops]
    assert "shows 31" in bridge.sentence


def test_before_the_till_has_taken_an_order_in_each_side_is_what_it_shows(shop):
    buy(shop, 10)
    assert figures() == ("pending", 41, 31)
    shop.take_in_adjustments()
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    assert StockLevel.objects.get(item__sku="A").last_reading == 41  # no export has come since
    assert figures() == ("synced", 31, 31)
    in_step_is_true(shop)


def test_a_write_moves_what_the_shop_shows_also_where_its_answer_was_lost(shop):
    shop.till.sell("A", 4)
    shop.clock.tick(minutes=10)
    shop.export()
    shop.app.faults.arm("close", method="POST", applied=True)
    shop.sync(may_wait=False)
    assert (OutboundWrite.objects.get().state, figures()) == ("unknown", ("pending", 37, 41))
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    assert figures() == ("synced", 37, 37)
    in_step_is_true(shop)


def test_an_edit_and_an_order_together_are_unknown_until_the_next_look_reads_them(shop):
    shop.app.set_quantity(shop.app.product_by_sku("A").id, 39)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    assert figures() == ("pending", 41, 39)
    buy(shop, 1)
    assert Listing.objects.get(sku="A").quantity is None
    assert figures()[::2] == ("pending", None)
    shop.take_in_adjustments()
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL, may_wait=False)
    assert Listing.objects.get(sku="A").quantity == 38
    assert figures()[0] == "pending"


def test_an_order_that_only_changes_its_status_leaves_no_edit_unseen(shop):
    order = shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.take_in_adjustments()
    shop.app.set_quantity(shop.app.product_by_sku("A").id, 38)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    assert Listing.objects.get(sku="A").suspect == -2
    shop.clock.tick(minutes=1)
    shop.app.change_order(order.id, status="completed")
    orders_poll(store=shop.store, now=shop.clock.now)
    assert Listing.objects.get(sku="A").suspect is None
    assert figures()[0] == "pending"
    for _ in range(2):
        shop.clock.tick(minutes=5)
        shop.sync(INCREMENTAL, may_wait=False)
    assert shop.shown()["A"] == 40  # two units are settled by rule


@pytest.mark.parametrize(
    ("shows", "residual", "moved", "was_read", "after"),
    [
        (10, 0, -3, False, 7),
        (10, 0, -3, True, 7),  # had the reading had it, it would have left a residual
        (7, -3, -3, False, 7),  # the order is what the reading left unexplained
        (7, -3, -1, True, 7),
        (7, -3, -1, False, None),
        (7, -3, 0, False, 7),
        (None, 0, -3, True, None),
    ],
)
def test_what_a_shop_shows_after_an_order(shows, residual, moved, was_read, after):
    said = None if shows is None else Decimal(shows)
    found = shown_after(shows=said, residual=Decimal(residual), moved=Decimal(moved), was_read=was_read)
    assert found == (None if after is None else Decimal(after))
