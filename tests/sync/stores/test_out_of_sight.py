"""What leaves our sight (binned, stock switched off) and comes back explains nothing by that (ledger.md §5)."""

from collections.abc import Callable

import pytest

from alignment.models import Alignment, StoreLocation
from inventory.models import Listing, Movement, StockLevel
from sync.conflicts.effects import WITH, Outlook
from sync.conflicts.settle import conflict_resolve
from sync.core.settling import Refusal, Way
from sync.models import SyncConflict, SyncPolicy, SyncState
from tests.sync.shop import FULL, INCREMENTAL, Shop, product

pytestmark = pytest.mark.django_db
Away = Callable[[Shop, bool], None]


def binned(shop: Shop, away: bool) -> None:
    shop.app.product_by_sku("A").status = "trash" if away else "publish"
    shop.app.catalogue.structure += 1


def uncounted(shop: Shop, away: bool) -> None:
    """WooCommerce keeps the number underneath, as long as nobody types another."""
    shop.app.product_by_sku("A").manage_stock = not away


def uncounted_everywhere(shop: Shop, away: bool) -> None:
    shop.app.set_option("products", "woocommerce_manage_stock", "no" if away else "yes")


WAYS = pytest.mark.parametrize("go", [binned, uncounted, uncounted_everywhere])


def look(shop: Shop, kind=FULL, **options):
    """Time passes, and a sync with all its second looks."""
    shop.clock.tick(minutes=5)
    return shop.sync(kind, **options)


def edit(shop: Shop, to: int) -> None:
    shop.app.set_quantity(shop.app.product_by_sku("A").id, to)


def quantity_conflicts() -> list[SyncConflict]:
    return list(SyncConflict.objects.filter(conflict_type="quantity_mismatch").order_by("pk"))


def state() -> tuple[str, str]:
    return SyncState.objects.values_list("sync_status", "reason").get(pos_sku="A")


@pytest.fixture
def shop(open_shop) -> Shop:
    shop = open_shop(stock={"A": 18, **dict.fromkeys("BCDEFGH", 10)}, till_mode="live")
    shop.running()
    return shop


# -- with an open conflict ---------------------------------------------------------------------------------------------


@WAYS
def test_an_open_conflict_survives_and_nothing_is_written(shop, go):
    edit(shop, 13)
    look(shop)
    (conflict,) = quantity_conflicts()
    go(shop, True)
    look(shop)
    assert Listing.objects.values_list("quantity", "baseline").get(sku="A") == (None, 18)
    shown = Outlook([SyncConflict.objects.select_related(*WITH).get(pk=conflict.pk)])
    assert isinstance(shown.effect(conflict, Way.POS), Refusal)  # nobody settles what nobody sees
    go(shop, False)
    for kind in (FULL, INCREMENTAL, FULL):
        look(shop, kind)
    (same,) = quantity_conflicts()
    assert (same.pk, same.resolved_at, same.difference) == (conflict.pk, None, -5)
    assert (shop.shown()["A"], shop.app.writes, shop.movements()) == (13, [], [])
    assert state()[0] == "conflict"
    conflict_resolve(conflict=same, winner="pos", by=None, reason="counted", now=shop.clock.now)
    look(shop)
    assert (shop.shown()["A"], state()) == (18, ("synced", ""))


@WAYS
def test_another_number_on_return_changes_the_conflict_and_settles_nothing(shop, go):
    edit(shop, 13)
    look(shop)
    go(shop, True)
    look(shop)
    shop.app.product_by_sku("A").quantity = 0  # forgotten meanwhile
    go(shop, False)
    look(shop)
    look(shop)
    (conflict,) = quantity_conflicts()
    assert (conflict.resolved_at, conflict.difference, conflict.drift_class) == (None, -18, "critical")
    assert (shop.app.writes, shop.movements()) == ([], [])


@WAYS
def test_one_that_comes_back_as_it_should_be_closes_by_itself(shop, go):
    edit(shop, 13)
    look(shop)
    go(shop, True)
    look(shop)
    shop.app.product_by_sku("A").quantity = 18
    go(shop, False)
    look(shop)
    (conflict,) = quantity_conflicts()
    assert (conflict.resolution, shop.app.writes) == ("gone", [])


@WAYS
def test_what_a_person_left_so_is_still_left_so(shop, go):
    edit(shop, 13)
    look(shop)
    (conflict,) = quantity_conflicts()
    conflict_resolve(conflict=conflict, winner="ignore", by=None, reason="display pieces", now=shop.clock.now)
    look(shop)
    for away in (True, False):
        go(shop, away)
        look(shop)
    look(shop)
    assert [one.is_left for one in quantity_conflicts()] == [True]
    assert (shop.shown()["A"], shop.app.writes, state()[0]) == (13, [], "synced")


# -- without one -------------------------------------------------------------------------------------------------------


