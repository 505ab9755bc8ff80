"""How a file writes its numbers: told by all of them together, asked about where they tell nothing."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.pos_csv.reading.numbers import NumberError, NumberFormat
from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.problems import FileRefusedError
from connectors.pos_csv.reading.spellings import Spellings, UnclearNumberError
from tests.connectors.pos_csv.conftest import settings

COMMA_POINT, POINT_COMMA = NumberFormat.COMMA_POINT, NumberFormat.POINT_COMMA
CASE = Path(__file__).resolve().parents[2] / "data" / "cases" / "01" / "export.csv"
KEPT = "The item keeps its last known number."
Write = Callable[..., Path]


def heard(configured: NumberFormat | None, *quantities: str, prices: tuple[str, ...] = ()) -> Spellings:
    spellings = Spellings(configured)
    for line, text in enumerate(quantities, start=2):
        spellings.hear("quantity", line, text)
    for line, text in enumerate(prices, start=2):
        spellings.hear("money", line, text)
    return spellings


def meant(spellings: Spellings, text: str) -> str:
    """The number as it would be read, or how it is refused."""
    try:
        return f"{spellings.quantity(text).normalize():f}"
    except UnclearNumberError:
        return "unclear"
    except NumberError:
        return "no number"


def shown(parsed: ParsedFile) -> dict[str, str]:
    return {reading.sku: f"{reading.on_hand:f}" for reading in parsed.readings if reading.on_hand is not None}


# -- what a person has set --------------------------------------------------------------------------------------------


def test_a_file_of_decimal_commas_contradicts_the_format_that_is_set() -> None:
    assert heard(COMMA_POINT, "12,50", "3,5", "1.234,99").contradiction() == (2, "12,50", POINT_COMMA)


def test_one_typing_mistake_among_right_prices_contradicts_nothing() -> None:
    assert heard(COMMA_POINT, prices=("12.50", "3.5", "12,50")).contradiction() is None


def test_one_contradiction_counts_where_other_cells_would_be_misread_in_silence() -> None:
    assert heard(COMMA_POINT, "12,5").contradiction() is None
    assert heard(COMMA_POINT, "12,5", "1,234").contradiction() == (2, "12,5", POINT_COMMA)


@pytest.mark.parametrize(
    ("configured", "text", "number"),
    [(COMMA_POINT, "12,000", "12000"), (POINT_COMMA, "12,000", "12"), (POINT_COMMA, "1.234", "1234")],
)
def test_what_a_person_has_set_decides_where_the_file_tells_nothing(configured: NumberFormat, text: str, number: str) -> None:
    assert meant(heard(configured, text), text) == number


def test_an_open_number_is_asked_about_where_its_own_column_speaks_against_the_setting() -> None:
    spellings = heard(COMMA_POINT, "0,750", "12,000", prices=("12.50", "7.25"))
    assert spellings.contradiction() is None
    assert [meant(spellings, text) for text in ("0,750", "12,000", "3")] == ["no number", "unclear", "3"]


# -- what the file tells ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "text", "number"),
    [
        (("0,750",), "12,000", "12"),
        (("0.750",), "12,000", "12000"),
        (("0,750",), "12.000", "12000"),
        (("0.000",), "12,000", "12000"),
        (("1,234,567",), "12,000", "12000"),
        (("1.234,50",), "12,000", "12"),
        (("3", "7"), "12,000", "unclear"),
        (("3", "7"), "12.000", "unclear"),
        (("1 234",), "12,000", "unclear"),  # spaces go with either mark
        (("12.000",), "12,000", "unclear"),
        (("0.5", "0,5"), "12,000", "unclear"),
    ],
)
def test_where_nothing_is_set_the_file_decides_or_nobody_does(others: tuple[str, ...], text: str, number: str) -> None:
    assert meant(heard(None, *others, text), text) == number


def test_prices_tell_how_quantities_are_written_and_the_other_way_round() -> None:
    assert meant(heard(None, "12,000", prices=("12,50",)), "12,000") == "12"
    assert meant(heard(None, "12,000", prices=("12.50",)), "12,000") == "12000"
    assert heard(None, "0,750", prices=("1,234",)).price("1,234") == (Decimal("1.234"), "")


def test_quantities_that_speak_against_the_prices_are_not_read_by_them() -> None:
    spellings = heard(None, "0,750", "12,000", prices=("12.50", "7.25"))
    assert [meant(spellings, text) for text in ("0,750", "12,000")] == ["no number", "unclear"]


def test_as_many_numbers_for_each_mark_tell_nothing_and_both_are_asked_about() -> None:
    spellings = heard(None, "0,750", "2.5", "3")
    assert [meant(spellings, text) for text in ("0,750", "2.5", "3")] == ["unclear", "unclear", "3"]


def test_thousands_of_any_kind_are_read_beside_the_mark_that_is_told() -> None:
    spellings = heard(None, "1'234", "1 234", "1,234", "0.5")
    assert [meant(spellings, text) for text in ("1'234", "1 234", "1,234")] == ["1234", "1234", "1234"]


# -- whole files ------------------------------------------------------------------------------------------------------


def test_the_scales_file_is_read_by_the_weight_that_no_thousand_could_be() -> None:
    assert shown(parse_file(CASE, settings())) == {"HAM-1": "0.750", "CUP-1": "3", "BREAD-1": "12.000"}


def test_the_scales_file_is_refused_where_the_other_format_is_set() -> None:
    with pytest.raises(FileRefusedError) as refusal:
        parse_file(CASE, settings(number_format="1,234.50"))
    assert (refusal.value.code, refusal.value.next_step) == (
        "number_format",
        "Set number_format to 1.234,50, if that is how the till writes them.",
    )
    assert "“0,750” (line 2)" in refusal.value.message


@pytest.mark.parametrize(("text", "configured", "other"), [("0,750", "1,234.50", "1.234,50"), ("0.750", "1.234,50", "1,234.50")])
def test_no_thousands_follow_a_leading_zero_so_the_row_is_asked_about(
    write: Write, text: str, configured: str, other: str
) -> None:
    parsed = parse_file(write(f"SKU;Name;Qty\nHAM-1;Ham;{text}\nCUP-1;Cup;3\n"), settings(number_format=configured))
    assert shown(parsed) == {"CUP-1": "3"}
    (problem,) = parsed.problems
    assert (problem.line, problem.sku, problem.code, problem.message, problem.next_step) == (
        2,
        "HAM-1",
        "bad_quantity",
        f"Line 2: the quantity “{text}” can't be used: it is not a number written like {configured}. {KEPT}",
        f"Correct it at the till; if the till writes all its numbers so, set number_format to {other}.",
    )


def test_a_file_in_which_nothing_tells_what_12_000_is_asks_and_reads_the_rest(write: Write) -> None:
    path = write("SKU;Name;Qty\nBREAD-1;Bread;12,000\nCUP-1;Cup;3\n")
    parsed = parse_file(path, settings())
    assert shown(parsed) == {"CUP-1": "3"}
    (problem,) = parsed.problems
    assert (problem.line, problem.code, problem.serious, problem.message, problem.next_step) == (
        2,
        "unclear_quantity",
        True,
        f"Line 2: the quantity “12,000” can't be used: it could be 12 or 12000, and no number of the file tells. {KEPT}",
        "Set number_format to 1.234,50 if it is 12, or to 1,234.50 if it is 12000.",
    )
    assert shown(parse_file(path, settings(number_format="1.234,50"))) == {"BREAD-1": "12.000", "CUP-1": "3"}


def test_a_file_of_nothing_else_is_refused_and_names_the_setting(write: Write) -> None:
    rows = "".join(f"A{n};Bread;{n},000\n" for n in range(1, 31))
    with pytest.raises(FileRefusedError) as refusal:
        parse_file(write(f"SKU;Name;Qty\n{rows}"), settings())
    assert refusal.value.code == "number_format"
    assert refusal.value.message.startswith("Most of its numbers could be read in two ways, and nothing tells which is right.")
    assert refusal.value.next_step == "Set number_format to 1.234,50 if it is 1, or to 1,234.50 if it is 1000."
    assert len(refusal.value.problems) == 30


def test_a_price_nobody_can_tell_stays_as_it_was_and_the_quantity_is_used(write: Write) -> None:
    parsed = parse_file(write('SKU,Price,Qty\nA,"1,234",3\n'), settings())
    assert ([reading.price for reading in parsed.readings], shown(parsed)) == ([None], {"A": "3"})
    assert [(problem.code, problem.next_step) for problem in parsed.problems] == [
        ("bad_price", "Set number_format to 1.234,50 if it is 1.234, or to 1,234.50 if it is 1234.")
    ]


def test_a_number_read_as_set_though_nothing_proves_it_is_noted(write: Write) -> None:
    parsed = parse_file(write('SKU,Qty\nA,"12,000"\n'), settings(number_format="1,234.50"))
    assert shown(parsed) == {"A": "12000"}
    assert [(problem.code, problem.serious) for problem in parsed.problems] == [("numbers_ambiguous", False)]


# -- whatever a shop writes -------------------------------------------------------------------------------------------

GROUPS = {
    COMMA_POINT: ",",
    POINT_COMMA: ".",
    NumberFormat.SPACE_COMMA: " \u00a0\u2009\u202f",
    NumberFormat.APOSTROPHE_POINT: "'’",
}
SIGNS = ("{}", "-{}", "{}-", "({})", "\u2212{}", "+{}")


@st.composite
def a_file(draw: st.DrawFn) -> tuple[NumberFormat, list[tuple[str, Decimal]]]:
    """A format, and numbers as a till that keeps to it would write them."""
    form = draw(st.sampled_from(NumberFormat))
    mark = "." if form in (COMMA_POINT, NumberFormat.APOSTROPHE_POINT) else ","
    group = draw(st.sampled_from(GROUPS[form]))
    places = draw(st.sampled_from([0, 1, 2, 3, 4]))
    grouped = draw(st.booleans())
    numbers = draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=12))
    cells = []
    for number in numbers:
        amount, sign = Decimal(number).scaleb(-places), draw(st.sampled_from(SIGNS))
        text = f"{amount:,f}" if grouped else f"{amount:f}"
        text = sign.format(text.replace(",", "\0").replace(".", mark).replace("\0", group))
        cells.append((text, amount if sign in ("{}", "+{}") else -amount))
    return form, cells


@given(file=a_file())
def test_a_files_numbers_are_read_as_they_were_meant_or_asked_about_never_as_others(
    file: tuple[NumberFormat, list[tuple[str, Decimal]]],
) -> None:
    _, cells = file
    spellings = heard(None, *(text for text, _ in cells))
    for text, amount in cells:
        try:
            assert spellings.quantity(text) == amount
        except UnclearNumberError:
            assert "," in text or "." in text


@given(file=a_file())
def test_in_the_format_that_is_set_everything_is_read(file: tuple[NumberFormat, list[tuple[str, Decimal]]]) -> None:
    form, cells = file
    spellings = heard(form, *(text for text, _ in cells))
    assert [spellings.quantity(text) for text, _ in cells] == [amount for _, amount in cells]


@given(file=a_file(), configured=st.sampled_from(NumberFormat))
def test_a_wrong_setting_never_outvotes_a_file_that_tells(
    file: tuple[NumberFormat, list[tuple[str, Decimal]]], configured: NumberFormat
) -> None:
    _, cells = file
    spellings = heard(configured, *(text for text, _ in cells))
    if heard(None, *(text for text, _ in cells)).number_format is None:
        return  # the file tells nothing: what a person has set counts
    for text, amount in cells:
        with suppress(NumberError):
            assert spellings.quantity(text) == amount
