"""The till's own rules: versions, adjustments once, and a history that adds up."""

from datetime import UTC, datetime
from decimal import Decimal
from threading import Thread
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from sandbox.till.shelf import Till
from sandbox.till.words import Adjustment, Kind, TillError, TillState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OP = UUID("00000000-0000-4000-8000-000000000001")
OTHER_OP = UUID("00000000-0000-4000-8000-000000000002")


@pytest.fixture
def till():
    till = Till(locations=("Main", "Depot"), clock=lambda: NOON)
    till.generate(3, seed=1)
    till.count("GEN-000001", 10)
    return till


def test_a_count_sets_and_sales_and_deliveries_move(till):
    till.sell("GEN-000001", 3)
    till.receive("GEN-000001", Decimal("1.5"))
    assert till.on_hand("GEN-000001") == Decimal("8.5")
    till.count("GEN-000001", 7)
    assert till.on_hand("GEN-000001") == 7
    assert [(h.kind, h.delta, h.on_hand) for h in till.happenings[1:]] == [
        (Kind.SALE, -3, 7),
        (Kind.RECEIPT, Decimal("1.5"), Decimal("8.5")),
        (Kind.COUNT, Decimal("-1.5"), 7),
    ]


def test_a_count_that_confirms_is_no_happening_and_no_new_version(till):
    before = len(till.happenings), till.levels_after(0, 100).next_after
    assert till.count("GEN-000001", 10) is None
    assert (len(till.happenings), till.levels_after(0, 100).next_after) == before


def test_the_till_sells_below_zero(till):
    assert till.sell("GEN-000001", 12).on_hand == -2


def test_locations_are_counted_apart(till):
    till.receive("GEN-000001", 4, "Depot")
    assert (till.on_hand("GEN-000001"), till.on_hand("GEN-000001", "Depot")) == (10, 4)


def test_each_change_gets_a_higher_version_and_a_row_is_shown_once_as_it_is_now(till):
    start = till.levels_after(0, 100).next_after
    till.sell("GEN-000001", 1)
    till.sell("GEN-000002", 1)
    till.sell("GEN-000001", 1)
    page = till.levels_after(start, 100)
    assert [(level.sku, level.on_hand) for level in page.rows] == [
        ("GEN-000002", till.on_hand("GEN-000002")),
        ("GEN-000001", 8),
    ]
    assert not page.has_more
    assert till.levels_after(page.next_after, 100).rows == []


def test_a_walk_in_pages_misses_nothing_that_changes_on_the_way(till):
    seen, after = {}, 0
    while True:
        page = till.levels_after(after, 1)
        for level in page.rows:
            seen[level.sku] = level.on_hand
        if after == 0:
            till.sell("GEN-000001", 2)
        after = page.next_after
        if not page.has_more:
            break
    assert seen == {sku: till.on_hand(sku) for sku in till.skus()}


def test_a_long_history_does_not_change_what_the_lists_show(till):
    for _ in range(3000):
        till.sell("GEN-000002", 1)
    assert [level.sku for level in till.levels_after(0, 10).rows] == ["GEN-000003", "GEN-000001", "GEN-000002"]
    assert len(till.sales_after(0, 5000).rows) == 3000


def test_an_operation_id_is_booked_once(till):
    wanted = Adjustment(OP, "GEN-000001", Decimal(-2), reason="order", reference="512")
    first, again = till.adjust(wanted), till.adjust(wanted)
    assert (first[1], again[1]) == (True, False)
    assert first[0] is again[0]
    assert till.on_hand("GEN-000001") == 8
    assert till.adjustment(OP) is first[0]
    assert till.adjustment(OTHER_OP) is None


def test_the_default_location_by_name_and_by_absence_is_the_same_adjustment(till):
    till.adjust(Adjustment(OP, "GEN-000001", Decimal(-2)))
    assert till.adjust(Adjustment(OP, "GEN-000001", Decimal("-2.0"), location="Main"))[1] is False


def test_an_operation_id_with_other_content_is_refused_and_moves_nothing(till):
    till.adjust(Adjustment(OP, "GEN-000001", Decimal(-2)))
    with pytest.raises(TillError) as refusal:
        till.adjust(Adjustment(OP, "GEN-000001", Decimal(-3)))
    assert refusal.value.code == "operation_id_reused"
    assert till.on_hand("GEN-000001") == 8


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Adjustment(OP, "NOPE", Decimal(1)), "unknown_sku"),
        (Adjustment(OP, "GEN-000001", Decimal(1), location="Moon"), "unknown_location"),
        (Adjustment(OP, "GEN-000001", Decimal(0)), "zero_delta"),
    ],
)
def test_what_cannot_be_booked_leaves_no_trace(till, wanted, code):
    before = list(till.happenings)
    with pytest.raises(TillError) as refusal:
        till.adjust(wanted)
    assert refusal.value.code == code
    assert till.happenings == before
    assert till.adjustment(OP) is None


def test_many_adjustments_are_booked_all_or_none(till):
    with pytest.raises(TillError):
        till.adjust_all([Adjustment(OP, "GEN-000001", Decimal(1)), Adjustment(OTHER_OP, "NOPE", Decimal(1))])
    assert till.on_hand("GEN-000001") == 10
    assert till.adjust_all([Adjustment(OP, "GEN-000001", Decimal(1)), Adjustment(OP, "GEN-000001", Decimal(1))]) == 1
    assert till.on_hand("GEN-000001") == 11


def test_a_price_change_is_a_change_of_the_item_not_of_its_level(till):
    items, levels = till.items_after(0, 100).next_after, till.levels_after(0, 100).next_after
    till.reprice("GEN-000002", Decimal("9.99"))
    assert [(item.sku, item.price) for item in till.items_after(items, 100).rows] == [("GEN-000002", Decimal("9.99"))]
    assert till.levels_after(levels, 100).rows == []


def test_concurrent_sales_are_all_counted(till):
    threads = [Thread(target=lambda: [till.sell("GEN-000001", 1) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert till.on_hand("GEN-000001") == 10 - 800
    versions = [happening.version for happening in till.happenings]
    assert versions == sorted(set(versions))


def test_the_history_adds_up_to_what_is_there(till):
    opening = Till(clock=lambda: NOON)
    opening.generate(3, seed=1)
    till.sell("GEN-000003", 5)
    till.adjust(Adjustment(OP, "GEN-000003", Decimal(2)))
    for sku in till.skus():
        assert opening.on_hand(sku) + sum(h.delta for h in till.happenings if h.sku == sku) == till.on_hand(sku)


def test_a_till_restored_from_its_state_goes_on_as_the_same_till(till):
    till.sell("GEN-000003", 5)
    till.reprice("GEN-000001", Decimal("1.25"))
    till.adjust(Adjustment(OP, "GEN-000002", Decimal(2), location="Depot"))
    kept = TypeAdapter(TillState).dump_json(till.dump())
    other = Till(locations=("Main", "Depot"), clock=lambda: NOON)
    other.generate(5)
    other.restore(TypeAdapter(TillState).validate_json(kept))
    assert other.dump() == till.dump()
    for ask in ("items_after", "levels_after", "sales_after"):
        assert getattr(other, ask)(0, 100) == getattr(till, ask)(0, 100)
    assert other.adjust(Adjustment(OP, "GEN-000002", Decimal(2), location="Depot"))[1] is False
    assert other.sell("GEN-000001", 1).version == till.sell("GEN-000001", 1).version
