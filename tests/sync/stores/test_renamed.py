"""What was renamed or deleted at either side: its pair holds, is flagged, and is never re-pointed by itself."""

import pytest

from alignment.models import Alignment
from inventory.models import Item
from sync.conflicts.settle import NOTED, conflict_resolve
from sync.models import SyncConflict, SyncState
from tests.sync.shop import csv_bytes, product

pytestmark = pytest.mark.django_db
HEADER = ("SKU", "Description", "UPC", "Qty On Hand")
CODES = {"A": "4006381333931", "B": "5901234123457"}


@pytest.fixture
def shop(open_shop):
    """Two products; the till's export says their barcodes."""
    shop = open_shop(listed=[product(11, "A", 5), product(12, "B", 5)])
    says(shop, A=5, B=5)
    shop.sync(read_only=True)
    shop.align()
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.app.forget_requests()
    return shop


def says(shop, codes=(), **stock):
    """The till exports these SKUs and no others."""
    codes = {**CODES, **dict(codes)}
    shop.drop(csv_bytes([(sku, sku, codes.get(sku, ""), number) for sku, number in stock.items()], header=HEADER))


def pairs():
    confirmed = Alignment.objects.filter(status="confirmed").order_by("listing__remote_id")
    return list(confirmed.values_list("item__sku", "listing__remote_id"))


def test_skus_swapped_in_the_shop_are_flagged_and_each_product_keeps_its_item(shop):
    one, two = shop.app.product_by_sku("A"), shop.app.product_by_sku("B")
    for renamed, sku in ((one, ""), (two, "A"), (one, "B")):
        shop.app.catalogue.rename_sku(renamed, sku)
    says(shop, A=4, B=5)
    shop.sync()
    assert pairs() == [("A", 11), ("B", 12)]
    assert [row.body["update"][0]["id"] for row in shop.app.writes] == [11]
    assert (shop.app.product(11).quantity, shop.app.product(12).quantity) == (4, 5)
    found = SyncConflict.objects.order_by("alignment__listing__remote_id")
    assert list(found.values_list("conflict_type", "pos_value", "woo_value")) == [
        ("sku_changed", "A", "B"),
        ("sku_changed", "B", "A"),
    ]


def test_a_deleted_product_whose_sku_another_one_has_now_gets_no_other_number(shop):
    with shop.app.catalogue.lock:
        shop.app.catalogue.remove(shop.app.product_by_sku("A"))
    shop.app.load([product(13, "A", 9)])
    says(shop, A=4, B=5)
    shop.sync()
    assert pairs() == [("A", 11), ("B", 12)]
    assert SyncConflict.objects.get().conflict_type == "listing_deleted"
    assert shop.app.writes == []
    assert shop.app.product(13).quantity == 9


def test_an_item_renamed_at_the_till_is_flagged_and_the_pair_holds(shop):
    says(shop, {"A-NEW": CODES["A"]}, B=5, **{"A-NEW": 3})
    shop.sync()
    conflict = SyncConflict.objects.get()
    assert (conflict.conflict_type, conflict.pos_value, conflict.woo_value) == ("sku_changed", "A-NEW", "A")
    assert "“A-NEW” has its barcode" in conflict.why
    assert pairs() == [("A", 11), ("B", 12)]
    assert Item.objects.get(sku="A").missing_since is not None
    assert shop.app.writes == []  # missing is not zero, and 3 is another SKU's number
    conflict_resolve(conflict=conflict, winner=NOTED, by=None, reason="we know", now=shop.clock.now)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert SyncConflict.objects.count() == 1  # told once


def test_an_item_gone_from_the_till_without_an_heir_keeps_its_pair_and_number(shop):
    says(shop, B=5, C=3)
    shop.sync()
    assert not SyncConflict.objects.exists()
    state = SyncState.objects.get(pos_sku="A")
    assert (state.sync_status, "leaves this item out" in state.reason) == ("conflict", True)
    assert pairs() == [("A", 11), ("B", 12)]
    assert shop.app.writes == []
