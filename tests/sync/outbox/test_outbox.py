"""One bad product must not keep the others from being told, and must not be tried for ever (reliability.md, case 9)."""

from datetime import timedelta

import pytest
from werkzeug.wrappers import Response

from connectors.models import Connection
from sync.limits import limits
from sync.models import OutboundWrite, SyncState
from sync.turns.decisions import writes_retry
from tests.sync.shop import INCREMENTAL, problems

pytestmark = pytest.mark.django_db
STOCK = {f"S{n:02}": 20 + n for n in range(40)}
BATCH = "products/batch"
BAD = "S17"


def sold(shop, skus=tuple(STOCK)):
    for sku in skus:
        shop.till.sell(sku, 1)
    shop.clock.tick(minutes=10)
    shop.export()


def changed(open_shop, **options):
    """A running shop in which every item has sold one at the till; the export lies there."""
    shop = open_shop(stock=STOCK, settle_seconds=30, **options)
    shop.running()
    sold(shop)
    return shop


class Poison:
    """Products that make the shop fail every request they are in. `applied`: it fails only after all was done."""

    def __init__(self, shop, monkeypatch, *skus: str, status: int = 500, applied: bool = False) -> None:
        self.skus, self.sizes, self.status, self.applied = set(skus), [], status, applied
        self.shop, self.answer = shop, shop.app._answer
        monkeypatch.setattr(shop.app, "_answer", self)

    def __call__(self, request):
        if request.method != "POST" or "batch" not in request.path:
            return self.answer(request)
        items = request.get_json()["update"]
        self.sizes.append(len(items))
        if not self.skus & {self.shop.app.product(item["id"]).sku for item in items}:
            return self.answer(request)
        if self.applied:
            self.answer(request)
        if self.status >= 500:
            return Response("<p>The shop failed.</p>", self.status, content_type="text/html")
        return Response('{"code": "bad_request", "message": "Bad request."}', self.status, content_type="application/json")


def tries(sku: str = BAD) -> list[OutboundWrite]:
    return list(OutboundWrite.objects.filter(listing__sku=sku).order_by("id"))


def others_in_step(shop) -> bool:
    shown, expected = shop.shown(), shop.expected()
    return {sku for sku in STOCK if shown[sku] != expected[sku]} == {BAD}


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_refused_for_one_product_is_halved_at_once_and_the_others_count(open_shop, monkeypatch, status):
    shop = changed(open_shop, lanes=1)
    poison = Poison(shop, monkeypatch, BAD, status=status)
    began = shop.clock.at
    run = shop.sync(INCREMENTAL)
    assert others_in_step(shop)
    assert poison.sizes[0] == 40
    assert len(poison.sizes) <= 2 * 6 + 1  # two for each time forty can be halved
    assert shop.clock.at == began  # nothing to wait for: a refusal is an answer
    assert problems(run) == [(BAD, None, "too_many" if status == 413 else "bad_request")]
    (write,) = tries()
    assert (write.state, write.attempts, write.failures) == ("rejected", 1, 0)
    assert {len(deltas) for sku, deltas in shop.sent().items() if sku != BAD} <= {1, 2, 3, 4, 5, 6}
    assert sum(OutboundWrite.objects.filter(state="applied", planned_to__lt=100).values_list("delta", flat=True)) == -39
    assert SyncState.objects.get(woo_sku=BAD).sync_status == "error"


@pytest.mark.parametrize("status", [500, 504])
def test_a_batch_that_dies_of_one_product_is_looked_up_and_then_sent_with_fewer(open_shop, monkeypatch, status):
    shop = changed(open_shop, lanes=1)
    poison = Poison(shop, monkeypatch, BAD, status=status)
    run = shop.sync()
    assert others_in_step(shop)
    assert poison.sizes[:2] == [40, 4]  # then ten requests of four, then four alone
    assert sorted(poison.sizes) == [1] * 4 + [4] * 10 + [40]
    assert [(write.state, write.failures, write.at_most) for write in tries()] == [
        ("not_sent", 1, 4),
        ("not_sent", 2, 1),
        ("not_sent", 3, 1),
    ]
    assert problems(run) == [(BAD, None, "held")]
    assert run.state == "partial"
    state = SyncState.objects.get(woo_sku=BAD)
    assert state.sync_status == "error"
    assert "3 times" in state.reason
    assert "Try again" in state.reason
    assert shop.movements() == [(sku, -1) for sku in STOCK]


def test_no_part_of_a_batch_goes_out_before_it_was_looked_up(open_shop, monkeypatch):
    shop = changed(open_shop, lanes=1)
    poison = Poison(shop, monkeypatch, BAD, applied=True)
    run = shop.sync(INCREMENTAL, may_wait=False)
    assert poison.sizes == [40]
    shop.clock.tick(seconds=20)
    shop.sync(INCREMENTAL, may_wait=False)
    assert poison.sizes == [40]
    shop.clock.tick(seconds=11)
    run = shop.sync(INCREMENTAL, may_wait=False)
    assert poison.sizes == [40]  # all of it had landed
    assert run.state == "done"
    assert shop.shown() == shop.expected()


