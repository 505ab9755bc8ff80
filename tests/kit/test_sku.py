"""Keys of SKUs."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.sku import sku_key, sku_spelling

# The letters whose folding or composing has surprises, then any text.
skus = st.text(st.sampled_from("aZ09ßİſé .-_–−½²Ａ\u00a0\u0345"), max_size=12) | st.text(max_size=40)


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


@pytest.mark.parametrize(
    ("one", "other"), [("ＡＢ－１", "ab-1"), (" A  1 ", "a\u00a01"), ("CAFE\u0301", "café"), ("STRASSE", "straße")]
)
def test_one_list_spells_one_sku_in_several_ways(one, other):
    assert sku_spelling(one) == sku_spelling(other)


@pytest.mark.parametrize(("one", "other"), [("A-1", "A1"), ("A 1", "A1"), ("A_1", "A-1"), ("01", "1")])
def test_within_one_list_dashes_spaces_and_zeros_tell_items_apart(one, other):
    assert sku_spelling(one) != sku_spelling(other)


@given(skus)
def test_spellings_of_one_sku_never_have_two_keys(sku):
    assert sku_key(sku_spelling(sku)) == sku_key(sku)
