"""What the preview of a resolution promises is what ledger, till and shop hold after the next sync: to the number."""

from decimal import Decimal

import pytest
from django.db.models import Sum

from alignment.models import Alignment, StoreLocation
from connectors.errors import ConfigError
from inventory.models import Listing, Movement, StockLevel
from sync.conflicts.effects import WITH, Outlook
from sync.conflicts.settle import ChangedError, conflict_resolve, conflicts_resolve, effect_mark, outcome_of
from sync.core.settling import Effect, Refusal, Way
from sync.models import OutboundWrite, SyncConflict, SyncState
from sync.orders.poll import orders_poll
from sync.turns import phases
from tests.sync.shop import INCREMENTAL, product

pytestmark = pytest.mark.django_db
WAYS = [("pos", None), ("woo", None), ("count", 12), ("higher", None), ("merge", None), ("ignore", None)]


def opened(kind="quantity_mismatch") -> SyncConflict:
    return SyncConflict.objects.select_related(*WITH).get(resolved_at=None, conflict_type=kind)


def promise(conflict: SyncConflict, way: str, count: int | None = None) -> Effect:
    effect = Outlook([conflict]).effect(conflict, Way(way), None if count is None else Decimal(count))
    assert isinstance(effect, Effect), effect
    return effect


def settle(shop, conflict, way, count=None, **options):
    winner = Decimal(count) if way == "count" else way
    return conflict_resolve(conflict=conflict, winner=winner, by=None, reason="counted", now=shop.clock.now, **options)


def edit(shop, sku, by):
    found = shop.app.product_by_sku(sku)
    shop.app.set_quantity(found.id, found.quantity + by)


def carried(shop):
    """Sync until both sides have been told; nothing is left to say then."""
    for _ in range(2):
        shop.clock.tick(minutes=5)
        shop.sync()
        shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    shop.app.forget_requests()
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.app.writes == []
    assert not OutboundWrite.objects.filter(state__in=OutboundWrite.OPEN).exists()


def assert_kept(shop, effect: Effect, sku: str, item_sku: str = "A"):
    """The promised numbers are the true ones, and the ledger adds up."""
    level = StockLevel.objects.get(item__sku=item_sku)
    assert level.on_hand == effect.shelf.after
    assert level.on_hand == Movement.objects.filter(item__sku=item_sku).aggregate(sum=Sum("quantity"))["sum"]
    assert level.baseline == level.on_hand
    assert shop.shelf()[item_sku] == effect.till.after
    assert shop.shown()[sku] == effect.shop.after
    assert not SyncConflict.objects.filter(resolved_at=None).exists()
    assert set(SyncState.objects.values_list("sync_status", flat=True)) == {"synced"}


def edited(open_shop, by, *, buffer=0, meanwhile=False):
    shop = open_shop(stock={"A": 20, "B": 10}, till_mode="live")
    shop.running()
    StoreLocation.objects.update(buffer=buffer)
    shop.sync()
    shop.clock.tick(minutes=5)
    edit(shop, "A", by)
    shop.clock.tick(minutes=5)
    shop.sync()
    if meanwhile:
        shop.app.place_order([("A", 3)])
        shop.till.sell("A", 1)
        shop.clock.tick(minutes=5)
        shop.export()
        shop.sync(INCREMENTAL, may_wait=False)
        shop.take_in_adjustments()
        shop.clock.tick(minutes=5)
        shop.export()
        shop.sync(INCREMENTAL, may_wait=False)
    shop.app.forget_requests()
    return shop


@pytest.mark.parametrize(("way", "count"), WAYS)
@pytest.mark.parametrize(("by", "options"), [(15, {}), (-6, {"buffer": 2}), (-6, {"meanwhile": True})])
def test_what_is_promised_is_kept(open_shop, by, options, way, count):
    shop = edited(open_shop, by, **options)
    effect = promise(opened(), way, count)
    settle(shop, opened(), way, count)
    assert shop.app.writes == []  # nothing before the next sync
    carried(shop)
    assert_kept(shop, effect, "A")


EXPECTED = {  # 20 lie there, the shop was raised by 15 or lowered by 6: on hand, shop
    ("pos", 15): (20, 20), ("pos", -6): (20, 20),
    ("woo", 15): (35, 35), ("woo", -6): (14, 14),
    ("count", 15): (12, 12), ("count", -6): (12, 12),
    ("higher", 15): (35, 35), ("higher", -6): (20, 20),
    ("merge", 15): (35, 35), ("merge", -6): (14, 14),
    ("ignore", 15): (20, 35), ("ignore", -6): (20, 14),
}  # fmt: skip


@pytest.mark.parametrize(("way", "by"), EXPECTED)
def test_each_way_means_what_it_says(open_shop, way, by):
    edited(open_shop, by)
    effect = promise(opened(), way, 12)
    assert (effect.shelf.after, effect.shop.after) == EXPECTED[way, by]
    assert effect.till.after == effect.shelf.after
    assert effect.shop.before == 20 + by


