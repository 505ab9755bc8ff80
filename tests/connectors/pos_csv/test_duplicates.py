"""Two rows about one item: merged where they agree, never settled by chance (reliability.md, case 29)."""

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from tests.connectors.pos_csv.conftest import settings


def read(tmp_path: Path, rows: str, header: str = "SKU,Price,Qty", **given: object) -> ParsedFile:
    path = tmp_path / "export.csv"
    path.write_text(f"{header}\n{rows}", encoding="utf-8")
    return parse_file(path, settings(**given))


def quantities(parsed: ParsedFile) -> list[tuple[str, str, Decimal | None]]:
    return [(reading.sku, reading.location, reading.on_hand) for reading in parsed.readings]


def told(parsed: ParsedFile) -> list[tuple[int, str, str, bool]]:
    return [(problem.line, problem.sku, problem.code, problem.serious) for problem in parsed.problems]


def test_rows_that_say_the_same_are_taken_once_and_noted(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2.00,3\nB,1,1\nA,2.0,3\n")
    assert quantities(parsed) == [("A", "", Decimal(3)), ("B", "", Decimal(1))]
    assert told(parsed) == [(4, "A", "duplicate_merged", False)]
    assert parsed.problems[0].message == "Line 4 says the same as line 2; taken once."


def test_rows_that_differ_are_both_left_out_and_both_named(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nB,1,1\nA,2,30\n")
    assert quantities(parsed) == [("B", "", Decimal(1))]
    assert told(parsed) == [(2, "A", "duplicate_conflict", True), (4, "A", "duplicate_conflict", True)]
    assert parsed.problems[0].message == (
        "SKU “A” is in the file twice. The file says two things about it: 3 (line 2), 30 (line 4). Neither can be trusted. "
        "Its last known number stays until the file is clear."
    )


def test_a_third_row_does_not_outvote_the_second(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nA,2,3\nA,2,30\n")
    assert (quantities(parsed), [row[0] for row in told(parsed)]) == ([], [2, 3, 4])


def test_not_counted_against_a_number_is_a_conflict(tmp_path: Path) -> None:
    assert quantities(read(tmp_path, "A,2,\nA,2,3\n")) == []


def test_the_same_quantity_at_two_prices_counts_without_a_price(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nA,5,3\n")
    assert [(reading.on_hand, reading.price) for reading in parsed.readings] == [(Decimal(3), None)]
    assert told(parsed) == [(3, "A", "bad_price", True)]


def test_one_row_per_outlet_is_no_duplicate(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,Main,3\nA,Depot,4\nA,Main,3\n", header="SKU,Store,Qty")
    assert quantities(parsed) == [("A", "Main", Decimal(3)), ("A", "Depot", Decimal(4))]
    assert told(parsed) == [(4, "A", "duplicate_merged", False)]


def test_lots_are_added_up_where_configured(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nA,2,4.5\nB,1,1\nA,2,-1\n", duplicates="sum")
    assert (quantities(parsed), parsed.problems) == ([("A", "", Decimal("6.5")), ("B", "", Decimal(1))], [])


def test_a_sum_with_an_unknown_part_is_unknown(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nA,2,\n", duplicates="sum")
    assert (quantities(parsed), [row[2] for row in told(parsed)]) == ([], ["duplicate_conflict"] * 2)


def test_the_last_row_counts_where_configured(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nA,2,4\n", duplicates="last")
    assert (quantities(parsed), parsed.problems) == ([("A", "", Decimal(4))], [])


@pytest.mark.parametrize("policy", ["conflict", "sum", "last"])
@pytest.mark.parametrize("other", ["abc-1", "ABC-1 ", " ABC-1", "Abc-1"])
def test_spellings_that_differ_in_case_or_spaces_are_a_conflict_naming_both(tmp_path: Path, policy: str, other: str) -> None:
    parsed = read(tmp_path, f"ABC-1,2,3\nB,1,1\n{other},2,3\n", duplicates=policy)
    assert quantities(parsed) == [("B", "", Decimal(1))]
    assert told(parsed) == [(2, "ABC-1", "sku_spelling", True), (4, other, "sku_spelling", True)]
    assert f"“{other}” on line 4" in parsed.problems[0].message
    assert "“ABC-1” on line 2" in parsed.problems[1].message


def test_composed_and_decomposed_spellings_are_a_conflict(tmp_path: Path) -> None:
    parsed = read(tmp_path, "\u00e9,2,3\ne\u0301,2,3\n")
    assert (quantities(parsed), [row[0] for row in told(parsed)]) == ([], [2, 3])


def test_spellings_of_two_widths_are_a_conflict_since_the_shop_would_have_one_product_for_both(tmp_path: Path) -> None:
    parsed = read(tmp_path, "ＡＢ１,2,3\nAB1,2,3\n")
    assert (quantities(parsed), [row[0] for row in told(parsed)]) == ([], [2, 3])


def test_spellings_at_two_outlets_are_one_conflict_too(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,Main,3\na,Depot,4\n", header="SKU,Store,Qty")
    assert (quantities(parsed), [row[0] for row in told(parsed)]) == ([], [2, 3])


def test_leading_zeros_make_another_item(tmp_path: Path) -> None:
    assert quantities(read(tmp_path, "00123,2,3\n123,2,4\n")) == [("00123", "", Decimal(3)), ("123", "", Decimal(4))]


def test_a_good_row_is_not_trusted_beside_an_unreadable_one(tmp_path: Path) -> None:
    parsed = read(tmp_path, "A,2,3\nB,1,1\nA,2,n/a\n")
    assert quantities(parsed) == [("B", "", Decimal(1))]
    assert told(parsed) == [(2, "A", "duplicate_conflict", True), (4, "A", "bad_quantity", True)]
