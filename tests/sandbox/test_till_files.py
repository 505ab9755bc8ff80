"""The till's drop folder: exports another system can trust, and adjustments booked once."""

import csv
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from sandbox.till.export import Exporter
from sandbox.till.imports import Importer
from sandbox.till.shelf import Till

NOON = datetime(2026, 11, 20, 12, 0, 7, 250_000, tzinfo=UTC)
OP, OTHER_OP = UUID(int=1), UUID(int=2)
EXPORT = (
    "SKU,Description,UPC,Department,Vendor,Cost,Retail Price,Qty On Hand,Last Modified\r\n"
    'A-1,"Élite ""Pro"", 2FT",514975826515,Lighting,Élite,22.27,$32.50,8,2026-02-03 14:56\r\n'
    "A-2,Titan™ 1L,5.15E+11,Nutrients,Titan™,50.17,108.89,-2,2026-02-03 12:41\r\n"
)
HEADER = "Operation ID,SKU,Location,Quantity Change,Reason,Reference\n"


@pytest.fixture
def export_file(tmp_path):
    path = tmp_path / "given.csv"
    path.write_bytes(EXPORT.encode())
    return path


@pytest.fixture
def till(export_file):
    till = Till(clock=lambda: NOON)
    assert till.load_csv(export_file) == 2
    return till


@pytest.fixture
def outbound(tmp_path):
    folder = tmp_path / "outbound"
    folder.mkdir()
    return folder


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_an_untouched_catalogue_is_exported_byte_for_byte_as_it_was_loaded(till, tmp_path):
    path = Exporter(till, tmp_path / "drop").write()
    assert path.name == "pos_export_20261120_120007.csv"
    assert path.read_bytes() == EXPORT.encode()
    assert tree(tmp_path / "drop") == {"pos_export_20261120_120007.csv"}


def test_an_export_shows_sales_and_when_the_row_changed(till, tmp_path):
    till.sell("A-1", 3)
    with Exporter(till, tmp_path / "drop").write().open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["SKU"], row["Qty On Hand"], row["Last Modified"]) for row in rows] == [
        ("A-1", "5", "2026-11-20 12:00"),
        ("A-2", "-2", "2026-02-03 12:41"),
    ]


def test_exports_within_one_second_have_names_of_their_own_that_sort_by_time(till, tmp_path):
    exporter = Exporter(till, tmp_path / "drop")
    names = [exporter.write().name for _ in range(3)]
    assert names == [
        "pos_export_20261120_120007.csv",
        "pos_export_20261120_120007_250000.csv",
        "pos_export_20261120_120007_250001.csv",
    ]
    assert sorted(names) == names
    assert all(re.fullmatch(r"pos_export_\d{8}_\d{6}(_\d{6})?\.csv", name) for name in names)


def test_a_name_is_not_used_again_when_a_reader_took_the_file_away(till, tmp_path):
    exporter = Exporter(till, tmp_path / "drop")
    first = exporter.write()
    first.unlink()
    assert exporter.write().name != first.name


def test_names_are_utc_and_rows_are_in_the_tills_time(export_file, tmp_path):
    till = Till(clock=lambda: NOON, zone=timezone(timedelta(hours=-5)))
    till.load_csv(export_file)
    till.sell("A-1", 1)
    path = Exporter(till, tmp_path / "drop").write()
    assert path.name == "pos_export_20261120_120007.csv"
    assert "2026-11-20 07:00" in path.read_text(encoding="utf-8")
    assert "2026-02-03 12:41" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_the_encoding_can_be_chosen(till, tmp_path, encoding):
    path = Exporter(till, tmp_path / "drop", encoding=encoding).write()
    assert path.read_bytes().decode(encoding) == EXPORT


def test_a_character_the_encoding_lacks_does_not_stop_the_export(till, tmp_path):
    path = Exporter(till, tmp_path / "drop", encoding="latin-1").write()
    assert "Titan? 1L" in path.read_text(encoding="latin-1")


