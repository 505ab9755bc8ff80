"""Each known till's list, as its vendor writes it: read by its preset, in every bend that spreadsheets give it."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.pos_csv.reading.parse import ParsedFile, parse_file
from connectors.pos_csv.reading.problems import FileRefusedError
from tests.connectors.pos_csv.conftest import settings

Write = Callable[..., Path]


@dataclass(frozen=True)
class Vendor:
    """One till's header, and where in it a test finds what it wants to bend."""

    preset: str
    header: str
    sku: str
    name: str
    quantity: str
    price: str = ""
    barcode: str = ""
    outlet: str = ""  # the place a reading of the quantity column has
    always: dict[str, str] = field(default_factory=dict)

    def table(self, *rows: dict[str, str], delimiter: str = ",", columns: list[str] | None = None) -> str:
        names = columns or self.header.split(",")
        out = io.StringIO()
        writer = csv.DictWriter(out, names, delimiter=delimiter)
        writer.writeheader()
        writer.writerows({**dict.fromkeys(names, ""), **self.always, **row} for row in rows)
        return out.getvalue()

    def row(self, sku: str, quantity: str, *, name: str = "Pot", price: str = "2.50", barcode: str = "") -> dict[str, str]:
        given = {self.sku: sku, self.quantity: quantity, self.name: name, self.price: price, self.barcode: barcode}
        return {column: text for column, text in given.items() if column}


VENDORS = [
    Vendor(
        preset="generic",
        header=("SKU,Description,UPC,Department,Vendor,Cost,Retail Price,Qty On Hand,Last Modified"),
        sku="SKU",
        name="Description",
        quantity="Qty On Hand",
        price="Retail Price",
        barcode="UPC",
    ),
    Vendor(
        preset="square",
        header=(
            "Token,Item Name,Variation Name,SKU,Description,Category,Price,GTIN,Current Quantity Main,"
            "New Quantity Main,Stock Alert Enabled Main,Stock Alert Count Main"
        ),
        sku="SKU",
        name="Item Name",
        quantity="Current Quantity Main",
        price="Price",
        barcode="GTIN",
        outlet="Main",
        always={"New Quantity Main": "999"},
    ),
    Vendor(
        preset="lightspeed_x",
        header=(
            "id,handle,sku,composite_name,composite_sku,composite_quantity,name,description,product_category,"
            "supply_price,retail_price,brand_name,supplier_name,active,track_inventory,inventory_Main_Outlet,"
            "reorder_point_Main_Outlet"
        ),
        sku="sku",
        name="name",
        quantity="inventory_Main_Outlet",
        price="retail_price",
        outlet="Main_Outlet",
    ),
    Vendor(
        preset="lightspeed_r",
        header=("System ID,UPC,EAN,Custom SKU,Manufact. SKU,Item,Price,Main - Quantity on Hand,Main - Unit Cost"),
        sku="Custom SKU",
        name="Item",
        quantity="Main - Quantity on Hand",
        price="Price",
        barcode="UPC",
        outlet="Main",
    ),
    Vendor(
        preset="shopify_inventory",
        header=(
            "Handle,Title,Option1 Name,Option1 Value,SKU,HS Code,COO,Location,Bin name,Incoming (not editable),"
            "Unavailable (not editable),Committed (not editable),Available (not editable),On hand (current),"
            "On hand (new)"
        ),
        sku="SKU",
        name="Title",
        quantity="On hand (current)",
        outlet="Main",
        always={"Location": "Main", "Available (not editable)": "998", "On hand (new)": "999"},
    ),
    Vendor(
        preset="shopify_products",
        header=(
            "Handle,Title,Vendor,Type,Variant SKU,Variant Inventory Qty,Variant Price,Variant Barcode,Cost per item,Image Src"
        ),
        sku="Variant SKU",
        name="Title",
        quantity="Variant Inventory Qty",
        price="Variant Price",
        barcode="Variant Barcode",
    ),
    Vendor(
        preset="loyverse",
        header=(
            "Handle,SKU,Name,Category,Description,Sold by weight,Cost,Barcode,SKU of included item,"
            "Quantity of included item,Track stock,Available for sale [Main],Price [Main],In stock [Main],"
            "Low stock [Main]"
        ),
        sku="SKU",
        name="Name",
        quantity="In stock [Main]",
        price="Price [Main]",
        barcode="Barcode",
        outlet="Main",
    ),
    Vendor(
        preset="clover",
        header=(
            "Clover ID,Name,Price,Price Type,Price Unit,Tax Rates,Cost,Product Code,SKU,Modifier Groups,Quantity,"
            "Labels,Hidden,Non-revenue item"
        ),
        sku="SKU",
        name="Name",
        quantity="Quantity",
        price="Price",
        barcode="Product Code",
        always={"Clover ID": "X1"},
    ),
    Vendor(
        preset="quickbooks",
        header=("Item Number,Item Name,Item Description,Attribute,Size,UPC,Department,Vendor,Regular Price,Avg. Unit Cost,Qty 1"),
        sku="Item Number",
        name="Item Name",
        quantity="Qty 1",
        price="Regular Price",
        barcode="UPC",
        outlet="1",
    ),
]
every_vendor = pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.preset)


