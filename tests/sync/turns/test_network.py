"""What the network and the shop's server do to a run, and that it converges afterwards without a double effect."""

import pytest

from sync.models import OutboundWrite, SyncState
from tests.sync.shop import INCREMENTAL, problems

pytestmark = pytest.mark.django_db
STOCK = {f"S{n:02}": 20 + n for n in range(12)}
BATCH = "products/batch"


def changed(open_shop, **options):
    """A running shop in which every item has sold one at the till; the export lies there."""
    shop = open_shop(stock=STOCK, **options)
    shop.running()
    for sku in STOCK:
        shop.till.sell(sku, 1)
    shop.clock.tick(minutes=10)
    shop.export()
    return shop


def in_step(shop) -> bool:
    return shop.shown() == shop.expected()


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in OutboundWrite.objects.filter(planned_to__lt=100).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


UNKNOWN = {
    "hang": {"kind": "hang", "seconds": 3},
    "close": {"kind": "close"},
    "reset": {"kind": "reset"},
    "gateway": {"kind": "gateway"},
    "fatal": {"kind": "fatal"},
}


@pytest.mark.parametrize("applied", [True, False], ids=["took_effect", "no_effect"])
@pytest.mark.parametrize("fault", list(UNKNOWN))
def test_a_write_without_an_answer_is_looked_up_by_its_receipt_and_never_doubled(open_shop, fault, applied):
    shop = changed(open_shop, read_timeout=0.5)
    options = dict(UNKNOWN[fault])
    shop.app.faults.arm(options.pop("kind"), method="POST", path=BATCH, applied=applied, **options)
    began = shop.clock.at
    run = shop.sync()
    assert shop.clock.at.timestamp() - began.timestamp() >= 5  # not before the settle time
    assert run.state == "done"
    assert in_step(shop)
    sent = shop.sent()
    twice = [sku for sku in sent if len(sent[sku]) > 1]
    assert sorted(set(map(tuple, sent.values()))) in ([(-1,)], [(-1,), (-1, -1)])
    if applied:
        assert twice == []
        assert run.counts["looked_up_landed"] > 0
        assert states() == {"applied": 12}
    else:
        assert len(twice) == run.counts["looked_up_without_effect"] == states()["not_sent"] > 0
        assert states()["applied"] == 12
    assert shop.movements() == [(sku, -1) for sku in STOCK]
    assert sorted(shop.logged("sync_engine")) == [(sku, str(STOCK[sku]), str(STOCK[sku] - 1)) for sku in STOCK]


def test_an_unanswered_write_is_left_alone_until_the_shop_has_surely_done_with_it(open_shop):
    shop = changed(open_shop, settle_seconds=90)
    shop.app.faults.arm("close", method="POST", path=BATCH, applied=False, count=None)
    run = shop.sync(may_wait=False)
    assert run.state == "partial"
    assert run.counts["open_writes"] == 12
    assert states() == {"unknown": 12}
    shop.app.faults.clear()
    sent = shop.sent()
    shop.clock.tick(seconds=60)
    shop.sync(INCREMENTAL, may_wait=False)
    assert shop.sent() == sent
    assert states() == {"unknown": 12}
    assert set(SyncState.objects.values_list("sync_status", flat=True)) == {"pending"}
    shop.clock.tick(seconds=31)
    run = shop.sync(INCREMENTAL, may_wait=False)
    assert run.state == "done"
    assert in_step(shop)


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_batch_that_dies_half_way_is_finished_and_not_begun_again(open_shop, at):
    shop = changed(open_shop, lanes=1)
    shop.app.faults.arm("die_at", method="POST", at=at)
    run = shop.sync()
    assert run.state == "done"
    assert in_step(shop)
    assert run.counts.get("looked_up_landed", 0) == at
    assert states() == {"applied": 12, "not_sent": 12 - at}
    assert sum(len(deltas) for deltas in shop.sent().values()) == 24 - at


@pytest.mark.parametrize("retry_after", ["1", "date:2"])
def test_a_shop_that_asks_to_slow_down_is_asked_again_when_it_said(open_shop, retry_after):
    shop = changed(open_shop, lanes=1)
    shop.app.faults.arm("rate_limit", method="POST", path=BATCH, retry_after=retry_after)
    run = shop.sync()
    assert run.state == "done"
    assert in_step(shop)
    assert states() == {"applied": 12}
    assert run.counts["writes"] == 12


