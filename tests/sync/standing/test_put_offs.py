"""Readings that can't be used yet are put off, never guessed at; after a while a person is asked (ledger.md §3)."""

from datetime import timedelta

import pytest

from connectors.models import Connection
from sync.models import PutOff, SyncConflict, SyncState
from tests.sync.shop import FULL, INCREMENTAL

pytestmark = pytest.mark.django_db
STOCK = {"A": 50, "B": 50}


@pytest.fixture
def shop(open_shop):
    """A live till; what is sold online waits for somebody to import it."""
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    return shop


def exported(shop, *, hours: float = 0, minutes: float = 0) -> None:
    shop.clock.tick(hours=hours, minutes=minutes)
    shop.till.sell("B", 1)
    shop.export()
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)


def asked() -> list[str]:
    return list(SyncConflict.objects.filter(conflict_type="unsettled", resolved_at=None).values_list("why", flat=True))


def test_each_reading_that_is_put_off_counts_once_and_the_first_used_one_ends_it(shop, admin_client):
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    for _ in range(2):
        exported(shop, minutes=15)
        shop.sync(INCREMENTAL)  # nothing new to read
    row = PutOff.objects.get()
    assert (row.level.item.sku, row.times, row.why) == ("A", 2, "a write to the till is unanswered")
    assert "a write to the till is unanswered" in admin_client.get("/admin/sync/putoff/").content.decode()
    shop.take_in_adjustments()
    shop.clock.tick(minutes=10)
    shop.sync(INCREMENTAL)
    exported(shop, minutes=15)
    assert not PutOff.objects.exists()


def booked_when_read(shop, *, hours: float) -> None:
    """Somebody imports the adjustment just when the till is read, so that nobody knows whether the list has it."""
    shop.app.place_order([("A", 1)])
    shop.clock.tick(hours=hours)
    shop.sync(INCREMENTAL)
    shop.clock.tick(minutes=5)
    shop.till.sell("B", 1)
    shop.export()
    shop.clock.tick(minutes=1)
    shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)


def test_a_number_put_off_three_times_in_a_row_and_for_four_hours_is_a_persons(shop):
    booked_when_read(shop, hours=0.1)
    booked_when_read(shop, hours=2)
    assert asked() == []  # twice
    booked_when_read(shop, hours=2)
    (why,) = asked()
    assert "put off 3 times" in why
    assert "count the shelf" in why
    assert SyncState.objects.get(pos_sku="B").sync_status == "synced"
    exported(shop, hours=1)  # one that can be used
    assert asked() == []
    assert SyncConflict.objects.get(conflict_type="unsettled").resolution == "gone"


def test_a_till_that_is_read_each_few_minutes_does_not_call_for_a_person_at_once(shop):
    for _ in range(5):
        booked_when_read(shop, hours=0.05)
    assert PutOff.objects.get().times == 5
    assert asked() == []


def test_a_write_without_an_answer_asks_after_four_hours_however_seldom_the_till_is_read(shop):
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    shop.clock.tick(hours=4, minutes=1)
    shop.sync(INCREMENTAL)
    assert [why.startswith("An adjustment was not booked") for why in asked()] == [True]


def test_how_often_and_how_long_are_settings(shop, settings):

    settings.EVENSTOCK_LIMITS = {"ask_after": timedelta(minutes=30), "ask_after_times": 2}
    booked_when_read(shop, hours=0.1)
    assert asked() == []
    booked_when_read(shop, hours=0.5)
    assert len(asked()) == 1


def test_a_shops_number_that_orders_keep_from_being_read_is_a_persons_too(shop):
    Connection.objects.filter(pk=shop.pos.pk).update(mode="observe")
    plain = shop.app.settings.read

    def busy(rows):
        shop.app.settings.read = plain
        shop.app.place_order([("A", 1)])
        plain(rows)

    for hours in (0, 2.5, 2.5):
        shop.clock.tick(hours=hours)
        shop.app.set_quantity(shop.app.product_by_sku("A").id, shop.app.quantity(shop.app.product_by_sku("A").id))
        shop.app.settings.read = busy
        shop.sync(FULL, may_wait=False)
    row = PutOff.objects.get()
    assert (row.listing.sku, row.times) == ("A", 3)
    assert ["put off 3 times" in why for why in asked()] == [True]
    shop.clock.tick(hours=1)
    shop.app.set_quantity(shop.app.product_by_sku("A").id, 40)
    shop.sync(FULL, may_wait=False)
    assert not PutOff.objects.exists()
    assert asked() == []
