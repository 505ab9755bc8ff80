"""What is owed, and when a run waits for a person: ledger.md §2 and §8."""

from decimal import Decimal as D

import pytest

from sync.core.guards import shrink_guard, zeroed_by, zeroing_guard
from sync.core.targets import listing_target, owed, packs_of, units_of


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


def test_what_is_owed_is_what_the_target_is_beside_the_baseline():
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


@pytest.mark.parametrize(
    ("available", "buffer", "per", "target"),
    [
        ([17], 0, 6, 2),
        ([18], 0, 6, 3),
        ([20], 3, 6, 2),  # the buffer holds units back, not packs
        ([5], 0, 6, 0),
        ([0], 0, 6, 0),
        ([-1], 0, 6, 0),
        ([-7, 13], 0, 6, 1),
        (["17.999"], 0, 6, 2),
        (["0.1", "0.2", "5.7"], 0, 6, 1),
    ],
)
def test_a_pack_is_shown_when_all_of_it_is_there(available, buffer, per, target):
    assert listing_target(available=map(D, available), buffer=D(buffer), per=per) == target


@pytest.mark.parametrize(("units", "per", "packs"), [(-1, 6, -1), (-6, 6, -1), (6, 6, 1), ("2.5", 1, 2), ("-0.5", 1, -1)])
def test_units_that_do_not_fill_a_pack_are_rounded_down(units, per, packs):
    assert packs_of(D(units), per) == packs
    assert units_of(D(packs), per) <= D(units)
