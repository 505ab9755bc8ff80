"""`align_files`: two files in, one file out."""

import csv
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from alignment.importing.catalogues import store_file_read, till_file_read
from connectors.management.base import CommandExit, Exit
from tests.alignment.catalogues.abroad import ironmonger

HEADER = ["POS SKU", "WooCommerce SKU", "Match Type", "Confidence", "Status", "Evidence"]


def till(folder: Path, *rows: str, header: str = "SKU,Description,UPC,Vendor,Retail Price,Qty On Hand", encoding="utf-8") -> Path:
    path = folder / "till.csv"
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def shop(folder: Path, *products: object) -> Path:
    path = folder / "store.json"
    path.write_text(json.dumps(list(products)))
    return path


def product(number: int, sku: str, name: str, **fields: object) -> dict[str, object]:
    return {"id": number, "parent_id": 0, "type": "simple", "sku": sku, "name": name, **fields}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_whole_shop_is_matched_into_a_file_that_says_the_same_every_time(tmp_path, capsys):
    made = ironmonger()
    pos, store = made.write(tmp_path)
    out, again = tmp_path / "out.csv", tmp_path / "again.csv"
    call_command("align_files", str(pos), str(store), "--out", str(out))
    said = capsys.readouterr().out
    call_command("align_files", str(pos), str(store), "--out", str(again))
    assert out.read_bytes() == again.read_bytes()
    assert out.read_text().splitlines()[0].split(",") == HEADER
    rows = rows_of(out)
    confirmed = [row for row in rows if row["Status"] == "confirmed"]
    assert f"{len(confirmed)} pairs confirmed, {len(rows) - len(confirmed)} proposed" in said
    assert "are expected to be wrong" in said
    right = sum(made.truth.get(row["POS SKU"]) == row["WooCommerce SKU"] for row in confirmed)
    assert right >= 0.998 * len(confirmed)
    assert right >= 0.9 * len(made.truth)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_cell_that_looks_like_a_formula_is_disarmed(tmp_path):
    pos = till(tmp_path, "=cmd|' /C calc'!A0,Blue enamel mug,514975826515,Acme,3.00,1")
    store = shop(tmp_path, product(1, "@SUM(A1)", "Acme blue enamel mug", global_unique_id="514975826515"))
    call_command("align_files", str(pos), str(store), "--out", str(tmp_path / "out.csv"))
    [row] = rows_of(tmp_path / "out.csv")
    assert row["POS SKU"].startswith("'=cmd")
    assert row["WooCommerce SKU"] == "'@SUM(A1)"


def test_parents_give_their_variations_names_and_are_not_matched(tmp_path):
    store = shop(
        tmp_path,
        product(5, "", "Big Bud &amp; Co", type="variable", manage_stock=False, categories=[{"id": 3, "name": "Food"}]),
        product(6, "BB-1", "", type="variation", parent_id=5, attributes=[{"name": "Size", "option": "1 L"}]),
        product(7, "PARENT", "Counted as one", type="variable", manage_stock=True),
        product(8, "M", "Mug", meta_data=[{"key": "_alg_ean", "value": "514975826515"}], brands=[{"name": "Acme"}]),
    )
    found = {listing.sku: listing for listing in store_file_read(store).things}
    assert set(found) == {"BB-1", "PARENT", "M"}
    assert (found["BB-1"].name, found["BB-1"].category) == ("Big Bud & Co 1 L", "Food")
    assert (found["M"].barcode, found["M"].brand) == ("514975826515", "Acme")


def test_other_column_names_letters_and_numbers_are_read(tmp_path):
    pos = till(tmp_path, "A-1;Müsli;5,50;3", header="Artikelnummer;Bezeichnung;Verkaufspreis;Bestand", encoding="cp1252")
    [item] = till_file_read(pos).things
    assert (item.sku, item.name, str(item.price)) == ("A-1", "Müsli", "5.50")


def test_a_listing_without_sku_is_named_and_left_to_a_person(tmp_path):
    pos = till(tmp_path, "1001,Blue enamel mug,514975826515,Acme,3.00,1")
    store = shop(tmp_path, product(4711, "", "Acme blue enamel mug", global_unique_id="514975826515", regular_price="3.00"))
    call_command("align_files", str(pos), str(store), "--out", str(tmp_path / "out.csv"))
    [row] = rows_of(tmp_path / "out.csv")
    assert (row["WooCommerce SKU"], row["Status"]) == ("", "proposed")
    assert "number 4711" in row["Evidence"]


def test_rows_that_cannot_be_used_are_told_and_the_others_matched(tmp_path, capsys):
    pos = till(tmp_path, "MUG-BLUE,Blue mug,,Acme,3.00,1", ",No number,,Acme,3.00,1")
    store = shop(tmp_path, product(1, "MUG-BLUE", "Acme blue mug"), {"name": "no id"})
    with pytest.raises(CommandExit) as end:
        call_command("align_files", str(pos), str(store), "--out", str(tmp_path / "out.csv"))
    assert end.value.code == Exit.PARTIAL
    assert len(rows_of(tmp_path / "out.csv")) == 1
    said = capsys.readouterr().err
    assert "Line 3: it has no SKU" in said
    assert "product 2 has no id" in said


@pytest.mark.parametrize(
    ("pos_text", "store_text", "says"),
    [
        (None, "[]", "there is no such file"),
        ("Name,Qty\nMug,1\n", '[{"id": 1}]', "SKU"),
        ("SKU,Description,Qty\nA,Mug,1\n", None, "can't be read"),
        ("SKU,Description,Qty\nA,Mug,1\n", '[{"id": 1,\n "sku": }]', "in line 2, column 9"),
        ("SKU,Description,Qty\nA,Mug,1\n", '{"id": 1}', "not a list of products"),
        ("SKU,Description,Qty\nA,Mug,1\n", "[]", "holds no products"),
        ("SKU,Description,Qty\nA,Mug,1\n", "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_and_nothing_is_written(tmp_path, pos_text, store_text, says):
    pos, store, out = tmp_path / "pos.csv", tmp_path / "store.json", tmp_path / "out.csv"
    if pos_text is not None:
        pos.write_text(pos_text)
    if store_text is not None:
        store.write_text(store_text)
    with pytest.raises(CommandExit) as end:
        call_command("align_files", str(pos), str(store), "--out", str(out))
    assert end.value.code == Exit.FAILED
    assert says in end.value.message
    assert not out.exists()


@pytest.mark.parametrize("threshold", ["1.5", "nan"])
def test_a_threshold_must_be_a_confidence(tmp_path, threshold):
    pos, store = till(tmp_path, "A,Mug,,,1,1"), shop(tmp_path, product(1, "A", "Mug"))
    with pytest.raises(CommandExit):
        call_command("align_files", str(pos), str(store), "--out", str(tmp_path / "out.csv"), "--threshold", threshold)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    pos, store = till(tmp_path, "A,Mug,,,1,1"), shop(tmp_path, product(1, "A", "Mug"))
    with pytest.raises(CommandExit) as end:
        call_command("align_files", str(pos), str(store), "--out", str(tmp_path / "nowhere" / "out.csv"))
    assert "can't be written" in end.value.message
