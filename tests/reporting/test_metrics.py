"""Figures, at their limits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from reporting.core.words import goal_said, percent_said, seconds_said, value_said
from reporting.metrics.figures import (
    ACCURACY,
    CONFLICTS,
    COVERAGE,
    LATENCY,
    SUCCESS,
    Answer,
    Event,
    Figures,
    figures_sum,
    latencies,
    median,
    p95,
    percent,
)

TILL, SHOP, OTHER_SHOP, MUG, POT = 1, 2, 3, 10, 11
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("headline", "value", "meets"),
    [
        (LATENCY, "299.999", True),
        (LATENCY, "300", False),
        (COVERAGE, "95", False),
        (COVERAGE, "95.01", True),
        (CONFLICTS, "4", True),
        (CONFLICTS, "5", False),
        (SUCCESS, "99", False),
        (SUCCESS, "99.01", True),
        (ACCURACY, "98", False),
        (ACCURACY, "98.01", True),
    ],
)
def test_a_goal_is_met_beyond_it_not_at_it(headline, value, meets):
    assert headline.meets(Decimal(value)) is meets


def test_what_was_never_measured_is_unknown_not_zero():
    nothing = Figures()
    assert [nothing.value(one) for one in (LATENCY, COVERAGE, SUCCESS, ACCURACY)] == [None] * 4
    assert LATENCY.meets(None) is None
    assert Figures(pairs=3).value(ACCURACY) is None
    assert value_said(ACCURACY, None) == "–"


def test_pairs_never_read_count_neither_for_nor_against_accuracy():
    assert Figures(pairs=10, pairs_known=8, pairs_in_step=8).value(ACCURACY) == 100
    assert Figures(pairs=10, pairs_known=8, pairs_in_step=6).value(ACCURACY) == 75


def test_a_percentage_is_a_hundred_only_when_nothing_is_left():
    assert percent(99_999, 100_000) == Decimal("99.99")
    assert percent_said(percent(99_999, 100_000)) == "99.99 %"
    assert percent_said(percent(5, 5)) == "100 %"
    assert percent(0, 0) is None


def test_several_connections_together_weigh_by_their_size_and_show_the_slowest():
    small = Figures(pairs=10, pairs_known=10, pairs_in_step=0, latency_p95=Decimal(5))
    large = Figures(pairs=990, pairs_known=990, pairs_in_step=990, latency_p95=Decimal(80))
    both = figures_sum([small, large, Figures()])
    assert both.value(ACCURACY) == 99
    assert both.latency_p95 == 80
    assert figures_sum([]).latency_p95 is None


def test_median_and_p95_are_values_that_occurred():
    values = [Decimal(n) for n in range(1, 21)]
    assert (median(values), p95(values)) == (10, 19)
    assert (median([]), p95([])) == (None, None)
    assert p95([Decimal(7)]) == 7


def test_latency_runs_from_the_event_to_the_answer_of_the_first_write_that_carried_it():
    sale = Event(MUG, TILL, occurred_at=at(0), recorded_at=at(60))
    too_early = Answer(MUG, SHOP, claimed_at=at(30), answered_at=at(31))
    carried = Answer(MUG, SHOP, claimed_at=at(61), answered_at=at(65))
    later = Answer(MUG, SHOP, claimed_at=at(200), answered_at=at(201))
    assert latencies([sale], [later, carried, too_early], since=NINE) == {SHOP: [Decimal("65.0")]}


def test_an_event_is_measured_for_each_shop_but_never_for_the_side_it_came_from():
    order = Event(MUG, SHOP, occurred_at=at(0), recorded_at=at(1))
    answers = [Answer(MUG, one, claimed_at=at(2), answered_at=at(3)) for one in (TILL, SHOP, OTHER_SHOP)]
    assert latencies([order], answers, since=NINE) == {TILL: [Decimal("3.0")], OTHER_SHOP: [Decimal("3.0")]}


def test_other_products_and_what_was_answered_before_the_period_do_not_count():
    sale = Event(MUG, TILL, occurred_at=at(-500), recorded_at=at(-500))
    before = Answer(MUG, SHOP, claimed_at=at(-400), answered_at=at(-399))
    after = Answer(MUG, SHOP, claimed_at=at(10), answered_at=at(11))
    other = Answer(POT, SHOP, claimed_at=at(12), answered_at=at(13))
    assert latencies([sale], [before, after, other], since=NINE) == {}


def test_a_clock_that_is_ahead_makes_no_negative_latency():
    order = Event(MUG, SHOP, occurred_at=at(600), recorded_at=at(10))
    assert latencies([order], [Answer(MUG, TILL, at(20), at(30))], since=NINE) == {TILL: [Decimal("20.0")]}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.42, "0.4 s"), (41, "41 s"), (119, "119 s"), (300, "5 min"), (7300, "2 h"), (200_000, "2 days")],
)
def test_spans_are_said_in_their_largest_fitting_unit(seconds, said):
    assert seconds_said(seconds) == said


def test_goals_are_said_with_their_unit():
    said = [goal_said(one) for one in (LATENCY, COVERAGE, CONFLICTS)]
    assert said == ["goal under 5 min", "goal over 95 %", "goal under 5"]
