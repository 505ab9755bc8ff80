"""The gap detector: webhooks are made, watched, mended, and what they missed is polled (reliability.md, case 24)."""

import json
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from connectors.models import Connection
from inventory.models import Movement
from sync.models import HookHealth
from sync.orders.poll import orders_poll
from sync.stores.hooks import hooks_check
from tests.sync.hooked import post, signed, work
from tests.sync.shop import Shop

TOPICS = ["order.created", "order.deleted", "order.restored", "order.updated"]
PUBLIC = "http://127.0.0.1:9"  # nobody listens there: these tests hand webhooks in themselves
ADDRESS = f"{PUBLIC}/webhooks/woocommerce/store/"
ONLINE = Movement.Kind.ONLINE


@pytest.fixture
def shop(open_shop: Callable[..., Shop], settings) -> Shop:
    settings.EVENSTOCK_PUBLIC_URL = PUBLIC
    shop = open_shop(stock={"MUG-1": 10}, till_mode="live")
    shop.running()
    return shop


def check(shop: Shop) -> HookHealth:
    return hooks_check(store=Connection.objects.get(pk=shop.store.pk), now=shop.clock.now)


def at_the_shop(shop: Shop) -> list[tuple[str, str, str]]:
    return sorted((hook.topic, hook.delivery_url, hook.status) for hook in shop.app.hooks.hooks.values())


def poll(shop: Shop) -> None:
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"


def test_webhooks_for_orders_are_made_once_with_a_secret_of_their_own(shop):
    assert check(shop).state == "working"
    assert at_the_shop(shop) == [(topic, ADDRESS, "active") for topic in TOPICS]
    secret = Connection.objects.get(pk=shop.store.pk).credentials["webhook_secret"]
    assert len(secret) == 64
    assert {hook.secret for hook in shop.app.hooks.hooks.values()} == {secret}
    numbers = list(shop.app.hooks.hooks)
    shop.clock.tick(minutes=15)
    assert check(shop).state == "working"
    assert list(shop.app.hooks.hooks) == numbers
    assert [request.method for request in shop.app.requests if "webhooks" in request.path].count("POST") == 4


def test_the_secret_is_told_to_nobody_but_the_shop(shop, caplog):
    check(shop)
    secret = Connection.objects.get(pk=shop.store.pk).credentials["webhook_secret"]
    health = HookHealth.objects.get()
    said = json.dumps([health.message, health.secret_mark, health.address, caplog.text])
    said += "".join(f"{call.path}{call.error}" for call in shop.store.calls.all())
    assert secret not in said


def test_without_a_public_address_nothing_is_made_and_polling_does_the_work(shop, settings):
    settings.EVENSTOCK_PUBLIC_URL = ""
    health = check(shop)
    assert (health.state, "polled" in health.message) == ("off", True)
    assert at_the_shop(shop) == []
    assert shop.app.requests == []


@pytest.mark.parametrize("status", ["disabled", "paused"])
def test_a_webhook_that_was_switched_off_is_made_anew_and_what_it_missed_is_polled(shop, status, caplog):
    check(shop)
    old = next(hook for hook in shop.app.hooks.hooks.values() if hook.topic == "order.updated")
    old.status, old.failures = status, 6
    shop.app.place_order([("MUG-1", 3)])
    shop.clock.tick(minutes=15)
    health = check(shop)
    assert (health.state, health.renewals) == ("renewed", 1)
    assert at_the_shop(shop) == [(topic, ADDRESS, "active") for topic in TOPICS]
    assert old.id not in shop.app.hooks.hooks  # made anew: switched on again it would keep its count of failures
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    assert "order.updated" in caplog.text
    shop.clock.tick(minutes=15)
    assert check(shop).state in ("working", "losing")


def test_a_deleted_webhook_is_made_anew_and_a_doubled_one_thinned_out(shop):
    check(shop)
    gone = next(number for number, hook in shop.app.hooks.hooks.items() if hook.topic == "order.created")
    del shop.app.hooks.hooks[gone]
    shop.app.hooks.create(topic="order.updated", delivery_url=ADDRESS, secret="x", name="", status="active")
    assert check(shop).state == "renewed"
    assert at_the_shop(shop) == [(topic, ADDRESS, "active") for topic in TOPICS]


def test_other_peoples_webhooks_are_left_alone(shop):
    shop.app.hooks.create(topic="order.updated", delivery_url="https://mail.example/", secret="x", name="", status="disabled")
    check(shop)
    check(shop)
    assert ("order.updated", "https://mail.example/", "disabled") in at_the_shop(shop)
    assert len(at_the_shop(shop)) == 5


def test_a_new_public_address_moves_the_webhooks(shop, settings):
    check(shop)
    settings.EVENSTOCK_PUBLIC_URL = "http://127.0.0.1:7"
    check(shop)
    assert {address for _, address, _ in at_the_shop(shop)} == {"http://127.0.0.1:7/webhooks/woocommerce/store/"}
    assert len(at_the_shop(shop)) == 4


def test_a_new_secret_reaches_the_shop(shop):
    check(shop)
    store = Connection.objects.get(pk=shop.store.pk)
    store.credentials = {**store.credentials, "webhook_secret": "chosen-by-the-owner"}
    store.save()
    check(shop)
    assert {hook.secret for hook in shop.app.hooks.hooks.values()} == {"chosen-by-the-owner"}
    assert len(at_the_shop(shop)) == 4


