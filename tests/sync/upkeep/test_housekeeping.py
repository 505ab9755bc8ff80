"""What leaves the database each night, and that its going lets nothing happen twice (reliability.md, case 36)."""

from datetime import timedelta

import pytest

from connectors.leases import lease_acquire
from connectors.models import ApiCall
from inventory.models import Movement
from sync.models import InboundEvent, Order
from sync.upkeep import housekeeping
from sync.upkeep.housekeeping import housekeep
from tests.sync.hooked import body_of, events, post, share_secret, tell, work
from tests.sync.shop import INCREMENTAL

pytestmark = pytest.mark.django_db
STOCK = {"A": 10, "B": 10}


@pytest.fixture
def shop(open_shop):
    """Told by webhook, with a live till."""
    shop = open_shop(stock=STOCK, till_mode="live")
    share_secret(shop.store)
    shop.running()
    return shop


@pytest.fixture(autouse=True)
def _archive(tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"


def kept() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Movement, Order))


def test_webhooks_and_requests_are_archived_after_ninety_days_and_the_ledger_never(shop):
    order = shop.app.place_order([("A", 2)])
    tell(shop, order.id)
    work(shop)
    before, calls = kept(), ApiCall.objects.count()
    shop.clock.tick(days=89, hours=23)
    assert not any(housekeep(now=shop.clock.now).values())
    shop.clock.tick(hours=2)
    done = housekeep(now=shop.clock.now)
    assert (done["webhooks"], done["requests"]) == (1, calls)
    assert (InboundEvent.objects.count(), ApiCall.objects.count()) == (0, 0)
    assert kept() == before
    assert not any(housekeep(now=shop.clock.now).values())


def test_webhooks_that_are_to_be_done_or_need_a_person_stay(shop):
    order = shop.app.place_order([("A", 2)])
    tell(shop, order.id)
    post(b"no json at all")
    shop.clock.tick(days=400)
    assert housekeep(now=shop.clock.now)["webhooks"] == 0
    assert {state for _, _, state in events()} == {"new", "failed"}


def test_a_captured_webhook_that_comes_back_after_a_year_changes_nothing(shop):
    order = shop.app.place_order([("A", 2)])
    first = body_of(shop, order.id)
    post(first)
    work(shop)
    shop.clock.tick(minutes=5)
    shop.app.change_order(order.id, status="cancelled")
    last = body_of(shop, order.id)
    post(last)
    work(shop)
    shop.clock.tick(days=365)
    housekeep(now=shop.clock.now)
    assert events() == []
    before = kept()
    for body in (first, last, first):
        assert post(body).status_code == 200
        work(shop)
    assert {state for _, _, state in events()} == {"done"}
    assert kept() == before
    assert shop.movements() == [("A", -2), ("A", 2)]
    assert Order.objects.get().status == "cancelled"


def test_a_captured_webhook_of_an_order_the_shop_has_deleted_changes_nothing(shop):
    order = shop.app.place_order([("A", 2)])
    captured = body_of(shop, order.id)
    post(captured)
    work(shop)
    shop.app.book.orders.pop(order.id)
    shop.clock.tick(days=365)
    housekeep(now=shop.clock.now)
    post(captured)
    work(shop)
    assert shop.movements() == [("A", -2)]


def test_a_captured_webhook_of_an_order_from_before_we_came_changes_nothing(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    share_secret(shop.store)
    order = shop.app.place_order([("A", 2)])
    captured = body_of(shop, order.id)
    shop.app.book.orders.pop(order.id)
    shop.clock.tick(days=100)
    shop.running()
    shown = shop.shown()
    shop.clock.tick(days=365)
    housekeep(now=shop.clock.now)
    post(captured)
    work(shop)
    assert Order.objects.get().remote_id == order.id  # known now, and in the opening numbers already
    shop.clock.tick(minutes=5)
    shop.sync(INCREMENTAL)
    assert shop.movements() == []
    assert shop.shown() == shown
    assert shop.waiting_files("outbound") == []


def test_files_of_the_till_go_after_their_time_with_their_reports(shop):
    before = sorted(path.name for path in (shop.folder / "done").iterdir())
    assert before
    shop.clock.tick(days=80)
    shop.till.sell("B", 1)
    shop.export()
    shop.sync(INCREMENTAL)
    shop.clock.tick(days=11)
    assert housekeep(now=shop.clock.now)["files"] == len([name for name in before if not name.endswith(".report.txt")])
    left = {path.name for path in (shop.folder / "done").iterdir()}
    assert left
    assert not left & set(before)


def test_a_till_at_which_a_sync_works_is_left_for_the_next_day(shop):
    shop.clock.tick(days=91)
    lease = lease_acquire(connection=shop.pos, now=shop.clock.now())
    assert housekeep(now=shop.clock.now)["files"] == 0
    lease.release()
    assert housekeep(now=shop.clock.now)["files"] > 0


def test_it_archives_a_bounded_number_at_a_time(shop, monkeypatch, settings):
    settings.EVENSTOCK_LIMITS = {"keep": timedelta(days=7)}
    monkeypatch.setattr(housekeeping, "MOST", 3)
    count = ApiCall.objects.count()
    assert count > 3
    shop.clock.tick(days=8)
    assert housekeep(now=shop.clock.now)["requests"] == 3
    assert ApiCall.objects.count() == count - 3
