"""How often the matcher is right, on a real shop and on made-up ones of other trades. The figures of the issue are floors."""

from math import sqrt

import pytest

from alignment.matching.weighing.confidence import expected_error
from tests.alignment.catalogues.books import books
from tests.alignment.catalogues.grocer import grocer
from tests.alignment.catalogues.made import Rates
from tests.alignment.matching.catalogues import catalogues, from_made, judge, outcome

pytestmark = pytest.mark.slow

TRADES = ["hydro", "grocer", "books", "clothes", "ironmonger"]  # the last two: nothing was tuned on them
BINS = [(0.02, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 0.99), (0.99, 1.01)]


@pytest.mark.parametrize("name", TRADES)
def test_what_confirms_itself_is_right_and_most_confirms_itself(name):
    found = outcome(name)
    assert found.precision >= 0.998
    assert found.recall >= 0.90
    assert found.top1 >= 0.97


@pytest.mark.parametrize("name", TRADES)
def test_an_item_and_a_listing_are_matched_once(name):
    matches = [match for match, _ in outcome(name).judged]
    assert len({match.item_key for match in matches}) == len(matches)
    assert len({match.listing_key for match in matches}) == len(matches)


@pytest.mark.parametrize("name", ["clothes", "ironmonger"])
def test_matching_again_gives_the_same(name):
    assert judge(catalogues(name)) == outcome(name)


def test_confidence_means_what_it_says_across_trades():
    """Within a tenth (from 0.95 on: two hundredths), and three standard deviations of what so many pairs can tell."""
    judged = [(match.confidence, right) for name in TRADES for match, right in outcome(name).judged if match.is_safe]
    for low, high in BINS:
        inside = [(confidence, right) for confidence, right in judged if low <= confidence < high]
        if len(inside) < 10:
            continue
        promised = sum(confidence for confidence, _ in inside) / len(inside)
        kept = sum(right for _, right in inside) / len(inside)
        chance = 3 * sqrt(promised * (1 - promised) / len(inside))
        assert abs(promised - kept) <= (0.1 if high <= 0.95 else 0.02) + chance, (low, high, promised, kept, len(inside))


@pytest.mark.parametrize("name", TRADES)
@pytest.mark.parametrize("threshold", [0.8, 0.95, 0.99])
def test_the_expected_error_beside_a_threshold_is_near_the_true_one(name, threshold):
    found = outcome(name)
    expected = expected_error([match.confidence for match, _ in found.judged if match.is_safe], threshold)
    confirmed = found.confirmed(threshold)
    assert expected is not None
    assert abs(expected - confirmed.count(False) / len(confirmed)) <= 0.01


@pytest.mark.parametrize(
    "made",
    [
        lambda: grocer(201, Rates(till_barcodes=0, shop_barcodes=0, same_sku=0.1, same_price=0.4), share=0.2),
        lambda: grocer(202, Rates(only_till=0.3, only_shop=0.3, till_barcodes=0.4, shop_barcodes=0.4), share=0.2),
        lambda: books(203, Rates(only_till=0.15, only_shop=0.3, no_vendor=1, typos=0.05), titles=350),
    ],
    ids=["no barcodes", "a third has no counterpart", "no publishers, many typing mistakes"],
)
def test_under_harder_conditions_less_confirms_itself_but_hardly_anything_wrongly(made):
    found = judge(from_made(made()))
    assert found.precision >= 0.99
    assert found.recall >= 0.6
    assert found.top1 >= 0.9
