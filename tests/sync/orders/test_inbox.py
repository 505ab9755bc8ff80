"""What becomes of what stores tell: booked once, told on, whatever came late, twice, or in the wrong order."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from connectors.leases import lease_acquire
from connectors.models import Connection
from inventory.models import Movement
from sync.models import InboundEvent, Order, OrderLine, OutboundWrite, SetAside, SyncLog, SyncRun, SyncState
from sync.orders import inbox
from sync.orders.inbox import events_retry, inbox_sweep
from sync.orders.poll import orders_poll
from tests.sync.hooked import body_of, events, post, share_secret, tell, work
from tests.sync.shop import INCREMENTAL, Shop, product

ONLINE = Movement.Kind.ONLINE


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """Two products in step, a till that is told, and a shop that signs."""
    shop = open_shop(stock={"MUG-1": 10, "BOWL-1": 6}, till_mode="live")
    share_secret(shop.store)
    shop.running()
    return shop


def notes() -> list[str]:
    return list(InboundEvent.objects.order_by("id").values_list("note", flat=True))


def test_an_online_order_reaches_the_till_without_a_run(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    assert tell(shop, order.id).status_code == 200
    assert work(shop) == "done"
    shop.take_in_adjustments()
    assert shop.shelf() == {"MUG-1": Decimal(7), "BOWL-1": Decimal(6)}
    assert events() == [("order.updated", order.id, "done")]
    assert shop.sent() == {}  # the shop's own number has moved already
    assert shop.app.requests == []  # and nobody asked it anything
    assert shop.logged("woo") == [("MUG-1", "10", "7")]
    assert SyncState.objects.get(pos_sku="MUG-1").woo_quantity == 7
    assert SyncRun.objects.count() == 2  # those that opened the shop


def test_the_till_hears_of_a_second_order_of_the_same_thing_at_once(shop):
    for _ in range(2):
        tell(shop, shop.app.place_order([("MUG-1", 3)]).id)
        work(shop)
        shop.take_in_adjustments()
        shop.clock.tick(seconds=20)
    assert shop.shelf()["MUG-1"] == 4


def test_the_same_webhook_four_times_has_one_effect(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    for _ in range(2):
        for topic in ("order.created", "order.updated"):
            tell(shop, order.id, topic)
            work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    assert [state for _, _, state in events()] == ["done", "done"]


def test_an_old_state_after_a_new_one_changes_nothing(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    old = body_of(shop, order.id)
    shop.clock.tick(seconds=30)
    shop.app.change_order(order.id, status="cancelled")
    tell(shop, order.id)
    work(shop)
    post(old)
    work(shop)
    assert shop.movements(ONLINE) == []
    assert Order.objects.get().status == "cancelled"
    assert notes() == ["", "Older than what was known."]


def test_an_old_state_beside_a_new_one_in_one_batch_changes_nothing(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    old = body_of(shop, order.id)
    shop.clock.tick(seconds=30)
    shop.app.change_order(order.id, status="cancelled")
    tell(shop, order.id)
    post(old)
    work(shop)
    assert shop.movements(ONLINE) == []
    assert OrderLine.objects.get().taken == 0


@pytest.mark.parametrize("together", [True, False])
def test_of_two_states_of_one_second_the_shop_is_asked_which_is_true(shop, together):
    order = shop.app.place_order([("MUG-1", 3)])
    taken = body_of(shop, order.id)
    shop.app.change_order(order.id, status="cancelled")  # within the same second
    given_back = body_of(shop, order.id)
    assert json.loads(taken)["date_modified_gmt"] == json.loads(given_back)["date_modified_gmt"]
    for body in (given_back, taken):  # the wrong way round
        post(body)
        if not together:
            work(shop)
    work(shop)
    assert sum(quantity for _, quantity in shop.movements(ONLINE)) == 0
    assert Order.objects.get().status == "cancelled"
    assert [request.path for request in shop.app.requests] == [f"/wp-json/wc/v3/orders/{order.id}"]


def test_a_captured_webhook_replayed_a_year_later_has_no_effect(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    body = body_of(shop, order.id)
    post(body)
    work(shop)
    shop.clock.tick(days=365)
    shop.app.change_order(order.id, status="cancelled")
    tell(shop, order.id)
    work(shop)
    InboundEvent.objects.all().delete()  # even if the inbox was emptied meanwhile
    post(body)
    work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3), ("MUG-1", 3)]


def test_an_order_in_the_bin_goes_on_holding_its_stock(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    tell(shop, order.id)
    work(shop)
    shop.clock.tick(minutes=1)
    shop.app.book.trash(shop.app.order(order.id))
    post(json.dumps({"id": order.id}).encode(), topic="order.deleted")
    work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    assert events()[1] == ("order.deleted", order.id, "ignored")
    assert shop.app.quantity(shop.app.product_by_sku("MUG-1").id) == 7


def test_a_draft_of_the_checkout_takes_nothing(shop):
    order = shop.app.place_order([("MUG-1", 3)], status="checkout-draft")
    tell(shop, order.id)
    work(shop)
    assert shop.movements(ONLINE) == []
    assert Order.objects.get().status == "checkout-draft"


def test_a_line_that_belongs_to_no_product_is_kept_for_a_person(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    said = json.loads(body_of(shop, order.id))
    said["line_items"].append({**said["line_items"][0], "id": 999, "product_id": 0, "sku": None, "name": "Gift wrap"})
    post(json.dumps(said).encode())
    work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    line = OrderLine.objects.get(remote_id=999)
    assert (line.booked, line.note) == (0, "No product of the shop belongs to this line.")


def test_a_hint_makes_the_shop_be_asked(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    body = {"order_id": order.id, "items": [{"sku": "MUG-1", "quantity": 99}]}
    assert post(json.dumps(body).encode(), address="/webhook/order").status_code == 200
    work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]  # what the order says counts, not what the hint says
    assert notes() == ["Read from the shop."]


def test_a_hint_of_an_order_that_is_not_there_is_ignored(shop):
    post(b'{"order_id": 4711, "items": []}', address="/webhook/order")
    work(shop)
    assert events() == [("order.hint", 4711, "ignored")]


def test_a_hint_waits_while_the_shop_is_down_and_others_go_on(shop):
    hinted, told = shop.app.place_order([("MUG-1", 3)]), shop.app.place_order([("BOWL-1", 1)])
    post(json.dumps({"order_id": hinted.id, "items": []}).encode(), address="/webhook/order")
    tell(shop, told.id)
    shop.app.faults.arm("fatal", count=None)
    work(shop)
    assert shop.movements(ONLINE) == [("BOWL-1", -1)]
    assert events() == [("order.hint", hinted.id, "new"), ("order.updated", told.id, "done")]
    assert InboundEvent.objects.get(topic="order.hint").attempts == 0  # the shop's fault, not its own
    shop.app.faults.clear()
    shop.clock.tick(minutes=2)
    assert inbox_sweep(now=shop.clock.now) == 1
    assert shop.movements(ONLINE) == [("BOWL-1", -1), ("MUG-1", -3)]


def test_a_run_in_the_way_leaves_it_to_the_sweep(shop):
    lease = lease_acquire(connection=shop.store, now=shop.clock.now())
    order = shop.app.place_order([("MUG-1", 3)])
    assert tell(shop, order.id).status_code == 200
    assert work(shop) == "busy"
    assert events() == [("order.updated", order.id, "new")]
    lease.release()
    inbox_sweep(now=shop.clock.now)
    assert events() == [("order.updated", order.id, "done")]
    assert shop.movements(ONLINE) == [("MUG-1", -3)]


def test_what_a_run_has_booked_already_is_not_booked_again(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    tell(shop, order.id)
    shop.sync(INCREMENTAL)
    work(shop)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    assert events() == [("order.updated", order.id, "done")]


def test_a_body_that_cannot_be_read_is_a_hint_and_the_order_is_read(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    said = json.loads(body_of(shop, order.id))
    post(json.dumps({**said, "date_modified_gmt": "tomorrow"}).encode())
    work(shop)
    assert (events(), notes()) == ([("order.updated", order.id, "done")], ["Read from the shop."])
    assert shop.movements(ONLINE) == [("MUG-1", -3)]


def test_an_order_that_cannot_be_read_at_all_is_set_aside_at_once_and_healed_by_its_next_good_state(shop):
    order, odd = shop.app.place_order([("BOWL-1", 1)]), shop.app.place_order([("MUG-1", 3)])
    shop.app.faults.arm("odd_row", path="orders", thing=odd.id, count=None, fields={"date_created_gmt": "null"})
    said = json.loads(body_of(shop, odd.id))
    post(json.dumps({**said, "date_created_gmt": None}).encode())
    tell(shop, order.id)
    work(shop)
    assert events() == [("order.updated", odd.id, "failed"), ("order.updated", order.id, "done")]
    assert InboundEvent.objects.get(resource_id=odd.id).attempts == 1
    assert notes()[0].startswith(f"Set aside: The shop says nothing for “date_created_gmt” of order number {odd.id}")
    assert shop.movements(ONLINE) == [("BOWL-1", -1)]
    asked = len(shop.app.requests)
    shop.clock.tick(minutes=10)
    work(shop)
    assert len(shop.app.requests) == asked  # nobody asks again in a loop
    shop.app.faults.clear()
    shop.app.change_order(odd.id, status="completed")
    orders_poll(store=shop.store, now=shop.clock.now)
    assert sorted(shop.movements(ONLINE)) == [("BOWL-1", -1), ("MUG-1", -3)]
    assert events()[0] == ("order.updated", odd.id, "ignored")
    assert not SetAside.objects.exists()


@pytest.mark.parametrize("field", ["id", "line_items"])
def test_a_body_without_even_a_number_is_set_aside_with_its_cause(shop, field):
    body = {"id": 2**80} if field == "id" else {"line_items": [None]}
    post(json.dumps(body).encode())
    work(shop)
    assert [state for _, _, state in events()] == ["failed"]
    assert "“id” of order" in notes()[0]
    assert shop.app.requests == []


def test_an_error_of_our_own_stops_one_order_and_not_its_neighbours(shop, monkeypatch):
    good, bad = shop.app.place_order([("MUG-1", 3)]), shop.app.place_order([("BOWL-1", 1)])
    book = inbox.orders_book

    def breaks(*, orders: Any, **more: Any) -> None:
        if any(order.remote_id == bad.id for order in orders):
            raise ZeroDivisionError("of our own")
        book(orders=orders, **more)

    monkeypatch.setattr(inbox, "orders_book", breaks)
    for order in (good, bad):
        tell(shop, order.id)
    for _ in range(4):
        work(shop)
        shop.clock.tick(minutes=10)
    assert events() == [("order.updated", good.id, "done"), ("order.updated", bad.id, "failed")]
    assert "ZeroDivisionError: of our own" in notes()[1]
    monkeypatch.setattr(inbox, "orders_book", book)
    assert events_retry(events=InboundEvent.objects.all()) == 2
    work(shop)
    assert [state for _, _, state in events()] == ["done", "done"]
    assert shop.movements(ONLINE) == [("MUG-1", -3), ("BOWL-1", -1)]


def test_what_ends_its_worker_three_times_is_set_aside(shop, monkeypatch):
    order = shop.app.place_order([("MUG-1", 3)])
    tell(shop, order.id)

    class Killed(BaseException):
        pass

    def dies(**_: Any) -> None:
        raise Killed

    monkeypatch.setattr(inbox, "orders_book", dies)
    for _ in range(3):
        with pytest.raises(Killed):
            work(shop)
        shop.clock.tick(minutes=10)
    work(shop)
    assert events() == [("order.updated", order.id, "failed")]
    assert "3 times" in notes()[0]


def test_a_database_that_is_locked_costs_no_attempt(shop, monkeypatch):
    tell(shop, shop.app.place_order([("MUG-1", 3)]).id)

    def locked(**_: Any) -> None:
        raise OperationalError("database is locked")

    book = inbox.orders_book
    monkeypatch.setattr(inbox, "orders_book", locked)
    for _ in range(5):
        with pytest.raises(OperationalError):
            work(shop)
        shop.clock.tick(minutes=2)
    monkeypatch.setattr(inbox, "orders_book", book)
    work(shop)
    assert [state for _, _, state in events()] == ["done"]


def test_killed_between_booking_and_telling_it_is_told_once(shop, monkeypatch):
    tell(shop, shop.app.place_order([("MUG-1", 3)]).id)

    class Killed(BaseException):
        pass

    def dies(**_: Any) -> None:
        raise Killed

    tells = inbox.orders_tell
    monkeypatch.setattr(inbox, "orders_tell", dies)
    with pytest.raises(Killed):
        work(shop)
    monkeypatch.setattr(inbox, "orders_tell", tells)
    shop.clock.tick(minutes=2)
    inbox_sweep(now=shop.clock.now)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    shop.take_in_adjustments()
    assert shop.shelf()["MUG-1"] == 7


def test_another_listing_of_the_same_item_is_told(open_shop):
    shop = open_shop(stock={"MUG-1": 10}, listed=[product(101, "MUG-1", 10), product(102, "MUG-GIFT", 10)], till_mode="live")
    share_secret(shop.store)
    shop.open(pairs=[("MUG-1", "MUG-1"), ("MUG-1", "MUG-GIFT")])
    shop.sync()
    shop.clock.tick(minutes=1)
    shop.app.forget_requests()
    tell(shop, shop.app.place_order([("MUG-1", 4)]).id)
    work(shop)
    assert shop.shown() == {"MUG-1": 6, "MUG-GIFT": 6}
    assert shop.sent() == {"MUG-GIFT": [-4]}
    assert OutboundWrite.objects.get(listing__sku="MUG-GIFT").run is None


def test_a_shop_in_observe_mode_is_not_written_to(open_shop):
    shop = open_shop(
        stock={"MUG-1": 10}, listed=[product(101, "MUG-1", 10), product(102, "MUG-GIFT", 10)], till_mode="live", mode="observe"
    )
    share_secret(shop.store)
    shop.open(pairs=[("MUG-1", "MUG-1"), ("MUG-1", "MUG-GIFT")])
    shop.sync()
    shop.clock.tick(minutes=1)
    tell(shop, shop.app.place_order([("MUG-1", 4)]).id)
    work(shop)
    assert shop.app.writes == []
    assert shop.movements(ONLINE) == [("MUG-1", -4)]


def test_only_the_items_of_the_order_are_told(shop):
    shop.till.sell("BOWL-1", 2)
    shop.export()
    tell(shop, shop.app.place_order([("MUG-1", 3)]).id)
    work(shop)
    assert shop.waiting_files() != []  # the till's export waits for the next run
    assert shop.sent() == {}
    assert OutboundWrite.objects.exclude(level=None).get().level.item.sku == "MUG-1"


def test_a_till_that_cannot_be_opened_does_not_keep_orders_from_being_booked(shop):
    till = Connection.objects.get(pk=shop.pos.pk)
    kept, till.settings = till.settings, {"folder": "", "unheard_of": 1}
    till.save()
    order = shop.app.place_order([("MUG-1", 3)])
    tell(shop, order.id)
    assert work(shop) == "done"
    assert events() == [("order.updated", order.id, "done")]
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    till.settings = kept
    till.save()
    orders_poll(store=shop.store, now=shop.clock.now)
    shop.take_in_adjustments()
    assert shop.shelf()["MUG-1"] == 7


def test_what_no_webhook_told_polling_finds(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    shop.clock.tick(minutes=5)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
    shop.take_in_adjustments()
    assert shop.shelf()["MUG-1"] == 7
    assert Order.objects.get(remote_id=order.id).told_at is None
    shop.clock.tick(minutes=5)
    orders_poll(store=shop.store, now=shop.clock.now)
    assert shop.movements(ONLINE) == [("MUG-1", -3)]
    assert events() == []


def test_polling_finds_what_was_put_in_the_bin(shop):
    order = shop.app.place_order([("MUG-1", 3)])
    shop.app.book.trash(shop.app.order(order.id))
    shop.clock.tick(minutes=5)
    orders_poll(store=shop.store, now=shop.clock.now)
    assert Order.objects.get().status == "trash"
    assert shop.movements(ONLINE) == [("MUG-1", -3)]


def test_a_poll_that_fails_reads_from_the_same_moment_again(shop):
    before = Connection.objects.get(pk=shop.store.pk).orders_read_until
    shop.app.place_order([("MUG-1", 3)])
    shop.clock.tick(hours=3)
    shop.app.faults.arm("fatal", count=None)
    assert orders_poll(store=shop.store, now=shop.clock.now) == "failed"
    assert Connection.objects.get(pk=shop.store.pk).orders_read_until == before
    shop.app.faults.clear()
    assert orders_poll(store=shop.store, now=shop.clock.now) == "done"
    assert shop.movements(ONLINE) == [("MUG-1", -3)]


def test_webhooks_and_polls_and_runs_of_one_history_agree(shop):
    """A full life of an order, told by all three in turn, ends as the shop's own number says."""
    order = shop.app.place_order([("MUG-1", 5), ("BOWL-1", 1)])
    line = order.lines[0].id
    steps: list[Callable[[], Any]] = [
        lambda: None,
        lambda: shop.app.refund_order(order.id, {line: 2}),
        lambda: shop.app.change_order(order.id, status="completed"),
        lambda: shop.app.refund_order(order.id, {line: 1}, restock=False),
        lambda: shop.app.change_order(order.id, status="cancelled"),
    ]
    tellers: list[Callable[[], Any]] = [
        lambda: (tell(shop, order.id), work(shop)),
        lambda: orders_poll(store=shop.store, now=shop.clock.now),
        lambda: shop.sync(INCREMENTAL),
    ]
    for number, step in enumerate(steps):
        step()
        tellers[number % 3]()
        shop.clock.tick(minutes=3)
        shop.take_in_adjustments()
    assert shop.shelf() == {sku: Decimal(quantity) for sku, quantity in shop.shown().items()}
    assert not SyncLog.objects.filter(reason__contains="no order explains").exists()
