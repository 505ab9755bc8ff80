"""Items that the till lists and doesn't count: their number is unknown, never the 0 that stands there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.pos_csv.reading.columns import resolve
from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.presets import PRESETS
from connectors.pos_csv.reading.tracked import TrackedColumn
from tests.connectors.pos_csv.conftest import settings

CASES = Path(__file__).resolve().parents[2] / "data" / "cases" / "03"
Write = Callable[..., Path]


def shown(parsed: ParsedFile) -> dict[str, str | None]:
    return {one.sku: None if one.on_hand is None else f"{one.on_hand:f}" for one in parsed.readings}


def test_a_column_that_says_no_makes_the_number_unknown() -> None:
    parsed = parse_file(CASES / "plain.csv", settings())
    assert (shown(parsed), parsed.untracked, parsed.problems) == ({"CUP-1": "5", "PRINT-1": None}, 1, [])


def test_shopifys_empty_tracker_makes_the_number_unknown() -> None:
    parsed = parse_file(CASES / "products_export.csv", settings(preset="shopify_products"))
    assert (shown(parsed), parsed.untracked, parsed.problems) == ({"CUP-1": "5", "PRINT-1": None}, 1, [])
    assert parsed.readings[1].price == 12


@pytest.mark.parametrize(
    ("preset", "header", "counted", "not_counted"),
    [
        ("generic", "SKU,Track stock,Qty", "A,Yes,3", "B,No,0"),
        ("generic", "SKU,track_inventory,Qty", "A,1,3", "B,0,0"),
        ("generic", "SKU,Manage stock?,Qty", "A,true,3", "B,false,0"),
        ("generic", "Artikelnummer,Bestandsgeführt,Bestand", "A,Ja,3", "B,Nein,0"),
        ("generic", "Référence,Suivi du stock,Quantité", "A,oui,3", "B,non,0"),
        ("generic", "SKU,Controlar stock,Cantidad", "A,Sí,3", "B,No,0"),
        ("generic", "SKU,Voorraad bijhouden,Qty", "A,ja,3", "B,nee,0"),
        ("generic", "SKU,Is counted,Qty", "A,x,3", "B,,0"),
        ("square", "SKU,Item Name,Price,Stockable,Current Quantity Main", "A,Cup,2,Y,3", "B,Print,2,N,0"),
        ("lightspeed_x", "sku,name,track_inventory,inventory_Main", "A,Cup,1,3", "B,Print,0,0"),
        ("lightspeed_r", "System ID,Custom SKU,Item,Track stock,Main - Quantity on Hand", "1,A,Cup,Yes,3", "2,B,Print,No,0"),
        ("shopify_inventory", "SKU,Title,Location,Tracked,On hand (current)", "A,Cup,Main,TRUE,3", "B,Print,Main,FALSE,0"),
        ("shopify_products", "Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty", "Cup,A,shopify,3", "P,B,,0"),
        ("shopify_products", "Title,Variant SKU,Inventory tracker,Variant Inventory Qty", "Cup,A,amazon-eu,3", "P,B,,0"),
        ("loyverse", "SKU,Name,Track stock,In stock [Main]", "A,Cup,Y,3", "B,Print,N,0"),
        ("clover", "Clover ID,Name,SKU,Quantity,Track stock", "X1,Cup,A,3,Yes", "X2,Print,B,0,No"),
        ("quickbooks", "Item Number,Item Name,Track Quantity,Qty 1", "A,Cup,Y,3", "B,Print,N,0"),
    ],
)
def test_every_till_has_its_own_name_for_it(write: Write, preset: str, header: str, counted: str, not_counted: str) -> None:
    parsed = parse_file(write(f"{header}\n{counted}\n{not_counted}\n"), settings(preset=preset))
    assert (shown(parsed), parsed.problems) == ({"A": "3", "B": None}, [])


def test_every_preset_looks_for_such_a_column() -> None:
    for preset in PRESETS:
        names = PRESETS[preset].headers
        sku = names["sku"][0]
        quantity = names["quantity"][0] if "quantity" in names else "inventory_Main"
        columns = resolve([sku, quantity, "Track stock"], settings(preset=preset))
        assert columns.found()["tracked"] == "Track stock"


def test_a_cell_that_says_neither_is_asked_about_and_never_counted(write: Write) -> None:
    parsed = parse_file(write("SKU,Track stock,Qty\nA,Yes,3\nB,maybe,4\nC,,5\nD,No,0\n"), settings())
    assert shown(parsed) == {"A": "3", "D": None}
    assert [(problem.line, problem.sku, problem.code, problem.serious) for problem in parsed.problems] == [
        (3, "B", "bad_tracked", True),
        (4, "C", "bad_tracked", True),
    ]
    assert parsed.problems[0].message == (
        "Line 3: “maybe” in the column “Track stock” doesn't say whether the till counts the item. "
        "The item keeps its last known number."
    )


def test_a_quantity_in_letters_is_no_problem_of_an_item_that_is_not_counted(write: Write) -> None:
    parsed = parse_file(write("SKU,Track stock,Qty\nA,Yes,3\nB,No,unlimited\n"), settings())
    assert (shown(parsed), parsed.problems) == ({"A": "3", "B": None}, [])


def test_every_place_of_an_item_that_is_not_counted_is_unknown(write: Write) -> None:
    parsed = parse_file(write("sku,track_inventory,inventory_A,inventory_B\nX,1,3,4\nY,0,0,0\n"), settings(preset="lightspeed_x"))
    assert [(one.sku, one.location, one.on_hand) for one in parsed.readings] == [
        ("X", "A", 3), ("X", "B", 4), ("Y", "A", None), ("Y", "B", None)
    ]  # fmt: skip
    assert parsed.untracked == 1


def test_two_rows_that_differ_in_it_are_a_conflict(write: Write) -> None:
    parsed = parse_file(write("SKU,Track stock,Qty\nA,Yes,3\nA,No,3\nB,Yes,1\n"), settings())
    assert (shown(parsed), [problem.code for problem in parsed.problems]) == ({"B": "1"}, ["duplicate_conflict"] * 2)


def test_a_column_can_be_chosen_or_left_out(write: Write) -> None:
    path = write("SKU,Track stock,Flag,Qty\nA,No,ja,3\nB,Yes,nein,4\n")
    assert shown(parse_file(path, settings())) == {"A": None, "B": "4"}
    assert shown(parse_file(path, settings(columns={"tracked": "Flag"}))) == {"A": "3", "B": None}
    assert shown(parse_file(path, settings(columns={"tracked": ""}))) == {"A": "3", "B": "4"}


@pytest.mark.parametrize(
    ("header", "cells", "cell", "is_tracked"),
    [
        ("Track stock", ["Yes", "No"], " YES ", True),
        ("Track stock", ["Yes", "No"], "", None),
        ("Track stock", ["x", ""], "", False),
        ("Track stock", ["No", ""], "", None),
        ("Track stock", [""], "", True),  # nobody has filled the column in: the quantity counts
        ("Track stock", ['="1"'], '="1"', True),
        ("Track stock", ["shopify"], "shopify", None),
        ("Variant Inventory Tracker", [""], "", False),
        ("Variant Inventory Tracker", ["shopify"], "shipwire", True),
        ("variant_inventory_tracker", ["shopify"], "no", False),
    ],
)
def test_what_a_cell_says(header: str, cells: list[str], cell: str, is_tracked: bool | None) -> None:
    assert TrackedColumn(header, cells).is_tracked(cell) is is_tracked
