"""The word and the sentence, at the limits of each rule."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from backoffice.today.status import Facts, Faring, Level, overall
from reporting.metrics.figures import Figures

WELL = Figures(
    items=1000,
    items_aligned=1000,
    pairs=1000,
    pairs_known=1000,
    pairs_in_step=1000,
    runs_ended=100,
    latency_p95=Decimal(41),
)
FINE = Facts(figures=WELL, since_last_sync=timedelta(minutes=10), connections=[Faring("shop"), Faring("till")])


def figures(**changed: object) -> Facts:
    return replace(FINE, figures=replace(WELL, **changed))


def test_all_goals_met_and_nothing_waiting_is_excellent():
    found = overall(FINE)
    assert (found.level, found.sentence) == (Level.EXCELLENT, "In step: all 1,000 products agree")
    assert found.because == "Every goal is met, and nothing waits for a person."


@pytest.mark.parametrize(
    ("facts", "level", "sentence"),
    [
        (replace(FINE, conflicts_open=1), Level.GOOD, "1 smaller conflict waits for a decision."),
        (replace(FINE, alerts_open=2), Level.GOOD, "2 alerts are open."),
        (figures(pairs=1001), Level.GOOD, "1 product is not known: one side has never said a number."),
        (replace(FINE, held_runs=1), Level.ATTENTION, "1 sync is held and waits for a decision."),
        (replace(FINE, conflicts_open=2, conflicts_critical=2), Level.ATTENTION, "2 critical conflicts wait for a decision."),
        (replace(FINE, connections=[Faring("shop", 2)]), Level.ATTENTION, "“shop” failed when it was asked last."),
        (replace(FINE, connections=[Faring("shop", 3)]), Level.CRITICAL, "“shop” failed 3 times in a row."),
        (replace(FINE, since_last_sync=None), Level.ATTENTION, "No sync has reached its end yet."),
        (replace(FINE, since_last_sync=timedelta(hours=24)), Level.CRITICAL, "No sync has reached its end for 24 h."),
        (replace(FINE, unsent_for=timedelta(minutes=5)), Level.ATTENTION, "A number has waited 5 min to be told."),
        (replace(FINE, unsent_for=timedelta(hours=1)), Level.CRITICAL, "A number has waited 60 min to be told."),
        (replace(FINE, alerts_open=1, alerts_critical=1), Level.CRITICAL, "1 critical alert is open."),
        (figures(latency_p95=Decimal(300)), Level.ATTENTION, "The slowest changes took 5 min to reach the other side."),
        (figures(items_aligned=950), Level.ATTENTION, "50 items of the till have no partner in the shop: 95 % do."),
        (figures(conflicts=5), Level.ATTENTION, "5 disagreements were found in 24 hours."),
        (figures(runs_ended=99, runs_failed=1), Level.ATTENTION, "1 sync of 100 failed in 24 hours."),
        (figures(pairs_in_step=980), Level.ATTENTION, "20 products do not show what the ledger says."),
        (figures(pairs_in_step=899), Level.CRITICAL, "101 products do not show what the ledger says."),
    ],
)
def test_one_thing_amiss_decides_the_level_and_says_so(facts, level, sentence):
    found = overall(facts)
    assert (found.level, [reason.sentence for reason in found.reasons]) == (level, [sentence])
    assert found.because == sentence


@pytest.mark.parametrize(
    "facts",
    [
        replace(FINE, since_last_sync=timedelta(hours=24) - timedelta(seconds=1)),
        replace(FINE, unsent_for=timedelta(minutes=5) - timedelta(seconds=1)),
        figures(latency_p95=Decimal("299.9")),
        figures(latency_p95=None),
        figures(items_aligned=951),
        figures(conflicts=4),
        figures(runs_ended=0),
        figures(pairs_in_step=981),
    ],
)
def test_just_inside_a_limit_nothing_is_amiss(facts):
    assert overall(facts).level is Level.EXCELLENT


def test_the_worst_reason_decides_and_comes_first_and_only_three_are_said():
    found = overall(
        replace(
            FINE, alerts_open=3, conflicts_open=1, held_runs=1, unsent_for=timedelta(hours=2), connections=[Faring("till", 1)]
        )
    )
    assert found.level is Level.CRITICAL
    assert found.because == (
        "A number has waited 2 h to be told. “till” failed when it was asked last. "
        "1 sync is held and waits for a decision. And 2 more below."
    )


def test_how_many_agree_is_said_before_why():
    assert overall(figures(pairs_in_step=997)).sentence == "997 of 1,000 products agree"
    assert overall(figures(pairs_known=0, pairs_in_step=0)).sentence == (
        "Not known yet: 1,000 products have not been read on both sides"
    )


def test_without_a_shop_or_pairs_nothing_is_claimed():
    assert overall(replace(FINE, has_store=False)).level is Level.UNKNOWN
    assert overall(Facts(figures=Figures())).sentence.startswith("No pairs yet.")
