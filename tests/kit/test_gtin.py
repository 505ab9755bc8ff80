"""Barcodes by their number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.gtin import gtin_key, gtin_text, gtin_valid, isbn10_key


def gtin(body: str) -> str:
    """The body with its check digit, worked out from the right as GS1 describes it."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


@given(st.from_regex(r"[0-9]{11}", fullmatch=True).filter(lambda body: body.strip("0")))
def test_a_upc_and_its_ean_share_a_key(body):
    upc = gtin(body)
    assert gtin_key(upc) == gtin_key(f"0{upc}") == gtin_key(f" {upc}.0 ") == f"00{upc}"


@given(st.from_regex(r"[1-9][0-9]{9}", fullmatch=True))
def test_a_lost_leading_zero_does_not_matter(body):
    assert gtin_key(gtin(body)) == gtin_key(f"0{gtin(body)}") == f"000{gtin(body)}"


@given(st.from_regex(r"[1-9][0-9]{12}", fullmatch=True), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_no_barcode(body, place, shift):
    right = gtin(body)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert gtin_key(right) == right
    assert gtin_key(wrong) is None


@pytest.mark.parametrize(
    "raw",
    ["", "   ", "6.12E+11", "6.12e11", "n/a", "1234567", "123456789", "514975826514", "000000000000", "٥١٤٩٧٥٨٢٦٥١٥", "5" * 15],
)
def test_damaged_or_foreign_text_is_no_barcode(raw):
    assert gtin_key(raw) is None


def test_barcode_reads_as_people_know_it():
    assert gtin_text(gtin_key("514975826515")) == "0514975826515"
    assert gtin_text(gtin_key("10614141000415")) == "10614141000415"


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("8710000000127", False), ("4006381333931", True), ("036000291452", True), ("96385074", True), ("10614141000415", True),
        ("4006381333932", False), ("00000000", False), ("12345", False), ("400638133393X", False), ("", False),
    ],
)  # fmt: skip
def test_only_a_barcode_with_its_check_digit_is_a_gtin(code, valid):
    assert gtin_valid(code) is valid


@pytest.mark.parametrize(
    ("code", "key"),
    [("0-306-40615-2", "09780306406157"), ("306406152", "09780306406157"), ("080442957x", "09780804429573")],
)
def test_a_book_has_the_key_of_its_ean(code, key):
    assert isbn10_key(code) == key


@pytest.mark.parametrize("code", ["9780306406157", "0306406153", "030640615", "X306406152", ""])
def test_what_is_no_ten_digit_isbn_has_no_such_key(code):
    assert isbn10_key(code) is None
