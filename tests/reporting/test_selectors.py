"""Figures out of rows of a small shop."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connectors.models import ApiCall
from inventory.models import Item, Movement
from reporting.metrics.record import metrics_record
from reporting.models import DailyMetric
from reporting.selectors import nav_counts, period_measure, runs_to_show
from sync.models import OutboundWrite, SyncConflict, SyncRun, SyncState
from tests import factories
from tests.ledger import booked, moved

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(now):
    """Three items, two of them paired; one pair in step, one off."""
    till, store = factories.pos_connection(), factories.store_connection()
    place = factories.location(till)
    factories.supply(store, place)
    for sku, status in (("MUG-1", "synced"), ("POT-1", "conflict"), ("PAN-1", None)):
        item = factories.item(till, sku)
        factories.level(item)
        if status:
            pair = factories.alignment(item, factories.listing(store, sku, quantity=Decimal(5)))
            SyncState.objects.create(
                alignment=pair, pos=till, woo=store, pos_sku=sku, woo_sku=sku, pos_quantity=5, woo_quantity=5, sync_status=status
            )
    return till, store


def measure(now, *connections, hours: int = 24):
    since = now - timedelta(hours=hours)
    return period_measure(connections=connections, since=since, until=now, calls_since=since)


def sold(item, till, now, *, minutes: float, kind=Movement.Kind.TILL):
    at = now - timedelta(minutes=minutes)
    movement = moved(
        item=item,
        location=factories.location(till),
        quantity=-1,
        kind=kind,
        source=till,
        of=f"sale {minutes}",
        occurred_at=at,
        recorded_at=at + timedelta(seconds=10),
    )
    return booked([movement])[0]


def told(listing, movement, *, after: float, state=OutboundWrite.State.APPLIED):
    sent = movement.recorded_at + timedelta(seconds=after)
    return OutboundWrite.objects.create(
        connection=listing.connection,
        listing=listing,
        state=state,
        planned_from=5,
        planned_to=4,
        created_at=movement.recorded_at,
        sent_at=sent,
        answered_at=sent + timedelta(seconds=1),
    )


def test_standing_figures_come_from_pairs_and_from_the_items_of_tills_that_supply_the_store(shop, now):
    till, store = shop
    other = factories.pos_connection("another till")
    factories.item(other, "ELSEWHERE")
    figures = measure(now, till, store).figures
    assert (figures[store.pk].items, figures[store.pk].items_aligned) == (3, 2)
    assert (figures[store.pk].pairs, figures[store.pk].pairs_known, figures[store.pk].pairs_in_step) == (2, 2, 1)
    assert (figures[till.pk].items, figures[till.pk].pairs) == (0, 0)
    Item.objects.filter(sku__in=["MUG-1", "PAN-1"]).update(missing_since=now)
    without = measure(now, till, store).figures[store.pk]
    assert (without.items, without.items_aligned) == (1, 1)


def test_a_pair_without_a_reading_is_unknown_whatever_its_status(shop, now):
    _, store = shop
    SyncState.objects.filter(pos_sku="MUG-1").update(woo_quantity=None)
    figures = measure(now, store).figures[store.pk]
    assert (figures.pairs, figures.pairs_known, figures.pairs_in_step) == (2, 1, 0)


def test_latency_is_measured_from_the_sale_to_the_shops_answer(shop, now):
    till, store = shop
    pair = SyncState.objects.get(pos_sku="MUG-1").alignment
    told(pair.listing, sold(pair.item, till, now, minutes=30), after=20)
    figures = measure(now, till, store).figures
    assert (figures[store.pk].latency_median, figures[store.pk].latency_p95) == (31, 31)
    assert figures[till.pk].latency_p95 is None
    assert figures[store.pk].writes_applied == 1


def test_an_opening_is_no_event_and_a_refused_write_carries_nothing(shop, now):
    till, store = shop
    pair = SyncState.objects.get(pos_sku="MUG-1").alignment
    told(pair.listing, sold(pair.item, till, now, minutes=30, kind=Movement.Kind.OPENING), after=20)
    pot = SyncState.objects.get(pos_sku="POT-1").alignment
    told(pot.listing, sold(pot.item, till, now, minutes=20), after=20, state=OutboundWrite.State.REJECTED)
    figures = measure(now, store).figures[store.pk]
    assert figures.latency_p95 is None
    assert (figures.writes_applied, figures.writes_refused) == (1, 1)


def test_conflicts_runs_and_requests_count_within_the_period_only(shop, now):
    _, store = shop
    pair = SyncState.objects.first().alignment
    for hours, size in ((1, "minor"), (2, "critical"), (24, "major"), (25, "major")):
        found = now - timedelta(hours=hours)
        SyncConflict.objects.create(
            store=store,
            alignment=pair,
            conflict_type=SyncConflict.Type.QUANTITY,
            drift_class=size,
            detected_at=found,
            resolved_at=found,
            resolution=SyncConflict.Resolution.POS,
        )
    for hours, state, dry in ((1, "done", 0), (2, "partial", 0), (3, "failed", 0), (3, "done", 1), (30, "failed", 0)):
        at = now - timedelta(hours=hours)
        SyncRun.objects.create(store=store, kind="full", state=state, dry_run=bool(dry), started_at=at, finished_at=at)
    for minutes, status, latency in ((5, 200, 100), (6, 503, 300), (7, 0, 9000)):
        at = now - timedelta(minutes=minutes)
        ApiCall.objects.create(connection=store, at=at, method="GET", path="/", status=status, latency_ms=latency)
    figures = measure(now, store).figures[store.pk]
    assert (figures.conflicts, figures.drift_minor, figures.drift_major, figures.drift_critical) == (3, 1, 1, 1)
    assert (figures.runs_ended, figures.runs_failed) == (2, 1)
    assert (figures.calls, figures.calls_failed, figures.call_median, figures.call_p95) == (3, 2, 100, 300)


def test_measuring_takes_four_statements_however_many_connections_there_are(shop, now):
    for number in range(5):
        factories.store_connection(f"shop-{number}")
    pair = SyncState.objects.get(pos_sku="MUG-1").alignment
    told(pair.listing, sold(pair.item, shop[0], now, minutes=30), after=20)
    with CaptureQueriesContext(database) as seen:
        measure(now, *shop)
    assert len(seen) == 4


def test_what_waits_is_counted_for_the_menu_in_one_statement(shop, now):
    _, store = shop
    SyncConflict.objects.create(
        store=store, alignment=SyncState.objects.first().alignment, conflict_type="price_mismatch", drift_class="minor",
        detected_at=now,
    )  # fmt: skip
    factories.alignment(factories.item(shop[0], "LID-1"), factories.listing(store, "LID-1"), "proposed")
    with CaptureQueriesContext(database) as seen:
        assert nav_counts() == {"conflicts": 1, "alerts": 0, "proposals": 1, "held": 0, "prices": 0}
    assert len(seen) == 1


def test_of_each_store_the_newest_run_is_shown_and_whatever_is_held(shop, now):
    _, store = shop
    runs = [
        SyncRun.objects.create(store=store, kind="full", state=state, started_at=now, finished_at=now)
        for state in ("held", "done", "done", "failed")
    ]
    assert runs_to_show() == [runs[3], runs[2], runs[0]]


def test_a_day_is_written_once_and_again_as_it_goes_on(shop, now):
    _, store = shop
    assert metrics_record(now=now) == 2
    SyncState.objects.update(sync_status="synced")
    assert metrics_record(now=now + timedelta(hours=1)) == 2
    row = DailyMetric.objects.get(connection=store)
    assert (row.day, row.pairs_in_step, row.measured_at) == (now.date(), 2, now + timedelta(hours=1))


def test_yesterday_is_finished_with_what_happened_and_keeps_what_stood_then(shop, now):
    _, store = shop
    metrics_record(now=now)
    late = now.replace(hour=23)
    SyncRun.objects.create(store=store, kind="full", state="done", started_at=late, finished_at=late)
    SyncState.objects.update(sync_status="synced")
    metrics_record(now=now + timedelta(days=1))
    yesterday = DailyMetric.objects.get(connection=store, day=now.date())
    assert (yesterday.runs_ended, yesterday.pairs_in_step) == (1, 1)
    assert metrics_record(now=now + timedelta(days=1, hours=1)) == 2  # finished days are left alone


def test_a_day_is_the_connections_own(shop, now):
    _, store = shop
    type(store).objects.filter(pk=store.pk).update(time_zone="Pacific/Auckland")
    metrics_record(now=now.replace(hour=20))
    assert DailyMetric.objects.get(connection=store).day == now.date() + timedelta(days=1)