def read(path: Path, vendor: Vendor, **given: object) -> ParsedFile:
    return parse_file(path, settings(preset=vendor.preset, **given))


def shown(parsed: ParsedFile) -> list[tuple[str, str, Decimal | None]]:
    return [(reading.sku, reading.location, reading.on_hand) for reading in parsed.readings]


def codes(parsed: ParsedFile) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in parsed.problems]


@every_vendor
def test_a_plain_list_is_read(write: Write, vendor: Vendor) -> None:
    barcode = "012345678905" if vendor.barcode else ""
    parsed = read(write(vendor.table(vendor.row("A", "3", barcode="012345678905"), vendor.row("B", "-2"))), vendor)
    assert shown(parsed) == [("A", vendor.outlet, Decimal(3)), ("B", vendor.outlet, Decimal(-2))]
    assert (parsed.readings[0].name, parsed.readings[0].barcode, parsed.problems) == ("Pot", barcode, [])
    assert parsed.readings[0].price == (Decimal("2.50") if vendor.price else None)


@every_vendor
@pytest.mark.parametrize("raw", ["utf-8-sig", "cp1252"])
def test_accents_survive(write: Write, vendor: Vendor, raw: str) -> None:
    parsed = read(write(vendor.table(vendor.row("É", "3", name="Café à 5 €")), raw), vendor, encoding="cp1252")
    assert [(reading.sku, reading.name) for reading in parsed.readings] == [("É", "Café à 5 €")]


@every_vendor
def test_decimal_commas_and_narrow_thousands_are_read_where_configured(write: Write, vendor: Vendor) -> None:
    table = vendor.table(vendor.row("A", "1\u00a0234,5", price="1\u202f999,90 €"), delimiter=";")
    (reading,) = read(write(table), vendor, number_format="1 234,50").readings
    assert (reading.on_hand, reading.price) == (Decimal("1234.5"), Decimal("1999.90") if vendor.price else None)


@every_vendor
def test_decimal_commas_are_refused_where_points_are_configured(write: Write, vendor: Vendor) -> None:
    rows = [vendor.row(sku, quantity, price="") for sku, quantity in (("A", "1,5"), ("B", "2,5"), ("C", "1,75"))]
    with pytest.raises(FileRefusedError) as refusal:
        read(write(vendor.table(*rows, delimiter=";")), vendor, number_format="1,234.50")
    assert refusal.value.code == "number_format"


@every_vendor
def test_duplicates_merge_or_conflict(write: Write, vendor: Vendor) -> None:
    rows = [vendor.row("A", "3"), vendor.row("A", "3"), vendor.row("B", "4"), vendor.row("B", "5"), vendor.row("C", "6")]
    parsed = read(write(vendor.table(*rows)), vendor)
    assert shown(parsed) == [("A", vendor.outlet, Decimal(3)), ("C", vendor.outlet, Decimal(6))]
    assert codes(parsed) == [(3, "duplicate_merged"), (4, "duplicate_conflict"), (5, "duplicate_conflict")]


