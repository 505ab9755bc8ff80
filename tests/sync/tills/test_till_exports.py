"""What a new export changes, and what it must not."""

import os
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from inventory.models import Item, Movement, StockLevel
from sync.models import RunProblem, SyncRun, SyncState, TillFeed
from tests.sync.shop import HYDRO, INCREMENTAL, Clock, csv_bytes, problems, product

pytestmark = pytest.mark.django_db
KINDS = pytest.mark.parametrize("kind", SyncRun.Kind.values)
STOCK = {"A": 5, "B": 6, "C": 7}


@KINDS
def test_a_new_export_writes_exactly_what_changed(open_shop, kind):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.sell("A", 2)
    shop.till.receive("B", 10)
    shop.clock.tick(minutes=10)
    shop.export()
    run = shop.sync(kind)
    assert shop.sent() == {"A": [-2], "B": [10]}
    assert shop.shown() == {"A": 3, "B": 16, "C": 7}
    assert shop.movements() == [("A", -2), ("B", 10)]
    assert (run.state, run.counts["writes"]) == ("done", 2)
    assert sorted(shop.logged("pos")) == [("A", "5", "3"), ("B", "6", "16")]
    assert sorted(shop.logged("sync_engine")) == [("A", "5", "3"), ("B", "6", "16")]
    assert shop.waiting_files() == []
    assert len(shop.waiting_files("done")) == 2


def test_the_same_file_again_has_no_effect_and_is_recorded(open_shop):
    shop = open_shop(stock=STOCK)
    shop.till.sell("A", 1)
    path = shop.export()
    content, name = path.read_bytes(), path.name
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=10)
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=1)
    shop.sync()
    shop.app.forget_requests()
    before = (shop.movements(), shop.shown(), shop.logged())
    shop.drop(content, name)
    run = shop.sync()
    assert run.state == "done"
    assert TillFeed.objects.get().seen_again == 1
    assert (shop.movements(), shop.shown(), shop.logged()) == before
    assert shop.app.writes == []
    assert shop.waiting_files() == []


