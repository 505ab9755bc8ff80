"""Cases 4 and 5: a system that asks for peace, or fails again and again, is left alone; others go on; it comes back by itself."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.errors import ConfigError, RetryableError
from connectors.management.base import CommandExit
from connectors.models import Connection
from connectors.rests import rest_after
from connectors.services import connection_check, connection_try, health_record
from sandbox.server import serve
from sync.models import InboundEvent, SyncRun
from sync.orders.inbox import inbox_work
from sync.orders.poll import orders_poll
from sync.outbox.sweep import outbox_sweep
from sync.stores.hooks import hooks_check
from tests import factories as make
from tests.conftest import NOW
from tests.sync.hooked import share_secret, tell, work
from tests.sync.shop import INCREMENTAL, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.every_database]
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
    left = stored(shop).peace_until - shop.clock.at
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
    assert stored(shop).peace_until > shop.clock.at + timedelta(seconds=590)
    inbox_work(store=shop.store, now=shop.clock.now)
    shop.clock.tick(minutes=15)  # attempts are spread, and never sooner than it asked
    assert shop.sync(INCREMENTAL).state == "done"
    assert shop.shown() == shop.expected()


def test_a_short_wait_is_slept_through_and_kept_by_nobody_else(shop):
    shop.app.faults.arm("rate_limit", retry_after="0")
    assert poll(shop) == "done"
    assert (stored(shop).rests_until, stored(shop).peace_until) == (None, None)


def test_a_person_who_wants_it_asked_all_the_same_is_told_until_when_it_is_not(shop, admin_user, admin_client):
    shop.app.faults.arm("rate_limit", retry_after="600")
    assert poll(shop) == "failed"
    asked = len(shop.app.requests)
    until = f"until {shop.clock.at + timedelta(minutes=10):%H:%M}"
    run = shop.sync(by=admin_user)
    assert (run.state, f"The shop asked to be left alone {until} UTC" in run.message) == ("failed", True)
    out = StringIO()
    with pytest.raises(CommandExit):
        call_command("inventory_sync", "--full", "--no-wait", stdout=out)
    assert f"{until} UTC" in out.getvalue()
    report = connection_check(connection=stored(shop), now=shop.clock.now)
    assert until in report.findings[0].message
    pages_until = timezone.now() + timedelta(minutes=10)  # pages have a real clock
    Connection.objects.filter(pk=shop.store.pk).update(peace_until=pages_until)
    html = admin_client.get(f"/admin/connectors/connection/{shop.store.pk}/change/").content.decode()
    assert "▲</span> Left alone until " in html
    assert "It asked us to wait. Nobody asks it before, a person neither." in html
    assert len(shop.app.requests) == asked
    Connection.objects.filter(pk=shop.store.pk).update(peace_until=shop.clock.at)
    assert shop.sync(by=admin_user).state == "done"


def test_the_wish_of_one_address_does_not_bind_another(shop):
    shop.app.faults.arm("rate_limit", retry_after="600")
    assert poll(shop) == "failed"
    assert not connection_try(draft=stored(shop), now=shop.clock.now).ok  # something else may be new: it is the same shop
    assert stored(shop).rest(shop.clock.now()).is_wish
    with serve(shop.app) as moved:
        draft = stored(shop)
        draft.settings = {**draft.settings, "url": moved.url}
        assert connection_try(draft=draft, now=shop.clock.now).ok
    assert stored(shop).rest(shop.clock.now()) is None


# -- an update of the shop: 503, and a guess of ten minutes ------------------------------------------------------------


def sell_in_the_shop_and_at_the_till(shop: Shop) -> None:
    """One thing that the till is to hear of, and one that the shop is to hear of."""
    shop.till.sell("MUG", 1)
    shop.clock.tick(minutes=10)
    shop.export()


@pytest.mark.parametrize(
    "fault", [{"kind": "maintenance"}, {"kind": "gateway", "status": 503, "retry_after": "600", "method": "GET"}]
)
def test_within_a_minute_of_an_update_orders_are_booked_and_writes_go_out(shop, fault):
    sell_in_the_shop_and_at_the_till(shop)
    shop.app.faults.arm(kind="maintenance", method="POST")
    assert shop.sync(INCREMENTAL, may_wait=False).state == "partial"
    shop.clock.tick(minutes=1)
    shop.app.faults.arm(**fault, count=4)
    assert poll(shop) == "failed"
    shop.app.faults.clear()
    order = shop.app.place_order([("MUG", 2)])
    outbox_sweep(now=shop.clock.now)
    assert shop.sent() == {"MUG": [-1]}  # the one that was turned away
    shop.clock.tick(minutes=1)
    outbox_sweep(now=shop.clock.now)
    assert shop.movements() == [("MUG", -1), ("MUG", -order.lines[0].quantity)]
    assert shop.shown() == {"MUG": 10 - 1 - 2}
    assert stored(shop).failures_in_row == 0


def test_an_update_that_lasts_is_asked_about_each_minute_however_often_it_said_ten(shop):
    shop.app.faults.arm("maintenance", count=None)
    poll(shop)
    for _ in range(8):
        asked = len(shop.app.requests)
        outbox_sweep(now=shop.clock.now)
        shop.clock.tick(seconds=59)
        outbox_sweep(now=shop.clock.now)
        assert len(shop.app.requests) == asked
        shop.clock.tick(seconds=1)
        outbox_sweep(now=shop.clock.now)
        assert asked < len(shop.app.requests) <= asked + 2  # orders, and those in the bin beside them
    shop.app.faults.clear()
    shop.app.place_order([("MUG", 1)])
    shop.clock.tick(minutes=1)
    outbox_sweep(now=shop.clock.now)
    assert shop.movements() == [("MUG", -1)]
    asked = len(shop.app.requests)
    shop.clock.tick(minutes=1)
    outbox_sweep(now=shop.clock.now)
    assert len(shop.app.requests) == asked  # it is back: the polls' business again


def test_what_was_turned_away_during_an_update_goes_out_with_a_persons_sync_at_once(shop, admin_user):
    sell_in_the_shop_and_at_the_till(shop)
    shop.app.faults.arm("maintenance", method="POST")
    assert shop.sync(may_wait=False).state == "partial"
    assert shop.shown() == {"MUG": 10}
    assert shop.sync(by=admin_user).state == "done"
    assert shop.shown() == {"MUG": 9}


def test_a_write_refused_for_a_429_waits_for_it_also_in_a_persons_sync(shop, admin_user):
    sell_in_the_shop_and_at_the_till(shop)
    fault = shop.app.faults.arm("rate_limit", method="POST", retry_after="9")
    assert shop.sync(may_wait=False).state == "partial"
    assert shop.sync(by=admin_user, may_wait=False).state == "partial"
    assert fault.hits == len(shop.app.writes) == 1
    shop.clock.tick(seconds=10)
    assert shop.sync(by=admin_user).state == "done"
    assert shop.shown() == {"MUG": 9}


def test_the_webhook_check_leaves_what_it_knew_where_the_shop_is_left_alone(shop, settings):
    settings.EVENSTOCK_PUBLIC_URL = "https://office.example.com"
    known = hooks_check(store=stored(shop), now=shop.clock.now).state
    shop.app.faults.arm("maintenance")
    assert poll(shop) == "failed"
    health = hooks_check(store=stored(shop), now=shop.clock.now)
    assert (health.state, known) == ("working", "working")
    shop.clock.tick(minutes=1)
    assert hooks_check(store=stored(shop), now=shop.clock.now).checked_at == shop.clock.at
