"""Prices as text: the one form that may go out, and the one that is believed coming in."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.money import PriceError, decimals_of, price_parse, price_text

numbers = some.decimals(allow_nan=True, allow_infinity=True)


@given(price=numbers, decimals=some.sampled_from([0, 2, 3]))
def test_nothing_but_digits_and_a_dot_ever_goes_out(price, decimals):
    try:
        text = price_text(price, decimals=decimals)
    except PriceError:
        return
    assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", text)
    assert len(text.partition(".")[2]) == decimals
    assert price_parse(text) == price


@given(cents=some.integers(0, 10**11), decimals=some.sampled_from([0, 2, 3]))
def test_every_price_of_the_currency_goes_out_exactly(cents, decimals):
    price = Decimal(cents).scaleb(-decimals)
    if price < 10**10:
        assert Decimal(price_text(price, decimals=decimals)) == price


@pytest.mark.parametrize(
    ("price", "decimals", "text"),
    [
        ("12.5", 2, "12.50"),
        ("12.5000", 2, "12.50"),
        ("1250", 0, "1250"),
        ("1250.0000", 0, "1250"),
        ("1E+3", 2, "1000.00"),
        ("1.234", 3, "1.234"),
        ("-0", 2, "0.00"),
    ],
)
def test_a_price_is_written_with_the_decimals_of_its_currency(price, decimals, text):
    assert price_text(Decimal(price), decimals=decimals) == text


@pytest.mark.parametrize(
    ("price", "decimals", "why"),
    [
        ("12.345", 2, "it has more than 2 decimals"),
        ("12.5", 0, "it has more than 0 decimals"),
        ("-1", 2, "it is below zero"),
        ("NaN", 2, "it is not a number"),
        ("Infinity", 2, "it is not a number"),
        ("10000000000", 2, "it is too large for a price"),
    ],
)
def test_what_is_no_price_never_goes_out(price, decimals, why):
    with pytest.raises(PriceError, match=re.escape(why)):
        price_text(Decimal(price), decimals=decimals)


@pytest.mark.parametrize(
    "text",
    [
        "12,50",
        "1.234,50",
        "1,234.50",
        "-5",
        "+5",
        "",
        " 12",
        "12.",
        ".5",
        "1e3",
        "NaN",
        "١٢",
        "€12",
        "12.5.0",
        "9" * 13,
        "9" * 11,
    ],
)
def test_what_is_not_plainly_a_price_is_not_believed(text):
    with pytest.raises(PriceError):
        price_parse(text)


@pytest.mark.parametrize(("currency", "decimals"), [("EUR", 2), ("USD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("", 2)])
def test_decimals_come_from_the_currency(currency, decimals):
    assert decimals_of(currency) == decimals
