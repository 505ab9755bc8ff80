"""The example shop's exports, whole: one as the till writes it, one as a spreadsheet and a tired person left it."""

from collections import Counter
from decimal import Decimal

import pytest

from connectors.errors import FeedError
from connectors.pos_csv.reading.parse import parse_file
from tests.connectors.pos_csv.conftest import HYDRO, Drop, settings

NAMED = [
    (2364, "FFOVERD10L", "sku_spelling"),
    (2504, "CAN-GROW-TRAY-3IN", "duplicate_conflict"),
    (2557, "CAN-GROW-TRAY-3IN", "duplicate_conflict"),
    (2558, " ffoverd10l ", "sku_spelling"),
    (2559, "", "no_sku"),
    (2560, "BAD-QTY-ROW", "bad_quantity"),
]


def test_the_export_is_read_whole_without_a_setting() -> None:
    parsed = parse_file(HYDRO / "pos_export.csv", settings())
    assert (len(parsed.readings), parsed.rows) == (2554, 2554)
    assert [(problem.code, problem.serious) for problem in parsed.problems] == [("barcodes_damaged", False)]
    assert parsed.problems[0].message.startswith("83 barcodes were damaged by a spreadsheet")
    first = parsed.readings[0]
    assert (first.sku, first.name, first.barcode) == ("EH-LIGHT-MOVER", "ÉLITE HORTI LIGHT MOVER 2FT", "514975826515")
    assert (first.on_hand, first.cost, first.price) == (Decimal(8), Decimal("22.27"), Decimal("32.50"))
    assert not [reading for reading in parsed.readings if reading.on_hand is None or reading.price is None]
    assert not [reading for reading in parsed.readings if "E+" in reading.barcode or reading.barcode.endswith(".0")]


def test_of_the_messy_export_exactly_the_good_rows_apply_and_each_bad_one_is_named() -> None:
    whole = parse_file(HYDRO / "pos_export.csv", settings())
    messy = parse_file(HYDRO / "pos_export_messy.csv", settings(encoding="cp1252"))
    good = [reading for reading in whole.readings if reading.sku not in {"FFOVERD10L", "CAN-GROW-TRAY-3IN"}]
    assert messy.readings == good
    assert len(messy.readings) == 2552
    assert messy.rows == 2559
    assert [(problem.line, problem.sku, problem.code) for problem in messy.problems if problem.serious] == NAMED
    notes = [(problem.line, problem.sku, problem.code) for problem in messy.problems if not problem.serious]
    assert notes == [(2556, "CAN-ROCKWO-SLAB-3CUFT", "duplicate_merged"), (0, "", "barcodes_damaged")]
    assert Counter(problem.code for problem in messy.problems).total() == 8


def test_the_messy_export_is_refused_until_its_encoding_is_set(drop: Drop) -> None:
    drop.put("pos_export.csv", (HYDRO / "pos_export_messy.csv").read_bytes())
    with pytest.raises(FeedError) as refusal:
        list(drop.till().feeds())
    assert refusal.value.message == "“pos_export.csv” is not used. Line 2 can't be read as utf-8 (byte 0xc9)."
    assert "Set encoding to cp1252" in refusal.value.next_step
    assert (drop.names(), len(drop.names("refused"))) == ([], 1)
