"""What is owed, and when a run waits for a person: design.md §3.2 and §3.8."""

from decimal import Decimal as D

import pytest

from sync.core.guards import shrink_guard, zeroed_by, zeroing_guard
from sync.core.targets import listing_target, owed


@pytest.mark.parametrize(
    ("available", "buffer", "target"),
    [
        ([10], 0, 10),
        ([10, 5], 3, 12),
        ([2], 3, 0),
        ([-4], 0, 0),
        ([-4, 6], 0, 2),
        ([D("2.9")], 0, 2),
        ([D("0.5")], 0, 0),
        ([], 0, 0),
    ],
)
def test_a_listing_shows_the_whole_units_its_locations_have_less_the_buffer(available, buffer, target):
    assert listing_target(available=map(D, available), buffer=D(buffer)) == target


def test_what_is_owed_leaves_out_what_is_in_flight():
    assert owed(target=D(7), baseline=D(10), in_flight=D(-3)) == 0
    assert owed(target=D(7), baseline=D(10)) == -3


def test_a_run_that_would_zero_more_than_the_allowed_share_is_held():
    assert zeroing_guard(zeroed=11, pairs=100, most_percent=10).startswith("It would set 11 of 100 products to zero, more")


def test_a_run_that_zeroes_exactly_the_allowed_share_goes_on():
    assert zeroing_guard(zeroed=10, pairs=100, most_percent=10) == ""


def test_a_small_shop_may_sell_out_of_a_few_things():
    assert zeroing_guard(zeroed=9, pairs=9, most_percent=10) == ""


def test_products_that_already_show_nothing_are_not_zeroed():
    assert zeroed_by([(D(0), D(0)), (D(-2), D(0)), (D(5), D(1)), (D(5), D(0))]) == 1


@pytest.mark.parametrize(("zeroed", "held"), [(40, False), (49, False), (50, False), (51, True)])
def test_what_a_manager_has_let_pass_is_not_counted_again(zeroed, held):
    assert bool(zeroing_guard(zeroed=zeroed, pairs=100, most_percent=10, previewed=40)) is held


def test_a_shrunken_catalogue_is_held_and_a_slightly_smaller_one_is_not():
    assert "79 products where it had 100" in shrink_guard(known=100, seen=79, most_percent=20, what="The shop")
    assert shrink_guard(known=100, seen=80, most_percent=20, what="The shop") == ""
    assert shrink_guard(known=12, seen=3, most_percent=20, what="The shop") == ""