@every_vendor
def test_an_empty_quantity_is_not_zero(write: Write, vendor: Vendor) -> None:
    assert shown(read(write(vendor.table(vendor.row("A", ""))), vendor)) == [("A", vendor.outlet, None)]


@every_vendor
def test_codes_keep_their_zeros_and_damaged_ones_are_found(write: Write, vendor: Vendor) -> None:
    rows = [vendor.row("00123", "3", barcode="6.12E+11"), vendor.row("7.84E+12", "4")]
    parsed = read(write(vendor.table(*rows)), vendor)
    assert [(reading.sku, reading.barcode) for reading in parsed.readings] == [("00123", "")]
    damaged = [(0, "barcodes_damaged")] if vendor.barcode else []
    assert codes(parsed) == [(3, "damaged_sku"), *damaged]


@every_vendor
def test_a_line_break_in_a_name_shifts_no_line_number(write: Write, vendor: Vendor) -> None:
    parsed = read(write(vendor.table(vendor.row("A", "3", name='Pot,\n"big"'), vendor.row("B", "4"))), vendor)
    assert [(reading.sku, reading.line) for reading in parsed.readings] == [("A", 2), ("B", 4)]


@every_vendor
def test_a_file_that_is_cut_off_is_refused_wherever_the_cut_is(write: Write, vendor: Vendor) -> None:
    content = vendor.table(vendor.row("A", "3", name="Pot, big"), vendor.row("B", "4", name="Tray, big"))
    last_line = content.rstrip("\r\n").rfind("\n") + 1
    for cut in range(last_line + 1, len(content) - 2):
        with pytest.raises(FileRefusedError) as refusal:
            read(write(content[:cut]), vendor)
        assert refusal.value.code == "truncated"


@every_vendor
def test_reordered_columns_are_no_matter(write: Write, vendor: Vendor) -> None:
    columns = vendor.header.split(",")[::-1]
    assert shown(read(write(vendor.table(vendor.row("A", "3"), columns=columns)), vendor)) == [("A", vendor.outlet, Decimal(3))]


@every_vendor
def test_a_renamed_column_refuses_the_file(write: Write, vendor: Vendor) -> None:
    content = vendor.table(vendor.row("A", "3")).replace(vendor.sku, "Ref", 1)
    if vendor.preset in {"lightspeed_r", "clover"}:  # these have a second column to fall back on, by their preset's decision
        content = content.replace("Manufact. Ref", "Maker").replace("Manufact. SKU", "Maker").replace("System ID", "Row")
        content = content.replace("Product Code", "Code")
    with pytest.raises(FileRefusedError) as refusal:
        read(write(content), vendor)
    assert (refusal.value.code, refusal.value.message[:31]) == ("header", "No column of the file is the SK")


@every_vendor
def test_no_rows_is_no_empty_shop(write: Write, vendor: Vendor) -> None:
    with pytest.raises(FileRefusedError) as refusal:
        read(write(vendor.table()), vendor)
    assert refusal.value.code == "empty"