def test_a_file_with_another_header_is_not_loaded(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("SKU,Qty\nA,1\n", encoding="utf-8")
    till = Till()
    with pytest.raises(ValueError, match="the header is not SKU,"):
        till.load_csv(path)
    assert till.skus() == []


def test_a_broken_row_is_named_by_line_and_nothing_is_loaded(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_bytes(EXPORT.encode() + b"A-3,x,,x,x,1,1,n/a,2026-02-03 12:41\r\n")
    till = Till()
    with pytest.raises(ValueError, match=r"broken\.csv, line 4"):
        till.load_csv(path)
    assert till.skus() == []


def test_an_adjustments_file_is_booked_and_filed_away(till, outbound):
    (outbound / "a.csv").write_text(HEADER + f"{OP},A-1,,-2,Web order,512\n{OTHER_OP},A-2,Main,+1.5,Refund,513\n")
    (outbound / "b.csv.part").write_text(HEADER)
    result = Importer(till, outbound).run()
    assert [(imported.name, imported.booked, imported.reason) for imported in result] == [("a.csv", 2, "")]
    assert (till.on_hand("A-1"), till.on_hand("A-2")) == (6, -0.5)
    assert till.adjustment(OP).adjustment.reference == "512"
    assert tree(outbound) == {"imported/a.csv", "b.csv.part"}


def test_an_operation_id_in_two_files_is_booked_once(till, outbound):
    row = f"{OP},A-1,,-2,Web order,512\n"
    (outbound / "a.csv").write_text(HEADER + row)
    (outbound / "b.csv").write_text(HEADER + row + row)
    assert [imported.booked for imported in Importer(till, outbound).run()] == [1, 0]
    assert till.on_hand("A-1") == 6
    assert tree(outbound) == {"imported/a.csv", "imported/b.csv"}


def test_a_file_read_again_after_a_crash_before_the_move_changes_nothing(till, outbound):
    (outbound / "a.csv").write_text(HEADER + f"{OP},A-1,,-2,Web order,512\n")
    importer = Importer(till, outbound)
    importer.run()
    (outbound / "imported" / "a.csv").rename(outbound / "a.csv")
    assert [imported.booked for imported in importer.run()] == [0]
    assert till.on_hand("A-1") == 6


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER + f"{OP},A-1,,-2,,\n{OTHER_OP},NOPE,,1,,\n", "The till has no item 'NOPE'."),
        (HEADER + f"{OP},A-1,Moon,-2,,\n", "The till has no location 'Moon'."),
        (HEADER + f"{OP},A-1,,-2,,\n{OTHER_OP},A-1,,1\n", "Line 3: 4 cells instead of 6."),
        (HEADER + f"{OP},A-1,,1e3,,\n", "Line 2: '1e3' is not a quantity."),
        (HEADER + "7,A-1,,1,,\n", "Line 2: '7' is not an operation id."),
        (HEADER + f"{OP},A-1,,1,,\n{OP},A-1,,2,,\n", f"Operation {OP} comes twice, with different content."),
        ("SKU,Qty\n", "The header is not Operation ID,SKU,Location,Quantity Change,Reason,Reference."),
        ("", "The header is not Operation ID,SKU,Location,Quantity Change,Reason,Reference."),
    ],
)
def test_a_file_that_cannot_be_booked_is_rejected_whole_with_the_reason(till, outbound, text, reason):
    (outbound / "a.csv").write_text(text)
    assert [imported.reason for imported in Importer(till, outbound).run()] == [reason]
    assert till.happenings == []
    assert tree(outbound) == {"rejected/a.csv", "rejected/a.csv.reason.txt"}
    assert (outbound / "rejected" / "a.csv.reason.txt").read_text() == f"{reason}\n"


def test_a_rejected_file_does_not_stop_the_next(till, outbound):
    (outbound / "a.csv").write_text("nonsense")
    (outbound / "b.csv").write_text(HEADER + f"{OP},A-1,,-2,,\n")
    assert [bool(imported.reason) for imported in Importer(till, outbound).run()] == [True, False]
    assert till.on_hand("A-1") == 6


def test_a_quote_that_guards_against_formulas_is_no_part_of_the_text(till, outbound):
    (outbound / "a.csv").write_text(HEADER + f"{OP},A-1,,-2,'=reason,'s-Gravenhage\n")
    Importer(till, outbound).run()
    booked = till.adjustment(OP).adjustment
    assert (booked.reason, booked.reference) == ("=reason", "'s-Gravenhage")


def test_what_is_not_a_finished_file_is_left_alone(till, outbound):
    (outbound / ".hidden.csv").write_text("half")
    (outbound / "b.csv.tmp").write_text("half")
    (outbound / "folder.csv").mkdir()
    assert Importer(till, outbound).run() == []
    assert tree(outbound) == {".hidden.csv", "b.csv.tmp"}


def test_an_absent_folder_holds_no_adjustments(till, tmp_path):
    assert Importer(till, tmp_path / "nowhere").run() == []
