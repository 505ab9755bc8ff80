"""What a price should be, and whether it may be written: every rule, exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sync.core.guards import repricing_guard
from sync.core.prices import (
    PriceRule,
    Refuse,
    Review,
    Rounding,
    Same,
    Write,
    margin,
    percent_text,
    price_judge,
    price_target,
)

EUR = PriceRule(decimals=2)
prices = some.decimals(min_value=0, max_value=100_000, places=4)


def judge(price, shows, *, rule=EUR, sale=None, cost=None):
    as_price = [None if each is None else Decimal(each) for each in (price, shows, sale, cost)]
    return price_judge(rule=rule, price=as_price[0], shows=as_price[1], sale=as_price[2], cost=as_price[3])


@pytest.mark.parametrize(
    ("rounding", "price", "target"),
    [
        (Rounding.CURRENCY, "12.345", "12.35"),
        (Rounding.CURRENCY, "12.344", "12.34"),
        (Rounding.NONE, "12.34", "12.34"),
        (Rounding.END_99, "12.34", "11.99"),
        (Rounding.END_99, "12.49", "12.99"),
        (Rounding.END_99, "12.99", "12.99"),
        (Rounding.END_99, "0.20", "0.99"),
        (Rounding.END_95, "12.40", "11.95"),
        (Rounding.END_95, "12.45", "12.95"),
        (Rounding.STEP_05, "12.32", "12.30"),
        (Rounding.STEP_05, "12.325", "12.35"),
        (Rounding.STEP_05, "0.01", "0.05"),
        (Rounding.END_99, "0", "0.00"),
    ],
)
def test_rounding(rounding, price, target):
    assert str(price_target(rule=PriceRule(2, rounding), price=Decimal(price))) == target


def test_a_price_too_fine_is_refused_where_nothing_is_rounded():
    said = price_target(rule=PriceRule(2, Rounding.NONE), price=Decimal("12.345"))
    assert isinstance(said, Refuse)
    assert said.code == "too_fine"


@given(price=prices, rounding=some.sampled_from(list(Rounding)))
def test_a_target_rounded_again_stays(price, rounding):
    rule = PriceRule(2, rounding)
    target = price_target(rule=rule, price=price)
    if isinstance(target, Decimal):
        assert price_target(rule=rule, price=target) == target


@pytest.mark.parametrize(
    ("owner", "other", "price", "target"),
    [
        (False, True, "10", "12.10"),
        (True, False, "12.10", "10.00"),
        (True, True, "12.10", "12.10"),
        (False, False, "10", "10.00"),
    ],
)
def test_tax_is_added_or_taken_out_where_the_sides_differ(owner, other, price, target):
    rule = PriceRule(2, owner_includes_tax=owner, other_includes_tax=other, tax_percent=Decimal(21))
    assert price_target(rule=rule, price=Decimal(price)) == Decimal(target)


@pytest.mark.parametrize(("decimals", "price", "target"), [(0, "1234.5", "1235"), (3, "1.2345", "1.235"), (2, "5", "5.00")])
def test_a_target_has_the_decimals_of_the_currency(decimals, price, target):
    assert str(price_target(rule=PriceRule(decimals), price=Decimal(price))) == target


@pytest.mark.parametrize(("price", "shows"), [("12.50", "12.5"), ("12.504", "12.50"), ("0", "0")])
def test_the_same_price_is_not_written(price, shows):
    assert judge(price, shows) == Same()


@pytest.mark.parametrize(("price", "shows"), [("12", "10"), ("8", "10"), ("10.01", "10")])
def test_a_change_within_the_band_is_written(price, shows):
    said = judge(price, shows)
    assert isinstance(said, Write)
    assert said.figures.target == Decimal(price)


@pytest.mark.parametrize(
    ("price", "shows", "why", "percent"),
    [
        ("12.01", "10", "It changes by +20.1 %, more than the 20 % allowed.", "20.1"),
        ("7.99", "10", "It changes by −20.1 %, more than the 20 % allowed.", "-20.1"),
        ("5", None, "It had no price.", None),
        ("5", "0", "It was free.", None),
        ("0", "5", "It would be free. It changes by −100 %, more than the 20 % allowed.", "-100"),
    ],
)
def test_a_person_sees_what_jumps_or_comes_from_nothing(price, shows, why, percent):
    said = judge(price, shows)
    assert isinstance(said, Review)
    assert (said.why, said.figures.percent) == (why, None if percent is None else Decimal(percent))


def test_a_price_below_cost_or_below_the_margin_waits():
    assert judge("9.50", "10", cost="9.51").why == "It is below cost."
    thin = judge("10", "10.50", cost="9.20", rule=PriceRule(2, min_margin_percent=Decimal(10)))
    assert thin.why == "The margin would be 8 %, less than 10 %."
    assert isinstance(judge("9.51", "10", cost="9.51"), Write)
    assert isinstance(judge("9.50", "10"), Write)


def test_the_margin_is_of_the_price_without_tax():
    taxed = PriceRule(2, tax_percent=Decimal(20))
    assert margin(taxed, Decimal(12), Decimal(8)) == 20
    assert margin(EUR, Decimal(10), Decimal(8)) == 20
    assert margin(EUR, Decimal(0), Decimal(8)) is None
    assert margin(EUR, Decimal(10), None) is None


@pytest.mark.parametrize(
    ("price", "code"), [(None, "no_price"), ("-1", "negative"), ("NaN", "not_a_number"), ("Infinity", "not_a_number")]
)
def test_what_is_no_price_is_refused(price, code):
    said = judge(price, "10")
    assert isinstance(said, Refuse)
    assert said.code == code


def test_a_sale_price_is_left_alone_unless_the_shop_would_drop_it():
    assert judge("10", "10", sale="8") == Same()
    assert judge("11", "10", sale="8").ends_sale is False
    dropped = judge("8", "10", sale="8")
    assert dropped.why == "It is not above the sale price, which the shop would drop."


def test_a_till_that_owns_sale_prices_ends_them_and_the_jump_is_counted_from_what_is_paid():
    owns = PriceRule(2, owns_sale_prices=True)
    assert judge("10", "10", sale="9", rule=owns).ends_sale is True
    jump = judge("10", "10", sale="8", rule=owns)
    assert isinstance(jump, Review)
    assert (jump.ends_sale, jump.figures.percent) == (True, 25)
    assert judge("10", "10", rule=owns) == Same()


@given(price=some.none() | some.decimals(), shows=some.none() | prices, cost=some.none() | prices, sale=some.none() | prices)
def test_any_figures_get_an_answer_and_what_is_written_fits_the_currency(price, shows, cost, sale):
    said = price_judge(rule=EUR, price=price, shows=shows, sale=sale, cost=cost)
    if isinstance(said, Write):
        assert said.figures.target > 0
        assert said.figures.target.as_tuple().exponent == -2
        assert abs(said.figures.percent) <= 20


@pytest.mark.parametrize(("changes", "held"), [(9, False), (30, False), (31, True)])
def test_a_run_that_reprices_much_is_held(changes, held):
    assert bool(repricing_guard(changes=changes, pairs=100, most_percent=30)) is held


def test_what_a_manager_let_pass_is_not_held_again_but_clearly_more_is():
    assert repricing_guard(changes=70, pairs=100, most_percent=30, previewed=40) == ""
    assert "71 of 100 prices, 40 of which you have let pass" in repricing_guard(
        changes=71, pairs=100, most_percent=30, previewed=40
    )


def test_percentages_for_people():
    assert [percent_text(Decimal(each)) for each in ("20", "-12.34", "0.04")] == ["+20 %", "−12.3 %", "0 %"]
