"""One generic file, bent in every way that tills and spreadsheets bend files (pos_csv.md)."""

import codecs
import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.contract import TillReading
from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.problems import FileRefusedError
from tests.connectors.pos_csv.conftest import settings

Write = Callable[..., Path]
HEADER = "SKU,Name,Barcode,Price,Cost,Qty\n"


def read(path: Path, **given: object) -> ParsedFile:
    return parse_file(path, settings(**given))


def refused(path: Path, **given: object) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refusal:
        read(path, **given)
    return refusal.value


def quantities(parsed: ParsedFile) -> dict[str, str]:
    return {reading.sku: f"{reading.on_hand}" for reading in parsed.readings}


def told(parsed: ParsedFile) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.sku, problem.code) for problem in parsed.problems]


def test_a_row_becomes_a_reading_with_its_line(write: Write) -> None:
    parsed = read(write("SKU,Name,Barcode,Category,Vendor,Cost,Price,Qty,Outlet\nA-1,Pot,0012,Pots,Acme,1.20,$3.50,4,Main\n"))
    assert parsed.readings == [
        TillReading("A-1", "Main", Decimal(4), "Pot", "0012", "Pots", "Acme", Decimal("1.20"), Decimal("3.50"), line=2)
    ]
    assert (parsed.problems, parsed.rows, parsed.currencies) == ([], 1, ("$",))


# -- encodings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "configured"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "cp1252"),  # a byte order mark beats the setting
        ("utf-16", "utf-8"),
        ("utf-16-le", "utf-16"),
        ("cp1252", "cp1252"),
        ("latin-1", "latin-1"),
    ],
)
def test_names_survive_every_encoding(write: Write, raw: str, configured: str) -> None:
    if raw == "utf-16-le":
        content = codecs.BOM_UTF16_LE + f"{HEADER}É1,Café crème,,2,1,3\n".encode("utf-16-le")
    else:
        content = f"{HEADER}É1,Café crème,,2,1,3\n".encode(raw)
    (reading,) = read(write(content), encoding=configured).readings
    assert (reading.sku, reading.name, reading.on_hand) == ("É1", "Café crème", Decimal(3))


def test_undecodable_bytes_are_refused_with_line_setting_and_suggestion(write: Write) -> None:
    refusal = refused(write(f"{HEADER}A,Pot,,2,1,3\nB,Café,,2,1,3\n", encoding="cp1252"))
    assert (refusal.code, refusal.message) == ("encoding", "Line 3 can't be read as utf-8 (byte 0xe9).")
    assert refusal.next_step.startswith("Set encoding to cp1252 (Windows, western Europe), in which the whole file can be read")


def test_cp1252_is_not_suggested_where_it_would_not_do_either(write: Write) -> None:
    refusal = refused(write(HEADER.encode() + b"A,\x81\xe9,,2,1,3\n"))
    assert refusal.next_step == "Change the setting encoding to what the till writes, or have the till write UTF-8."


def test_utf8_read_as_cp1252_is_noticed(write: Write) -> None:
    parsed = read(write(f"{HEADER}A,Café,,2,1,3\n"), encoding="cp1252")
    assert told(parsed) == [(0, "", "encoding_suspect")]
    assert quantities(parsed) == {"A": "3"}


def test_composed_and_decomposed_text_is_kept_exactly(write: Write) -> None:
    parsed = read(write(f"{HEADER}e\u0301,cafe\u0301 🌱,,2,1,3\n"))
    assert [(reading.sku, reading.name) for reading in parsed.readings] == [("e\u0301", "cafe\u0301 🌱")]


# -- dialects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_header_tells_the_delimiter(write: Write, delimiter: str, line_end: str) -> None:
    rows = [["SKU", "Name", "Qty"], ["A", "Pot", "3"], ["B", "Tray", "-1"]]
    parsed = read(write("".join(delimiter.join(row) + line_end for row in rows)))
    assert (quantities(parsed), [reading.line for reading in parsed.readings]) == ({"A": "3", "B": "-1"}, [2, 3])


