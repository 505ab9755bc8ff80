"""An explanation over a real shop: what it says ends at what lies on the shelf, what the till said, and what the shop shows."""

from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from alignment.models import Alignment, StoreLocation
from inventory.models import Item, Movement, StockLevel
from sync.conflicts.settle import conflict_resolve
from sync.core.why.steps import Standing
from sync.models import SyncConflict, SyncPolicy, TillFeed
from sync.why.movements import Asked
from sync.why.past import item_explain_then
from sync.why.read import Explained, item_explain, subject_of
from sync.why.words import zone_of
from tests.sync.shop import FULL, INCREMENTAL, Shop, product
from tests.sync.test_random_worlds import LISTED, STOCK, World

pytestmark = pytest.mark.django_db


def explained(shop: Shop, sku: str) -> Explained:
    found = subject_of(item=Item.objects.get(sku=sku).pk)
    item, pairs = found
    return item_explain(item=item, pairs=pairs, now=shop.clock.now(), asked=Asked(zone_of(item.connection)))


def adds_up(shop: Shop, sku: str) -> Explained:
    """Every part of what is said of it ends where the rows end."""
    said = explained(shop, sku)
    item = said.item
    lying = sum(Movement.objects.filter(item=item).values_list("quantity", flat=True), Decimal(0))
    levels = {level.pk: level for level in StockLevel.objects.filter(item=item)}
    assert lying == sum(level.on_hand for level in levels.values())
    assert said.account[-1].left == said.window.steps[-1].left == said.ledger.on_hand == lying
    assert not said.is_off
    for steps in (said.account, said.window.steps, *(one.bridge.steps for one in [*said.shops, *said.shelves])):
        left = steps[0].left
        for step in steps[1:]:
            left += step.change or 0
            assert step.left == left, (sku, step)
    for one in said.shelves:
        level = levels[one.level.pk]
        assert (one.bridge.steps[0].left, one.bridge.steps[-1].left) == (level.on_hand, level.last_reading)
    for one in said.shops:
        assert one.bridge.steps[0].left == lying
        if one.listing.quantity is not None and one.listing.counts_stock:
            assert one.bridge.steps[-1].left == one.listing.quantity * one.pair.units_per_listing
            assert "Changed since it was read" not in [step.what for step in one.bridge.steps]  # each difference has its cause
    return said


def test_a_life_of_sales_orders_a_refund_an_edit_and_a_decision_adds_up_at_every_turn(open_shop):
    shop = open_shop(stock={"A": 20}, till_mode="live")
    shop.running()
    assert adds_up(shop, "A").shops[0].bridge.sentence == "store shows 20 because 20 lie on the shelf."
    shop.till.sell("A", 3)
    order = shop.app.place_order([("A", 4)])
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    said = adds_up(shop, "A")
    assert said.sentence.startswith("13 lie on the shelf because 20 lay there when it was first counted, 3 left at the till")
    assert said.shelves[0].bridge.why_not.startswith("−4 was handed to till")
    shop.clock.tick(minutes=5)
    shop.take_in_adjustments()
    line = shop.app.order(order.id).lines[0]
    shop.app.refund_order(order.id, {line.id: 1}, restock=True)
    shop.clock.tick(minutes=5)
    shop.sync()
    adds_up(shop, "A")
    shop.clock.tick(minutes=5)
    shop.take_in_adjustments()
    shop.app.set_quantity(shop.app.product_by_sku("A").id, 30)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync(INCREMENTAL, may_wait=False)
    shop.sync(FULL)
    bridge = adds_up(shop, "A").shops[0].bridge
    assert bridge.standing == Standing.PERSON
    assert bridge.sentence == "store shows 30 and should show 14, because 14 lie on the shelf."
    conflict = SyncConflict.objects.get(resolved_at=None)
    conflict_resolve(conflict=conflict, winner="woo", by=None, reason="They came", now=shop.clock.now)
    assert adds_up(shop, "A").account[-1].left == 30
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    said = adds_up(shop, "A")
    assert [one.bridge.standing for one in [*said.shops, *said.shelves]] == [Standing.IN_STEP] * 2
    assert (shop.shown()["A"], shop.shelf()["A"]) == (30, 30)
    kinds = {link.kind for step in said.window.steps for link in step.links}
    assert kinds == {"feed", "order", "conflict"}
    assert {link.key for step in said.window.steps for link in step.links if link.kind == "feed"} <= set(
        TillFeed.objects.values_list("pk", flat=True)
    )


def test_a_number_that_a_person_has_left_is_told_as_left(open_shop):
    shop = open_shop(stock={"A": 20}, till_mode="live")
    shop.running()
    shop.app.set_quantity(shop.app.product_by_sku("A").id, 25)
    shop.clock.tick(minutes=5)
    shop.sync()
    conflict_resolve(conflict=SyncConflict.objects.get(), winner="ignore", by=None, reason="On purpose", now=shop.clock.now)
    shop.clock.tick(minutes=5)
    shop.sync()
    bridge = adds_up(shop, "A").shops[0].bridge
    assert bridge.sentence == "store shows 25: 20 because 20 lie on the shelf, and +5 that a person has left."
    assert bridge.standing == Standing.IN_STEP


def test_packs_and_a_buffer_add_up(open_shop):
    shop = open_shop(stock={"A": 27}, listed=[product(100, "A", 27), product(101, "A6", 4)])
    shop.open(pairs=[("A", "A"), ("A", "A6")])
    Alignment.objects.filter(listing__sku="A6").update(units_per_listing=6)
    StoreLocation.objects.update(buffer=2)
    shop.sync()
    said = adds_up(shop, "A")
    assert sorted(one.bridge.sentence for one in said.shops) == [
        "store shows 25 because 27 lie on the shelf and 2 are kept back as a buffer.",
        "store shows 4 packs of 6 because 27 lie on the shelf, 2 are kept back as a buffer and 1 are too few for another pack.",
    ]
    assert (shop.shown()["A"], shop.shown()["A6"]) == (25, 4)


@pytest.mark.parametrize("seed", [3, 11])
def test_in_a_random_world_every_number_adds_up_after_every_run_and_at_every_past_moment(open_shop, seed):
    shop = open_shop(stock=STOCK, listed=LISTED, till_mode="live")
    SyncPolicy.objects.create(minor_to=3, major_to=1000)  # some edits are settled by rule, others wait
    shop.running()
    world = World(shop, Random(seed))
    seen: list[tuple[object, str, Decimal]] = []
    for _ in range(30):
        world.happen()
        if world.rng.random() < 0.3:
            seen.extend((shop.clock.now(), sku, adds_up(shop, sku).account[-1].left) for sku in STOCK)
            shop.clock.tick(seconds=1)
    later = shop.clock.now() + timedelta(minutes=1)
    for at, sku, lay in seen:
        item = Item.objects.get(sku=sku)
        then = item_explain_then(item=item, asked=Asked(zone_of(item.connection), at=at), now=later)
        assert then.account[-1].left == then.window.steps[-1].left == lay, f"{sku} at {at}"
