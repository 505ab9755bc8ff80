"""After a full sync every pair shows the till's number, proved by reading the shop."""

import pytest

from alignment.models import Alignment
from sync.models import OutboundWrite, SyncLog, SyncRun, SyncState
from tests.sync.shop import HYDRO, Shop, hydro_pairs, product

pytestmark = pytest.mark.django_db


def hydro(open_shop, **options) -> Shop:
    shop = open_shop(listed=[], **options)
    shop.till.load_csv(HYDRO / "pos_export.csv")
    shop.app.load(HYDRO / "store_catalogue.json")
    return shop


@pytest.mark.every_database
@pytest.mark.slow
@pytest.mark.parametrize(("version", "tls"), [("10.5", True), ("10.2", False)])
def test_the_sample_shop_shows_the_tills_numbers_after_one_sync_and_the_next_writes_nothing(open_shop, version, tls):
    shop = hydro(open_shop, version=version, tls=tls, batch_size=100)
    pairs = hydro_pairs()
    shop.open(pairs=pairs)
    before, till = shop.shown(), shop.expected()
    counted = {woo: till[pos] for pos, woo in pairs if before[woo] is not None}
    wrong = {woo: should for woo, should in counted.items() if before[woo] != should}
    assert len(pairs) > 1300
    assert len(wrong) > 100
    shop.app.forget_requests()

    run = shop.sync()

    after = shop.shown()
    assert {woo: after[woo] for woo in counted} == counted
    assert {woo: after[woo] for woo in after if woo not in counted} == {woo: before[woo] for woo in before if woo not in counted}
    assert shop.sent() == {woo: [should - before[woo]] for woo, should in wrong.items()}
    assert sorted(shop.logged()) == sorted((woo, str(before[woo]), str(should)) for woo, should in wrong.items())
    assert (run.state, run.counts["writes"], run.counts["in_step"]) == (SyncRun.State.DONE, len(wrong), len(counted))

    shop.app.forget_requests()
    shop.clock.tick(minutes=5)
    again = shop.sync()
    assert shop.app.writes == []
    assert again.state == SyncRun.State.DONE
    assert SyncLog.objects.count() == len(wrong)
    assert OutboundWrite.objects.count() == len(wrong)


def test_what_the_shop_does_not_count_is_left_alone_and_needs_a_decision(open_shop):
    listed = [
        product(11, "OWN", 3),
        product(12, "UNMANAGED", None),
        product(13, "DRAFT", 3, status="draft"),
        product(20, "PARENT", 9, type="variable"),
        product(21, "OF-PARENT", None, parent_id=20),
        product(30, "FREE", None, type="variable"),
        product(31, "VARIATION", 1, parent_id=30),
    ]
    shop = open_shop(stock={"OWN": 5, "UNMANAGED": 5, "DRAFT": 5, "OF-PARENT": 5, "VARIATION": 5}, listed=listed)
    run = shop.running()
    assert shop.shown() == {"OWN": 5, "UNMANAGED": None, "DRAFT": 5, "PARENT": 9, "OF-PARENT": None, "FREE": None, "VARIATION": 5}
    assert run.state == SyncRun.State.DONE
    states = dict(SyncState.objects.values_list("woo_sku", "sync_status"))
    assert states == {
        "OWN": "synced", "UNMANAGED": "conflict", "DRAFT": "synced", "OF-PARENT": "conflict", "VARIATION": "synced",
    }  # fmt: skip
    assert SyncState.objects.get(woo_sku="UNMANAGED").woo_quantity is None


def test_a_negative_shelf_and_a_fraction_never_promise_what_is_not_there(open_shop):
    shop = open_shop(stock={"OWED": -2, "LOOSE": "3.75"}, listed=[product(11, "OWED", 4), product(12, "LOOSE", 9)])
    shop.running()
    assert shop.shown() == {"OWED": 0, "LOOSE": 3}
    shop.sync()
    assert shop.app.writes == []


def test_proposed_and_rejected_pairs_are_not_written(open_shop):
    shop = open_shop(stock={"A": 5, "B": 5, "C": 5}, listed=[product(11, "A", 1), product(12, "B", 1), product(13, "C", 1)])
    shop.open()
    Alignment.objects.filter(item__sku="B").update(status=Alignment.Status.PROPOSED)
    Alignment.objects.filter(item__sku="C").update(status=Alignment.Status.REJECTED)
    shop.sync()
    assert shop.sent() == {"A": [4]}
    assert shop.shown() == {"A": 5, "B": 1, "C": 1}


def test_an_item_sold_as_two_listings_shows_one_shelf_in_both(open_shop):
    shop = open_shop(stock={"A": 5}, listed=[product(11, "A", 1), product(12, "A-GIFT", 9)])
    shop.open(pairs=[("A", "A"), ("A", "A-GIFT")])
    shop.sync()
    assert shop.shown() == {"A": 5, "A-GIFT": 5}
    shop.clock.tick(minutes=5)
    shop.app.place_order([("A", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    assert shop.shown() == {"A": 3, "A-GIFT": 3}
    assert shop.movements() == [("A", -2)]
