"""Cases 4 and 5: a system that asks for peace, or fails again and again, is left alone; others go on; it comes back by itself."""

from datetime import timedelta

import pytest

from connectors.errors import ConfigError, RetryableError
from connectors.models import Connection
from connectors.rests import rest_after
from connectors.services import health_record
from sync.models import InboundEvent, SyncRun
from sync.services.inbox import inbox_work
from sync.services.order_poll import orders_poll
from tests import factories as make
from tests.conftest import NOW
from tests.sync.hooked import share_secret, tell, work
from tests.sync.shop import INCREMENTAL, Shop

pytestmark = pytest.mark.django_db
DOWN = RetryableError("The shop's server failed (502).", code="http_502")


@pytest.fixture
def shop(open_shop) -> Shop:
    shop = open_shop(stock={"MUG": 10})
    shop.running()
    share_secret(shop.store)
    return shop


def poll(shop: Shop) -> str:
    return orders_poll(store=shop.store, now=shop.clock.now)


def stored(shop: Shop) -> Connection:
    return Connection.objects.get(pk=shop.store.pk)


def break_down(shop: Shop, times: int = 3) -> None:
    """The shop answers 502 to everything, and is polled so often."""
    shop.app.faults.arm("gateway", status=502, count=None)
    for _ in range(times):
        assert poll(shop) == "failed"


# -- how long ----------------------------------------------------------------------------------------------------------


def test_the_pause_begins_with_the_third_failure_doubles_and_stays_below_five_minutes():
    longest = [rest_after(failures=n, spread=1) for n in range(8)]
    assert longest[:3] == [None] * 3
    assert longest[3:] == [timedelta(minutes=m) for m in (1, 2, 4, 4, 4)]
    assert rest_after(failures=10_000, spread=1) == timedelta(minutes=4)


def test_those_that_failed_together_come_back_apart():
    assert [rest_after(failures=3, spread=spread) for spread in (0, 0.5, 1)] == [timedelta(seconds=s) for s in (30, 45, 60)]


# -- a burst of 502 ----------------------------------------------------------------------------------------------------


def test_a_shop_that_failed_three_times_is_asked_nothing_until_its_pause_is_over(shop):
    break_down(shop)
    rests_until = stored(shop).rests_until
    assert timedelta(seconds=30) <= rests_until - shop.clock.at <= timedelta(minutes=1)
    asked = len(shop.app.requests)
    assert poll(shop) == "failed"
    assert shop.sync(INCREMENTAL, may_wait=False).state == "failed"
    assert len(shop.app.requests) == asked
    assert (stored(shop).failures_in_row, stored(shop).rests_until) == (3, rests_until)  # what was not asked says nothing new


def test_it_closes_by_itself_once_the_shop_is_back(shop):
    break_down(shop)
    shop.app.faults.clear()
    shop.app.place_order([("MUG", 2)])
    shop.clock.tick(minutes=1, seconds=1)
    assert poll(shop) == "done"
    assert stored(shop).failures_in_row == 0
    assert shop.movements() == [("MUG", -2)]


def test_a_shop_that_is_still_down_gets_a_longer_pause(shop):
    break_down(shop)
    shop.clock.tick(minutes=1, seconds=1)
    assert poll(shop) == "failed"
    assert timedelta(minutes=1) <= stored(shop).rests_until - shop.clock.at <= timedelta(minutes=2)


def test_the_manager_sees_it_on_the_connections_page_and_in_the_list(shop, admin_client):
    failing = make.store_connection("failing")
    from django.utils import timezone

    for _ in range(3):
        health_record(connection=failing, error=DOWN, now=timezone.now())
    for url in ("/admin/connectors/connection/", f"/admin/connectors/connection/{failing.pk}/change/"):
        html = admin_client.get(url).content.decode()
        assert "▲</span> Left alone until " in html
        assert "The shop&#x27;s server failed (502)." in html


def test_what_was_told_meanwhile_is_booked_all_the_same(shop):
    order = shop.app.place_order([("MUG", 1)]).id
    break_down(shop)
    assert tell(shop, order).status_code == 200
    assert work(shop) == "done"
    assert InboundEvent.objects.get().state == "done"
    assert shop.movements() == [("MUG", -1)]


def test_the_others_go_on(shop):
    break_down(shop)
    other = make.store_connection("other")
    assert other.rests_until is None
    assert stored(shop).rests_until is not None
    assert Connection.objects.get(pk=shop.pos.pk).rests_until is None


@pytest.mark.parametrize("who", ["the admin's test", "a person's sync", "the command"])
def test_a_person_need_not_wait(shop, admin_client, admin_user, who):
    break_down(shop)
    shop.app.faults.clear()
    if who == "the admin's test":
        html = admin_client.post(f"/admin/connectors/connection/{shop.store.pk}/test/").content.decode()
        assert "can be used" in html
        assert stored(shop).rests_until is None
    elif who == "a person's sync":
        assert shop.sync(INCREMENTAL, by=admin_user).state == "done"
    else:
        from django.core.management import call_command

        call_command("inventory_sync", "--incremental", "--no-wait", verbosity=0)
        assert SyncRun.objects.latest("pk").state == "done"


def test_what_only_a_person_can_mend_is_not_paused(shop):
    wrong_key = ConfigError("The key was refused.", code="key")
    for _ in range(10):
        health_record(connection=shop.store, error=wrong_key, now=NOW)
    assert (stored(shop).failures_in_row, stored(shop).rests_until) == (10, None)


def test_a_folder_has_nothing_to_recover_from(shop):
    for _ in range(10):
        health_record(connection=shop.pos, error=DOWN, now=NOW)
    assert Connection.objects.get(pk=shop.pos.pk).rests_until is None


# -- 429 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("retry_after", ["600", "date:600"])
def test_a_shop_that_asks_for_ten_minutes_gets_them_from_every_process(shop, retry_after):
    shop.app.faults.arm("rate_limit", retry_after=retry_after)
    assert poll(shop) == "failed"
    left = stored(shop).rests_until - shop.clock.at
    assert timedelta(seconds=590) < left <= timedelta(seconds=600)
    asked = len(shop.app.requests)
    shop.clock.tick(minutes=5)
    assert poll(shop) == "failed"  # a door of its own, as another process would have
    assert len(shop.app.requests) == asked
    shop.clock.tick(minutes=5, seconds=1)
    assert poll(shop) == "done"


def test_a_shop_that_asks_for_it_while_we_write_gets_it_though_the_run_is_not_failed(shop):
    shop.till.sell("MUG", 1)
    shop.clock.tick(minutes=10)
    shop.export()
    shop.app.faults.arm("rate_limit", method="POST", retry_after="600")
    assert shop.sync(may_wait=False).state == "partial"
    assert stored(shop).rests_until > shop.clock.at + timedelta(seconds=590)
    inbox_work(store=shop.store, now=shop.clock.now)
    shop.clock.tick(minutes=15)  # attempts are spread, and never sooner than it asked
    assert shop.sync(INCREMENTAL).state == "done"
    assert shop.shown() == shop.expected()


def test_a_short_wait_is_slept_through_and_kept_by_nobody_else(shop):
    shop.app.faults.arm("rate_limit", retry_after="0")
    assert poll(shop) == "done"
    assert stored(shop).rests_until is None
