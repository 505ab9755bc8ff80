"""Keys of SKUs and barcodes."""

import csv
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.matching.parts.normalise import barcode_key, barcode_text, sku_key

# The letters whose folding or composing has surprises, then any text.
skus = st.text(st.sampled_from("aZ09ßİſé .-_–−½²Ａ\u00a0\u0345"), max_size=12) | st.text(max_size=40)


def gtin(body: str) -> str:
    """The body with its check digit, worked out from the right as GS1 describes it."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("X-1-5L", "X-1.5L"),
        ("X-1_5L", "x 1 5l"),
        ("TM-RAPI-START-1GAL", "tmrapistart1gal"),
        ("  TM RAPI START 1GAL ", "TM_RAPI_START_1GAL"),
        ("CAFE\u0301-1L", "CAFÉ-1L"),
        ("ＡＢＣ１２", "abc12"),
        ("STRASSE", "straße"),
        ("A–B", "A-B"),
    ],
)
def test_spellings_of_one_sku_share_a_key(one, other):
    assert sku_key(one) == sku_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("X-1-5L", "X-15L"), ("X-1.5L", "X-15L"), ("007", "7"), ("1E5", "100000"), ("AB", "A.B"), ("10-1", "101"), ("É", "E")],
)
def test_different_skus_keep_different_keys(one, other):
    assert sku_key(one) != sku_key(other)


def test_key_is_the_documented_text():
    assert sku_key("GH-Flora-Micro-2-5 GAL") == "ghfloramicro2.5gal"
    assert sku_key("  - _ ") == ""


@given(skus)
def test_key_of_a_key_is_itself(sku):
    assert sku_key(sku_key(sku)) == sku_key(sku)


@given(skus)
def test_key_ignores_case_composition_and_outer_spaces(sku):
    assert sku_key(f" {unicodedata.normalize('NFD', sku)} ") == sku_key(sku)
    assert sku_key(sku_key(sku).upper()) == sku_key(sku_key(sku).upper().lower())


@given(st.from_regex(r"[A-Z]{1,4}[0-9]{1,3}", fullmatch=True), st.from_regex(r"[0-9]{1,3}[A-Z]{1,3}", fullmatch=True))
def test_digits_that_a_separator_keeps_apart_never_run_together(left, right):
    assert sku_key(f"{left}-{right}") == sku_key(f"{left}.{right}") == sku_key(f"{left} _ {right}")
    assert sku_key(f"{left}-{right}") != sku_key(f"{left}{right}")


@given(skus)
def test_key_fits_its_column(sku):
    assert len(sku_key(sku * 20)) <= 190


@given(st.from_regex(r"[0-9]{11}", fullmatch=True).filter(lambda body: body.strip("0")))
def test_a_upc_and_its_ean_share_a_key(body):
    upc = gtin(body)
    assert barcode_key(upc) == barcode_key(f"0{upc}") == barcode_key(f" {upc}.0 ") == f"00{upc}"


@given(st.from_regex(r"[1-9][0-9]{9}", fullmatch=True))
def test_a_lost_leading_zero_does_not_matter(body):
    assert barcode_key(gtin(body)) == barcode_key(f"0{gtin(body)}") == f"000{gtin(body)}"


@given(st.from_regex(r"[1-9][0-9]{12}", fullmatch=True), st.integers(0, 11), st.integers(1, 9))
def test_one_wrong_digit_is_no_barcode(body, place, shift):
    right = gtin(body)
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    assert barcode_key(right) == right
    assert barcode_key(wrong) is None


@pytest.mark.parametrize(
    "raw",
    ["", "   ", "6.12E+11", "6.12e11", "n/a", "1234567", "123456789", "514975826514", "000000000000", "٥١٤٩٧٥٨٢٦٥١٥", "5" * 15],
)
def test_damaged_or_foreign_text_is_no_barcode(raw):
    assert barcode_key(raw) is None


def test_barcode_reads_as_people_know_it():
    assert barcode_text(barcode_key("514975826515")) == "0514975826515"
    assert barcode_text(barcode_key("10614141000415")) == "10614141000415"


def test_every_whole_barcode_of_a_real_till_is_one(hydro):
    with (hydro / "pos_export.csv").open(encoding="utf-8-sig", newline="") as file:
        upcs = [row["UPC"] for row in csv.DictReader(file)]
    whole = [upc for upc in upcs if upc.isdigit()]
    rounded = [upc for upc in upcs if "E+" in upc]
    assert len(whole) == 1434
    assert [upc for upc in whole if barcode_key(upc) is None] == []
    assert rounded
    assert [upc for upc in rounded if barcode_key(upc) is not None] == []
