"""Adjustments for a till that reads files: written once, whole, and known by where their file lies."""

import csv
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from connectors.contract import Outcome, TillWrite
from connectors.errors import ConfigError, RetryableError, UnknownOutcomeError
from tests.connectors.pos_csv.conftest import Drop

ONE, TWO, THREE = (UUID(int=number, version=4) for number in (1, 2, 3))


def write(operation_id: UUID, sku: str = "A", delta: str = "-3", **given: str) -> TillWrite:
    return TillWrite(operation_id, sku, given.get("location", ""), Decimal(delta), given.get("reason", "Sold online"), "512")


def outbound(drop: Drop, folder: str = "") -> list[Path]:
    return sorted(path for path in (drop.root / "outbound" / folder).glob("*.csv") if not path.name.startswith("."))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def move(path: Path, where: str) -> Path:
    (path.parent / where).mkdir(exist_ok=True)
    return path.rename(path.parent / where / path.name)


def test_a_sending_is_one_file_with_one_row_each(drop: Drop) -> None:
    results = drop.till().send([write(ONE), write(TWO, "B", "2.50", location="Main")])
    (path,) = outbound(drop)
    assert path.name.startswith("adjustments_20260211T100000Z_")
    assert path.read_bytes().decode() == (
        "Operation ID,SKU,Location,Quantity Change,Reason,Reference\r\n"
        f"{ONE},A,,-3,Sold online,512\r\n"
        f"{TWO},B,Main,2.5,Sold online,512\r\n"
    )
    assert [(result.operation_id, result.outcome) for result in results] == [(ONE, Outcome.UNKNOWN), (TWO, Outcome.UNKNOWN)]
    error = results[0].error
    assert isinstance(error, UnknownOutcomeError)
    assert error.message == f"The adjustment of A waits in outbound/{path.name} for the till to import it."
    assert error.next_step == "Import the file at the till, then move it to outbound/imported."


def test_nothing_to_send_writes_nothing(drop: Drop) -> None:
    assert (drop.till().send([]), list(drop.root.iterdir())) == ([], [])


def test_a_waiting_adjustment_is_not_written_twice(drop: Drop) -> None:
    drop.till().send([write(ONE)])
    results = drop.till().send([write(ONE), write(TWO)])
    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    ids = [row["Operation ID"] for path in outbound(drop) for row in rows(path)]
    assert sorted(ids) == sorted([str(ONE), str(TWO)])


def test_one_id_twice_in_a_sending_is_one_row(drop: Drop) -> None:
    drop.till().send([write(ONE), write(ONE)])
    (path,) = outbound(drop)
    assert path.read_text(encoding="utf-8").count(str(ONE)) == 1


def test_an_adjustment_waits_until_its_file_was_imported(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    assert till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}
    move(outbound(drop)[0], "imported")
    assert till.look_up([ONE]) == {ONE: Outcome.APPLIED}
    assert drop.till().look_up([ONE]) == {ONE: Outcome.APPLIED}
    assert [result.outcome for result in till.send([write(ONE)])] == [Outcome.ALREADY_APPLIED]
    assert outbound(drop) == []


def test_done_at_the_end_of_its_name_means_imported(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    (path,) = outbound(drop)
    path.rename(path.with_name(f"{path.name}.done"))
    assert till.look_up([ONE]) == {ONE: Outcome.APPLIED}


def test_a_till_may_rewrite_the_file_it_imports(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    (path,) = outbound(drop)
    moved = move(path, "imported")
    moved.write_text(f'"{ONE}";"A";"OK"\n', encoding="utf-8")
    moved.rename(moved.with_name("booked-17.csv"))
    assert drop.till().look_up([ONE]) == {ONE: Outcome.APPLIED}


def test_a_rejected_adjustment_may_be_sent_again(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE), write(TWO)])
    rejected = move(outbound(drop)[0], "rejected")
    rejected.with_name(f"{rejected.name}.reason.txt").write_text(f"{ONE}: no such item", encoding="utf-8")
    assert till.look_up([ONE, TWO]) == {ONE: Outcome.REJECTED, TWO: Outcome.REJECTED}
    till.send([write(ONE)])
    (again,) = outbound(drop)
    assert till.look_up([ONE, TWO]) == {ONE: Outcome.UNKNOWN, TWO: Outcome.REJECTED}
    move(again, "imported")
    assert till.look_up([ONE, TWO]) == {ONE: Outcome.APPLIED, TWO: Outcome.REJECTED}


def test_what_no_file_carries_was_not_sent(drop: Drop) -> None:
    drop.till().send([write(ONE)])
    assert drop.till().look_up([TWO]) == {TWO: Outcome.NOT_SENT}


