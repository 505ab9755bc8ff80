"""What is sold online leaves the shelf once, and never comes back from the dead."""

from decimal import Decimal

import pytest

from alignment.models import Alignment
from inventory.models import Item, Listing, Movement, StockLevel
from sync.models import Order, OrderLine, OutboundWrite, SyncRun, SyncState
from sync.turns.decisions import writes_retry
from tests.sync.shop import FULL, INCREMENTAL, problems, product

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "B": 10, "C": 10}
KINDS = pytest.mark.parametrize("kind", SyncRun.Kind.values)


@KINDS
def test_an_order_before_the_sync_is_not_overwritten(open_shop, kind):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.app.writes == []
    assert shop.shown() == {"A": 7, "B": 10, "C": 10}
    assert shop.movements() == [("A", -3)]
    assert shop.logged("woo") == [("A", "10", "7")]
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.app.writes == []
    assert shop.movements() == [("A", -3)]
    assert OrderLine.objects.get().booked == 3


@KINDS
@pytest.mark.parametrize("phase", ["store", "plan", "deliver", "look_again"])
def test_an_order_during_the_sync_survives_it(open_shop, kind, phase):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    placed = []

    def buys(at, done, total):
        if at == phase and not placed:
            shop.clock.tick(seconds=20)
            placed.append(shop.app.place_order([("A", 3)]))
            shop.clock.tick(seconds=20)

    shop.sync(kind, progress=buys)
    if phase != "look_again":  # nothing is left open, so there is no such phase
        assert len(placed) == 1
    else:
        shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.shown()["A"] == 6
    assert sorted(shop.movements()) == [("A", -3), ("A", -1)]
    assert shop.sent() == {"A": [-1]}
    assert StockLevel.objects.get(item__sku="A").on_hand == 6


def test_an_order_while_the_shop_is_read_page_by_page_survives(open_shop, monkeypatch):
    shop = open_shop(stock={f"S{n}": 10 for n in range(30)}, per_page=10, lanes=1)
    shop.running()
    pages = []

    def slow(rows):
        if rows == 1:  # asked whether a cache answers
            return
        pages.append(rows)
        if len(pages) == 2:
            shop.clock.tick(seconds=10)
            shop.app.place_order([("S0", 4), ("S29", 4)])
            shop.clock.tick(seconds=10)

    monkeypatch.setattr(shop.app.settings, "read", slow)
    run = shop.sync()
    assert len(pages) >= 3
    assert run.counts["shop_readings_deferred"] == 2
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.app.writes == []
    assert (shop.shown()["S0"], shop.shown()["S29"]) == (6, 6)
    assert shop.movements() == [("S0", -4), ("S29", -4)]


@KINDS
def test_a_cancelled_order_gives_back_what_it_took(open_shop, kind):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 3), ("B", 1)])
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    assert shop.shown() == STOCK
    assert shop.app.writes == []
    assert sorted(shop.movements()) == [("A", -3), ("A", 3), ("B", -1), ("B", 1)]
    assert StockLevel.objects.get(item__sku="A").on_hand == 10


@pytest.mark.parametrize("restock", [True, False])
def test_a_refund_gives_back_only_what_is_put_on_the_shelf_again(open_shop, restock):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.app.refund_order(order.id, {order.lines[0].id: 2}, restock=restock)
    shop.clock.tick(minutes=5)
    shop.sync()
    back = 2 if restock else 0
    assert shop.shown()["A"] == 7 + back
    assert shop.app.writes == []
    assert sum((quantity for _, quantity in shop.movements()), Decimal(0)) == -3 + back


def test_an_order_that_came_and_went_between_two_runs_leaves_nothing(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 3)])
    shop.clock.tick(seconds=30)
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert (shop.movements(), shop.app.writes, shop.shown()) == ([], [], STOCK)


def test_an_unpaid_order_takes_nothing_until_it_is_paid(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 2)], status="pending")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == []
    shop.app.change_order(order.id, status="processing")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("A", -2)]
    assert shop.shown()["A"] == 8


