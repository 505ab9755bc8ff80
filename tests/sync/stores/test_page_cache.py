"""A page cache in front of the shop's API: what is read is fresh, or refused as old; never a write on a kept one (cases/05)."""

import pytest

from connectors.models import Connection
from connectors.services import connection_check
from sync.orders.poll import orders_poll
from tests.sync.shop import INCREMENTAL, Shop

pytestmark = pytest.mark.django_db
DROPS_UNKNOWN = [
    {"says_age": True},
    {"says_age": False, "headers": {"X-LiteSpeed-Cache": "hit"}},
    {"says_age": False},  # keeps, and says nothing of it
]


@pytest.fixture
def shop(open_shop) -> Shop:
    shop = open_shop(stock={"A": 30, **dict.fromkeys("BCDEFGH", 10)})
    shop.running()
    return shop


def sells(shop: Shop) -> None:
    """Something goes at the till, and something in the shop."""
    shop.clock.tick(minutes=10)
    shop.till.sell("A", 2)
    shop.app.place_order([("A", 1)])
    shop.till.sell("A", 1)  # and somebody enters the order at the till
    shop.clock.tick(minutes=10)
    shop.export()


def check(shop: Shop):
    return connection_check(connection=Connection.objects.get(pk=shop.store.pk), now=shop.clock.now)


@pytest.mark.parametrize("says_age", [True, False])
def test_behind_a_cache_that_keeps_whole_addresses_nothing_wrong_is_ever_written(shop, says_age):
    cache = shop.app.cache_pages(says_age=says_age, headers={"X-Cache": "HIT"})
    for _ in range(3):
        shop.clock.tick(minutes=10)
        shop.till.sell("A", 2)
        shop.clock.tick(minutes=10)
        shop.export()
        assert shop.sync().state == "done"
        assert shop.app.product_by_sku("A").quantity == shop.till.on_hand("A")
        shop.clock.tick(minutes=5)
        shop.sync(INCREMENTAL)
    assert shop.sent() == {"A": [-2, -2, -2]}
    assert cache.hits == 0
    assert check(shop).ok


@pytest.mark.parametrize("cache", DROPS_UNKNOWN)
def test_behind_a_cache_that_drops_what_it_does_not_know_nothing_is_read_or_written(shop, cache):
    shop.app.cache_pages(ignores_unknown=True, **cache)
    shop.sync()  # whatever this one reads is new, and kept from now on
    wrote = len(shop.app.writes)
    for _ in range(3):
        sells(shop)
        run = shop.sync()
        assert run.state == "failed"
        assert "A cache answers in the shop's place" in run.message
        assert "Exclude /wp-json/ from the page cache" in run.message
    assert len(shop.app.writes) == wrote
    assert "A cache answers in the shop's place" in " ".join(one.message for one in check(shop).findings if not one.ok)
    shop.app.page_cache = None
    shop.clock.tick(minutes=10)
    assert shop.sync().state == "done"


def test_a_first_test_finds_a_silent_cache_too(shop):
    shop.app.cache_pages(ignores_unknown=True, says_age=False)
    assert not check(shop).ok


def test_orders_from_a_cache_are_none(shop):
    shop.app.cache_pages(ignores_unknown=True)
    same = Connection.objects.get(pk=shop.store.pk).orders_read_until

    def poll() -> str:
        Connection.objects.filter(pk=shop.store.pk).update(orders_read_until=same)  # the same address but for what is new in it
        return orders_poll(store=shop.store, now=shop.clock.now)

    assert poll() == "done"
    shop.app.place_order([("A", 1)])
    shop.clock.tick(minutes=1)
    assert poll() == "failed"
    assert Connection.objects.get(pk=shop.store.pk).last_error_code == "cached"
    shop.app.page_cache = None
    assert poll() == "done"
    assert shop.movements() == [("A", -1)]
