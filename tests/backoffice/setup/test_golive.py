"""The go-live report says beforehand what the first live sync then writes: the same products, the same numbers, no more."""

import csv
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from alignment.models import Alignment
from backoffice.setup.golive import golive_lines, golive_report
from backoffice.setup.rows import store_read
from connectors.models import Connection
from inventory.models import Item, Listing
from sync.models import OutboundWrite, PlannedChange, PricePolicy, SyncRun
from tests import factories as make
from tests.admin_pages import page
from tests.sync.shop import FULL, product

PRICES = SyncRun.Kind.PRICES
STOCK = {"A": 5, "B": 6, "C": 7, "D": 0, "E": 9, "F": 4, "G": 3}
LISTED = [
    product(101, "A", 2, regular_price="5"),  # up
    product(102, "B", 9, regular_price="5.50"),  # down, and its price
    product(103, "C", 7, regular_price="5"),  # in step
    product(104, "D", 3, regular_price="5"),  # sold out at the till
    product(105, "E", None, regular_price="5"),  # not counted by the shop
    product(106, "F", 0, regular_price="4.90"),  # sold out in the shop, and its price
    product(108, "H", 1),  # no item
]


def report_of(shop):
    return golive_report(rows=store_read(pk=shop.store.pk))


def told(report):
    return {line.sku: (line.shows, line.target) for line in golive_lines(run=report.run) if line.field == "Quantity"}


def words(tallies):
    return {one.words: one.count for one in tallies if one.count}


def go_live(shop):
    Connection.objects.filter(pk=shop.store.pk).update(mode="live")
    shop.clock.tick(minutes=1)


def written(run):
    rows = OutboundWrite.objects.filter(run=run, carries_number=True, state="applied")
    return {row.listing.sku: (row.planned_from, row.planned_to) for row in rows.select_related("listing")}


@pytest.fixture
def shop(open_shop):
    shop = open_shop(stock=STOCK, listed=LISTED, mode="observe")
    shop.open(pairs=[(sku, sku) for sku in "ABCDEF"])
    return shop


def test_the_first_live_sync_writes_what_the_shadow_run_said_and_nothing_else(shop):
    run = shop.sync(FULL)
    report = report_of(shop)
    said = {"A": (2, 5), "B": (9, 6), "D": (3, 0), "F": (0, 4)}
    assert told(report) == said
    assert words(report.writes) == {
        "Numbers in the shop": 4,
        "of them up": 2,
        "of them down": 2,
        "on sale now, sold out then": 1,
        "sold out now, on sale then": 1,
    }
    assert [line.sku for line in report.largest] == ["F", "A", "B", "D"]  # the largest first
    assert (report.run, report.pairs, report.sum_said) == (run, 5, "4 numbers")
    assert shop.app.writes == []
    assert OutboundWrite.objects.count() == 0

    go_live(shop)
    live = shop.sync(FULL)
    assert written(live) == said
    assert shop.sent() == {"A": [3], "B": [-3], "D": [-3], "F": [4]}
    assert shop.shown() == {"A": 5, "B": 6, "C": 7, "D": 0, "E": None, "F": 4, "H": 1}


def test_prices_are_in_it_where_somebody_owns_them(shop):
    PricePolicy.objects.create(
        connection=shop.store, price_source="pos", till_includes_tax=True, store_includes_tax=True, guard_percent=100
    )
    Connection.objects.filter(pk=shop.pos.pk).update(currency="EUR")
    shop.sync(PRICES)
    report = report_of(shop)
    prices = {line.sku: (line.shows, line.target) for line in golive_lines(run=report.run) if line.field == "Price"}
    assert prices == {"B": (Decimal("5.5"), 5), "F": (Decimal("4.9"), 5)}
    assert report.sum_said == "4 numbers and 2 prices"
    assert shop.app.writes == []

    go_live(shop)
    shop.sync(PRICES)
    sent = {}
    for request in shop.app.writes:
        sent |= {
            shop.app.product(one["id"]).sku: one["regular_price"] for one in request.body["update"] if "regular_price" in one
        }
    assert {sku: Decimal(price) for sku, price in sent.items()} == {"B": 5, "F": 5}
    assert shop.sent() == {"A": [3], "B": [-3], "D": [-3], "F": [4]}


