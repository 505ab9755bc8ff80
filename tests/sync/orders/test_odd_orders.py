"""Order lines that nobody can book at once: told clearly, never lost, booked as soon as they can be."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from connectors.woocommerce import mapping
from inventory.models import StockLevel
from sync.conflicts.settle import NOTED, conflict_resolve
from sync.models import Order, OrderLine, SyncConflict
from tests.sync.shop import FULL, INCREMENTAL, problems, product, stocked

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "GIFT": 10}
OPEN = {"conflict_type": "missing_alignment", "resolved_at": None}


def unaligned(open_shop, **options):
    """A shop in which GIFT is sold at both ends and nobody has said that it is the same."""
    shop = open_shop(stock=STOCK, till_mode="live", **options)
    shop.open(pairs=[("A", "A")])
    shop.sync()
    shop.clock.tick(minutes=5)
    shop.app.forget_requests()
    return shop


def synced(shop, kind=FULL):
    shop.clock.tick(minutes=5)
    return shop.sync(kind)


def on_hand(sku: str) -> Decimal:
    return StockLevel.objects.get(item__sku=sku).on_hand


@pytest.mark.parametrize("kind", [FULL, INCREMENTAL])
def test_what_was_sold_unaligned_is_booked_once_it_is_aligned(open_shop, kind):
    shop = unaligned(open_shop)
    order = shop.app.place_order([("GIFT", 2)])
    for _ in range(3):
        synced(shop, kind)
    conflict = SyncConflict.objects.get(**OPEN)
    assert (conflict.listing.sku, conflict.woo_value) == ("GIFT", "2")
    assert (shop.movements(), OrderLine.objects.get().waits) == ([], True)
    shop.align()
    synced(shop, kind)
    assert shop.movements() == [("GIFT", -2)]
    assert shop.shown()["GIFT"] == 8  # no unit comes back from the dead
    assert shop.app.writes == []
    assert not SyncConflict.objects.filter(**OPEN).exists()
    line = OrderLine.objects.get()
    assert (line.booked, line.waits, line.note) == (2, False, "")
    shop.take_in_adjustments()
    assert shop.shelf()["GIFT"] == 8
    for _ in range(2):
        synced(shop, kind)
    shop.app.change_order(order.id, status="cancelled")
    synced(shop, kind)
    assert shop.movements() == [("GIFT", -2), ("GIFT", 2)]
    assert on_hand("GIFT") == 10


def test_an_order_cancelled_while_unaligned_leaves_nothing_to_book(open_shop):
    shop = unaligned(open_shop)
    order = shop.app.place_order([("GIFT", 2)])
    synced(shop)
    shop.app.change_order(order.id, status="cancelled")
    synced(shop)
    shop.align()
    synced(shop)
    assert (shop.movements(), shop.shown()["GIFT"], shop.app.writes) == ([], 10, [])


def test_what_a_person_has_noted_is_not_booked_a_second_time(open_shop):
    shop = unaligned(open_shop)
    shop.app.place_order([("GIFT", 2)])
    synced(shop)
    shop.till.sell("GIFT", 2)  # entered by hand
    shop.export()
    conflict_resolve(
        conflict=SyncConflict.objects.get(**OPEN),
        winner=NOTED,
        by=User.objects.create_user("manager"),
        reason="Entered at the till",
        now=shop.clock.now,
    )
    synced(shop)
    shop.align()
    synced(shop)
    assert shop.movements() == [("GIFT", -2)]
    assert on_hand("GIFT") == shop.shown()["GIFT"] == 8
    assert shop.app.writes == []


def test_orders_from_before_the_shop_was_in_step_are_not_booked_by_an_alignment(open_shop):
    shop = open_shop(stock=STOCK)
    order = shop.app.place_order([("GIFT", 2)])
    shop.till.sell("GIFT", 2)  # the shop told its till by hand
    shop.clock.tick(minutes=5)
    shop.open(pairs=[("A", "A")])
    synced(shop)
    shop.app.change_order(order.id, status="completed")
    synced(shop)
    shop.align()
    synced(shop)
    assert shop.movements() == []
    assert on_hand("GIFT") == shop.shown()["GIFT"] == 8


def test_a_product_that_is_newer_than_the_last_reading_is_found_and_booked(open_shop):
    shop = unaligned(open_shop)
    shop.app.load([product(77, "NEW", 5)])
    order = shop.app.place_order([(77, 2)])
    run = synced(shop, INCREMENTAL)
    conflict = SyncConflict.objects.get(**OPEN)
    assert (conflict.listing, conflict.subject) == (None, "NEW")
    assert "no product of the shop" in conflict.why
    assert run.state == "done"
    synced(shop, INCREMENTAL)
    assert SyncConflict.objects.filter(**OPEN).count() == 1
    stocked(shop.till, {"NEW": 5})
    shop.export()
    synced(shop)  # reads the product
    line = OrderLine.objects.get()
    assert (line.listing.sku, line.listing_remote_id, line.waits) == ("NEW", 77, True)
    assert [(each.listing.sku, each.subject) for each in SyncConflict.objects.filter(**OPEN)] == [("NEW", "")]
    shop.align()
    synced(shop)
    assert shop.movements() == [("NEW", -2)]
    assert shop.shown()["NEW"] == 3
    assert not SyncConflict.objects.filter(**OPEN).exists()
    assert order.id == Order.objects.get().remote_id


def test_the_same_unknown_sku_is_told_of_once_and_each_nameless_line_by_itself(open_shop):
    shop = unaligned(open_shop)
    shop.app.load([product(77, "NEW", 50), product(78, "", 50)])
    for _ in range(3):
        shop.app.place_order([(77, 2)])
    first, second = shop.app.place_order([(78, 1)]), shop.app.place_order([(78, 1)])
    synced(shop, INCREMENTAL)
    subjects = sorted(SyncConflict.objects.filter(**OPEN).values_list("subject", flat=True))
    assert len(subjects) == 3
    assert subjects[-1] == "NEW"
    assert subjects[0].startswith(f"#{first.id} line")
    assert subjects[1].startswith(f"#{second.id} line")


def test_an_unknown_line_that_holds_nothing_any_more_is_no_conflict(open_shop):
    shop = unaligned(open_shop)
    shop.app.load([product(77, "NEW", 50)])
    order = shop.app.place_order([(77, 2)])
    synced(shop, INCREMENTAL)
    shop.app.change_order(order.id, status="cancelled")
    synced(shop, INCREMENTAL)
    assert SyncConflict.objects.get().resolution == "gone"


# -- quantities --------------------------------------------------------------------------------------------------------


def state_lines(shop, monkeypatch, taken: dict[str, Decimal | str]) -> None:
    """A plugin of the shop says other quantities of these SKUs."""
    plain = mapping._line

    def line(row):
        said = taken.get(row.get("sku") or "")
        if said is not None:
            meta = [{"key": "_reduced_stock", "value": said}]
            row = {**row, "meta_data": meta, "quantity": said}
        return plain(row)

    monkeypatch.setattr(mapping, "_line", line)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Decimal("1e12"), "can't be true"),
        ("99999999999999999999", "can't be true"),
        (Decimal("0.0005"), "finer than a thousandth"),
        ("NaN", "can't be used"),
        ("many", "can't be used"),
    ],
)
def test_a_quantity_that_cannot_be_true_is_told_and_the_others_are_booked(open_shop, monkeypatch, said, words):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("A", 1), ("GIFT", 2)])
    with monkeypatch.context() as patch:
        state_lines(shop, patch, {"GIFT": said})
        run = synced(shop, INCREMENTAL)
        assert problems(run) == [(f"Order {order.id}", None, "bad_order_line")]
        again = synced(shop, INCREMENTAL)
        assert problems(again) == []  # told once
    assert shop.movements() == [("A", -1)]
    line = OrderLine.objects.get(sku="GIFT")
    assert words in line.note
    assert (line.taken, line.booked) == (0, 0)
    shop.app.change_order(order.id, status="completed")  # corrected: it counts
    shop.clock.tick(minutes=5)
    synced(shop, INCREMENTAL)
    assert shop.movements() == [("A", -1), ("GIFT", -2)]
    assert shop.shown() == {"A": 9, "GIFT": 8}
    assert OrderLine.objects.get(sku="GIFT").note == ""


@pytest.mark.parametrize(("said", "units"), [(Decimal("1.5"), Decimal("-1.5")), (Decimal(-1), Decimal(1))])
def test_fractions_and_what_came_back_are_booked_as_they_are(open_shop, monkeypatch, said, units):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.app.place_order([("GIFT", 1)])
    state_lines(shop, monkeypatch, {"GIFT": said})
    synced(shop, INCREMENTAL)
    assert shop.movements() == [("GIFT", units)]
    assert OrderLine.objects.get().booked == said
    assert bool(OrderLine.objects.get().note) == (said < 0)


def test_a_line_that_turns_odd_keeps_what_was_booked(open_shop, monkeypatch):
    shop = open_shop(stock=STOCK)
    shop.running()
    order = shop.app.place_order([("GIFT", 2)])
    synced(shop, INCREMENTAL)
    with monkeypatch.context() as patch:
        state_lines(shop, patch, {"GIFT": "many"})
        shop.app.change_order(order.id, status="completed")
        synced(shop, INCREMENTAL)
    line = OrderLine.objects.get()
    assert (line.taken, line.booked, bool(line.note)) == (2, 2, True)
    assert shop.movements() == [("GIFT", -2)]


def test_an_order_in_another_currency_counts_and_says_so(open_shop, admin_client):
    shop = open_shop(stock=STOCK)
    shop.store.currency = "CHF"
    shop.store.save()
    shop.running()
    shop.app.place_order([("A", 1)])
    synced(shop, INCREMENTAL)
    assert shop.movements() == [("A", -1)]
    order = Order.objects.get()
    assert order.note.startswith(f"It is in {order.currency}, the shop's currency is CHF.")
    assert "currency is CHF" in admin_client.get("/admin/sync/order/").content.decode()
    assert "currency is CHF" in admin_client.get(f"/admin/sync/order/{order.pk}/change/").content.decode()


def test_the_admin_shows_which_orders_have_a_line_that_is_not_booked(open_shop, admin_client):
    shop = unaligned(open_shop)
    good, odd = shop.app.place_order([("A", 1)]), shop.app.place_order([("GIFT", 1)])
    synced(shop)
    for query in ("problem=line", "problem=waits"):
        shown = admin_client.get(f"/admin/sync/order/?{query}").content.decode()
        assert f"#{odd.id}<" in shown
        assert f"#{good.id}<" not in shown
    assert "no confirmed alignment" in shown