def held(open_shop, monkeypatch, **options):
    shop = changed(open_shop, lanes=1, **options)
    poison = Poison(shop, monkeypatch, BAD)
    shop.sync()
    assert len(tries()) == 3
    poison.sizes.clear()
    shop.app.forget_requests()
    return shop, poison


def test_what_failed_alone_is_not_tried_for_ever(open_shop, monkeypatch):
    shop, poison = held(open_shop, monkeypatch)
    for hours in (0.25, 1, 8, 14):
        shop.clock.tick(hours=hours)
        run = shop.sync()
        assert run.counts["quarantined"] == 1
    assert poison.sizes == []
    shop.clock.tick(hours=2)  # a day is over: once more, and held again
    shop.sync()
    assert poison.sizes == [1]
    assert tries()[-1].failures == 4
    shop.clock.tick(hours=1)
    shop.sync()
    assert poison.sizes == [1]


def test_what_is_held_goes_again_alone_when_it_changes(open_shop, monkeypatch):
    shop, poison = held(open_shop, monkeypatch)
    poison.skus.clear()
    shop.clock.tick(minutes=20)
    sold(shop, [BAD, "S01", "S02"])
    shop.sync()
    assert sorted(poison.sizes) == [1, 2]
    assert shop.shown() == shop.expected()
    assert tries()[-1].state == "applied"
    assert SyncState.objects.get(woo_sku=BAD).sync_status == "synced"


def test_a_manager_can_have_it_tried_again(open_shop, monkeypatch):
    shop, poison = held(open_shop, monkeypatch)
    assert writes_retry(writes=OutboundWrite.objects.filter(listing__sku="S01")) == 0  # it went well
    assert writes_retry(writes=tries()[-1:]) == 1
    shop.clock.tick(minutes=1)
    run = shop.sync()
    assert poison.sizes == [1, 1, 1]  # three attempts, as if for the first time
    assert problems(run) == [(BAD, None, "held")]
    poison.skus.clear()
    writes_retry(writes=tries()[-1:])
    shop.clock.tick(minutes=1)
    assert shop.sync().state == "done"
    assert shop.shown() == shop.expected()


def test_a_shop_that_fails_whatever_it_is_sent_is_left_alone_and_holds_nothing_against_a_product(open_shop, monkeypatch):
    shop = changed(open_shop, lanes=1, batch_size=5)
    poison = Poison(shop, monkeypatch, *STOCK)
    run = shop.sync(INCREMENTAL, may_wait=False)
    most = limits().failures_in_row + 1  # a free lane is filled before an answer has been looked at
    assert poison.sizes == [5] * most
    assert run.state == "partial"
    store = Connection.objects.get(pk=shop.store.pk)
    assert (store.failures_in_row, bool(store.last_error)) == (1, True)
    for _ in range(3):
        shop.clock.tick(minutes=15)
        shop.sync(INCREMENTAL, may_wait=False)
    assert len(poison.sizes) <= 4 * most
    poison.skus.clear()
    for _ in range(2):
        shop.clock.tick(minutes=15)
        shop.sync(INCREMENTAL)
    shop.clock.tick(hours=1)
    run = shop.sync(INCREMENTAL)
    assert run.state == "done"
    assert shop.shown() == shop.expected()
    assert Connection.objects.get(pk=shop.store.pk).failures_in_row == 0


def test_a_key_that_may_not_write_is_told_once_and_no_batch_follows(open_shop):
    shop = changed(open_shop, lanes=1, batch_size=5)
    shop.app.faults.arm("forbidden", method="POST", path=BATCH, count=None)
    run = shop.sync(INCREMENTAL)
    assert len(shop.app.writes) <= 2  # a free lane is filled before an answer has been looked at
    assert run.state == "partial"
    assert {code for _, _, code in problems(run)} == {"blocked"}
    assert SyncState.objects.filter(sync_status="error").count() == 10
    shop.app.faults.clear()
    shop.clock.tick(minutes=15)
    assert shop.sync(INCREMENTAL).state == "done"
    assert shop.shown() == shop.expected()


def test_attempts_of_a_busy_shop_are_spread_and_never_sooner_than_it_asked(open_shop):
    shop = changed(open_shop, lanes=1)
    shop.app.faults.arm("rate_limit", method="POST", path=BATCH, retry_after="7")
    shop.sync(INCREMENTAL, may_wait=False)
    (at,) = set(OutboundWrite.objects.filter(state="pending").values_list("next_attempt_at", flat=True))
    assert timedelta(seconds=7) <= at - shop.clock.at <= timedelta(seconds=7.7)
