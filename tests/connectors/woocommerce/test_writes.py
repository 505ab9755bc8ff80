"""Writing to a shop over HTTP: what goes out, what became of it, and what is never sent twice."""

from decimal import Decimal
from uuid import UUID

import pytest

from connectors.contract import Outcome, StoreWrite, WriteBatch
from connectors.errors import ConfigError, RejectedError, RetryableError, UnknownOutcomeError
from connectors.http.pacing import Pacer, paced_map
from connectors.woocommerce.writes import batches_plan
from sandbox.server import serve
from tests.connectors.scripted import Answer, Scripted
from tests.connectors.woocommerce.conftest import store_on

VERSIONS = pytest.mark.parametrize("version", ["10.2", "10.5"])


def write(remote_id: int, parent: int = 0, **what: object) -> StoreWrite:
    return StoreWrite(UUID(int=remote_id), remote_id, parent, **what)


def simple(count: int) -> list[dict]:
    return [
        {"id": 100 + n, "type": "simple", "sku": f"S{n}", "regular_price": "1", "manage_stock": True, "stock_quantity": 10}
        for n in range(count)
    ]


# -- what goes out ---------------------------------------------------------------------------------------------------


@VERSIONS
@pytest.mark.parametrize("tls", [True, False])
def test_a_relative_write_changes_the_number_and_leaves_its_receipt(shop, version, tls):
    s = shop(version, tls=tls)
    (result,) = s.store.send(WriteBatch(0, [write(11, delta=-3)]))
    assert (result.operation_id, result.outcome, result.error) == (UUID(int=11), Outcome.APPLIED, None)
    assert (result.reading.quantity, result.reading.receipt) == (7, str(UUID(int=11)))
    assert s.app.quantity(11) == 7
    assert [reading.receipt for reading in s.store.read_listings([(11, 0)])] == [str(UUID(int=11))]


@VERSIONS
def test_variations_are_written_through_their_product(shop, version):
    s = shop(version)
    results = s.store.send(WriteBatch(20, [write(21, 20, delta=2), write(22, 20, delta=-1)]))
    assert [(result.outcome, result.reading.quantity) for result in results] == [(Outcome.APPLIED, 8), (Outcome.APPLIED, 6)]
    assert s.asked() == ["POST products/20/variations/batch"]


@VERSIONS
def test_a_price_is_written_exactly(shop, version):
    s = shop(version)
    (result,) = s.store.send(WriteBatch(0, [write(11, price=Decimal("12.95"))]))
    assert (result.outcome, result.reading.price, s.app.quantity(11)) == (Outcome.APPLIED, Decimal("12.95"), 10)
    assert s.app.writes[0].body["update"][0]["regular_price"] == "12.95"


def test_an_empty_batch_is_not_sent(shop):
    s = shop()
    assert s.store.send(WriteBatch(0, [])) == []
    assert s.app.requests == []


# -- how writes are cut ----------------------------------------------------------------------------------------------


def cut(writes: list[StoreWrite], pacer: Pacer) -> list[tuple[int, int]]:
    return [(batch.parent_remote_id, len(batch.writes)) for batch in batches_plan(writes, pacer)]


def products(count: int) -> list[StoreWrite]:
    return [write(1000 + n, delta=1) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, []), (1, [1]), (9, [9]), (10, [5, 5]), (100, [50, 50]), (160, [80, 80]), (201, [51, 50, 50, 50]), (300, [75] * 4)],
)
def test_products_are_shared_evenly_between_two_lanes(count, sizes):
    assert cut(products(count), Pacer(lanes=2, batch=100)) == [(0, size) for size in sizes]


def test_variations_go_by_product_the_largest_first():
    writes = [write(1, 7, delta=1), *[write(10 + n, 8, delta=1) for n in range(3)], *products(160)]
    assert cut(writes, Pacer(lanes=2, batch=100)) == [(0, 80), (0, 80), (8, 3), (7, 1)]