def test_what_it_would_leave_alone_is_said_and_why(shop):
    shop.sync(FULL)
    report = report_of(shop)
    assert words(report.left_alone) == {
        "Items of the till without a partner": 1,
        "Products of the shop without a partner": 1,
        "Products that the shop doesn't count": 1,
    }
    assert words(report.decisions) == {"Conflicts: Not counted by the shop": 1}
    assert report.guards == []


def test_an_item_that_the_till_does_not_count_and_one_that_is_gone_are_said(shop):
    shop.sync(FULL)
    Alignment.objects.filter(item__sku="B").update(item=make.item(shop.pos, "UNCOUNTED"))
    Item.objects.filter(sku="C").update(missing_since=shop.clock.now())
    left = words(report_of(shop).left_alone)
    assert (left["Items that the till doesn't count"], left["Items that the till's export leaves out"]) == (1, 1)


def test_a_guard_that_would_hold_the_first_sync_holds_the_shadow_run_and_then_the_live_one(open_shop):
    stock = {f"S{n:02}": 0 if n < 12 else 5 for n in range(40)}
    shop = open_shop(stock=stock, listed=[product(100 + n, sku, 3) for n, sku in enumerate(stock)], mode="observe")
    shop.open()
    assert shop.sync(FULL).state == "held"
    report = report_of(shop)
    assert "12 of 40" in report.guards[0]
    assert (report.is_whole, report.sum) == (True, 40)

    go_live(shop)
    held = shop.sync(FULL)
    assert (held.state, held.held_for) == ("held", list(report.guards))
    assert shop.app.writes == []
    released = shop.sync(FULL, release=held)
    assert written(released) == told(report)
    assert sum(len(sent) for sent in shop.sent().values()) == report.sum


def test_pairs_aligned_after_the_shadow_run_are_said_to_be_unknown_until_the_next(shop):
    shop.sync(FULL)
    shop.align([("A", "A")])
    assert report_of(shop).unread == 0
    shop.align([("G", "H")])
    assert report_of(shop).unread == 1
    shop.clock.tick(minutes=1)
    shop.sync(FULL)
    assert report_of(shop).unread == 0
    assert told(report_of(shop))["G"] == (1, 3)


def test_only_the_newest_shadow_run_keeps_its_rows_and_dry_and_short_runs_keep_none(shop):
    shop.sync(FULL)
    first = set(PlannedChange.objects.values_list("pk", flat=True))
    shop.clock.tick(minutes=1)
    run = shop.sync(FULL)
    assert set(PlannedChange.objects.values_list("run", flat=True)) == {run.pk}
    assert not first & set(PlannedChange.objects.values_list("pk", flat=True))
    shop.sync(SyncRun.Kind.INCREMENTAL)
    shop.sync(FULL, dry_run=True)
    assert set(PlannedChange.objects.values_list("run", flat=True)) == {run.pk}
    go_live(shop)
    shop.sync(FULL)
    assert set(PlannedChange.objects.values_list("run", flat=True)) == {run.pk}


def test_what_the_till_does_not_know_of_is_told_of(shop):
    shop.sync(FULL)
    shop.app.place_order([("C", 2)])
    shop.clock.tick(minutes=10)
    shop.sync(FULL)
    assert words(report_of(shop).for_tills) == {"Items of “till” sold or returned online that it hasn't been told of": 1}
    assert shop.waiting_files("outbound") == []


def test_files_of_it_are_safe_for_a_spreadsheet_and_whole(shop, someone):
    shop.sync(FULL)
    Item.objects.filter(sku="A").update(name="=HYPERLINK(1)")
    Listing.objects.filter(sku="A").update(name="<b>|bold|")
    viewer, path = someone("Viewer"), reverse("admin:setup_report", args=[shop.store.pk])
    html = page(viewer, path)
    assert "A first full sync would write 4 numbers." in html
    answer = viewer.get(path, {"format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["What", "Till SKU", "Till item", "Shop SKU", "Shop product", "Shows now", "Would show", "Difference"]
    assert ["Quantity", "A", "'=HYPERLINK(1)", "A", "<b>|bold|", "2", "5", "3"] in rows
    assert len(rows) == 5
    assert answer["Content-Disposition"].startswith('attachment; filename="go_live_store_')
    said = viewer.get(path, {"format": "md"}).content.decode()
    assert "- Numbers in the shop: 4" in said
    assert "| =HYPERLINK(1) A | &lt;b&gt;\\|bold\\| A | 2 | 5 | +3 |" in said