def test_an_older_export_is_refused_and_undoes_nothing(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.receive("C", 4)
    old = shop.export()
    content, name = old.read_bytes(), old.name
    old.unlink()
    shop.till.receive("C", -4)
    shop.clock.tick(minutes=10)
    shop.till.sell("A", 2)
    shop.export()
    shop.sync()
    shop.app.forget_requests()
    shop.clock.tick(minutes=10)
    shop.drop(content, name)
    run = shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert problems(run) == [(name, None, "older_feed")]
    assert shop.app.writes == []
    assert shop.shown()["A"] == 3
    assert shop.movements() == [("A", -2)]
    assert shop.waiting_files("refused") != []


def test_an_item_that_the_export_leaves_out_is_missing_and_never_zero(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.clock.tick(minutes=10)
    shop.drop(csv_bytes([("A", "A", 5), ("B", "B", 6)]), f"pos_export_{shop.clock.at:%Y%m%d_%H%M%S}.csv")
    TillFeed.objects.update(figures={})  # another list of columns is another test's business
    run = shop.sync()
    assert run.counts["items_missing"] == 1
    assert shop.app.writes == []
    assert shop.shown()["C"] == 7
    assert Item.objects.get(sku="C").missing_since == shop.clock.at
    assert SyncState.objects.get(pos_sku="C").sync_status == "conflict"
    assert shop.movements() == []


def test_a_missing_item_that_is_back_goes_on_from_its_last_number(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    for rows in ([("A", "A", 5), ("B", "B", 6)], [("A", "A", 5), ("B", "B", 6), ("C", "C", 4)]):
        shop.clock.tick(minutes=10)
        shop.drop(csv_bytes(rows))
        TillFeed.objects.update(figures={})
        shop.sync()
    assert shop.sent() == {"C": [-3]}
    assert shop.shown()["C"] == 4
    assert shop.movements() == [("C", -3)]
    assert Item.objects.get(sku="C").missing_since is None
    assert SyncState.objects.get(pos_sku="C").sync_status == "synced"


def test_two_exports_at_once_are_taken_in_the_order_in_which_they_were_true(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.clock.tick(minutes=10)
    shop.till.sell("A", 1)
    shop.export()
    shop.clock.tick(minutes=10)
    shop.till.sell("A", 1)
    shop.till.sell("B", 1)
    shop.export()
    shop.sync()
    assert shop.movements() == [("A", -1), ("A", -1), ("B", -1)]
    assert shop.sent() == {"A": [-2], "B": [-1]}


def test_a_shelf_that_is_again_as_it_was_is_seen_although_the_file_is_alike(open_shop):
    """An export without times in its rows can be the same, byte for byte, as one of an hour ago."""
    shop = open_shop(stock={"A": 5})
    rows = {5: csv_bytes([("A", "A", 5)]), 4: csv_bytes([("A", "A", 4)])}
    shop.drop(rows[5])
    shop.sync(read_only=True)
    shop.align()
    for on_hand in (4, 5, 4):
        shop.clock.tick(minutes=10)
        shop.drop(rows[on_hand])
        shop.sync()
        assert shop.shown() == {"A": on_hand}
    assert shop.movements() == [("A", -1), ("A", 1), ("A", -1)]


def test_a_copy_without_a_time_of_its_own_is_no_news(open_shop):
    shop = open_shop(stock={"A": 5})
    shop.drop(csv_bytes([("A", "A", 5)]), "stock.csv")
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=10)
    shop.drop(csv_bytes([("A", "A", 4)]), "stock.csv")
    shop.sync()
    shop.clock.tick(minutes=10)
    shop.drop(csv_bytes([("A", "A", 5)]), "stock (copy).csv")
    shop.sync()
    assert shop.shown() == {"A": 4}
    assert shop.movements() == [("A", -1)]


def test_rows_that_cannot_be_used_are_named_and_the_good_ones_apply(open_shop):
    shop = open_shop(listed=[product(11, "EH-LIGHT-MOVER", 1)])
    connection = shop.pos
    connection.settings |= {"encoding": "cp1252"}
    connection.save()
    content = (HYDRO / "pos_export_messy.csv").read_bytes()
    shop.drop(content)
    run = shop.sync()
    serious = RunProblem.objects.filter(run=run, fails_run=True)
    assert run.state == "partial"
    assert serious.count() > 0
    assert all(problem.line and problem.message for problem in serious)
    lines = content.decode("cp1252").split("\r\n")
    for problem in serious:
        assert problem.subject.strip() in lines[problem.line - 1] or problem.code in {"no_sku", "cut_row"}
    feed = TillFeed.objects.get()
    assert feed.state == "applied"
    # Items whose quantity can't be used are there, or not; but none has a number that the file doesn't say.
    said = {}
    for line in lines[1:]:
        cells = line.split(",")
        if len(cells) == 9:
            said.setdefault(cells[0].strip(), set()).add(cells[7].strip())
    for sku, on_hand in StockLevel.objects.values_list("item__sku", "on_hand"):
        assert any(_same(on_hand, text) for text in said[sku]), sku
    assert StockLevel.objects.count() == feed.good_rows
    assert Movement.objects.count() == feed.good_rows


def _same(number: Decimal, text: str) -> bool:
    try:
        return number == Decimal(text.replace(",", ""))
    except ArithmeticError:
        return False


def test_a_file_that_cannot_be_read_is_put_aside_and_the_next_one_is_used(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.clock.tick(minutes=10)
    shop.drop(b"not, a\xff\x00 stock list\r\n1,2\r\n")
    shop.clock.tick(minutes=10)
    shop.till.sell("A", 2)
    shop.export()
    run = shop.sync()
    assert run.state == "partial"
    assert len(problems(run)) == 1
    assert shop.sent() == {"A": [-2]}
    assert len(shop.waiting_files("refused")) == 1


def test_columns_that_only_a_person_can_tell_apart_fail_the_run_and_blame_the_till(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.clock.tick(minutes=10)
    shop.drop(csv_bytes([("A", 1, 2)], header=("SKU", "Qty On Hand", "On Hand")))
    run = shop.sync()
    assert run.state == "failed"
    assert RunProblem.objects.get(run=run).connection == shop.pos
    assert "On Hand" in run.message
    assert shop.app.writes == []
    assert shop.movements() == []
    shop.pos.refresh_from_db()
    shop.store.refresh_from_db()
    assert shop.pos.last_error
    assert shop.store.last_error == ""
    connection = shop.pos
    connection.settings |= {"columns": {"quantity": "On Hand"}}
    connection.save()
    TillFeed.objects.update(figures={})
    shop.clock.tick(minutes=1)
    assert shop.sync().state == "done"
    assert shop.movements() == [("A", -3)]


def test_a_drop_folder_that_is_gone_fails_the_run_and_says_so(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.folder.rename(shop.folder.with_name("moved"))
    run = shop.sync()
    assert run.state == "failed"
    assert "folder" in run.message
    assert shop.app.writes == []
    assert RunProblem.objects.get(run=run).connection == shop.pos


def test_an_export_whose_reading_was_put_off_is_used_when_the_till_says_the_same_again(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)  # leaves an adjustment of −1 for the till
    shop.take_in_adjustments()
    shop.till.sell("A", 2)
    shop.export(name="stock.csv")  # the till's name for it says no time
    run = shop.sync(INCREMENTAL)
    assert (run.counts["till_readings_deferred"], shop.shown()["A"]) == (1, 4)
    assert "1 till reading was put off" in run.message
    shop.clock.tick(minutes=10)
    shop.export(name="stock.csv")
    shop.sync(INCREMENTAL)
    assert (shop.shown()["A"], shop.shelf()["A"]) == (2, 2)
    assert shop.movements() == [("A", -1), ("A", -2)]
    shop.clock.tick(minutes=10)
    shop.export(name="stock.csv")
    run = shop.sync(INCREMENTAL)
    assert run.counts["feeds_seen_again"] == 1


HEADER = ("SKU", "Description", "Qty On Hand", "Track stock")


def test_what_the_till_does_not_count_keeps_its_number_in_the_shop(open_shop):
    """Case 03: an item with 0 at the till that is not counted there took the shop's 40 away."""
    shop = open_shop(listed=[product(11, "CUP-1", 5), product(12, "PRINT-1", 40)])
    shop.drop(csv_bytes([("CUP-1", "Cup", 5, "Yes"), ("PRINT-1", "Print", 0, "No")], header=HEADER))
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=1)
    shop.app.forget_requests()
    assert shop.sync().state == "done"
    assert (shop.app.writes, shop.shown()) == ([], {"CUP-1": 5, "PRINT-1": 40})
    assert list(StockLevel.objects.values_list("item__sku", "on_hand")) == [("CUP-1", 5)]
    state = SyncState.objects.get(pos_sku="PRINT-1")
    assert (state.sync_status, state.pos_quantity, state.reason) == (
        "conflict", None, "The till doesn't count this item, so the shop's number is left alone."
    )  # fmt: skip


def test_an_item_that_the_till_stops_counting_keeps_its_last_number_and_is_told_of(open_shop):
    shop = open_shop(stock={"CUP-1": 5, "PRINT-1": 40})
    shop.running()
    for tracked, status in (("No", "conflict"), ("Yes", "synced")):
        shop.clock.tick(minutes=10)
        shown = 0 if tracked == "No" else 38
        shop.drop(csv_bytes([("CUP-1", "Cup", 5, "Yes"), ("PRINT-1", "Print", shown, tracked)], header=HEADER))
        TillFeed.objects.update(figures={})  # another list of columns is another test's business
        shop.sync()
        state = SyncState.objects.get(pos_sku="PRINT-1")
        assert state.sync_status == status
        if tracked == "No":
            assert (shop.app.writes, shop.shown(), shop.movements()) == ([], {"CUP-1": 5, "PRINT-1": 40}, [])
            assert state.reason == "The till no longer counts this item. Its last number stands; not counted is not zero."
            level = StockLevel.objects.get(item__sku="PRINT-1")
            assert (level.on_hand, level.uncounted_since) == (40, shop.clock.at)
            assert Item.objects.get(sku="PRINT-1").missing_since is None
    assert (shop.sent(), shop.movements()) == ({"PRINT-1": [-2]}, [("PRINT-1", -2)])
    assert StockLevel.objects.filter(uncounted_since__isnull=False).count() == 0


def counters(clock: Clock, number: int) -> str:
    first = 1 if 6 <= clock.at.hour < 18 else 1201  # never near what a clock shows now
    return f"stock_{clock.at:%Y%m%d}_{first + number:04}.csv"


def local_times(hours: float) -> Callable[[Clock, int], str]:
    return lambda clock, _: f"stock_{clock.at + timedelta(hours=hours):%Y%m%d_%H%M}.csv"


NAMES = pytest.mark.parametrize(
    "name",
    [counters, *(local_times(hours) for hours in (0, 1, 2, 5.5, 13, -1, -5, -9.5))],
    ids=["counter", "UTC", "+1", "+2", "+5:30", "+13", "-1", "-5", "-9:30"],
)


@NAMES
@pytest.mark.parametrize("apart", [{"minutes": 25}, {"hours": 24}], ids=["often", "daily"])
def test_a_sale_that_the_till_has_booked_is_not_counted_again_whatever_its_files_are_called(open_shop, name, apart):
    """Case 02: a running number, or local time while the zone is UTC, read as a time long gone."""
    shop = open_shop(stock={"CUP-1": 7}, till_mode="live")
    shop.export(name=name(shop.clock, 0))
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=1)
    shop.sync()
    shop.clock.tick(minutes=4)
    shop.app.place_order([("CUP-1", 1)])
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    shop.take_in_adjustments()
    shop.clock.tick(**apart)
    for number in (1, 2):
        shop.export(name=name(shop.clock, number))
        shop.sync(INCREMENTAL)
        assert (shop.shelf(), shop.shown(), shop.movements()) == ({"CUP-1": 6}, {"CUP-1": 6}, [("CUP-1", -1)])
        assert StockLevel.objects.get().on_hand == 6
        assert SyncState.objects.get().sync_status == "synced"
        shop.clock.tick(**apart)
    shop.till.sell("CUP-1", 2)
    shop.export(name=name(shop.clock, 3))
    shop.sync(INCREMENTAL)
    assert (shop.shown(), shop.movements()) == ({"CUP-1": 4}, [("CUP-1", -1), ("CUP-1", -2)])


@pytest.mark.parametrize("before", [0, 1], ids=["the first", "after one in time"])
def test_an_export_that_is_copied_hours_later_is_not_taken_to_know_what_was_told_since(open_shop, before):
    """Its name is right; the copy has the time of copying."""
    shop = open_shop(stock={"CUP-1": 7}, till_mode="live")
    opening = shop.export()
    if not before:
        shop.clock.tick(hours=3)
        os.utime(opening, (shop.clock.at.timestamp(),) * 2)
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=1)
    shop.sync()
    shop.clock.tick(minutes=20)
    shop.till.receive("CUP-1", 1)
    late = shop.export()  # says 8
    content, name = late.read_bytes(), late.name
    late.unlink()
    shop.clock.tick(minutes=10)
    shop.app.place_order([("CUP-1", 1)])
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    shop.take_in_adjustments()
    shop.clock.tick(hours=3)
    shop.drop(content, name)
    shop.sync(INCREMENTAL)
    assert (shop.shown(), shop.movements()) == ({"CUP-1": 6}, [("CUP-1", -1)])  # 8 or 7 arrived: nobody can tell yet
    shop.clock.tick(minutes=10)
    shop.export()
    shop.sync(INCREMENTAL)
    assert (shop.shelf(), shop.shown(), shop.movements()) == ({"CUP-1": 7}, {"CUP-1": 7}, [("CUP-1", -1), ("CUP-1", 1)])