def test_a_separator_line_of_excel_is_obeyed_and_counted(write: Write) -> None:
    parsed = read(write('sep=;\nSKU;"Name, long";Qty\nA;x;3\n'))
    assert [(reading.sku, reading.line) for reading in parsed.readings] == [("A", 3)]


def test_a_column_name_may_have_two_lines(write: Write) -> None:
    parsed = read(write('SKU,"Qty\nOn Hand",Name\nA,3,Pot\n'))
    assert [(reading.sku, reading.on_hand, reading.line) for reading in parsed.readings] == [("A", Decimal(3), 3)]


@pytest.mark.parametrize("header", ['SKU,"Qty\n', "SKU," + "x" * 200_000])
def test_a_header_that_cannot_be_cut_into_columns_is_refused(write: Write, header: str) -> None:
    assert refused(write(f"{header}\nA,3\n")).code == "header"


def test_a_configured_delimiter_wins(write: Write) -> None:
    parsed = read(write("SKU|Name, of, the, thing|Qty\nA|Pot|3\n"), delimiter="|")
    assert quantities(parsed) == {"A": "3"}


def test_lines_above_the_header_are_skipped_as_configured(write: Write) -> None:
    path = write("My shop\nExported today\nSKU,Qty\nA,3\n")
    refusal = refused(path)
    assert refusal.next_step == "The column names seem to stand in line 3: set skip_lines to 2."
    parsed = read(path, skip_lines=2)
    assert [(reading.sku, reading.line) for reading in parsed.readings] == [("A", 4)]


def test_a_line_break_inside_quotes_belongs_to_the_cell(write: Write) -> None:
    parsed = read(write(f'{HEADER}A,"Pot,\n7 litres",,2,1,3\nB,Tray,,2,1,4\n'))
    assert [(reading.sku, reading.name, reading.line) for reading in parsed.readings] == [
        ("A", "Pot,\n7 litres", 2),
        ("B", "Tray", 4),
    ]


def test_columns_may_stand_in_any_order(write: Write) -> None:
    (reading,) = read(write("Qty,Price,Name,SKU\n3,2.50,Pot,A\n")).readings
    assert (reading.sku, reading.on_hand, reading.price) == ("A", Decimal(3), Decimal("2.50"))


def test_empty_lines_and_empty_rows_say_nothing(write: Write) -> None:
    parsed = read(write(f"{HEADER}\nA,Pot,,2,1,3\n,,,,,\n ,,,,,\n\n"))
    assert (quantities(parsed), parsed.rows, parsed.problems) == ({"A": "3"}, 1, [])


# -- quantities -----------------------------------------------------------------------------------------------------


def test_an_empty_quantity_is_unknown_and_zero_is_zero(write: Write) -> None:
    parsed = read(write("SKU,Qty\nA,\nB,0\nC, \n"))
    assert [(reading.sku, reading.on_hand) for reading in parsed.readings] == [("A", None), ("B", Decimal(0)), ("C", None)]
    assert parsed.problems == []


@pytest.mark.parametrize("text", ["n/a", "-", "∞", "1E3", "NaN", "three", "12345678", "#REF!"])
def test_a_quantity_that_is_none_rejects_its_row_only(write: Write, text: str) -> None:
    parsed = read(write(f"SKU,Qty\nA,3\nB,{text}\nC,5\n"))
    assert quantities(parsed) == {"A": "3", "C": "5"}
    (problem,) = parsed.problems
    assert (problem.line, problem.sku, problem.code, problem.serious) == (3, "B", "bad_quantity", True)
    assert problem.message.startswith(f"Line 3: the quantity “{text}” can't be used: ")
    assert problem.message.endswith(". The item keeps its last known number.")


def test_words_for_not_counted_can_be_configured(write: Write) -> None:
    parsed = read(write("SKU,Qty\nA,N/A\nB,∞\nC,\n"), untracked=["n/a", "∞"])
    assert [(reading.sku, reading.on_hand) for reading in parsed.readings] == [("A", None), ("B", None)]
    assert told(parsed) == [(4, "C", "bad_quantity")]  # the configured words replace the preset's