def test_merge_keeps_what_both_sides_did(open_shop):
    shop = edited(open_shop, 15, meanwhile=True)  # 3 sold online and 1 at the till since
    effect = promise(opened(), "merge")
    assert (effect.shelf.before, effect.shelf.after, effect.shop.before, effect.shop.after) == (16, 31, 32, 31)
    settle(shop, opened(), "merge")
    carried(shop)
    assert sorted(shop.movements()) == [("A", -3), ("A", -1), ("A", 15)]
    assert SyncConflict.objects.get().resolution == "merge"


@pytest.mark.parametrize(("way", "count"), WAYS)
def test_packs_are_promised_in_what_the_shop_counts(open_shop, way, count):
    shop = open_shop(stock={"A": 20}, listed=[product(11, "A", 20), product(12, "A-6", 0)], till_mode="live")
    shop.open(pairs=[("A", "A"), ("A", "A-6")])
    Alignment.objects.filter(listing__sku="A-6").update(units_per_listing=6)
    shop.sync()
    shop.clock.tick(minutes=5)
    edit(shop, "A-6", 2)  # 5 packs instead of 3
    shop.clock.tick(minutes=5)
    shop.sync()
    conflict = opened()
    outlook = Outlook([conflict])
    effect = outlook.effect(conflict, Way(way), Decimal(count or 0))
    single = [(one.listing.sku, one.shop.before, one.shop.after) for one in outlook.followers(conflict, effect)]
    after = {"pos": (20, 3), "woo": (32, 5), "count": (12, 2), "higher": (32, 5), "merge": (32, 5), "ignore": (20, 5)}[way]
    assert (effect.shelf.after, effect.shop.after) == after
    assert single == ([("A", 20, after[0])] if after[0] != 20 else [])
    settle(shop, conflict, way, count)
    carried(shop)
    assert_kept(shop, effect, "A-6")
    assert shop.shown()["A"] == after[0]


def test_two_conflicts_of_one_shelf_see_each_other(open_shop):
    shop = open_shop(stock={"A": 20}, listed=[product(11, "A", 20), product(12, "A-6", 0)], till_mode="live")
    shop.open(pairs=[("A", "A"), ("A", "A-6")])
    Alignment.objects.filter(listing__sku="A-6").update(units_per_listing=6)
    shop.sync()
    shop.clock.tick(minutes=5)
    edit(shop, "A", 7)
    edit(shop, "A-6", 2)
    shop.clock.tick(minutes=5)
    shop.sync()
    chosen = dict.fromkeys(SyncConflict.objects.values_list("pk", flat=True), "")
    assert len(chosen) == 2
    done = conflicts_resolve(chosen=chosen, winner="woo", by=None, reason="found a box", now=shop.clock.now)
    assert sorted(done.done) == sorted(chosen)
    assert StockLevel.objects.get().on_hand == 20 + 7 + 12
    carried(shop)
    assert shop.shelf() == {"A": 39}
    assert shop.shown() == {"A": 39, "A-6": 6}


# Left as it is


def test_what_is_left_as_it_is_is_carried_on_and_not_told_again(open_shop):
    shop = edited(open_shop, 15)
    settle(shop, opened(), "ignore")
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert run.counts.get("suspects", 0) == run.counts.get("drifts", 0) == 0
    state = SyncState.objects.get(woo_sku="A")
    assert (state.sync_status, state.reason) == ("synced", "The shop shows +15 beside what it should: a person has left it so.")
    shop.till.sell("A", 2)
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert shop.sent() == {"A": [-2]}
    assert shop.shown()["A"] == 35 - 2 - 1
    assert Listing.objects.get(sku="A").suspect is None
    carried(shop)
    assert shop.shelf()["A"] == 17
    assert shop.shown()["A"] == 32
    assert SyncConflict.objects.count() == 1


def test_what_was_left_comes_back_whole_when_it_changes(open_shop):
    shop = edited(open_shop, 15)
    settle(shop, opened(), "ignore")
    edit(shop, "A", -4)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert (opened().difference, SyncConflict.objects.count()) == (11, 2)
    assert not SyncConflict.objects.filter(is_left=True).exists()
    assert shop.app.writes == []


def test_what_was_left_and_went_comes_back_when_it_is_done_again(open_shop):
    shop = edited(open_shop, 15)
    settle(shop, opened(), "ignore")
    shop.clock.tick(minutes=5)
    shop.sync()
    for by in (-15, 15):
        edit(shop, "A", by)
        shop.clock.tick(minutes=5)
        shop.sync()
    assert opened().difference == 15


def test_a_pair_that_is_rejected_forgets_what_was_left(open_shop):
    shop = edited(open_shop, 15)
    settle(shop, opened(), "ignore")
    pair = Alignment.objects.get(item__sku="A")
    pair.status = Alignment.Status.REJECTED
    pair.save()
    shop.clock.tick(minutes=5)
    shop.sync()
    assert not SyncConflict.objects.filter(is_left=True).exists()


