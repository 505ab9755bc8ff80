"""One item of the till that a store sells alone and as a pack of six: the shop counts packs, the shelf counts units."""

from decimal import Decimal

import pytest

from alignment.models import Alignment
from alignment.services.alignments import alignment_units_set
from inventory.models import Listing, StockLevel
from sync.conflicts.settle import conflict_resolve, outcome_of
from sync.models import OrderLine, SyncConflict, SyncPolicy
from tests.ledger import keeping
from tests.sync.hooked import share_secret, tell, work
from tests.sync.shop import FULL, INCREMENTAL, product

pytestmark = pytest.mark.django_db
KINDS = pytest.mark.parametrize("kind", [FULL, INCREMENTAL])


@pytest.fixture
def shop(open_shop):
    """20 mugs lie on the shelf: 20 alone, or 3 packs of 6."""
    listed = [product(11, "MUG", 20), product(12, "MUG-6", 0)]
    shop = open_shop(stock={"MUG": 20}, listed=listed, till_mode="live")
    share_secret(shop.store)
    shop.open(pairs=[("MUG", "MUG"), ("MUG", "MUG-6")])
    Alignment.objects.filter(listing__sku="MUG-6").update(units_per_listing=6)
    shop.sync()
    shop.clock.tick(minutes=5)
    assert shop.shown() == {"MUG": 20, "MUG-6": 3}
    shop.app.forget_requests()
    return shop


def on_hand():
    return StockLevel.objects.get().on_hand


def settled(shop):
    """Sync until nothing is left to say: the till takes in one adjustment at a time. The last run writes nothing."""
    for _ in range(2):
        shop.clock.tick(minutes=5)
        shop.sync()
        shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    shop.app.forget_requests()
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert shop.app.writes == []
    assert run.counts["in_step"] == 2
    assert shop.shelf() == {"MUG": on_hand()}


@KINDS
def test_a_pack_sold_online_takes_its_units_from_the_shelf_and_from_the_single(shop, kind):
    shop.app.place_order([("MUG-6", 1)])
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.movements() == [("MUG", -6)]
    assert shop.sent() == {"MUG": [-6]}
    assert shop.shown() == {"MUG": 14, "MUG-6": 2}
    assert [imported.name for imported in shop.take_in_adjustments()]
    assert shop.shelf() == {"MUG": 14}
    assert Listing.objects.get(sku="MUG-6").baseline == 2
    settled(shop)


@KINDS
def test_the_packs_fall_only_when_one_cannot_be_filled_any_more(shop, kind):
    for left, packs in ((19, 3), (18, 3), (17, 2)):
        shop.till.sell("MUG", 1)
        shop.clock.tick(minutes=5)
        shop.export()
        shop.sync(kind)
        assert shop.shown() == {"MUG": left, "MUG-6": packs}
    assert shop.sent() == {"MUG": [-1, -1, -1], "MUG-6": [-1]}