def test_an_edited_order_is_booked_by_the_difference(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 2), ("B", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    a, b = (line.id for line in order.lines)
    shop.app.change_order(order.id, line_items=[{"id": a, "quantity": 5}, {"id": b, "quantity": 0}])
    shop.clock.tick(minutes=5)
    shop.sync()
    shown = shop.shown()
    shelf = {level.item.sku: level.on_hand for level in StockLevel.objects.select_related("item")}
    assert shown == shelf
    assert shop.app.writes == []


def test_orders_older_than_the_first_reading_were_in_the_numbers_already(open_shop):
    shop = open_shop(stock=STOCK)
    early = shop.app.place_order([("A", 3)])
    shop.till.sell("A", 3)  # the shop told its till by hand
    shop.clock.tick(minutes=5)
    shop.running()
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == []
    assert shop.shown()["A"] == 7
    shop.app.change_order(early.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("A", 3)]
    assert shop.shown()["A"] == 10


@pytest.mark.parametrize("change", ["cancelled", "refunded"])
def test_an_order_of_last_week_that_is_taken_back_is_no_riddle(open_shop, change):
    shop = open_shop(stock={"A": 7}, listed=[product(11, "A", 10)])
    early = shop.app.place_order([("A", 3)])  # somebody booked it at the till by hand
    shop.clock.tick(days=7)
    shop.running()
    assert shop.shown() == {"A": 7}
    assert OrderLine.objects.get().listing is not None
    if change == "cancelled":
        shop.app.change_order(early.id, status="cancelled")
    else:
        shop.app.refund_order(early.id, {early.lines[0].id: 3})
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert shop.movements() == [("A", 3)]
    assert shop.shown() == {"A": 10}
    assert run.counts.get("suspects", 0) == 0
    assert shop.app.writes == []


def test_an_account_that_an_order_kept_from_opening_is_opened_in_the_same_run(open_shop):
    shop = open_shop(stock=STOCK, listed=[product(11, "A", 4), product(12, "B", 4), product(13, "C", 4)])
    shop.open()
    bought = []

    def buys(phase, done, total):
        if phase == "store" and not bought:
            bought.append(shop.app.place_order([("A", 1)]))

    run = shop.sync(progress=buys)
    assert run.counts["shop_readings_deferred"] == 1
    assert shop.shown() == STOCK
    assert run.state == "done"
    assert shop.movements() == []


def test_a_line_of_a_product_nobody_aligned_is_noted(open_shop):
    shop = open_shop(stock=STOCK, listed=[product(11, "A", 10), product(12, "GIFT", 5)])
    shop.running()
    shop.app.place_order([("A", 1), ("GIFT", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.movements() == [("A", -1)]
    assert shop.shown() == {"A": 9, "GIFT": 3}
    assert shop.app.writes == []
    notes = dict(OrderLine.objects.values_list("sku", "note"))
    assert notes["A"] == ""
    assert "alignment" in notes["GIFT"]


def test_an_order_of_a_product_that_is_in_the_bin_still_counts_for_the_shelf(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    trashed = shop.app.product_by_sku("A")
    trashed.status = "trash"
    shop.app.catalogue.structure += 1
    shop.sync()
    shop.app.change_order(order.id, status="cancelled")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert StockLevel.objects.get(item__sku="A").on_hand == 10
    trashed.status = "publish"
    shop.app.catalogue.structure += 1
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert run.state == "done"
    assert shop.shown()["A"] == 10
    assert shop.app.writes == []
    assert shop.movements() == [("A", -3), ("A", 3)]
    assert shop.logged("woo") == [("A", "10", "7")]
    assert run.counts.get("suspects", 0) == run.counts.get("drifts", 0) == 0


def test_a_live_till_is_told_once_and_its_next_export_changes_nothing(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    (name,) = shop.waiting_files("outbound")
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.waiting_files("outbound") == [name]
    assert [taken.booked for taken in shop.take_in_adjustments()] == [1]
    assert shop.shelf()["A"] == 7
    shop.clock.tick(minutes=5)
    shop.sync()
    assert OutboundWrite.objects.get(connection=shop.pos).state == "applied"
    level = StockLevel.objects.get(item__sku="A")
    assert (level.on_hand, level.baseline) == (7, 7)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert shop.app.writes == []
    assert shop.movements() == [("A", -3)]
    assert shop.shown()["A"] == 7
    assert shop.waiting_files("outbound") == []
    assert StockLevel.objects.get(item__sku="A").last_reading == 7
    assert SyncState.objects.get(pos_sku="A").pos_quantity == 7  # what the till says, not what it said before it was told


def test_an_order_and_a_sale_at_the_till_at_once_are_both_counted(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert shop.shown()["A"] == 5
    assert sorted(shop.movements()) == [("A", -3), ("A", -2)]
    shop.take_in_adjustments()
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=10)
    shop.sync()
    shop.clock.tick(minutes=10)
    shop.export()
    shop.sync()
    assert shop.shelf()["A"] == 4
    assert shop.shown()["A"] == 4
    assert shop.movements(Movement.Kind.TILL) == [("A", -2), ("A", -1)]
    assert shop.movements(Movement.Kind.ONLINE) == [("A", -3)]


def test_an_export_from_before_the_till_was_told_does_not_bring_units_back(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.clock.tick(minutes=5)
    shop.till.sell("B", 1)
    shop.export()  # it lies there until the next run
    shop.clock.tick(minutes=5)
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=1)
    late = shop.exporter.write()
    content, name = late.read_bytes(), late.name
    late.unlink()
    shop.sync()
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.drop(content, name)  # true before the adjustment was sent
    shop.sync()
    assert shop.shown()["A"] == 7
    assert shop.movements(Movement.Kind.TILL) == [("B", -1)]
    shop.clock.tick(minutes=10)
    shop.export()
    shop.sync()
    assert shop.shown() == shop.expected() == {"A": 7, "B": 9, "C": 10}
    assert shop.movements(Movement.Kind.TILL) == [("B", -1)]


def test_a_reading_that_may_or_may_not_hold_an_adjustment_waits_for_the_next(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.till.sell("A", 1)
    shop.export()
    run = shop.sync()  # the till has not taken the file in
    assert run.counts["till_readings_deferred"] == 1
    assert shop.movements(Movement.Kind.TILL) == []
    assert shop.shown()["A"] == 7
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert shop.movements(Movement.Kind.TILL) == [("A", -1)]
    assert shop.shown()["A"] == shop.shelf()["A"] == 6


def test_what_sells_online_every_time_still_gets_its_tills_readings(open_shop):
    shop = open_shop(stock={"A": 50}, till_mode="live")
    shop.running()
    for _ in range(4):
        shop.app.place_order([("A", 1)])
        shop.clock.tick(minutes=1)
        shop.sync(INCREMENTAL)
        shop.clock.tick(minutes=2)
        shop.take_in_adjustments()
        shop.till.sell("A", 1)
        shop.clock.tick(minutes=9)
        shop.export()
        shop.clock.tick(minutes=3)
        shop.sync(INCREMENTAL)
        assert shop.shown()["A"] == shop.shelf()["A"]
    assert shop.movements(Movement.Kind.TILL) == [("A", -1)] * 4


def test_an_adjustment_taken_in_right_when_the_till_was_read_keeps_the_reading_waiting(open_shop):
    shop = open_shop(stock={"A": 50}, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=1)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.export()  # without it
    shop.clock.tick(minutes=1)
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert run.counts["till_readings_deferred"] == 1
    assert shop.movements(Movement.Kind.TILL) == []


def test_a_till_that_refuses_an_adjustment_is_told_again(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync()
    (name,) = shop.waiting_files("outbound")
    (shop.folder / "outbound" / "rejected").mkdir()
    (shop.folder / "outbound" / name).rename(shop.folder / "outbound" / "rejected" / name)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert len(shop.waiting_files("outbound")) == 1
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shelf()["A"] == 7
    states = list(OutboundWrite.objects.filter(connection=shop.pos).order_by("id").values_list("state", flat=True))
    assert states == ["not_sent", "applied"]


def reject(shop, *names: str) -> None:
    """The till, or somebody there, refuses these files."""
    rejected = shop.folder / "outbound" / "rejected"
    rejected.mkdir(exist_ok=True)
    for name in names:
        (shop.folder / "outbound" / name).rename(rejected / name)


def test_a_file_that_a_till_refuses_again_and_again_is_written_no_more(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    for _ in range(3):
        shop.sync(INCREMENTAL)
        reject(shop, *shop.waiting_files("outbound"))
        shop.clock.tick(minutes=5)
    run = shop.sync(INCREMENTAL)
    assert shop.waiting_files("outbound") == []
    assert [code for _, _, code in problems(run)] == ["held"]
    state = SyncState.objects.get(pos_sku="A")
    assert state.sync_status == "error"
    assert "3 times" in state.reason
    assert StockLevel.objects.get(item__sku="A").baseline == 10  # nothing is lost: it is owed as before
    shop.clock.tick(hours=20)
    shop.sync(INCREMENTAL)
    assert shop.waiting_files("outbound") == []
    assert writes_retry(writes=OutboundWrite.objects.filter(connection=shop.pos)) == 1
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    assert shop.shelf()["A"] == 7
    assert SyncState.objects.get(pos_sku="A").sync_status == "synced"


def test_one_row_that_the_till_refuses_does_not_keep_the_others_of_its_file_out(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 3), ("B", 1), ("C", 2)])
    with shop.till._lock:
        shop.till._items.pop("B")
    for _ in range(5):
        shop.clock.tick(minutes=5)
        shop.sync(INCREMENTAL)
        shop.take_in_adjustments()
    assert (shop.till.on_hand("A"), shop.till.on_hand("C")) == (7, 8)
    assert dict(SyncState.objects.values_list("pos_sku", "sync_status")) == {"A": "synced", "B": "error", "C": "synced"}
    assert OutboundWrite.objects.filter(level__item__sku="B").count() == 3


def test_orders_are_taken_in_the_state_the_shop_said_last(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 3)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    shop.app.change_order(order.id, status="completed")
    shop.clock.tick(minutes=5)
    shop.sync(FULL)
    row = Order.objects.get()
    assert (row.status, row.state_count) == ("completed", 2)
    assert shop.movements() == [("A", -3)]


@KINDS
@pytest.mark.parametrize("variation_is_aligned", [False, True])
def test_an_order_of_a_variation_takes_from_the_product_that_counts_it(open_shop, kind, variation_is_aligned):
    listed = [
        product(1, "HOOD", 10, type="variable"),
        {"id": 2, "parent_id": 1, "type": "variation", "sku": "HOOD-S", "name": "S", "regular_price": "9", "manage_stock": False},
    ]
    shop = open_shop(stock={"HOOD": 10, "HOOD-S": 3}, listed=listed)
    shop.export()
    shop.sync(read_only=True)
    pairs = [("HOOD", 1), ("HOOD-S", 2)] if variation_is_aligned else [("HOOD", 1)]
    for sku, remote_id in pairs:
        item, listing = Item.objects.get(sku=sku), Listing.objects.get(remote_id=remote_id)
        decided = {"match_type": "manual", "confidence": 1, "status": "confirmed"}
        Alignment.objects.update_or_create(item=item, listing=listing, defaults=decided)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.app.forget_requests()
    shop.app.place_order([(2, 3)])
    assert shop.app.quantity(1) == 7
    shop.clock.tick(minutes=5)
    shop.sync(kind)
    shop.clock.tick(minutes=5)
    shop.sync(FULL)
    assert (shop.app.writes, shop.app.quantity(1)) == ([], 7)
    assert shop.movements() == [("HOOD", -3)]
    assert OrderLine.objects.get().booked == 3
