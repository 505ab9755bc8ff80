"""What the till reads beside an adjustment: which online orders it is about."""

import csv

import pytest

from sync.models import OutboundWrite
from tests.sync.shop import INCREMENTAL
from tests.sync.tills.test_rest_pos import api_shop  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
STOCK = {"A": 50, "B": 50}


@pytest.fixture
def shop(open_shop):
    """A live till that reads files, in step."""
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    return shop


def synced(shop) -> None:
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)


def told(shop) -> list[tuple[str, str, str, str]]:
    """(SKU, change, reason, reference) of each row that waits for the till."""
    rows = []
    for name in shop.waiting_files("outbound"):
        with (shop.folder / "outbound" / name).open(encoding="utf-8", newline="") as lines:
            rows += [
                tuple(row[key] for key in ("SKU", "Quantity Change", "Reason", "Reference")) for row in csv.DictReader(lines)
            ]
    return rows


def test_an_online_order_is_named(shop):
    order = shop.app.place_order([("A", 2), ("B", 1)])
    synced(shop)
    reason, number = f"Online order {order.id}", str(order.id)
    assert sorted(told(shop)) == [("A", "-2", reason, number), ("B", "-1", reason, number)]
    assert set(OutboundWrite.objects.filter(level__isnull=False).values_list("reason", flat=True)) == {reason}


def test_orders_that_are_told_in_one_are_all_named(shop):
    numbers = [shop.app.place_order([("A", units)]).id for units in (2, 1, 3)]
    synced(shop)
    assert told(shop) == [("A", "-6", f"Online orders {', '.join(map(str, numbers))}", ", ".join(map(str, numbers)))]


def test_an_order_that_was_told_is_not_named_again(shop):
    shop.app.place_order([("A", 2)])
    synced(shop)
    shop.take_in_adjustments()
    second = shop.app.place_order([("A", 2)])
    synced(shop)
    assert told(shop) == [("A", "-2", f"Online order {second.id}", str(second.id))]


def test_a_cancelled_order_says_so(shop):
    order = shop.app.place_order([("A", 2)])
    synced(shop)
    shop.take_in_adjustments()
    shop.app.change_order(order.id, status="cancelled")
    synced(shop)
    assert told(shop) == [("A", "2", f"Online order {order.id} cancelled", str(order.id))]


def test_a_refund_that_goes_back_to_the_shelf_says_so_beside_a_new_order(shop):
    order = shop.app.place_order([("A", 5)])
    synced(shop)
    shop.take_in_adjustments()
    shop.app.refund_order(order.id, {order.lines[0].id: 1})
    shop.clock.tick(minutes=1)
    second = shop.app.place_order([("A", 3)])
    synced(shop)
    ((_, change, reason, _),) = told(shop)
    assert change == "-2"
    assert set(reason.split("; ")) == {f"Online order {order.id} returned", f"Online order {second.id}"}


def test_an_order_that_came_and_went_is_not_named(shop):
    order = shop.app.place_order([("A", 2)])
    shop.pos.mode = "observe"
    shop.pos.save()
    synced(shop)
    shop.app.change_order(order.id, status="cancelled")
    synced(shop)
    second = shop.app.place_order([("A", 1)])
    shop.pos.mode = "live"
    shop.pos.save()
    synced(shop)
    assert told(shop) == [("A", "-1", f"Online order {second.id}", str(second.id))]


def test_a_file_that_was_refused_is_written_again_with_the_orders_since(shop):
    first = shop.app.place_order([("A", 2)])
    synced(shop)
    (name,) = shop.waiting_files("outbound")
    (shop.folder / "outbound" / "rejected").mkdir()
    (shop.folder / "outbound" / name).rename(shop.folder / "outbound" / "rejected" / name)
    second = shop.app.place_order([("A", 1)])
    synced(shop)
    assert told(shop) == [("A", "-3", f"Online orders {first.id}, {second.id}", f"{first.id}, {second.id}")]


def test_many_orders_are_counted_after_the_eighth(shop):
    numbers = [str(shop.app.place_order([("A", 1)]).id) for _ in range(11)]
    synced(shop)
    ((_, _, reason, _),) = told(shop)
    assert reason == f"Online orders {', '.join(numbers[:8])} and 3 more"


def test_an_api_till_gets_the_same_words(api_shop):  # noqa: F811 - the fixture
    shop = api_shop()
    order = shop.app.place_order([("A", 2)])
    synced(shop)
    (request,) = shop.pos_app.writes
    assert (request.body["reason"], request.body["reference"]) == (f"Online order {order.id}", str(order.id))
