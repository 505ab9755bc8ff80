"""Every policy against every class, exactly."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from sync.core.policy import Accept, AskPerson, DriftClass, Policy, Rule, Undo, decide, drift_class, percent_of
from sync.models import SyncConflict, SyncPolicy

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EARLIER = NOON - timedelta(hours=1)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("0", "perfect"),
        ("1", "minor"),
        ("-2", "minor"),
        ("2.001", "major"),
        ("-10", "major"),
        ("10.5", "critical"),
        ("-11", "critical"),
    ],
)
def test_the_class_goes_by_units_either_way(units, expected):
    assert drift_class(Decimal(units)) == expected


def test_a_missing_number_is_critical():
    assert drift_class(None) == DriftClass.CRITICAL


def test_limits_of_a_product_move_the_classes():
    limits = {"minor_to": Decimal(5), "major_to": Decimal(50)}
    assert [drift_class(Decimal(units), **limits) for units in (5, 6, 50, 51)] == ["minor", "major", "major", "critical"]


def test_a_limit_of_zero_leaves_every_difference_to_a_person():
    assert decide(rule=Rule(minor_to=Decimal(0)), residual=Decimal(1)) == AskPerson("More than 0 units are left to a person.")


@pytest.mark.parametrize(
    ("units", "base", "expected"),
    [("3", "12", "25.0"), ("-1", "3", "-33.3"), ("3", "0", None), ("5", "-10", "50.0"), ("4", None, None)],
)
def test_a_percentage_needs_a_base(units, base, expected):
    found = percent_of(Decimal(units), None if base is None else Decimal(base))
    assert found == (None if expected is None else Decimal(expected))


UNDO, ACCEPT, ASK = Undo, Accept, AskPerson
TABLE = [  # policy, +2, -2, +10, -10, +11, -11
    (Policy.POS_WINS, UNDO, UNDO, ASK, ASK, ASK, ASK),
    (Policy.STORE_WINS, ACCEPT, ACCEPT, ASK, ASK, ASK, ASK),
    (Policy.NEWEST_WINS, UNDO, UNDO, ASK, ASK, ASK, ASK),
    (Policy.HIGHER_COUNT, ACCEPT, UNDO, ASK, ASK, ASK, ASK),
    (Policy.MERGE, ACCEPT, ACCEPT, ACCEPT, ACCEPT, ASK, ASK),
    (Policy.MANUAL_REVIEW, ASK, ASK, ASK, ASK, ASK, ASK),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0] for row in TABLE])
def test_each_policy_decides_as_the_table_says(row):
    policy, *expected = row
    decided = [type(decide(rule=Rule(policy), residual=Decimal(units))) for units in (2, -2, 10, -10, 11, -11)]
    assert decided == expected


def test_major_ones_are_settled_by_rule_where_nobody_wants_to_review_them():
    rule = Rule(Policy.POS_WINS, review_major=False)
    decided = [type(decide(rule=rule, residual=Decimal(units))) for units in (10, -10, 11)]
    assert decided == [Undo, Undo, AskPerson]


@pytest.mark.parametrize(
    ("store", "till", "expected"),
    [(NOON, EARLIER, Accept), (EARLIER, NOON, Undo), (NOON, NOON, Undo), (None, EARLIER, Undo), (NOON, None, Undo)],
)
def test_newest_wins_goes_by_the_times_and_by_the_till_where_they_do_not_tell(store, till, expected):
    rule = Rule(Policy.NEWEST_WINS)
    assert type(decide(rule=rule, residual=Decimal(1), store_changed_at=store, till_changed_at=till)) is expected


def test_the_database_knows_the_same_policies_and_classes():
    assert set(SyncPolicy.Policy.values) == set(Policy)
    assert {*SyncConflict.Class.values, "perfect"} == set(DriftClass)