def test_more_variations_than_a_batch_holds_are_cut():
    assert cut([write(n, 7, delta=1) for n in range(230)], Pacer(lanes=2, batch=100)) == [(7, 100), (7, 100), (7, 30)]


def test_every_write_goes_out_once():
    writes = [write(n, n % 7 and 500 + n % 7, delta=1) for n in range(333)]
    planned = [each for batch in batches_plan(writes, Pacer(lanes=2, batch=30)) for each in batch.writes]
    assert sorted(planned, key=lambda each: each.remote_id) == writes


def test_sizes_follow_the_pace_while_they_go_out():
    pacer = Pacer(lanes=2, batch=100)
    plan = batches_plan(products(300), pacer)
    assert len(next(plan).writes) == 75
    pacer.refused()
    pacer.refused()
    assert [len(batch.writes) for batch in plan] == [25] * 9


# -- what is refused -------------------------------------------------------------------------------------------------


@VERSIONS
def test_a_product_deleted_since_is_refused_and_the_others_count(shop, version):
    s = shop(version)
    results = {
        r.operation_id.int: r for r in s.store.send(WriteBatch(0, [write(11, delta=1), write(9999, delta=1), write(12, delta=1)]))
    }
    assert [results[n].outcome for n in (11, 9999, 12)] == [Outcome.APPLIED, Outcome.REJECTED, Outcome.APPLIED]
    assert isinstance(results[9999].error, RejectedError)
    assert results[9999].error.message == "It was deleted in the shop."
    assert (s.app.quantity(11), s.app.quantity(12)) == (11, 5)


@VERSIONS
def test_a_variation_of_another_product_is_refused(shop, version):
    s = shop(version)
    (through_products,) = s.store.send(WriteBatch(0, [write(21, delta=1)]))
    assert through_products.outcome is Outcome.REJECTED
    assert through_products.error.message == "It is a variation of another product now."
    (through_other,) = s.store.send(WriteBatch(30, [write(21, 30, delta=1)]))
    assert through_other.outcome is Outcome.REJECTED
    (of_nothing,) = s.store.send(WriteBatch(9999, [write(21, 9999, delta=1)]))
    assert of_nothing.outcome is Outcome.REJECTED
    assert s.app.quantity(21) == 6


@VERSIONS
def test_a_product_that_does_not_manage_stock_says_so(shop, version):
    s = shop(version)
    (result,) = s.store.send(WriteBatch(0, [write(13, delta=5)]))
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "stock_not_managed")
    assert result.reading.quantity is None
    assert s.app.quantity(13) is None


@VERSIONS
def test_a_variation_with_its_products_stock_says_so(shop, version):
    s = shop(version)
    (result,) = s.store.send(WriteBatch(30, [write(31, 30, delta=5)]))
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "stock_of_parent")
    assert s.app.quantity(30) == 40


def test_a_price_of_a_product_without_managed_stock_is_taken(shop):
    (result,) = shop().store.send(WriteBatch(0, [write(13, price=Decimal("8.50"))]))
    assert result.outcome is Outcome.APPLIED