def test_a_shop_that_stays_busy_gets_three_attempts_and_the_rest_later(open_shop):
    shop = changed(open_shop, lanes=1)
    fault = shop.app.faults.arm("rate_limit", method="POST", path=BATCH, retry_after="0", count=None)
    run = shop.sync()
    assert run.state == "partial"
    assert states() == {"not_sent": 12}
    assert {len(deltas) for deltas in shop.sent().values()} == {3}
    assert {subject for subject, _, code in problems(run)} == set(STOCK)
    assert fault.hits >= 3
    shop.app.faults.clear()
    shop.clock.tick(minutes=15)
    assert shop.sync(INCREMENTAL).state == "done"
    assert in_step(shop)


def test_a_shop_in_maintenance_is_left_for_the_next_run(open_shop):
    shop = changed(open_shop)
    shop.app.faults.arm("maintenance", count=None)
    run = shop.sync()
    assert run.state == "failed"
    assert "updated" in run.message
    assert shop.app.writes == []
    shop.app.faults.clear()
    shop.clock.tick(minutes=15)
    assert shop.sync().state == "done"
    assert in_step(shop)


def test_maintenance_that_begins_while_we_write_holds_the_writes_back(open_shop):
    shop = changed(open_shop)
    shop.app.faults.arm("maintenance", method="POST", count=None)
    run = shop.sync()
    assert run.state == "partial"
    assert states() == {"pending": 12}
    shop.app.faults.clear()
    shop.clock.tick(minutes=15)
    run = shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert states() == {"applied": 12}
    assert in_step(shop)


@pytest.mark.parametrize("kind", ["html", "half_json", "cut_off"])
def test_an_answer_to_a_write_that_cannot_be_read_is_looked_up(open_shop, kind):
    shop = changed(open_shop)
    shop.app.faults.arm(kind, method="POST", path=BATCH)
    run = shop.sync()
    assert run.state == "done"
    assert in_step(shop)
    assert {len(deltas) for deltas in shop.sent().values()} == {1}
    assert run.counts["looked_up_landed"] > 0


@pytest.mark.parametrize("path", ["products$", "variations$", "orders$"])
@pytest.mark.parametrize("kind", ["html", "bom", "notice", "half_json", "empty_list", "missing_row", "forbidden", "fatal"])
def test_a_reading_that_is_not_whole_is_not_used_at_all(open_shop, kind, path):
    shop = changed(open_shop)
    shop.app.place_order([("S00", 1)])
    shop.clock.tick(minutes=1)
    shown = shop.shown()
    shop.app.faults.arm(kind, method="GET", path=path, count=None)
    run = shop.sync()
    if kind in ("empty_list", "missing_row") and path == "variations$":
        assert run.state == "done"  # there are none: nothing is missing from an empty list
        return
    assert run.state == "failed"
    assert shop.app.writes == []
    shop.app.faults.clear()
    assert shop.shown() == shown
    assert run.counts.get("listings_missing", 0) == 0
    shop.clock.tick(minutes=15)
    assert shop.sync().state == "done"
    shop.till.sell("S00", 1)  # what was sold online leaves the shelf
    assert in_step(shop)


@pytest.mark.parametrize("kind", ["close", "reset", "cut_off", "rate_limit", "gateway"])
def test_a_reading_that_fails_once_is_asked_again(open_shop, kind):
    shop = changed(open_shop)
    shop.app.faults.arm(kind, method="GET", path="products$")
    run = shop.sync()
    assert run.state == "done"
    assert in_step(shop)


def test_a_shop_that_is_down_fails_the_run_and_loses_nothing(open_shop):
    shop = changed(open_shop)
    shop.server.stop()
    run = shop.sync()
    assert run.state == "failed"
    assert run.message
    assert shop.movements() == [(sku, -1) for sku in STOCK]
    shop.store.refresh_from_db()
    assert (shop.store.failures_in_row, bool(shop.store.last_error)) == (1, True)
