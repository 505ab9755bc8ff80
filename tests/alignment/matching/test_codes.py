"""Barcodes: which cells mean the same, and which are damaged and never trusted."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignment.matching.parts.codes import barcode_keys, is_damaged, is_unchecked_code
from kit.gtin import gtin_key

UPC, ISBN10, ISBN13 = "514975826515", "0306406152", "9780306406157"


@pytest.mark.parametrize("cell", [UPC, f"0{UPC}", f"{UPC}.0", f" {UPC} ", f"00{UPC}", f"{UPC[:6]} {UPC[6:]}", "5-14975-82651-5"])
def test_a_barcode_is_the_same_however_it_was_exported(cell):
    assert barcode_keys(cell) == (UPC.zfill(14),)


@pytest.mark.parametrize("cell", [ISBN10, "0-306-40615-2", "306406152", ISBN13, "978-0-306-40615-7"])
def test_a_ten_digit_isbn_is_the_ean_of_the_same_book(cell):
    assert ISBN13.zfill(14) in barcode_keys(cell)


def test_an_isbn_may_end_in_x():
    assert barcode_keys("080442957X") == ("9780804429573".zfill(14),)


@pytest.mark.parametrize(
    "cell",
    ["6.12E+11", "6,12E+11", "9.78031E+12", "6E+11", "612000000000", "978030000000", "5149750000000", "6.12e+11", "6.12E11"],
)
def test_what_a_spreadsheet_destroyed_is_damaged_and_no_barcode(cell):
    assert is_damaged(cell)
    assert barcode_keys(cell) == ()
    assert not is_unchecked_code(cell)


@pytest.mark.parametrize("cell", ["", "n/a", "123", "514975826516", "ABC-12345678", "0", "00000000", "1" * 20])
def test_anything_else_is_no_barcode_either(cell):
    assert barcode_keys(cell) == ()
    assert not is_damaged(cell)


@given(st.integers(10**11, 10**13 - 1))
def test_lost_zeros_and_tails_never_change_what_a_barcode_means(number):
    text = str(number)
    assert barcode_keys(text) == barcode_keys(f"{text}.0") == barcode_keys(text.zfill(13))


def test_every_whole_barcode_of_a_real_till_is_one(hydro):
    with (hydro / "pos_export.csv").open(encoding="utf-8-sig", newline="") as file:
        upcs = [row["UPC"] for row in csv.DictReader(file)]
    whole = [upc for upc in upcs if upc.isdigit()]
    rounded = [upc for upc in upcs if "E+" in upc]
    assert len(whole) == 1434
    assert [upc for upc in whole if gtin_key(upc) is None] == []
    assert rounded
    assert [upc for upc in rounded if gtin_key(upc) is not None] == []
