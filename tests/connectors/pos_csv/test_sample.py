"""A sample of an export: what the file itself tells of the settings it needs, and how each line would be read."""

from decimal import Decimal
from pathlib import Path

import pytest

from connectors.pos_csv.reading.numbers import NumberFormat
from connectors.pos_csv.sample import Sample, sample_read, sample_settings
from connectors.pos_csv.settings import PosCsvSettings

PLAIN = PosCsvSettings(folder="till")


@pytest.fixture
def look(tmp_path: Path):
    def at(content: bytes, settings: PosCsvSettings = PLAIN) -> tuple[dict, Sample]:
        path = tmp_path / "sample.csv"
        path.write_bytes(content)
        changes = sample_settings(path, settings)
        return changes, sample_read(path, settings.model_copy(update=changes))

    return at


def said(sample: Sample) -> list[tuple]:
    return [
        (one.line, one.reading.sku, one.reading.on_hand) if one.reading else (one.line, one.problem.code) for one in sample.lines
    ]


def test_semicolons_windows_letters_and_decimal_commas_are_recognised_and_bad_lines_stay_where_they_are(look):
    text = "Artikelnummer;Bezeichnung;Bestand\r\nA1;Blumentöpfe;1.234,5\r\n;Ohne Nummer;3\r\nA2;Erde;viele\r\nA3;Kübel;2\r\n"
    changes, sample = look(text.encode("cp1252"))
    assert changes == {"encoding": "cp1252", "number_format": NumberFormat.POINT_COMMA}
    assert (sample.delimiter, sample.encoding) == (";", "cp1252")
    assert sample.found == {"sku": "Artikelnummer", "name": "Bezeichnung", "quantity": "Bestand"}
    assert said(sample) == [(2, "A1", Decimal("1234.5")), (3, "no_sku"), (4, "bad_quantity"), (5, "A3", Decimal(2))]
    assert (sample.rows, sample.readings, sample.bad_rows) == (4, 2, 2)
    assert sample.problems[0].next_step == "Give the item a SKU at the till."


def test_column_names_further_down_and_a_line_without_an_end_are_recognised(look):
    changes, sample = look(b"Stock report\nof today\nSKU,Name,Qty\nA,Pot,4\nB,Cup,5")
    assert changes == {"skip_lines": 2, "final_newline_required": False}
    assert said(sample) == [(4, "A", Decimal(4)), (5, "B", Decimal(5))]


def test_the_till_that_wrote_it_is_recognised_by_its_column_names(look):
    changes, sample = look(b"System ID,Custom SKU,Item,Qty.,Default Price\n1,A1,Pot,4,3.50\n")
    assert changes == {"preset": "lightspeed_r", "number_format": NumberFormat.COMMA_POINT}
    assert said(sample) == [(2, "A1", Decimal(4))]


def test_a_file_without_a_sku_column_keeps_its_header_for_a_person_to_choose_from(look):
    changes, sample = look(b"Name,Number,Qty\nPot,P-1,4\n")
    assert changes == {}
    assert sample.error.code == "header"
    assert sample.header == ["Name", "Number", "Qty"]
    chosen = PLAIN.model_copy(update={"columns": {"sku": "Number"}})
    assert said(look(b"Name,Number,Qty\nPot,P-1,4\n", chosen)[1]) == [(2, "P-1", Decimal(4))]


def test_two_columns_that_could_be_the_sku_are_left_to_a_person(look):
    _, sample = look(b"SKU,Code,Qty\nA,1,4\n")
    assert sample.error.code == "ambiguous_columns"
    assert sample.lines == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty."),
        (b"SKU,Qty\n", "no rows"),
        (b"PK\x03\x04\x14[Content_Types].xml", "an Excel workbook (xlsx)"),
        (b"PK\x03\x04\x14other.csv", "a zip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!doctype html><html>", "a web page"),
    ],
)
def test_what_is_no_stock_list_is_called_what_it_is(look, content, says):
    changes, sample = look(content)
    assert changes == {}
    assert says in sample.error.message
    assert sample.lines == ()


def test_what_a_person_has_set_is_kept_where_it_works(look):
    settings = PLAIN.model_copy(update={"encoding": "latin-1", "columns": {"sku": "Code"}})
    assert look("SKU,Code,Qty\nä,1,4\n".encode("latin-1"), settings)[0] == {}


def test_numbers_that_nothing_tells_apart_are_left_to_a_person(look):
    changes, sample = look(b"SKU;Name;Qty\nBREAD-1;Bread;12,000\nCUP-1;Cup;3\n")
    assert changes == {}
    assert said(sample) == [(2, "unclear_quantity"), (3, "CUP-1", Decimal(3))]
    assert sample.problems[0].next_step == "Set number_format to 1.234,50 if it is 12, or to 1,234.50 if it is 12000."


def test_a_wrong_format_that_is_set_is_replaced_by_what_the_file_tells(look):
    wrong = PLAIN.model_copy(update={"number_format": "1,234.50"})
    changes, sample = look(b"SKU;Name;Qty\nHAM-1;Ham;0,750\nBREAD-1;Bread;12,000\n", wrong)
    assert changes == {"number_format": NumberFormat.POINT_COMMA}
    assert said(sample) == [(2, "HAM-1", Decimal("0.750")), (3, "BREAD-1", Decimal(12))]
