"""Any row of a shop, however odd: read, or named by one typed error; and the others are read all the same."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from connectors.contract import OrderState, SetAside, Sort, StoreReading, StoreWrite, WriteBatch
from connectors.errors import ConnectorError, UnreadableError
from connectors.woocommerce import mapping
from connectors.woocommerce.hooks import order_told, payload_kept
from connectors.woocommerce.writes import batch_send
from sandbox.server import serve
from tests.connectors.scripted import Answer, Scripted, listing
from tests.connectors.test_wire import ANYTHING
from tests.connectors.woocommerce.conftest import store_on
from tests.connectors.woocommerce.test_mapping import OPERATION, ROW
from tests.connectors.woocommerce.test_orders import SINCE, order

ORDER = order(1)
META = some.fixed_dictionaries(
    {"key": some.sampled_from(["_reduced_stock", mapping.RECEIPT, 1]), "value": ANYTHING, "id": ANYTHING}
)
VALUE = ANYTHING | some.lists(META | ANYTHING, max_size=3)
LINE = some.builds(lambda changes: {**ORDER["line_items"][0], **changes}, some.dictionaries(
    some.sampled_from(sorted(ORDER["line_items"][0])), VALUE, max_size=2))  # fmt: skip


def spoiled(row: dict[str, Any], *extra: str) -> Any:
    return some.builds(
        lambda changes, gone: {name: value for name, value in {**row, **changes}.items() if name not in gone},
        some.dictionaries(some.sampled_from([*row, *extra]), VALUE | some.lists(LINE | ANYTHING, max_size=3), max_size=3),
        some.sets(some.sampled_from([*row]), max_size=1),
    )


def storable(said: Any) -> None:
    """What every database keeps: encoded as text, in UTF-8, without NUL."""
    assert "\0" not in repr(said).replace("\\x00", "\0")
    repr(said).encode()
    assert "\\ud" not in repr(said)


@given(spoiled(ROW, "meta_data", "cost_of_goods_sold", "global_unique_id") | some.dictionaries(some.text(max_size=5), ANYTHING))
def test_any_product_is_read_or_set_aside(row):
    found = mapping.reading_or_aside(row)
    storable(found)
    if isinstance(found, SetAside):
        assert isinstance(found.cause, UnreadableError)
        assert found.sort is Sort.LISTING
    else:
        assert isinstance(found, StoreReading)
        assert 0 < found.remote_id < 2**63
        assert len(found.sku) <= 190
        assert found.quantity is None or abs(found.quantity) < 10**11


@given(spoiled(ORDER) | some.dictionaries(some.text(max_size=5), ANYTHING))
def test_any_order_is_read_or_set_aside(row):
    found = mapping.order_or_aside(row)
    storable(found)
    if isinstance(found, SetAside):
        assert isinstance(found.cause, UnreadableError)
    else:
        assert isinstance(found, OrderState)
        numbers = [line.remote_id for line in found.lines]
        assert len(numbers) == len(set(numbers))
        assert all(line.problem for line in found.lines if not line.remote_id)


@given(spoiled(ORDER) | some.dictionaries(some.text(max_size=5), ANYTHING))
def test_any_webhook_can_be_kept_and_is_read_or_one_typed_error(body):
    kept = payload_kept(body)
    storable(kept)
    try:
        assert order_told("order.updated", kept) is not None
    except UnreadableError as error:
        storable(error.message)


def wire_text(row: Any) -> str:
    return json.dumps(row, default=str)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(spoiled(ROW, "meta_data") | ANYTHING, some.integers(0, 2))
def test_among_good_products_any_row_stops_nothing(odd, at):
    good = [{**ROW, "id": 100 + number, "sku": f"S{number}"} for number in range(3)]
    rows = [*good[:at], odd, *good[at:]]
    body, heard = f"[{', '.join(map(wire_text, rows))}]", []
    with serve(Scripted(lambda request: Answer(body=body, headers={"X-WP-Total": "4"}) if request.path.endswith("products")
                        else listing([]))) as server:  # fmt: skip
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        read = [reading for page in store.walk_listings(aside=heard.append) for reading in page]
    assert {reading.sku for reading in read} >= {"S0", "S1", "S2"}
    assert len(read) + len(heard) == 4


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(spoiled(ORDER) | ANYTHING, some.integers(0, 2))
def test_among_good_orders_any_row_stops_nothing(odd, at):
    good = [order(number) for number in (101, 102, 103)]
    body, heard = f"[{', '.join(map(wire_text, [*good[:at], odd, *good[at:]]))}]", []

    def answer(request: Any) -> Answer:
        return Answer(body=body, headers={"X-WP-Total": "4"}) if request.query["status"] == "any" else listing([])

    with serve(Scripted(answer)) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        read = store.read_orders(modified_after=SINCE, aside=heard.append)
    assert {state.remote_id for state in read} >= {101, 102, 103}
    assert len(read) + len(heard) == 4


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(spoiled(ROW, "meta_data", "error") | ANYTHING)
def test_any_answer_to_a_write_is_an_outcome(item):
    with serve(Scripted(Answer(body=f'{{"update": [{wire_text(item)}]}}'))) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        (result,) = batch_send(store._client, WriteBatch(0, [StoreWrite(OPERATION, 7, 0, delta=1)]))
    assert result.operation_id == OPERATION
    storable(str(result.error))


def test_without_a_listener_one_odd_row_is_an_error_and_nothing_is_lost_in_silence():
    with serve(Scripted(listing([order(1), {**order(2), "date_created_gmt": None}]))) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        with pytest.raises(ConnectorError, match="order number 2"):
            store.read_orders(modified_after=datetime(2026, 3, 1, tzinfo=UTC))
