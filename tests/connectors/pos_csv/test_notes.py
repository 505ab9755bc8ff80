"""Notes for the staff of a till by files."""

from uuid import UUID

from connectors.contract import TillNote
from tests.connectors.pos_csv.conftest import Drop

ONE = UUID(int=1, version=4)


def test_a_note_is_one_text_file_however_often_it_is_sent(drop: Drop) -> None:
    note = TillNote(ONE, "High: Below zero – Mug", ["Mug (MUG-1): −2 at Main street"])
    drop.till().note(note)
    drop.till().note(note)
    (path,) = (drop.root / "outbound" / "notes").iterdir()
    assert path.name == f"note_20260211T100000Z_{ONE}.txt"
    assert path.read_bytes().decode() == "High: Below zero – Mug\r\n\r\nMug (MUG-1): −2 at Main street\r\n"


def test_a_note_is_no_adjustment(drop: Drop) -> None:
    drop.till().note(TillNote(ONE, "Title", ["Line"]))
    assert list((drop.root / "outbound").glob("*.csv")) == []
    assert dict(drop.till().look_up([ONE])) == {ONE: "not_sent"}


def test_a_note_that_a_spreadsheet_opens_runs_nothing(drop: Drop) -> None:
    drop.till().note(TillNote(ONE, "=cmd()", ["＠SUM(A1)", "-2", "Mug: −2 at Main street"]))
    (path,) = (drop.root / "outbound" / "notes").iterdir()
    assert path.read_bytes().decode().split("\r\n") == ["'=cmd()", "", "'＠SUM(A1)", "-2", "Mug: −2 at Main street", ""]
