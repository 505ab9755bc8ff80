"""A till's folder is looked at when it is used, not only when it is saved (found/wire.md, I2): nothing is read through a link
that was made since, and nothing is written through one either."""

from decimal import Decimal
from uuid import uuid4

import pytest

from connectors.contract import FeedFate, Outcome, TillNote, TillWrite
from connectors.errors import ConfigError
from tests.connectors.pos_csv.conftest import Drop

GOOD = "SKU,Qty\nA,5\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n"
ADJUSTMENT = TillWrite(uuid4(), "A", "", Decimal(-1), "Online order 1")
NOTE = TillNote(uuid4(), "Title", ["line"])


@pytest.fixture
def data(tmp_path_factory):
    """Another folder, which nobody has opened, with a key and a list in it."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "secret_key.csv").write_text(KEY)
    (folder / "stock.csv").write_text(GOOD)
    return folder


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_a_folder_that_is_not_open_is_neither_read_nor_written(drop: Drop, data):
    before = everything(data)
    till = drop.till(folder=str(data), named=[drop.root])
    (finding,) = till.check().findings
    assert (finding.ok, "EVENSTOCK_FOLDERS" in finding.next_step) == (False, True)
    assert finding.message == f"“{data}” is in none of the folders that are open to connections. Open are: {drop.root}."
    for use in (
        lambda: list(till.feeds()), lambda: list(till.feeds(claim=False)), lambda: till.has_news(since=None), till.tidy,
        lambda: till.settle("0" * 64, FeedFate.APPLIED), lambda: till.release("0" * 64), lambda: till.note(NOTE),
        lambda: till.look_up([ADJUSTMENT.operation_id]),
    ):  # fmt: skip
        with pytest.raises(ConfigError) as refused:
            use()
        assert (refused.value.code, refused.value.message) == ("folder_not_open", finding.message)
    (result,) = till.send([ADJUSTMENT])
    assert (result.outcome, result.error.code) == (Outcome.NOT_SENT, "folder_not_open")
    assert everything(data) == before


def test_a_folder_that_becomes_a_link_is_refused_by_a_till_that_is_open_already(drop: Drop, data):
    till = drop.till(named=[drop.root])
    drop.put("stock.csv", GOOD)
    assert till.check().ok
    (drop.root / "stock.csv").unlink()
    drop.root.rmdir()
    drop.root.symlink_to(data)
    before = everything(data)
    for use in (lambda: list(till.feeds()), lambda: till.has_news(since=None), lambda: till.note(NOTE)):
        with pytest.raises(ConfigError) as refused:
            use()
        assert refused.value.code == "folder_not_open"
    assert not till.check().ok
    assert [one.outcome for one in till.send([ADJUSTMENT])] == [Outcome.NOT_SENT]
    assert everything(data) == before


@pytest.mark.parametrize("name", ["export.csv", "processing", "held", "refused", "done"])
def test_a_link_inside_an_open_folder_shows_nothing_of_where_it_leads(drop: Drop, data, name):
    before = everything(data)
    (drop.root / name).symlink_to(data / "secret_key.csv" if name.endswith(".csv") else data)
    till = drop.till(named=[drop.root])
    assert list(till.feeds()) == []
    assert till.has_news(since=None) is False
    said = " ".join(finding.message for finding in till.check().findings)
    assert "No export has arrived yet." in said
    assert "PRIVATE" not in said
    assert till.release("0" * 64) is False
    assert till.tidy() == 0
    assert everything(data) == before


@pytest.mark.parametrize("name", ["outbound", "outbound/.sent", "outbound/notes"])
def test_nothing_is_written_through_a_link(drop: Drop, data, name):
    before = everything(data)
    (drop.root / name).parent.mkdir(exist_ok=True)
    (drop.root / name).symlink_to(data)
    till = drop.till(named=[drop.root])
    if name == "outbound/notes":
        with pytest.raises(ConfigError) as refused:
            till.note(NOTE)
        assert refused.value.code == "linked_folder"
    else:
        (result,) = till.send([ADJUSTMENT])
        assert (result.outcome, result.error.code) == (Outcome.NOT_SENT, "linked_folder")
        with pytest.raises(ConfigError):
            till.look_up([ADJUSTMENT.operation_id])
    assert everything(data) == before


def test_a_report_is_not_written_through_a_link(drop: Drop, data):
    drop.put("stock.csv", GOOD)
    till = drop.till(named=[drop.root])
    (feed,) = till.feeds()
    (claimed,) = (drop.root / "processing").iterdir()
    (drop.root / "done").mkdir()
    report = drop.root / "done" / f"{claimed.name[:16]}_{feed.identity[:12]}_stock.csv.report.txt"
    report.symlink_to(data / "secret_key.csv")
    with pytest.raises(ConfigError):
        till.settle(feed.identity, FeedFate.APPLIED)
    assert (data / "secret_key.csv").read_text() == KEY
