from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pos_csv.reading.numbers import NumberError, NumberFormat, parse_number, parse_price

COMMA_POINT, POINT_COMMA = NumberFormat.COMMA_POINT, NumberFormat.POINT_COMMA
SPACE_COMMA, APOSTROPHE_POINT = NumberFormat.SPACE_COMMA, NumberFormat.APOSTROPHE_POINT


@pytest.mark.parametrize(
    ("text", "number_format", "number"),
    [
        ("12", COMMA_POINT, "12"),
        ("12.0", COMMA_POINT, "12.0"),
        ("-3", COMMA_POINT, "-3"),
        ("3-", COMMA_POINT, "-3"),
        ("(3)", COMMA_POINT, "-3"),
        ("\u22123", COMMA_POINT, "-3"),
        ("+5", COMMA_POINT, "5"),
        (" 7 ", COMMA_POINT, "7"),
        (".5", COMMA_POINT, "0.5"),
        ("007", COMMA_POINT, "7"),
        ("1,234.50", COMMA_POINT, "1234.50"),
        ("1,234", COMMA_POINT, "1234"),
        ("1.234", COMMA_POINT, "1.234"),
        ("1.234,50", POINT_COMMA, "1234.50"),
        ("1.234", POINT_COMMA, "1234"),
        ("1,234", POINT_COMMA, "1.234"),
        ("0,750", POINT_COMMA, "0.750"),
        ("0.750", COMMA_POINT, "0.750"),
        ("100,000", COMMA_POINT, "100000"),
        ("1 234,50", SPACE_COMMA, "1234.50"),
        ("1\u2009234", SPACE_COMMA, "1234"),
        ("1\u00a0234,50", SPACE_COMMA, "1234.50"),
        ("1\u202f234\u202f567", SPACE_COMMA, "1234567"),
        ("1'234.50", APOSTROPHE_POINT, "1234.50"),
        ("1’234", APOSTROPHE_POINT, "1234"),
    ],
)
def test_a_number_is_read_in_the_configured_format(text: str, number_format: NumberFormat, number: str) -> None:
    assert str(parse_number(text, number_format)) == number


def test_minus_zero_is_zero() -> None:
    assert str(parse_number("-0", COMMA_POINT)) == "0"


@pytest.mark.parametrize(
    ("text", "number_format", "reason"),
    [
        ("", COMMA_POINT, "it is empty"),
        ("NaN", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("Infinity", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("n/a", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("12,5", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("1,23,456", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("0,750", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("-0,750", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("00,750", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("012,345", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("0.750", POINT_COMMA, "it is not a number written like 1.234,50"),
        ("0 750", SPACE_COMMA, "it is not a number written like 1 234,50"),
        ("0'750", APOSTROPHE_POINT, "it is not a number written like 1'234.50"),
        ("1234,567.8", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("12.50", POINT_COMMA, "it is not a number written like 1.234,50"),
        ("1 234 5", SPACE_COMMA, "it is not a number written like 1 234,50"),
        ("1 234\u00a0567", SPACE_COMMA, "it is not a number written like 1 234,50"),
        ("(3", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("-3-", COMMA_POINT, "it has two signs"),
        ("(-3)", COMMA_POINT, "it has two signs"),
        ("١٢", COMMA_POINT, "it is not a number written like 1,234.50"),
        ("1E3", COMMA_POINT, "a spreadsheet turned it into scientific notation, so digits are lost"),
        ("7,84E+12", POINT_COMMA, "a spreadsheet turned it into scientific notation, so digits are lost"),
        ("9" * 41, COMMA_POINT, "it is far too long for a number"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str, number_format: NumberFormat, reason: str) -> None:
    with pytest.raises(NumberError) as refusal:
        parse_number(text, number_format)
    assert str(refusal.value) == reason


MARKS = {COMMA_POINT: (",", "."), POINT_COMMA: (".", ","), SPACE_COMMA: ("\u00a0", ","), APOSTROPHE_POINT: ("'", ".")}
EXACT = st.decimals(min_value=-(10**9), max_value=10**9, places=3, allow_nan=False, allow_infinity=False)


def written(number: Decimal, number_format: NumberFormat, *, grouped: bool) -> str:
    group, mark = MARKS[number_format]
    text = f"{number:,f}" if grouped else f"{number:f}"
    return text.replace(",", "\0").replace(".", mark).replace("\0", group)


@given(number=EXACT, number_format=st.sampled_from(NumberFormat), grouped=st.booleans())
def test_what_a_shop_writes_is_read_back_exactly(number: Decimal, number_format: NumberFormat, grouped: bool) -> None:
    assert parse_number(written(number, number_format, grouped=grouped), number_format) == number


@given(number=EXACT.filter(lambda n: n >= 0), sign=st.sampled_from(["-{}", "{}-", "({})", "\u2212{}"]))
def test_every_way_to_write_a_minus_is_one(number: Decimal, sign: str) -> None:
    assert parse_number(sign.format(number), COMMA_POINT) == -number


@given(text=st.text(max_size=60), number_format=st.sampled_from(NumberFormat))
def test_any_text_is_a_finite_number_or_refused(text: str, number_format: NumberFormat) -> None:
    with suppress(NumberError):
        assert parse_number(text, number_format).is_finite()


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("$32.50", "32.50", "$"),
        ("£4,250.00", "4250.00", "£"),
        ("12.00 €", "12.00", "€"),
        ("CHF 5.20", "5.20", "CHF"),
        ("5.20 USD", "5.20", "USD"),
        ("-$5.00", "-5.00", "$"),
        ("($5.00)", "-5.00", "$"),
        ("C$7", "7", "C$"),
        ("19.90 kr", "19.90", "kr"),
        ("3", "3", ""),
    ],
)
def test_a_price_may_carry_its_currency(text: str, amount: str, currency: str) -> None:
    found, mark = parse_price(text, COMMA_POINT)
    assert (str(found), mark) == (amount, currency)


@pytest.mark.parametrize("text", ["free", "$", "12 apples", "1E3"])
def test_a_price_with_other_words_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        parse_price(text, COMMA_POINT)
