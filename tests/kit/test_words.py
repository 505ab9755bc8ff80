"""How values are written."""

from decimal import Decimal

import pytest

from kit.words import counted, quantity_said, quantity_text


@pytest.mark.parametrize(
    ("number", "text"),
    [("3.000", "3"), ("-0.50", "-0.5"), ("1E+3", "1000"), ("1E-3", "0.001"), ("10", "10"), ("0", "0"), ("-0.000", "0")],
)
def test_a_quantity_in_a_file_is_plain_digits_and_zero_has_no_sign(number, text):
    assert quantity_text(Decimal(number)) == text


@pytest.mark.parametrize(
    ("number", "said", "signed"),
    [
        ("12.000", "12", "+12"), ("1.5", "1.5", "+1.5"), ("1E+3", "1000", "+1000"),
        ("-3", "−3", "−3"), ("0", "0", "0"), ("-0.0", "0", "0"),
    ],
)  # fmt: skip
def test_a_quantity_for_people_has_a_minus_sign_and_nothing_is_no_gain(number, said, signed):
    assert quantity_said(Decimal(number)) == said
    assert quantity_said(Decimal(number), signed=True) == signed


def test_what_is_unknown_is_never_zero():
    assert (quantity_text(None), quantity_said(None), quantity_said(None, unknown="unknown")) == ("", "", "unknown")


def test_one_thing_and_many():
    assert (counted(1, "row is", "rows are"), counted(1204, "row is", "rows are")) == ("1 row is", "1,204 rows are")
