"""What a spreadsheet would run is disarmed, once for every file that leaves; and comes back as it went."""

import csv
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.files.cells import cell_plain, cell_safe, csv_lines

SIGNS = "=+-@＝＋－＠﹦﹢﹣﹫"


@pytest.mark.parametrize("before", ["", " ", "\t", "\r\n ", "\xa0", "\u3000", "\ufeff", "\u200b", "\x00", "\x1f"])
def test_a_formula_is_disarmed_however_it_begins(before):
    for sign, rest in product(SIGNS, ["cmd()", "A1", "1+1", "SUM(1;2)", "3-x", "", "1 234"]):
        text = f"{before}{sign}{rest}"
        assert cell_safe(text) == f"'{text}"


@pytest.mark.parametrize(
    "number",
    ["-3", "+3", "-0.5", "-0,5", "-1,234.50", "-1.234,50", "-12 %", "-12%", "+100 %", " -3", "-0", "3", "1.5", "0", "12 %"],
)
def test_a_number_stays_a_number(number):
    assert cell_safe(number) == number


@pytest.mark.parametrize("text", ["", "A", "A-1=2", "a@b.example", "1-2", "'A", "−3", "– unknown", "é=1", "#1", "(=1)", '"=1'])
def test_any_other_text_is_left_as_it_is(text):
    assert cell_safe(text) == text
    assert cell_plain(text) == text


@pytest.mark.parametrize("text", ["\t3", "\r3", "\nA"])
def test_a_break_at_the_front_is_disarmed_whatever_follows(text):
    assert cell_safe(text) == f"'{text}"


@pytest.mark.parametrize("mark", ["'-3", "'+1", "'=A", "' =A", "'＝A", "'@A", "'-A"])
def test_an_apostrophe_that_was_put_there_is_taken_away_again(mark):
    assert cell_plain(mark) == mark.removeprefix("'").strip()


@given(st.text() | st.text(alphabet=[*SIGNS, " ", "\t", "\n", "\ufeff", "1", ".", ",", "%", "A"]))
def test_a_cell_comes_back_as_it_went(text):
    if not text.strip().startswith("'"):
        assert cell_plain(cell_safe(text)) == text.strip()
    assert cell_safe(cell_safe(text)) == cell_safe(text)


def test_lines_are_those_of_a_file_and_begin_with_its_mark():
    rows = [["SKU", "Name"], ["A", 'Mug, "big"\nblue'], [cell_safe("=1"), "-3"]]
    text = "".join(csv_lines(rows))
    assert text[0] == "\ufeff"
    assert list(csv.reader(text[1:].splitlines(keepends=True))) == [["SKU", "Name"], ["A", 'Mug, "big"\nblue'], ["'=1", "-3"]]