def test_a_bad_price_leaves_the_quantity_in_use(write: Write) -> None:
    parsed = read(write(f"{HEADER}A,Pot,,ask,1.10,3\nB,Tray,,-2,1,4\n"))
    assert [(r.sku, r.on_hand, r.price, r.cost) for r in parsed.readings] == [
        ("A", Decimal(3), None, Decimal("1.10")),
        ("B", Decimal(4), None, Decimal(1)),
    ]
    assert [problem.message for problem in parsed.problems] == [
        "Line 2: the price “ask” can't be used: it is not a number written like 1,234.50. The quantity of this line is used.",
        "Line 3: the price “-2” can't be used: it is below zero. The quantity of this line is used.",
    ]


def test_many_bad_prices_are_summed_up(write: Write) -> None:
    rows = "".join(f"S{number},Pot,,ask,1,3\n" for number in range(250))
    parsed = read(write(HEADER + rows))
    assert len(parsed.readings) == 250
    assert sum(problem.code == "bad_price" for problem in parsed.problems) == 200
    assert parsed.problems[-1].message == "50 more lines have the same problem (bad_price)."


@pytest.mark.parametrize(
    ("number_format", "price", "quantity"),
    [
        ("1,234.50", '"1,234.50"', "12"),
        ("1.234,50", '"1.234,50"', '"12,00"'),
        ("1 234,50", '"1\u00a0234,50 €"', '"12,0"'),
        ("1'234.50", "CHF 1'234.50", "12"),
    ],
)
def test_numbers_follow_the_configured_format(write: Write, number_format: str, price: str, quantity: str) -> None:
    (reading,) = read(write(f"SKU,Price,Qty\nA,{price},{quantity}\n"), number_format=number_format).readings
    assert (reading.price, reading.on_hand) == (Decimal("1234.50"), Decimal(12))


def test_a_file_in_another_number_format_is_refused_whole(write: Write) -> None:
    path = write("SKU;Price;Qty\nA;12,50;3\nB;7,90;1.234\nC;1,99;4\n")
    refusal = refused(path, number_format="1,234.50")
    assert refusal.code == "number_format"
    assert refusal.message == (
        "Numbers are expected like 1,234.50, but the file writes them like “12,50” (line 2). Nothing of it is used."
    )
    assert refusal.next_step == "Set number_format to 1.234,50, if that is how the till writes them."
    assert quantities(read(path)) == {"A": "3", "B": "1234", "C": "4"}  # where nothing is set, the prices tell


def test_one_number_in_another_format_is_one_bad_row(write: Write) -> None:
    parsed = read(write('SKU,Price,Qty\nA,12.50,3\nB,7.90,"1,5"\nC,1.99,4\n'))
    assert (quantities(parsed), told(parsed)) == ({"A": "3", "C": "4"}, [(3, "B", "bad_quantity")])


def test_a_number_that_could_be_read_in_two_ways_is_read_as_configured_and_noted(write: Write) -> None:
    parsed = read(write("SKU,Qty\nA,1.234\nB,2\n"), number_format="1,234.50")
    assert quantities(parsed) == {"A": "1.234", "B": "2"}
    (problem,) = parsed.problems
    assert (problem.code, problem.serious) == ("numbers_ambiguous", False)


# -- codes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "sku"),
    [
        ("00123", "00123"),
        ('"=""00123"""', "00123"),
        ("'00123", "00123"),
        ("1E5", "1E5"),
        ("ABC ", "ABC "),
        ("ümlaut-🌱", "ümlaut-🌱"),
        ("=cmd()", "=cmd()"),
    ],
)
def test_a_sku_is_text_and_kept_exactly(write: Write, cell: str, sku: str) -> None:
    (reading,) = read(write(f"SKU,Qty\n{cell},3\n")).readings
    assert reading.sku == sku