def test_orders_that_only_polling_found_are_counted_and_the_webhooks_made_anew(shop, caplog):
    check(shop)
    numbers = set(shop.app.hooks.hooks)
    shop.clock.tick(minutes=1)
    shop.app.place_order([("MUG-1", 1)])
    shop.app.place_order([("MUG-1", 1)])
    shop.clock.tick(minutes=5)
    poll(shop)
    assert check(shop).missed == 0  # a webhook may still come
    shop.clock.tick(minutes=10)
    health = check(shop)
    assert (health.missed, health.missed_in_all, health.state) == (2, 2, "losing")
    assert set(shop.app.hooks.hooks) == numbers  # made less than an hour ago
    shop.clock.tick(minutes=50)
    shop.app.place_order([("MUG-1", 1)])
    shop.clock.tick(minutes=5)
    poll(shop)
    shop.clock.tick(minutes=10)
    health = check(shop)
    assert (health.missed, health.missed_in_all, health.state) == (1, 3, "renewed")
    assert not set(shop.app.hooks.hooks) & numbers
    assert "Orders that came by polling only: 2." in caplog.text
    shop.clock.tick(minutes=15)
    assert check(shop).missed == 0


@pytest.mark.parametrize("store_is_ahead", [-10, 0, 10])
def test_orders_that_webhooks_told_are_not_missed_whatever_the_clocks_say(shop, monkeypatch, store_is_ahead):
    check(shop)
    shop.clock.tick(minutes=1)
    now = shop.clock.now
    real = shop.app.clock.now
    monkeypatch.setattr(shop.app.clock, "now", lambda: real() + store_is_ahead * 60)
    order = shop.app.place_order([("MUG-1", 1)])
    health = HookHealth.objects.get()
    secret = Connection.objects.get(pk=shop.store.pk).credentials["webhook_secret"]
    body = json.dumps(shop.app._hook_body("order.updated", order.id)).encode()
    assert post(body, signature=signed(body, secret)).status_code == 200
    work(shop)
    for _ in range(3):
        shop.clock.tick(minutes=15)
        poll(shop)
        health = check(shop)
        assert (health.missed_in_all, health.state) == (0, "working")
    assert now is not None


def test_an_order_put_in_the_bin_is_not_missed(shop):
    check(shop)
    secret = Connection.objects.get(pk=shop.store.pk).credentials["webhook_secret"]
    shop.clock.tick(minutes=1)
    order = shop.app.place_order([("MUG-1", 1)])
    body = json.dumps(shop.app._hook_body("order.created", order.id)).encode()
    post(body, topic="order.created", signature=signed(body, secret))
    shop.clock.tick(minutes=1)
    shop.app.book.trash(shop.app.order(order.id))
    body = json.dumps({"id": order.id}).encode()
    post(body, topic="order.deleted", signature=signed(body, secret))
    shop.clock.tick(minutes=5)
    poll(shop)
    shop.clock.tick(minutes=15)
    assert check(shop).missed == 0


def test_what_waits_in_the_inbox_is_not_missed(shop):
    check(shop)
    secret = Connection.objects.get(pk=shop.store.pk).credentials["webhook_secret"]
    shop.clock.tick(minutes=1)
    order = shop.app.place_order([("MUG-1", 1)])
    body = json.dumps(shop.app._hook_body("order.created", order.id)).encode()
    post(body, signature=signed(body, secret))
    shop.sync()  # the run books it before the inbox is looked at
    shop.clock.tick(minutes=15)
    assert check(shop).missed == 0


def test_a_key_that_may_not_make_webhooks_is_said_and_nothing_breaks(shop):
    shop.app.faults.arm("forbidden", path="webhooks", count=None)
    health = check(shop)
    assert health.state == "failing"
    assert "keeps us out (403)" in health.message
    shop.app.faults.clear()
    assert check(shop).state == "working"
    assert len(at_the_shop(shop)) == 4


def test_a_webhook_whose_making_was_not_answered_is_not_left_double(shop):
    shop.app.faults.arm("close", method="POST", path="webhooks", applied=True)
    assert check(shop).state == "failing"
    assert check(shop).state == "working"
    assert at_the_shop(shop) == [(topic, ADDRESS, "active") for topic in TOPICS]


def test_connect_makes_the_webhooks_and_the_schedule(shop, capsys):
    call_command("connect", "woocommerce", "--name", "store", "--replace", "--no-read")
    assert f"The shop tells us of orders, at {ADDRESS}" in capsys.readouterr().out
    assert len(at_the_shop(shop)) == 4
    assert set(PeriodicTask.objects.filter(name__endswith=" of store").values_list("name", flat=True)) >= {
        "Incremental sync of store",
        "Orders poll of store",
        "Webhook check of store",
    }


def test_connect_without_a_public_address_says_that_polling_does_the_work(shop, settings, capsys):
    settings.EVENSTOCK_PUBLIC_URL = ""
    call_command("connect", "woocommerce", "--name", "store", "--replace", "--no-read")
    assert "Webhooks are off" in capsys.readouterr().out


def test_connect_takes_a_secret_of_the_owners_choice(shop, monkeypatch):
    monkeypatch.setenv("EVENSTOCK_WEBHOOK_SECRET", "chosen-by-the-owner")
    call_command("connect", "woocommerce", "--name", "store", "--replace", "--no-read")
    assert {hook.secret for hook in shop.app.hooks.hooks.values()} == {"chosen-by-the-owner"}
