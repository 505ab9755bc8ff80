"""Reading an alignment file."""

import pytest

from alignment.importing.rows import AlignmentRow, alignment_parse
from kit.errors import FileError

HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"
LIMIT = 1_000_000


def parse(text: str | bytes, encoding: str = "utf-8") -> list[AlignmentRow]:
    return alignment_parse(text if isinstance(text, bytes) else text.encode(), encoding=encoding, limit=LIMIT)


def refusal(text: str | bytes, encoding: str = "utf-8") -> FileError:
    with pytest.raises(FileError) as caught:
        parse(text, encoding)
    assert caught.value.next_step
    return caught.value


def test_real_file_is_read_whole(hydro_file):
    rows = alignment_parse(hydro_file, limit=LIMIT)
    assert len(rows) == 1355
    assert rows[0] == AlignmentRow(2, "TMRAPISTART1GAL", "TM-RAPI-START-1GAL", "fuzzy", "0.91")
    assert rows[-1].line == 1356


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_by_the_header(delimiter):
    text = f"{HEADER}A,B,exact,1.0\n".replace(",", delimiter)
    assert parse(text) == [AlignmentRow(2, "A", "B", "exact", "1.0")]


def test_byte_order_mark_extra_columns_order_and_case_of_the_header_do_not_matter():
    text = "\ufeffNote,confidence,MATCH TYPE,WooCommerce SKU , pos sku\nx,0.9,fuzzy,B,A\n"
    assert parse(text) == [AlignmentRow(2, "A", "B", "fuzzy", "0.9")]


def test_excels_line_naming_the_delimiter_is_skipped_and_lines_still_count():
    assert parse("sep=;\n" + (HEADER + "A,B,exact,1\n").replace(",", ";")) == [AlignmentRow(3, "A", "B", "exact", "1")]


def test_sku_text_is_kept_exactly_but_for_outer_spaces():
    assert [row.pos_sku for row in parse(f"{HEADER} 007 ,B,exact,1\n1E5,B,exact,1\n«é»🌱,B,exact,1\n")] == ["007", "1E5", "«é»🌱"]


def test_lines_count_through_blank_rows_and_quoted_line_breaks():
    rows = parse(f'{HEADER}\n"A\nA",B,exact,1\n,,,\nC,D,exact,1\n')
    assert [(row.line, row.pos_sku) for row in rows] == [(3, "A\nA"), (6, "C")]


def test_short_row_is_marked_and_the_others_are_read():
    rows = parse(f"{HEADER}A,B\nC,D,exact,1\n")
    assert [row.is_short for row in rows] == [True, False]


def test_missing_column_is_named_with_those_that_are_there():
    error = refusal("POS SKU,Shop SKU,Match Type\nA,B,exact\n")
    assert error.message == (
        "The columns “WooCommerce SKU”, “Confidence” are missing. The header has: “POS SKU”, “Shop SKU”, “Match Type”."
    )


def test_cp1252_is_refused_with_its_line_until_it_is_chosen():
    content = f"{HEADER}A,B,exact,1\nÉLITE,B2,exact,1\n".encode("cp1252")
    assert "Line 3" in refusal(content).message
    assert "Windows (cp1252)" in refusal(content).next_step
    assert [row.pos_sku for row in parse(content, "cp1252")] == ["A", "ÉLITE"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "workbook"),
        (b"\x1f\x8brest", "archive"),
        (HEADER.encode("utf-16"), "null bytes"),
        (HEADER.encode(), "no rows"),
        (b"", "is missing|are missing"),
        ((HEADER + 'A,"B,exact,1\nC,D,exact,1\n').encode(), "Line 2 can't be read"),
        ((HEADER + f"A,{'B' * 140_000},exact,1\n").encode(), "Line 2 can't be read"),
        (b"x" * 20_000, "far too long"),
        (b"x" * (LIMIT + 1), "limit is 1 MB"),
        ((HEADER + "\n" * 200_001).encode(), "limit is 200,000"),
    ],
    ids=[
        "xlsx",
        "gzip",
        "utf-16",
        "header only",
        "empty",
        "open quote",
        "huge cell",
        "huge header",
        "huge file",
        "too many lines",
    ],
)
def test_a_file_that_cannot_be_read_whole_is_refused(content, words):
    import re

    assert re.search(words, refusal(content).message)