def test_a_key_that_may_only_read_writes_nothing(shop):
    s = shop()
    key, secret = s.app.add_key("read", key="ck_read", secret="cs_read")
    store = store_on(s.server.url, [], key=key, secret=secret)
    results = store.send(WriteBatch(0, [write(11, delta=1), write(12, delta=1)]))
    assert [result.outcome for result in results] == [Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert isinstance(results[0].error, ConfigError)
    assert "may only read" in results[0].error.next_step
    assert s.app.quantity(11) == 10


# -- what nobody can tell --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("hang", {"seconds": 3}),
        ("close", {}),
        ("reset", {}),
        ("fatal", {}),
        ("gateway", {}),
        ("gateway", {"status": 502}),
        ("html", {}),
        ("bom", {}),
        ("notice", {}),
        ("half_json", {}),
        ("cut_off", {}),
    ],
)
@pytest.mark.parametrize("applied", [True, False])
def test_a_write_without_a_clean_answer_is_unknown_and_sent_once(shop, fault, options, applied):
    s = shop(read_timeout=0.5)
    s.app.faults.arm(fault, method="POST", applied=applied, **options)
    results = s.store.send(WriteBatch(0, [write(11, delta=-1), write(12, delta=-1)]))
    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert all(isinstance(result.error, UnknownOutcomeError) and result.reading is None for result in results)
    assert len(s.app.writes) == 1
    took_effect = applied or fault in ("html", "bom", "notice", "half_json", "cut_off")
    assert s.app.quantity(11) == (9 if took_effect else 10)
    receipts = [reading.receipt for reading in s.store.read_listings([(11, 0)])]
    assert receipts == [str(UUID(int=11)) if took_effect else ""]


def test_a_batch_that_dies_half_way_is_unknown_and_receipts_tell_which_half_landed(shop):
    s = shop(rows=simple(100))
    s.app.faults.arm("die_at", at=40)
    results = s.store.send(WriteBatch(0, [write(100 + n, delta=-1) for n in range(100)]))
    assert {result.outcome for result in results} == {Outcome.UNKNOWN}
    read = s.store.read_listings([(100 + n, 0) for n in range(100)])
    assert sorted(reading.remote_id for reading in read if reading.receipt) == list(range(100, 140))


@pytest.mark.parametrize(
    ("fault", "options", "code", "wait"),
    [
        ("rate_limit", {"retry_after": "3"}, "rate_limit", 3),
        ("rate_limit", {"retry_after": "date:3"}, "rate_limit", None),
        ("maintenance", {}, "maintenance", 60),
    ],
)
def test_a_write_turned_away_is_not_sent(shop, fault, options, code, wait):
    s = shop()
    s.app.faults.arm(fault, method="POST", **options)
    (result,) = s.store.send(WriteBatch(0, [write(11, delta=-1)]))
    assert (result.outcome, result.error.code) == (Outcome.NOT_SENT, code)
    assert isinstance(result.error, RetryableError)
    assert result.error.retry_after == wait if wait else 0 < result.error.retry_after <= 3
    assert (s.store.pacer.lanes, s.store.pacer.batch) == (1, 50)
    assert s.app.quantity(11) == 10


def test_a_firewalls_refusal_is_not_sent(shop):
    s = shop()
    s.app.faults.arm("forbidden", method="POST")
    (result,) = s.store.send(WriteBatch(0, [write(11, delta=-1)]))
    assert (result.outcome, result.error.code) == (Outcome.NOT_SENT, "blocked")


def test_a_server_that_is_not_there_is_not_sent(shop):
    s = shop()
    s.server.stop()
    (result,) = s.store.send(WriteBatch(0, [write(11, delta=-1)]))
    assert (result.outcome, result.error.code) == (Outcome.NOT_SENT, "unreachable")


# -- answers that don't fit ------------------------------------------------------------------------------------------