@pytest.mark.parametrize("cell", ["7.84E+12", '"7,84E+12"', "7e+11"])
def test_a_sku_damaged_by_a_spreadsheet_rejects_its_row(write: Write, cell: str) -> None:
    parsed = read(write(f"SKU,Qty\n{cell},3\nB,4\n"))
    assert (quantities(parsed), [(p.line, p.code) for p in parsed.problems]) == ({"B": "4"}, [(2, "damaged_sku")])


def test_damaged_barcodes_are_left_out_and_summed_up(write: Write) -> None:
    parsed = read(write("SKU,Barcode,Qty\nA,6.12E+11,3\nB,012345678905.0,4\nC,'0123,5\nD,7.1E+12,6\n"))
    assert [(reading.sku, reading.barcode) for reading in parsed.readings] == [
        ("A", ""),
        ("B", "012345678905"),
        ("C", "0123"),
        ("D", ""),
    ]
    (problem,) = parsed.problems
    assert (problem.code, problem.serious) == ("barcodes_damaged", False)
    assert problem.message.startswith("2 barcodes were damaged by a spreadsheet, the first on line 2 (“6.12E+11”).")


@pytest.mark.parametrize("sku", ["x" * 191, '"A\nB"'])
def test_an_impossible_sku_rejects_its_row(write: Write, sku: str) -> None:
    parsed = read(write(f"SKU,Qty\n{sku},3\nC,4\n"))
    assert (quantities(parsed), [problem.code for problem in parsed.problems]) == ({"C": "4"}, ["bad_sku"])


# -- rows that are none -----------------------------------------------------------------------------------------------


def test_short_and_long_rows_are_named_and_the_rest_applies(write: Write) -> None:
    parsed = read(write("SKU,Name,Qty\nA,Pot,3\nB,Tray\nC,Pot, big,5\nD,Net,6,,\n"))
    assert quantities(parsed) == {"A": "3", "D": "6"}
    assert told(parsed) == [(3, "B", "short_row"), (4, "C", "long_row")]


@pytest.mark.parametrize("row", ["Total,,,,,17", ",TOTAL:,,,,17", "Grand total,,,,,17"])
def test_a_line_of_totals_is_no_item(write: Write, row: str) -> None:
    parsed = read(write(f"{HEADER}A,Pot,,2,1,17\n{row}\n"))
    assert (quantities(parsed), parsed.rows) == ({"A": "17"}, 1)
    assert [(problem.line, problem.code, problem.serious) for problem in parsed.problems] == [(3, "totals_row", False)]


def test_an_item_called_total_is_an_item(write: Write) -> None:
    assert quantities(read(write(f"{HEADER}TOTAL,Total body lotion,,2,1,17\n"))) == {"TOTAL": "17"}


def test_a_row_without_its_outlet_is_rejected(write: Write) -> None:
    parsed = read(write("SKU,Outlet,Qty\nA,Main,3\nB,,4\n"))
    assert (quantities(parsed), told(parsed)) == ({"A": "3"}, [(3, "B", "no_outlet")])


def test_refuse_file_uses_a_file_whole_or_not_at_all(write: Write) -> None:
    path = write("SKU,Qty\nA,3\n,4\nC,n/a\n")
    refusal = refused(path, on_bad_rows="refuse_file")
    assert (refusal.code, [problem.line for problem in refusal.problems]) == ("bad_rows", [3, 4])
    assert quantities(read(path)) == {"A": "3"}


def test_refuse_file_minds_a_bad_price_too(write: Write) -> None:
    refusal = refused(write(f"{HEADER}A,Pot,,ask,1,3\n"), on_bad_rows="refuse_file")
    assert [problem.code for problem in refusal.problems] == ["bad_price"]


def test_refuse_file_does_not_mind_notes(write: Write) -> None:
    parsed = read(write("SKU,Barcode,Qty\nA,6.12E+11,3\nA,6.12E+11,3\nTotal,,3\n"), on_bad_rows="refuse_file")
    assert quantities(parsed) == {"A": "3"}


