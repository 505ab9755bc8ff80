"""What the shop refuses is named, and the others go."""

from decimal import Decimal

import pytest

from inventory.models import Listing
from sandbox.woocommerce.errors import RestError
from sync.models import OutboundWrite, RunProblem, SyncState
from sync.turns.decisions import writes_retry
from tests.sync.shop import INCREMENTAL, problems

pytestmark = pytest.mark.django_db
STOCK = {"A": 5, "B": 6, "C": 7}


def sold_everywhere(shop) -> None:
    for sku in STOCK:
        shop.till.sell(sku, 1)
    shop.clock.tick(minutes=10)
    shop.export()


def delete(shop, sku: str) -> None:
    with shop.app.catalogue.lock:
        shop.app.catalogue.remove(shop.app.product_by_sku(sku))


def test_a_listing_deleted_in_the_shop_is_flagged_and_the_others_go(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_everywhere(shop)
    delete(shop, "B")
    run = shop.sync()
    assert shop.sent() == {"A": [-1], "C": [-1]}
    assert problems(run) == [("B", None, "listing_deleted")]
    assert run.counts["listings_missing"] == 1
    listing = Listing.objects.get(sku="B")
    assert (listing.missing_since is not None, listing.baseline, listing.quantity) == (True, STOCK["B"], None)
    assert SyncState.objects.get(woo_sku="B").sync_status == "conflict"
    again = shop.sync()
    assert problems(again) == []


def test_a_listing_that_is_back_from_the_bin_is_brought_into_step(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    with shop.app.catalogue.lock:
        kept = shop.app.product_by_sku("B")
        shop.app.catalogue.remove(kept)
    shop.sync()
    shop.clock.tick(minutes=10)
    sold_everywhere(shop)
    shop.app.catalogue.add(kept)
    shop.sync()
    assert shop.shown() == {"A": 4, "B": 5, "C": 6}
    assert SyncState.objects.get(woo_sku="B").sync_status == "synced"


@pytest.mark.parametrize("change", ["deleted", "not_counted"])
def test_what_happens_between_reading_and_writing_is_refused_by_item_and_the_others_go(open_shop, change):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_everywhere(shop)

    def meanwhile(phase, done, total):
        if phase == "deliver" and not done and "B" in {each.sku for each in shop.app.catalogue.products.values()}:
            if change == "deleted":
                delete(shop, "B")
            else:
                found = shop.app.product_by_sku("B")
                found.manage_stock, found.quantity = False, None

    b = shop.app.product_by_sku("B").id
    run = shop.sync(progress=meanwhile)
    sent = [item for request in shop.app.writes for item in request.body["update"]]
    assert [item["id"] for item in sent].count(b) == 1
    shown = shop.shown()
    assert (shown["A"], shown["C"]) == (4, 6)
    assert shown.get("B") is None
    assert run.state == "partial"
    (problem,) = RunProblem.objects.filter(run=run)
    assert problem.subject == "B"
    assert problem.next_step
    write = OutboundWrite.objects.get(listing__sku="B", state="rejected")
    assert write.error
    assert SyncState.objects.get(woo_sku="B").sync_status == "error"
    shop.app.forget_requests()
    shop.clock.tick(minutes=10)
    shop.sync(INCREMENTAL)
    assert shop.app.writes == []
    full = shop.sync()
    assert shop.app.writes == []
    assert SyncState.objects.get(woo_sku="B").sync_status == "conflict"
    assert full.counts.get("failures", 0) == 0


def plugin_refuses(shop, monkeypatch, sku: str) -> None:
    """A plugin of the shop refuses every change of one product, and shows it as ever."""
    routes, plain = shop.app._products, shop.app._products._update

    def update(target, body):
        if target.sku == sku:
            raise RestError(400, "locked_by_plugin", "This product is locked.")
        plain(target, body)

    monkeypatch.setattr(routes, "_update", update)


def test_a_refused_number_is_not_sent_again_until_it_changes(open_shop, monkeypatch):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_everywhere(shop)
    plugin_refuses(shop, monkeypatch, "B")
    first = shop.sync()
    assert shop.sent() == {"A": [-1], "B": [-1], "C": [-1]}
    assert [(subject, code) for subject, _, code in problems(first)] == [("B", "locked_by_plugin")]
    assert shop.shown() == {"A": 4, "B": 6, "C": 6}
    state = SyncState.objects.get(woo_sku="B")
    assert (state.sync_status, "locked" in state.reason) == ("error", True)
    shop.app.forget_requests()
    for kind in (INCREMENTAL, "full"):
        shop.clock.tick(minutes=15)
        again = shop.sync(kind)
        assert shop.app.writes == []
        assert again.counts["quarantined"] == 1
        assert again.counts["failed"] == 1
    shop.till.sell("B", 1)
    shop.clock.tick(minutes=15)
    shop.export()
    shop.sync()
    assert shop.sent() == {"B": [-2]}


def test_a_refused_number_goes_again_when_a_manager_says_so(open_shop, monkeypatch):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_everywhere(shop)
    with monkeypatch.context() as patch:
        plugin_refuses(shop, patch, "B")
        shop.sync()
    shop.app.forget_requests()
    assert writes_retry(writes=OutboundWrite.objects.filter(listing__sku="B")) == 1
    shop.clock.tick(minutes=1)
    run = shop.sync()
    assert shop.sent() == {"B": [-1]}
    assert shop.shown()["B"] == 5
    assert run.state == "done"
    assert SyncState.objects.get(woo_sku="B").sync_status == "synced"


def test_a_refused_number_goes_again_after_a_day(open_shop, monkeypatch):
    shop = open_shop(stock=STOCK, tls=True)
    shop.running()
    sold_everywhere(shop)
    with monkeypatch.context() as patch:
        plugin_refuses(shop, patch, "B")
        shop.sync()
    shop.app.forget_requests()
    shop.clock.tick(hours=25)
    shop.sync()
    assert shop.sent() == {"B": [-1]}
    assert OutboundWrite.objects.filter(listing__sku="B").order_by("id").values_list("state", "delta").last() == (
        "applied",
        Decimal(-1),
    )