def test_a_single_sold_online_may_cost_a_pack(shop):
    shop.app.place_order([("MUG", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shown() == {"MUG": 17, "MUG-6": 2}
    assert shop.movements() == [("MUG", -3)]
    settled(shop)


def test_a_webhook_of_a_pack_tells_the_single_at_once(shop):
    order = shop.app.place_order([("MUG-6", 2)])
    tell(shop, order.id)
    work(shop)
    assert shop.shown() == {"MUG": 8, "MUG-6": 1}
    assert shop.movements() == [("MUG", -12)]
    settled(shop)


def test_a_cancelled_pack_comes_back_whole(shop):
    order = shop.app.place_order([("MUG-6", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", -12), ("MUG", 12)]
    assert shop.shown() == {"MUG": 20, "MUG-6": 3}
    settled(shop)


def test_a_refunded_pack_of_two_gives_back_its_units(shop):
    order = shop.app.place_order([("MUG-6", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.app.refund_order(order.id, {order.lines[0].id: 1})
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", -12), ("MUG", 6)]
    assert shop.shown() == {"MUG": 14, "MUG-6": 2}
    settled(shop)


def test_packs_and_singles_sold_past_the_shelf_show_nothing_and_owe_each_unit(shop):
    shop.app.place_order([("MUG-6", 3)])
    shop.app.place_order([("MUG", 5)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert on_hand() == -3
    assert shop.shown() == {"MUG": 0, "MUG-6": 0}


@pytest.fixture
def conflict(shop):
    """Somebody has made 4 packs of 3, and nothing explains it."""
    shop.app.product_by_sku("MUG-6").quantity = 4
    shop.clock.tick(minutes=5)
    shop.sync()
    return SyncConflict.objects.get()


def test_an_edit_of_the_packs_is_judged_by_units_and_left_to_a_person(shop, conflict):
    assert (conflict.pos_value, conflict.woo_value, conflict.difference, conflict.drift_class) == ("3", "4", 1, "major")
    assert "packs of 6: 6 units at the till" in conflict.why
    assert shop.movements() == []


def test_the_shop_wins_by_whole_packs(shop, conflict):
    assert outcome_of(conflict, "woo").startswith("The shop wins: +6 are booked")
    conflict_resolve(conflict=conflict, winner="woo", by=None, reason="found a box", now=shop.clock.now)
    assert shop.movements() == [("MUG", 6)]
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shown() == {"MUG": 26, "MUG-6": 4}
    assert shop.sent() == {"MUG": [6]}
    settled(shop)


def test_the_till_wins_by_whole_packs(shop, conflict):
    conflict_resolve(conflict=conflict, winner="pos", by=None, reason="no box", now=shop.clock.now)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == []
    assert shop.shown() == {"MUG": 20, "MUG-6": 3}
    assert shop.sent() == {"MUG-6": [-1]}
    settled(shop)


def test_a_count_is_of_the_shelf_so_in_units(shop, conflict):
    assert outcome_of(conflict, Decimal(23)).startswith("Counted: 23 of the till's units (3 packs of 6) lie on the shelf.")
    conflict_resolve(conflict=conflict, winner=Decimal(23), by=None, reason="counted", now=shop.clock.now)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", 3)]
    assert shop.shown() == {"MUG": 23, "MUG-6": 3}
    settled(shop)


def test_by_rule_the_shop_wins_whole_packs(shop):
    SyncPolicy.objects.create(policy="store_wins", review_major=False)
    shop.app.product_by_sku("MUG-6").quantity = 2
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", -6)]
    assert shop.shown() == {"MUG": 14, "MUG-6": 2}
    assert shop.sent() == {"MUG": [-6]}
    settled(shop)


def repack(shop, units):
    pair = Alignment.objects.get(listing__sku="MUG-6")
    return alignment_units_set(alignment=pair, units=units, by=None, reason="the maker packs fewer")


def test_another_pack_size_moves_nothing_and_shows_what_can_be_filled(shop):
    repack(shop, 4)
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    assert shop.movements() == []
    assert shop.shown() == {"MUG": 20, "MUG-6": 5}
    assert shop.sent() == {"MUG-6": [2]}
    settled(shop)


def test_a_number_that_was_edited_with_the_pack_size_is_no_drift(shop):
    SyncPolicy.objects.create(policy="store_wins", review_major=False)
    shop.app.product_by_sku("MUG-6").quantity = 5
    repack(shop, 4)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == []
    assert shop.app.writes == []
    assert not SyncConflict.objects.exists()
    settled(shop)


def test_a_pack_sold_before_a_new_size_comes_back_as_it_was_sold(shop):
    order = shop.app.place_order([("MUG-6", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    repack(shop, 4)
    shop.clock.tick(minutes=5)
    shop.app.change_order(order.id, status="cancelled")  # before the listing's number was read again
    tell(shop, order.id)
    work(shop)
    assert shop.movements() == [("MUG", -12), ("MUG", 12)]
    newer = shop.app.place_order([("MUG-6", 1)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", -12), ("MUG", 12), ("MUG", -4)]
    assert OrderLine.objects.get(order__remote_id=newer.id).units_per_listing == 4
    assert shop.shown() == {"MUG": 16, "MUG-6": 4}
    settled(shop)


def test_a_pack_sold_while_the_number_waits_for_a_reading_is_booked_at_the_new_size(shop):
    repack(shop, 4)
    order = shop.app.place_order([("MUG-6", 1)])
    tell(shop, order.id)
    work(shop)
    assert shop.movements() == [("MUG", -4)]
    settled(shop)
    assert shop.shown() == {"MUG": 16, "MUG-6": 4}


def test_a_pack_sold_before_it_was_aligned_is_booked_in_units_once_it_is(shop):
    pair = Alignment.objects.get(listing__sku="MUG-6")
    pair.status = "rejected"
    pair.save()
    with keeping():
        Listing.objects.filter(sku="MUG-6").update(baseline=None, opened_at=None)
    shop.app.place_order([("MUG-6", 1)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == []
    pair.status = "confirmed"
    pair.save()
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("MUG", -6)]
    settled(shop)
    assert shop.shown() == {"MUG": 14, "MUG-6": 2}
