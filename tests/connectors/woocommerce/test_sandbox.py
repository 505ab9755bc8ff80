"""The whole store against the sandbox shop: orders as they change, the connection test, and the pace of a full walk."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.connectors.woocommerce.conftest import ROWS

VERSIONS = pytest.mark.parametrize("version", ["10.2", "10.5"])
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@VERSIONS
def test_what_orders_hold_is_what_the_shop_lost_whatever_becomes_of_them(shop, version):
    s = shop(version)
    kept = s.app.place_order([(11, 2), (21, 1)])
    cancelled = s.app.place_order([(11, 3)])
    refunded = s.app.place_order([(11, 4)])
    trashed = s.app.place_order([(11, 1)])
    unpaid = s.app.place_order([(11, 1)], status="pending")
    s.app.change_order(cancelled.id, status="cancelled")
    s.app.refund_order(refunded.id, {refunded.lines[0].id: 1})
    s.store._client.delete(f"orders/{trashed.id}")
    found = {state.remote_id: state for state in s.store.read_orders(modified_after=LONG_AGO)}
    held = {remote_id: {line.listing_remote_id: line.taken for line in state.lines} for remote_id, state in found.items()}
    assert held == {kept.id: {11: 2, 21: 1}, cancelled.id: {11: 0}, refunded.id: {11: 3}, trashed.id: {11: 1}, unpaid.id: {11: 0}}
    assert found[trashed.id].status == "trash"
    assert 10 - s.app.quantity(11) == sum(lines.get(11, 0) for lines in held.values())


@VERSIONS
def test_only_orders_changed_since_are_read(shop, version):
    s = shop(version, order_overlap_seconds=1)
    s.app.place_order([(11, 1)])
    assert len(s.store.read_orders(modified_after=datetime.now(UTC) - timedelta(minutes=1))) == 1
    assert s.store.read_orders(modified_after=datetime.now(UTC) + timedelta(minutes=1)) == []


@VERSIONS
@pytest.mark.parametrize("tls", [True, False])
def test_the_connection_test_of_a_healthy_shop(shop, version, tls):
    s = shop(version, tls=tls)
    report = s.store.check()
    assert report.ok, report.findings
    assert report.facts["products"] == str(sum("parent_id" not in row for row in ROWS))
    assert report.facts["version"].startswith(version)
    assert (report.facts["currency"], report.facts["time_zone"]) == ("EUR", "Europe/Amsterdam")
    assert [entry.body for entry in s.app.writes] == [{"update": []}]


@pytest.mark.slow
@VERSIONS
def test_both_lanes_are_busy_for_a_whole_walk(shop, version):
    rows = [
        {"id": 100 + n, "type": "simple", "sku": f"S{n}", "regular_price": "1", "manage_stock": True, "stock_quantity": n}
        for n in range(1900)
    ]
    s = shop(version, asked_for_caches=True, rows=rows + ROWS)
    s.app.settings.set(latency=0.1)
    assert sum(len(page) for page in s.store.walk_listings()) == 1908
    came = sorted(request.at for request in s.app.requests)
    assert len(came) == (21 if version == "10.5" else 23)
    # One lane asks only when the one before has been answered; of two that start together every second one does.
    late = [at for before, at in pairwise(came) if at - before >= 0.1]
    assert len(late) <= len(came) * 2 // 3


@VERSIONS
def test_a_walk_tells_how_far_it_has_come(shop, version):
    heard = []
    rows = sum(
        len(page) for page in shop(version, rows=ROWS).store.walk_listings(told=lambda done, total: heard.append((done, total)))
    )
    assert heard[-1] == (rows, rows)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