ITEM = {
    "id": 11,
    "parent_id": 0,
    "type": "simple",
    "sku": "A",
    "status": "publish",
    "manage_stock": True,
    "stock_quantity": 9,
    "backorders": "no",
    "regular_price": "1.00",
    "sale_price": "",
}
OURS = [{"id": 1, "key": "_evenstock_op", "value": str(UUID(int=11))}]
OTHER = [{"id": 1, "key": "_evenstock_op", "value": "another"}]


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        ({"update": [ITEM | {"meta_data": OURS}]}, Outcome.APPLIED, None),
        ({"update": [ITEM | {"meta_data": OTHER}]}, Outcome.UNKNOWN, "other_receipt"),
        ({"update": [ITEM | {"meta_data": []}]}, Outcome.APPLIED, "receipt_not_kept"),
        ({"update": [ITEM | {"meta_data": OURS, "id": 12}]}, Outcome.UNKNOWN, "item_missing"),
        ({"update": []}, Outcome.UNKNOWN, "item_missing"),
        ({}, Outcome.UNKNOWN, "no_items"),
        ([], Outcome.UNKNOWN, "no_items"),
        ([1], Outcome.UNKNOWN, "not_json"),
        ({"update": [{"id": 11, "meta_data": OURS}]}, Outcome.UNKNOWN, "field_missing"),
        ({"update": [{"id": 11, "error": {"code": "x", "message": "No.", "data": 500}}]}, Outcome.REJECTED, "x"),
    ],
)
def test_an_answer_is_checked_item_by_item(answer, outcome, code):
    with serve(Scripted(Answer(body=answer))) as server:
        (result,) = store_on(server.url, [], key="ck_1", secret="cs_1").send(WriteBatch(0, [write(11, delta=-1)]))
    assert (result.outcome, result.error and result.error.code) == (outcome, code)


def test_a_price_the_shop_did_not_take_is_refused():
    with serve(Scripted(Answer(body={"update": [ITEM | {"meta_data": OURS}]}))) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        (result,) = store.send(WriteBatch(0, [write(11, price=Decimal("2.00"))]))
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "price_not_taken")


def test_a_stock_and_a_price_write_to_one_product_each_get_their_own_answer(shop):
    s = shop()
    stock, price = write(11, delta=-1), StoreWrite(UUID(int=77), 11, 0, price=Decimal("13.00"))
    first, second = s.store.send(WriteBatch(0, [stock, price]))
    assert [(each.outcome, each.reading.receipt) for each in (first, second)] == [
        (Outcome.APPLIED, str(UUID(int=11))),
        (Outcome.APPLIED, str(UUID(int=77))),
    ]
    assert (first.reading.quantity, second.reading.price) == (9, Decimal("13.00"))


# -- all together ----------------------------------------------------------------------------------------------------


def test_a_thousand_writes_arrive_once_over_two_lanes_while_the_shop_stumbles(shop):
    s = shop(rows=simple(1000))
    s.app.faults.arm("rate_limit", method="POST", retry_after="0", skip=2)
    writes = [write(100 + n, delta=-1) for n in range(1000)]
    results = {}
    rounds = 0
    while writes and rounds < 5:
        rounds += 1
        for _, some in paced_map(s.store.send, s.store.plan_batches(writes), pacer=s.store.pacer):
            results.update({result.operation_id: result.outcome for result in some})
        writes = [each for each in writes if results[each.operation_id] is Outcome.NOT_SENT]
    assert set(results.values()) == {Outcome.APPLIED}
    assert {s.app.quantity(100 + n) for n in range(1000)} == {9}
    assert rounds == 2


def test_a_slow_shop_gets_smaller_batches_and_its_pace_back_when_it_recovers(shop):
    s = shop(rows=simple(400))
    s.store.pacer._slow = 0.2  # a hundred take 0.4 s or more, and one is never quick: on a busy machine they only get slower
    s.app.settings.set(item_cost=0.004, latency=0.05)
    writes = [write(100 + n, delta=-1) for n in range(400)]
    sizes = []
    for batch, results in paced_map(s.store.send, s.store.plan_batches(writes), pacer=s.store.pacer):
        sizes.append(len(batch.writes))
        assert {result.outcome for result in results} == {Outcome.APPLIED}
    assert sizes[:2] == [100, 100]
    assert max(sizes[-3:]) <= 50
    assert s.store.pacer.lanes == 1
    s.store.pacer._slow = 12.0  # what is quick then is quick on a busy machine too
    s.app.settings.set(item_cost=0, latency=0)
    for n in range(25):
        s.store.send(WriteBatch(0, [write(100 + n, delta=-1)]))
    assert (s.store.pacer.lanes, s.store.pacer.batch) == (2, 100)