def test_a_file_of_mostly_bad_rows_is_not_the_file_it_should_be(write: Write) -> None:
    refusal = refused(write("SKU,Qty\n" + "".join(f"A{n},soon\n" for n in range(20)) + "B,1\n"))
    assert (refusal.code, len(refusal.problems)) == ("mostly_bad", 20)
    assert refusal.message.startswith("20 of 21 rows can't be used, the first because: Line 2: the quantity “soon”")


# -- files that are none ----------------------------------------------------------------------------------------------


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "SKU,Qty\nA,3\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b"SKU,Qty\nA,3\n", mtime=0), "a gzip archive"),
        (zipped("export.csv"), "a zip archive or an Excel workbook"),
        (zipped("[Content_Types].xml"), "an Excel workbook (xlsx)"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel workbook"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><p>Please log in", "a web page"),
        (b"<html>", "a web page"),
        (b"<svg onload=alert(1)>", "a picture"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_another_kind_of_file_is_refused_before_parsing(write: Write, content: bytes, kind: str) -> None:
    refusal = refused(write(content))
    assert (refusal.code, refusal.message) == ("not_csv", f"This is {kind}, whatever its name says, not a CSV file.")


def test_nul_bytes_are_refused_with_their_line(write: Write) -> None:
    refusal = refused(write(b"SKU,Qty\nA,3\nB,\0\n"))
    assert (refusal.code, refusal.message) == ("nul", "Line 3 holds NUL characters, which text never does.")


@pytest.mark.parametrize("content", ["", "\n\n", "   "])
def test_an_empty_file_is_refused(write: Write, content: str) -> None:
    assert refused(write(content)).code == "empty"


def test_a_header_without_rows_is_never_an_empty_shop(write: Write) -> None:
    refusal = refused(write(HEADER))
    assert refusal.message == "The file has column names but no rows. No rows is never read as no stock."


def test_a_last_line_without_an_end_means_cut_off(write: Write) -> None:
    path = write("SKU,Qty\nA,3\nB,12")
    refusal = refused(path)
    assert (refusal.code, refusal.message) == (
        "truncated",
        "The last line (3) has no end, so the file may be cut off. Nothing of it is used.",
    )
    assert quantities(read(path, final_newline_required=False)) == {"A": "3", "B": "12"}


@pytest.mark.parametrize("cut", ['B,"Tray,,2,1', 'B,"Tray,,2,1,4\nC,Pot,,1,1,1\n', 'B,"Tray" big,,2,1,4\n'])
def test_quotes_that_do_not_match_refuse_the_file(write: Write, cut: str) -> None:
    refusal = refused(write(f"{HEADER}A,Pot,,2,1,3\n{cut}"))
    assert (refusal.code, refusal.message) == (
        "truncated",
        "The quotation marks from line 3 on don't match, so the rows after it can't be told apart.",
    )


def test_a_cell_over_64_kb_is_refused(write: Write) -> None:
    refusal = refused(write(f"{HEADER}A,{'x' * 65537},,2,1,3\n"))
    assert (refusal.code, refusal.message) == ("cell_too_large", "Line 2 has a cell of more than 64 kB.")


def test_a_cell_of_many_lines_over_the_limit_is_refused(write: Write) -> None:
    long = "\n".join(["x" * 1000] * 200)
    assert refused(write(f'{HEADER}A,"{long}",,2,1,3\n')).code == "cell_too_large"


def test_a_ten_megabyte_line_is_refused_after_its_first_megabyte(write: Write) -> None:
    refusal = refused(write(f"{HEADER}A,{'x' * 10_000_000},,2,1,3\n"))
    assert (refusal.code, refusal.message) == ("line_too_long", "Line 2 is over 1,000,000 characters long.")


def test_a_file_over_200_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(200_000_001)  # sparse: no disk is used
    assert refused(path).code == "too_large"


def test_too_many_rows_are_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.pos_csv.reading.parse.MAX_ROWS", 2)
    assert refused(write("SKU,Qty\nA,1\nB,1\nC,1\n")).code == "too_many_rows"