def test_what_the_shop_does_not_count_may_be_left_until_it_counts_and_stops_again(open_shop):
    shop = open_shop(stock={"A": 20, "B": 10})
    shop.running()
    found = shop.app.product_by_sku("A")
    found.manage_stock = False
    shop.clock.tick(minutes=5)
    shop.sync()
    assert "sell" in outcome_of(opened("unmanaged_stock"), "ignore")
    settle(shop, opened("unmanaged_stock"), "ignore")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert not SyncConflict.objects.filter(resolved_at=None).exists()
    for counts in (True, False):
        found.manage_stock = counts
        shop.clock.tick(minutes=5)
        shop.sync()
    assert opened("unmanaged_stock").pk != SyncConflict.objects.last().pk


def test_a_shelf_below_zero_may_be_left_until_it_falls_further(open_shop):
    shop = open_shop(stock={"A": 1, "B": 10}, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 1)])
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    shop.take_in_adjustments()
    settle(shop, opened("simultaneous_sale"), "ignore")
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert not SyncConflict.objects.filter(resolved_at=None).exists()
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert opened("simultaneous_sale").difference == -2


# What can't be promised is not


def test_a_number_that_moved_again_is_not_settled_before_its_second_look(open_shop):
    shop = edited(open_shop, 15)
    edit(shop, "A", 4)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    conflict = opened()
    refusal = Outlook([conflict]).effect(conflict, Way.POS)
    assert isinstance(refusal, Refusal)
    assert refusal.why == "The shop's number has changed again: it was off by +15, by now it is +19."


def test_what_changed_since_it_was_looked_at_is_not_settled(open_shop):
    shop = edited(open_shop, 15)
    conflict = opened()
    seen = effect_mark(conflict, Way.POS, promise(conflict, "pos"))
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync(INCREMENTAL, may_wait=False)
    with pytest.raises(ChangedError, match="changed since you looked"):
        settle(shop, conflict, "pos", seen=seen)
    assert opened().resolved_at is None
    settle(shop, opened(), "pos", seen=effect_mark(conflict, Way.POS, promise(opened(), "pos")))
    assert SyncConflict.objects.get().resolution == "pos"


def test_a_side_that_is_only_observed_is_said(open_shop):
    shop = open_shop(stock={"A": 20, "B": 10})
    shop.running()
    edit(shop, "A", 15)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert "The till is only observed" in outcome_of(opened(), "woo")
    assert "observed" not in outcome_of(opened(), "pos")


# An order, or a write of ours, is no reading: it neither ends a conflict, nor lets one be settled by what was read before it


def order_known(shop, units):
    shop.app.place_order([("A", units)])
    shop.clock.tick(minutes=5)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"


def assert_only_read_numbers_settle(shop):
    """Refused until the next sync has read; then what is promised is kept."""
    effect = Outlook([opened()]).effect(opened(), Way.POS)
    assert isinstance(effect, Refusal)
    assert "may have changed since" in effect.why
    with pytest.raises(ConfigError, match="next sync"):
        settle(shop, opened(), "pos")


def test_an_order_that_meets_the_old_reading_by_chance_closes_no_conflict(open_shop):
    shop = edited(open_shop, -6)  # 20 lie there, the shop shows 14
    order_known(shop, 6)  # 14 lie there, the shop shows 8
    assert_only_read_numbers_settle(shop)
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL, may_wait=False)
    assert opened().difference == -6
    effect = promise(opened(), "pos")
    settle(shop, opened(), "pos")
    carried(shop)
    assert_kept(shop, effect, "A")


def test_an_order_that_meets_the_old_reading_by_chance_ends_nothing_left_as_it_is(open_shop):
    shop = edited(open_shop, -6)
    settle(shop, opened(), "ignore")
    shop.clock.tick(minutes=5)
    shop.sync()
    order_known(shop, 6)
    for _ in range(2):
        shop.clock.tick(minutes=15)
        shop.sync()
    assert not SyncConflict.objects.filter(resolved_at=None).exists()
    assert SyncConflict.objects.get(is_left=True).difference == -6


def test_a_number_put_right_before_the_run_died_is_not_settled_again(open_shop):
    shop = edited(open_shop, 15)
    edit(shop, "A", -15)
    shop.clock.tick(minutes=5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(phases, "states_refresh", lambda **_: 1 / 0)  # the worker dies when all is read and nothing is said yet
        with pytest.raises(ZeroDivisionError):
            shop.sync()
    assert_only_read_numbers_settle(shop)
    shop.clock.tick(minutes=15)
    shop.sync()
    assert SyncConflict.objects.get().resolution == "gone"
    assert (shop.shown()["A"], shop.shelf()["A"]) == (20, 20)


def test_a_shelf_below_zero_shows_how_far_it_has_fallen(open_shop):
    shop = open_shop(stock={"A": 1, "B": 10}, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 1)])
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    shop.take_in_adjustments()
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    found = opened("simultaneous_sale")
    assert (found.difference, found.pos_value) == (-3, "-3")