@pytest.mark.parametrize(
    ("preset", "header", "cells", "quantities"),
    [
        ("square", "SKU,Item Name,Price,Current Quantity Main St,New Quantity Main St,Current Quantity Depot,New Quantity Depot",
         "A,Pot,2,3,,4,", {"Main St": 3, "Depot": 4}),
        ("lightspeed_x", "id,sku,name,retail_price,inventory_Main_St,reorder_point_Main_St,inventory_Depot", "1,A,Pot,2,3,9,4",
         {"Main_St": 3, "Depot": 4}),
        ("lightspeed_r", "System ID,Custom SKU,Item,Price,Main - Quantity on Hand,Depot - Quantity on Hand", "1,A,Pot,2,3,4",
         {"Main": 3, "Depot": 4}),
        ("loyverse", "SKU,Name,Price [Main],In stock [Main],Price [Depot],In stock [Depot]", "A,Pot,2,3,2,4",
         {"Main": 3, "Depot": 4}),
        ("quickbooks", "Item Number,Item Name,Regular Price,Qty 1,Qty 2", "A,Pot,2,3,4", {"1": 3, "2": 4}),
        ("generic", "SKU,Name,Price,inventory_Main,inventory_Depot", "A,Pot,2,3,4", {"Main": 3, "Depot": 4}),
    ],
)  # fmt: skip
def test_every_outlet_column_is_a_reading_of_its_own(
    write: Write, preset: str, header: str, cells: str, quantities: dict[str, int]
) -> None:
    parsed = parse_file(write(f"{header}\n{cells}\n"), settings(preset=preset))
    assert {reading.location: reading.on_hand for reading in parsed.readings} == {k: Decimal(v) for k, v in quantities.items()}
    assert {(reading.sku, reading.price, reading.line) for reading in parsed.readings} == {("A", Decimal(2), 2)}


def test_one_bad_outlet_leaves_the_others_in_use(write: Write) -> None:
    parsed = parse_file(write("sku,inventory_Main,inventory_Depot\nA,3,soon\n"), settings(preset="lightspeed_x"))
    assert shown(parsed) == [("A", "Main", Decimal(3))]
    assert parsed.problems[0].message.startswith("Line 2: the quantity of Depot “soon” can't be used")


def test_outlets_with_their_own_prices_keep_them(write: Write) -> None:
    parsed = parse_file(
        write("SKU,Price [Main],In stock [Main],Price [Depot],In stock [Depot]\nA,2,3,variable,4\n"), settings(preset="loyverse")
    )
    assert [(reading.location, reading.price) for reading in parsed.readings] == [("Main", Decimal(2)), ("Depot", None)]
    assert parsed.problems == []


def test_a_shopify_variant_that_is_not_stocked_is_not_counted(write: Write) -> None:
    parsed = parse_file(
        write("SKU,Title,Location,On hand (current)\nA,Pot,Main,3\nA,Pot,Depot,not stocked\n"),
        settings(preset="shopify_inventory"),
    )
    assert shown(parsed) == [("A", "Main", Decimal(3)), ("A", "Depot", None)]


def test_shopify_picture_rows_are_no_items_but_a_variant_without_sku_is_named(write: Write) -> None:
    rows = "pot,Pot,A,3,2,x.jpg\npot,,,,,y.jpg\npot,,,4,2,\n"
    parsed = parse_file(
        write(f"Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price,Image Src\n{rows}"),
        settings(preset="shopify_products"),
    )
    assert (shown(parsed), codes(parsed), parsed.rows) == ([("A", "", Decimal(3))], [(4, "no_sku")], 2)


@pytest.mark.parametrize(
    ("preset", "header", "rows"),
    [
        ("lightspeed_x", "sku,name,composite_sku,composite_quantity,inventory_Main", "SET,Kit,A,1,3\nSET,Kit,B,2,\nC,Pot,,,4\n"),
        ("loyverse", "SKU,Name,SKU of included item,In stock [Main]", "SET,Kit,,3\n,,A,\n,,B,\nC,Pot,,4\n"),
    ],
)
def test_the_parts_of_a_bundle_are_no_duplicates(write: Write, preset: str, header: str, rows: str) -> None:
    parsed = parse_file(write(f"{header}\n{rows}"), settings(preset=preset))
    assert shown(parsed) == [("SET", "Main", Decimal(3)), ("C", "Main", Decimal(4))]
    assert (parsed.problems, parsed.rows) == ([], 2)


def test_clover_rows_without_an_id_continue_the_row_above(write: Write) -> None:
    parsed = parse_file(write("Clover ID,Name,SKU,Quantity\nX1,Pot,A,3\n,,,\n,modifier,,\n"), settings(preset="clover"))
    assert (shown(parsed), parsed.problems) == ([("A", "", Decimal(3))], [])
