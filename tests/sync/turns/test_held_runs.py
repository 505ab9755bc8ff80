"""Runs that would do too much at once wait for a manager, with a preview."""

import pytest
from django.contrib.auth.models import User

from inventory.models import Listing
from sync.models import OutboundWrite, SyncRun, TillFeed
from sync.turns.run import run_discard
from tests.sync.shop import FULL, INCREMENTAL

pytestmark = pytest.mark.django_db
STOCK = {f"S{n:02}": 5 + n for n in range(40)}


@pytest.fixture
def manager() -> User:
    return User.objects.create_user("manager")


def sold_out(shop, count: int) -> None:
    """So many items sell out at the till; its file is not what is held."""
    shop.pos.settings |= {"max_zeroed_percent": 100}
    shop.pos.save()
    for sku in list(STOCK)[:count]:
        shop.till.count(sku, 0)
    shop.till.sell("S39", 1)
    shop.clock.tick(minutes=10)
    shop.export()


@pytest.mark.parametrize("kind", SyncRun.Kind.values)
def test_a_run_that_would_zero_too_much_is_held_and_writes_nothing(open_shop, kind):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    shown = shop.shown()
    run = shop.sync(kind)
    assert run.state == "held"
    assert "12 of 40" in run.message
    assert len(run.preview) == 13
    assert {"sku": "S00", "woo_sku": "S00", "from": "5", "to": "0"} in run.preview
    assert shop.app.writes == []
    assert shop.shown() == shown
    assert OutboundWrite.objects.filter(state="pending").count() == 0


def test_a_run_that_zeroes_a_few_goes_on(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 9)
    assert shop.sync().state == "done"
    assert shop.shown() == shop.expected()


