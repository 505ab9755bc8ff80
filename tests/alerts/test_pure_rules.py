"""The rules on paper, at their limits: a first sieve in the database must not be what keeps them right."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from alerts.rules import products, systems
from alerts.rules.limits import Limits
from alerts.rules.products import Product
from alerts.rules.systems import Failures, Health, Queue, System
from alerts.rules.taking import Quiet, Taste, digest_due, is_quiet, takes
from alerts.rules.words import Code, escalates

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MUG = Product(1, 2, "MUG-1", "Mug", pair_id=3, listing_id=4, store_id=5)
SHOP = System(5, "shop")
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("on_hand", "fires"), [("-0.001", True), ("0", False), ("1", False)])
def test_below_zero(on_hand, fires):
    found = products.negative_stock(MUG, level_id=1, place="Main", on_hand=Decimal(on_hand))
    assert (found is not None) is fires


@pytest.mark.parametrize(
    ("available", "low", "code"),
    [
        ("0", None, Code.OUT_OF_STOCK), ("-1", "5", Code.OUT_OF_STOCK), ("0.5", None, None), ("4.999", "5", Code.LOW_STOCK),
        ("5", "5", None), ("0.5", "0", None),
    ],
)  # fmt: skip
def test_stock(available, low, code):
    limits = Limits(low_stock_below=None if low is None else Decimal(low))
    found = products.stock(MUG, available=Decimal(available), limits=limits, sells=True)
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("target", "shows", "fires"),
    [
        (1000, "1010", False), (1000, "1010.001", True), (1000, "990", False), (1000, "989.999", True),
        (50, "55", False), (50, "55.001", True), (50, "45", False), (0, "10", False), (0, "10.001", True),
    ],
)  # fmt: skip
def test_a_discrepancy_by_units_or_by_share(target, shows, fires):
    found = products.discrepancy(MUG, target=Decimal(target), shows=Decimal(shows), why="", limits=Limits())
    assert (found is not None) is fires


@pytest.mark.parametrize(
    ("till", "shop", "fires"),
    [
        ("10", "12", False),
        ("10", "12.0001", True),
        ("10", "8", False),
        ("10", "7.9999", True),
        ("0", "0", False),
        ("0", "1", True),
    ],
)  # fmt: skip
def test_prices(till, shop, fires):
    found = products.price_gap(MUG, till_price=Decimal(till), shop_price=Decimal(shop), limits=Limits())
    assert (found is not None) is fires


@pytest.mark.parametrize(("in_row", "once", "again"), [(0, False, False), (1, True, False), (2, True, False), (3, True, True)])
def test_failed_syncs(in_row, once, again):
    failures = Failures(SHOP, in_row, NOW, 1, "It failed.")
    assert ((systems.sync_failed(failures) is not None), (systems.sync_failed_again(failures) is not None)) == (once, again)


@pytest.mark.parametrize(
    ("failures", "code", "silent", "address"),
    [
        (0, "", False, False),
        (2, "timeout", False, False),
        (3, "timeout", True, False),
        (1, "dns", False, True),
        (9, "tls", False, True),
    ],
)  # fmt: skip
def test_systems_that_do_not_answer(failures, code, silent, address):
    health = Health(SHOP, failures, code, "Said so.")
    assert ((systems.api_unavailable(health) is not None), (systems.address_trouble(health) is not None)) == (silent, address)


@pytest.mark.parametrize(("over", "fires"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_what_waits_too_long(over, fires):
    def queue(limit: timedelta) -> Queue:
        return Queue(SHOP, "webhooks", 1, NOW - limit - over)

    assert (systems.queue_backing_up(queue(timedelta(minutes=15)), now=NOW) is not None) is fires
    assert (systems.jobs_untaken(NOW - timedelta(minutes=15) - over, now=NOW) is not None) is fires
    assert (systems.writes_unanswered(queue(timedelta(hours=4)), now=NOW) is not None) is fires
    late = systems.till_file_late(SHOP, last_at=NOW - timedelta(hours=8) - over, within_hours=8, now=NOW)
    assert (late is not None) is fires
    assert escalates(Code.SYNC_FAILED, NOW - timedelta(hours=1) - over, NOW) is fires
    assert not escalates(Code.LOW_STOCK, NOW - timedelta(days=9), NOW)


@pytest.mark.parametrize(
    ("start", "end", "at", "quiet"),
    [
        ("22:00", "07:00", "22:00", True), ("22:00", "07:00", "06:59", True), ("22:00", "07:00", "07:00", False),
        ("22:00", "07:00", "21:59", False), ("12:00", "14:00", "13:00", True), ("12:00", "14:00", "14:00", False),
        ("12:00", "12:00", "12:00", False),
    ],
)  # fmt: skip
def test_quiet_hours(start, end, at, quiet):
    hours = Quiet(time.fromisoformat(start), time.fromisoformat(end), "UTC")
    assert is_quiet(hours, datetime.combine(NOW.date(), time.fromisoformat(at), UTC)) is quiet


def test_quiet_hours_are_the_channel_s_own_over_a_change_of_clocks():
    hours = Quiet(time(22), time(7), "Europe/Vienna")
    assert is_quiet(hours, datetime(2026, 3, 28, 5, 30, tzinfo=UTC))  # 06:30 there, in winter
    assert not is_quiet(hours, datetime(2026, 3, 29, 5, 30, tzinfo=UTC))  # 07:30, in summer


def test_a_summary_is_due_once_a_day_over_a_change_of_clocks():
    last, due = datetime(2026, 3, 28, 6, 0, tzinfo=UTC), []
    for minutes in range(0, 3 * 24 * 60 - 60, 5):
        now = datetime(2026, 3, 28, 6, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        if digest_due(weekly=False, send_at=time(7), time_zone="Europe/Vienna", last_at=last, now=now):
            due.append(now)
            last = now
    assert due == [datetime(2026, 3, 29, 5, 0, tzinfo=UTC), datetime(2026, 3, 30, 5, 0, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("taste", "told"),
    [
        (Taste(30), True), (Taste(31), False), (Taste(30, codes=["held_run"]), True), (Taste(30, codes=["low_stock"]), False),
        (Taste(30, connection_ids={5}), True), (Taste(30, connection_ids={6}), False), (Taste(30, connection_ids=set()), False),
        (Taste(10, is_for_lead=True), False),
    ],
)  # fmt: skip
def test_what_a_channel_takes(taste, told):
    assert takes(taste, code=Code.HELD_RUN, severity=30, connection_id=5, escalated=False) is told