@WAYS
def test_the_same_number_on_return_is_in_step(shop, go):
    for away in (True, False):
        go(shop, away)
        run = look(shop)
    assert run.state == "done"
    assert (quantity_conflicts(), shop.app.writes, shop.movements()) == ([], [], [])
    assert state() == ("synced", "")
    assert Listing.objects.get(sku="A").came_back is False


@WAYS
def test_what_was_edited_meanwhile_is_an_edit_like_any(shop, go):
    go(shop, True)
    look(shop)
    shop.app.product_by_sku("A").quantity = 13
    go(shop, False)
    look(shop)
    (conflict,) = quantity_conflicts()
    assert (conflict.resolved_at, conflict.difference) == (None, -5)
    assert (shop.shown()["A"], shop.app.writes) == (13, [])


@WAYS
@pytest.mark.parametrize("policy", ["store_wins", "merge", "higher_count"])
def test_what_it_shows_on_return_is_never_booked_by_rule(shop, go, policy):
    SyncPolicy.objects.create(connection=shop.store, policy=policy, review_major=False)
    go(shop, True)
    look(shop)
    shop.app.product_by_sku("A").quantity = 27 if policy == "higher_count" else 9
    go(shop, False)
    look(shop)
    look(shop)
    (conflict,) = quantity_conflicts()
    assert conflict.resolved_at is None
    assert "gone from the shop or not counted" in conflict.why
    assert shop.movements() == []
    conflict_resolve(conflict=conflict, winner="pos", by=None, reason="looked", now=shop.clock.now)
    look(shop)
    edit(shop, 16)  # seen in step since: the rule counts again
    look(shop)
    assert len(quantity_conflicts()) == 2
    assert shop.movements() == ([] if policy == "higher_count" else [("A", -2)])


@WAYS
def test_what_was_sold_at_the_till_meanwhile_is_told_on_return(shop, go):
    go(shop, True)
    look(shop)
    shop.till.sell("A", 4)
    shop.clock.tick(minutes=10)
    shop.export()
    look(shop)
    assert shop.app.writes == []
    go(shop, False)
    look(shop)
    assert (shop.sent(), shop.shown()["A"], quantity_conflicts()) == ({"A": [-4]}, 14, [])


def test_an_order_cancelled_meanwhile_gives_back_also_to_what_lies_in_the_bin(shop):
    order = shop.app.place_order([("A", 3)])
    look(shop)
    binned(shop, True)
    look(shop)
    logged = len(shop.logged())
    shop.app.change_order(order.id, status="cancelled")
    look(shop)
    assert StockLevel.objects.get(item__sku="A").on_hand == 18
    assert len(shop.logged()) == logged  # the shop shows no number that could have changed
    binned(shop, False)
    look(shop)
    assert (shop.shown()["A"], shop.app.writes, quantity_conflicts()) == (18, [], [])


@pytest.mark.parametrize("go", [uncounted, uncounted_everywhere])
def test_an_order_of_what_is_not_counted_takes_nothing_from_the_shop(shop, go):
    go(shop, True)
    look(shop)
    shop.app.place_order([("A", 3)])
    look(shop)
    go(shop, False)
    look(shop)
    look(shop)
    assert (shop.shown()["A"], shop.app.writes, quantity_conflicts()) == (18, [], [])


def test_a_product_made_anew_is_another_one_and_opens_its_own_account(shop):
    edit(shop, 13)
    look(shop)
    old = shop.app.product_by_sku("A")
    with shop.app.catalogue.lock:
        shop.app.catalogue.remove(old)
    shop.app.load([product(999, "A", 7)])
    look(shop)
    pair = Alignment.objects.get(item__sku="A")
    pair.status = Alignment.Status.REJECTED
    pair.save()
    anew = Listing.objects.get(remote_id=999)
    Alignment.objects.create(item=pair.item, listing=anew, match_type="manual", confidence=1, status=Alignment.Status.CONFIRMED)
    look(shop)
    assert [one.resolution for one in quantity_conflicts()] == ["gone"]
    assert (shop.shown()["A"], shop.sent()["A"]) == (18, [11])


def test_nothing_is_promised_to_a_listing_that_is_out_of_sight(open_shop):
    """Another listing of the same item is settled: what lies in the bin is no follower of it."""
    shop = open_shop(stock={"A": 18, **dict.fromkeys("BCDEFGH", 10)}, listed=[product(11, "A", 18), product(12, "A2", 18)])
    shop.open(pairs=[("A", "A"), ("A", "A2")])
    shop.sync()
    shop.app.product_by_sku("A2").status = "trash"
    shop.app.catalogue.structure += 1
    edit(shop, 9)
    look(shop)
    conflict = SyncConflict.objects.select_related(*WITH).get(conflict_type="quantity_mismatch")
    outlook = Outlook([conflict])
    effect = outlook.effect(conflict, Way.WOO)
    assert outlook.followers(conflict, effect) == []
    assert StoreLocation.objects.count() == 1
    assert Movement.objects.filter(kind="store").count() == 0