def test_a_released_run_reads_again_and_writes_what_is_right_by_then(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    held = shop.sync()
    shop.till.receive("S00", 3)
    shop.clock.tick(minutes=10)
    shop.export()
    run = shop.sync(FULL, release=held, by=manager)
    assert (run.pk, run.state, run.decided_by) == (held.pk, "done", manager)
    assert run.held_for == []
    assert shop.shown() == shop.expected()
    assert shop.sent()["S00"] == [-2]
    assert len(shop.sent()) == 13


def test_a_discarded_run_writes_nothing(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    held = shop.sync()
    run_discard(run=held, by=manager, now=shop.clock.now())
    assert SyncRun.objects.get(pk=held.pk).state == "discarded"
    assert shop.app.writes == []
    assert SyncRun.objects.filter(state="running").count() == 0


def test_the_next_run_replaces_a_held_one_and_is_held_itself(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    first = shop.sync()
    second = shop.sync(INCREMENTAL)
    assert second.state == "held"
    assert SyncRun.objects.get(pk=first.pk).state == "discarded"
    assert SyncRun.objects.filter(state="held").count() == 1
    assert shop.app.writes == []


def test_a_shop_whose_catalogue_shrank_is_held_and_nothing_is_missing_yet(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    with shop.app.catalogue.lock:
        for sku in list(STOCK)[:15]:
            shop.app.catalogue.remove(shop.app.product_by_sku(sku))
    shop.till.sell("S39", 1)
    shop.clock.tick(minutes=10)
    shop.export()
    held = shop.sync()
    assert held.state == "held"
    assert "25" in held.message
    assert Listing.objects.filter(missing_since=None).count() == 40
    assert shop.app.writes == []
    run = shop.sync(FULL, release=held, by=manager)
    assert run.state == "done"
    assert Listing.objects.exclude(missing_since=None).count() == 15
    assert shop.sent() == {"S39": [-1]}


@pytest.mark.parametrize("what", ["shrunk", "emptied"])
def test_a_suspicious_export_is_held_and_used_once_it_is_released(open_shop, manager, what):
    shop = open_shop(stock=STOCK)
    shop.store.guard_zero_percent = 100
    shop.store.save()
    shop.running()
    shop.clock.tick(minutes=10)
    if what == "shrunk":
        lines = shop.exporter.write()
        content = lines.read_bytes().split(b"\r\n")
        lines.unlink()
        shop.clock.tick(minutes=1)
        shop.drop(b"\r\n".join([*content[:21], b""]))
    else:
        for sku in list(STOCK)[:20]:
            shop.till.count(sku, 0)
        shop.export()
    held = shop.sync()
    assert held.state == "held"
    assert shop.app.writes == []
    assert shop.movements() == []
    feed = TillFeed.objects.get(state="held")
    assert feed.message
    assert feed.run == held
    assert len(shop.waiting_files("held")) == 1
    run = shop.sync(FULL, release=held, by=manager)
    assert run.state == "done"
    feed.refresh_from_db()
    assert feed.state == "applied"
    if what == "shrunk":
        assert run.counts["items_missing"] == 20
        assert shop.app.writes == []
        assert shop.shown() == STOCK
    else:
        assert shop.shown() == shop.expected()
        assert len(shop.movements()) == 20


def test_releasing_one_run_does_not_let_a_new_suspicious_export_through(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    with shop.app.catalogue.lock:
        for sku in list(STOCK)[:15]:
            shop.app.catalogue.remove(shop.app.product_by_sku(sku))
    held = shop.sync()
    for sku in list(STOCK)[15:35]:
        shop.till.count(sku, 0)
    shop.clock.tick(minutes=10)
    shop.export()
    run = shop.sync(FULL, release=held, by=manager)
    assert run.state == "held"
    assert TillFeed.objects.filter(state="held").count() == 1
    assert shop.movements() == []
    assert shop.app.writes == []


def test_a_released_run_that_would_zero_clearly_more_than_the_preview_is_held_again(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    held = shop.sync()
    for sku in list(STOCK)[12:30]:
        shop.till.count(sku, 0)
    shop.clock.tick(minutes=10)
    shop.export()
    again = shop.sync(FULL, release=held, by=manager)
    assert (again.pk, again.state) == (held.pk, "held")
    assert "30 of 40" in again.message
    assert "12 of which you have let pass" in again.message
    assert len(again.preview) == 31
    assert shop.app.writes == []
    done = shop.sync(FULL, release=again, by=manager)
    assert done.state == "done"
    assert shop.shown() == shop.expected()


def test_a_released_run_may_zero_a_few_more_than_the_preview(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    sold_out(shop, 12)
    held = shop.sync()
    for sku in list(STOCK)[12:15]:
        shop.till.count(sku, 0)
    shop.clock.tick(minutes=10)
    shop.export()
    assert shop.sync(FULL, release=held, by=manager).state == "done"
    assert shop.shown() == shop.expected()


def test_a_catalogue_that_shrinks_on_after_the_preview_is_held_again(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()

    def gone(skus):
        with shop.app.catalogue.lock:
            for sku in skus:
                shop.app.catalogue.remove(shop.app.product_by_sku(sku))

    gone(list(STOCK)[:15])
    held = shop.sync()
    gone(list(STOCK)[15:27])
    again = shop.sync(FULL, release=held, by=manager)
    assert again.state == "held"
    assert Listing.objects.filter(missing_since=None).count() == 40
    assert shop.sync(FULL, release=again, by=manager).state == "done"
    assert Listing.objects.exclude(missing_since=None).count() == 27


def test_a_run_held_for_its_export_shows_what_it_would_zero_before_it_does(open_shop, manager):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.clock.tick(minutes=10)
    for sku in list(STOCK)[:20]:
        shop.till.count(sku, 0)
    shop.export()
    held = shop.sync()
    assert (held.state, held.preview) == ("held", [])
    again = shop.sync(FULL, release=held, by=manager)
    assert (again.state, len(again.preview)) == ("held", 20)
    assert shop.app.writes == []
    assert shop.sync(FULL, release=again, by=manager).state == "done"
    assert shop.shown() == shop.expected()