def test_an_adjustment_whose_file_was_deleted_is_unknown_and_never_sent_again_blindly(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    outbound(drop)[0].unlink()
    assert till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}
    (result,) = till.send([write(ONE)])
    assert (result.outcome, outbound(drop)) == (Outcome.UNKNOWN, [])
    assert result.error is not None
    assert result.error.code == "vanished"


def test_of_two_sendings_the_deleted_one_is_unknown_though_the_first_was_rejected(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    move(outbound(drop)[0], "rejected")
    till.send([write(ONE)])
    outbound(drop)[0].unlink()
    assert till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}


def test_a_till_that_deletes_what_it_imports_can_be_declared(drop: Drop) -> None:
    till = drop.till(vanished_means="imported")
    till.send([write(ONE)])
    assert till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}
    outbound(drop)[0].unlink()
    assert till.look_up([ONE]) == {ONE: Outcome.APPLIED}
    assert [result.outcome for result in till.send([write(ONE)])] == [Outcome.ALREADY_APPLIED]


def test_a_sending_killed_before_its_file_appeared_was_not_sent(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        drop.till().send([write(ONE)])
    monkeypatch.undo()
    assert outbound(drop) == []
    assert drop.till().look_up([ONE]) == {ONE: Outcome.NOT_SENT}
    assert [path for path in (drop.root / "outbound").rglob("*") if path.is_file()] == []
    drop.till().send([write(ONE)])
    assert drop.till().look_up([ONE]) == {ONE: Outcome.UNKNOWN}


def test_a_sending_killed_before_its_file_appeared_can_be_sent_at_once(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        drop.till().send([write(ONE)])
    monkeypatch.undo()
    drop.till().send([write(ONE)])
    (path,) = outbound(drop)
    assert [row["Operation ID"] for row in rows(path)] == [str(ONE)]


def test_a_file_met_twice_while_it_is_moved_counts_as_imported(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    (path,) = outbound(drop)
    (path.parent / "imported").mkdir()
    (path.parent / "imported" / path.name).write_bytes(path.read_bytes())
    assert till.look_up([ONE]) == {ONE: Outcome.APPLIED}


def test_a_full_disk_sends_nothing_and_says_so(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("connectors.pos_csv.files.os.fsync", full)
    (result,) = drop.till().send([write(ONE)])
    assert result.outcome is Outcome.NOT_SENT
    assert [path for path in (drop.root / "outbound").rglob("*") if path.is_file()] == []
    assert isinstance(result.error, RetryableError)
    assert result.error.message == "The adjustments file could not be written: No space left on device."


def test_a_folder_that_cannot_be_reached_sends_nothing_and_tells_nothing(drop: Drop) -> None:
    drop.root.rmdir()
    (result,) = drop.till().send([write(ONE)])
    assert (result.outcome, type(result.error)) == (Outcome.NOT_SENT, ConfigError)
    with pytest.raises(ConfigError):
        drop.till().look_up([ONE])


def test_adjustments_are_not_taken_for_exports(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    drop.now += timedelta(hours=1)
    assert list(till.feeds()) == []


def test_the_time_of_acknowledgement_is_when_the_file_was_moved(drop: Drop) -> None:
    till = drop.till()
    till.send([write(ONE)])
    assert till.acknowledged_at([ONE, TWO]) == {}
    move(outbound(drop)[0], "imported")
    found = till.acknowledged_at([ONE, TWO])
    assert list(found) == [ONE]
    assert drop.now <= found[ONE] < drop.now + timedelta(seconds=10)  # by our clock, whatever the file server's says


def test_texts_that_a_spreadsheet_would_run_are_quoted_and_numbers_are_not(drop: Drop) -> None:
    drop.till().send([write(ONE, "=cmd()", "-3", location="@home", reason="+1\nmore")])
    (row,) = rows(outbound(drop)[0])
    assert row == {
        "Operation ID": str(ONE),
        "SKU": "'=cmd()",
        "Location": "'@home",
        "Quantity Change": "-3",
        "Reason": "'+1 more",
        "Reference": "512",
    }


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n@", "\u3000＝"])
def test_every_start_of_a_formula_is_disarmed(drop: Drop, start: str) -> None:
    drop.till().send([write(ONE, f"{start}cmd()", "-3", location=f"{start}A", reason=f"{start}A")])
    (row,) = rows(outbound(drop)[0])
    begins = f"'{start}".translate({9: " ", 10: " ", 13: " "})  # a cell is one line
    assert [row["SKU"], row["Location"], row["Reason"]] == [f"{begins}cmd()", f"{begins}A", f"{begins}A"]
    assert row["Quantity Change"] == "-3"


def test_signs_inside_a_text_are_no_formula(drop: Drop) -> None:
    drop.till().send([write(ONE, "A-1=2", "-3")])
    assert rows(outbound(drop)[0])[0]["SKU"] == "A-1=2"
