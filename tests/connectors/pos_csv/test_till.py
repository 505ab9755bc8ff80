"""The drop folder's whole life: what is taken when, where it lies afterwards, and what a crash leaves (pos_csv.md)."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.contract import FeedFate, RowProblem
from connectors.errors import ConfigError, FeedError
from connectors.pos_csv.files import identity_of, safe_name
from connectors.pos_csv.reading.problems import FileRefusedError
from tests.connectors.pos_csv.conftest import NOW, Drop

GOOD = "SKU,Qty\nA,3\nB,4\n"
JUST_NOW = timedelta(0)


def test_a_feed_says_what_the_file_says(drop: Drop) -> None:
    drop.put("stock_20260211_0948.csv", "SKU,Qty\nA,3\n,4\n", age=timedelta(minutes=11))
    (feed,) = drop.till().feeds()
    assert feed.name == "stock_20260211_0948.csv"
    assert feed.identity == hashlib.sha256(b"SKU,Qty\nA,3\n,4\n").hexdigest() + "@20260211T094800Z"
    assert ([reading.sku for reading in feed.readings], feed.rows, feed.is_complete) == (["A"], 2, True)
    assert [(problem.line, problem.code) for problem in feed.problems] == [(3, "no_sku")]
    assert feed.figures == {"items": 1, "in_stock": 1, "header": ["sku", "qty"], "currencies": []}


def test_a_list_of_some_items_does_not_make_the_others_missing(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    (feed,) = drop.till(file_is_complete=False).feeds()
    assert feed.is_complete is False


# -- which files are whole --------------------------------------------------------------------------------------------


def test_a_file_that_is_still_being_written_is_left_alone(drop: Drop) -> None:
    drop.put("stock.csv", GOOD, age=timedelta(seconds=1))
    assert (list(drop.till().feeds()), drop.names()) == ([], ["stock.csv"])
    drop.now += timedelta(seconds=1)
    assert [feed.name for feed in drop.till().feeds()] == ["stock.csv"]


def test_a_file_dated_in_the_future_is_taken_once_it_rests_between_two_looks(drop: Drop) -> None:
    till = drop.till()
    path = drop.put("stock.csv", GOOD, age=-timedelta(minutes=5))
    assert list(till.feeds()) == []
    drop.now += timedelta(seconds=3)
    path.write_text(GOOD + "C,5\n", encoding="utf-8")
    drop.touch(path, age=-timedelta(minutes=5))
    assert list(till.feeds()) == []
    drop.now += timedelta(seconds=3)
    (feed,) = till.feeds()
    assert len(feed.readings) == 3


def test_a_companion_says_a_file_is_whole_and_goes_with_it(drop: Drop) -> None:
    drop.put("a.csv", GOOD, age=JUST_NOW)
    drop.put("a.csv.done", "", age=JUST_NOW)
    drop.put("b.csv", "SKU,Qty\nB,1\n", age=JUST_NOW)
    drop.put("b.done", "", age=JUST_NOW)
    assert [feed.name for feed in drop.till().feeds()] == ["a.csv", "b.csv"]
    assert drop.names() == []


def test_where_a_companion_is_required_a_file_waits_for_it(drop: Drop) -> None:
    drop.put("a.csv", GOOD)
    assert list(drop.till(wait_for_done=True).feeds()) == []
    drop.put("a.csv.done", "")
    assert len(list(drop.till(wait_for_done=True).feeds())) == 1


def test_unfinished_hidden_and_other_files_are_never_touched(drop: Drop) -> None:
    names = [".stock.csv", "stock.csv.part", "stock.csv.tmp", "stock.txt", "~stock.csv", "readme.md"]
    for name in names:
        drop.put(name, GOOD)
    assert (list(drop.till().feeds()), drop.names()) == ([], sorted(names))
    assert [feed.name for feed in drop.till(pattern="stock.*").feeds()] == ["stock.txt"]


def test_the_pattern_knows_no_case(drop: Drop) -> None:
    drop.put("STOCK.CSV", GOOD)
    assert [feed.name for feed in drop.till().feeds()] == ["STOCK.CSV"]


def test_a_file_written_to_while_we_read_is_offered_again_when_it_rests(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename does not stop a writer that has the file open."""
    path = drop.put("stock.csv", GOOD)
    till = drop.till()
    with path.open("a", encoding="utf-8") as writer:
        monkeypatch.setattr("connectors.pos_csv.till.refuse_future", lambda *_: (writer.write("C,5\n"), writer.flush()))
        assert list(till.feeds()) == []
    monkeypatch.undo()
    (claimed,) = (drop.root / "processing").iterdir()
    drop.touch(claimed, age=timedelta(seconds=1))
    assert list(till.feeds()) == []
    drop.now += timedelta(seconds=2)
    (feed,) = till.feeds()
    assert [reading.sku for reading in feed.readings] == ["A", "B", "C"]


# -- claims and crashes -----------------------------------------------------------------------------------------------


def test_a_claimed_file_is_gone_from_the_folder_and_offered_again_until_it_is_settled(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    (feed,) = drop.till().feeds()
    assert (drop.names(), len(drop.names("processing"))) == ([], 1)
    claimed = drop.names("processing")
    after_a_crash = drop.till()
    (again,) = after_a_crash.feeds()
    assert (again.identity, again.name, again.true_at) == (feed.identity, feed.name, feed.true_at)
    assert drop.names("processing") == claimed
    after_a_crash.settle(again.identity, FeedFate.APPLIED)
    assert (list(drop.till().feeds()), drop.names("processing"), len(drop.names("done"))) == ([], [], 1)


def test_what_a_crash_left_comes_first(drop: Drop) -> None:
    drop.put("b.csv", GOOD, age=timedelta(minutes=1))
    next(iter(drop.till().feeds()))
    drop.put("a.csv", "SKU,Qty\nA,1\n", age=timedelta(hours=2))
    assert [feed.name for feed in drop.till().feeds()] == ["b.csv", "a.csv"]


def test_only_one_of_two_tills_gets_a_file(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    one, other = drop.till(), drop.till()
    (path,) = one._folder.waiting(NOW)
    assert other._folder.claim(path, NOW) is not None
    assert one._folder.claim(path, NOW) is None


def test_files_are_claimed_one_by_one_as_they_are_reached(drop: Drop) -> None:
    drop.put("a.csv", GOOD, age=timedelta(hours=2))
    drop.put("b.csv", "SKU,Qty\nB,1\n", age=timedelta(hours=1))
    next(iter(drop.till().feeds()))
    assert drop.names() == ["b.csv"]


def test_looking_without_a_claim_changes_nothing(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    before = sorted(path.name for path in drop.root.rglob("*"))
    (feed,) = drop.till().feeds(claim=False)
    assert (len(feed.readings), sorted(path.name for path in drop.root.rglob("*"))) == (2, before)


def test_looking_at_a_bad_file_without_a_claim_leaves_it_where_it_is(drop: Drop) -> None:
    drop.put("stock.csv", "nothing,here\n1,2\n")
    with pytest.raises(FeedError):
        list(drop.till().feeds(claim=False))
    assert sorted(path.name for path in drop.root.rglob("*")) == ["stock.csv"]


# -- settling ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fate", "folder", "result"),
    [
        (FeedFate.APPLIED, "done", "used"),
        (FeedFate.DUPLICATE, "done", "not used: the same content was dealt with before"),
        (FeedFate.REFUSED, "refused", "not used"),
        (FeedFate.HELD, "held", "waits for a person's decision"),
    ],
)
def test_a_settled_file_lies_in_its_place_with_a_report(drop: Drop, fate: FeedFate, folder: str, result: str) -> None:
    drop.put("stock.csv", "SKU,Qty\nA,3\n,4\nA,3\n")
    till = drop.till()
    (feed,) = till.feeds()
    till.settle(feed.identity, fate, [*feed.problems, RowProblem(0, "", "guard", "Look here first.", "Then release it.")])
    assert drop.names(folder) == [f"20260211T100000Z_{feed.identity[:12]}_stock.csv"]
    assert drop.report(folder) == (
        "File:    stock.csv\n"
        f"Result:  {result}\n"
        f"SHA-256: {feed.identity}\n"
        "True at: 2026-02-11 09:00:00 UTC\n"
        "Rows:    3, readings 1\n"
        "\n"
        "Problems: 2\n"
        "- line 3 [no_sku] Line 3: it has no SKU, so nobody can tell which item it is.\n"
        "    Give the item a SKU at the till.\n"
        "- whole file [guard] Look here first.\n"
        "    Then release it.\n"
        "Notes: 1\n"
        "- line 4 [duplicate_merged] Line 4 says the same as line 2; taken once.\n"
    )


def test_settling_again_changes_nothing(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    till = drop.till()
    (feed,) = till.feeds()
    till.settle(feed.identity, FeedFate.APPLIED)
    before = {path: path.stat().st_mtime_ns for path in drop.root.rglob("*")}
    till.settle(feed.identity, FeedFate.APPLIED)
    drop.till().settle(feed.identity, FeedFate.APPLIED)
    assert {path: path.stat().st_mtime_ns for path in drop.root.rglob("*")} == before


def test_another_process_can_settle_by_identity_alone(drop: Drop) -> None:
    drop.put("a.csv", GOOD)
    drop.put("b.csv", "SKU,Qty\nB,1\n")
    first, _ = drop.till().feeds()
    drop.till().settle(first.identity, FeedFate.APPLIED)
    assert (len(drop.names("done")), len(drop.names("processing"))) == (1, 1)
    assert drop.names("done")[0].endswith("_a.csv")


def test_the_same_content_again_has_the_same_identity(drop: Drop) -> None:
    till = drop.till()
    drop.put("monday.csv", GOOD)
    (first,) = till.feeds()
    till.settle(first.identity, FeedFate.APPLIED)
    drop.put("tuesday.csv", GOOD)
    (second,) = till.feeds()
    assert second.identity == first.identity
    till.settle(second.identity, FeedFate.DUPLICATE)
    assert (len(drop.names("done")), drop.names("processing")) == (2, [])


def test_a_held_file_waits_until_it_is_released(drop: Drop) -> None:
    drop.put("stock_20260211_0948.csv", GOOD)
    (feed,) = drop.till().feeds()
    drop.till().settle(feed.identity, FeedFate.HELD)
    assert list(drop.till().feeds()) == []
    till = drop.till()
    assert (till.release(feed.identity), till.release(feed.identity)) == (True, False)
    assert list((drop.root / "held").iterdir()) == []
    (again,) = till.feeds()
    assert (again.identity, again.name, again.true_at) == (feed.identity, feed.name, feed.true_at)
    till.settle(again.identity, FeedFate.APPLIED)
    assert drop.names("done")[0].endswith(f"_{feed.identity[:12]}_stock_20260211_0948.csv")


def test_what_was_never_held_cannot_be_released(drop: Drop) -> None:
    assert drop.till().release("0" * 64) is False


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_filed_away_and_the_others_still_come(drop: Drop) -> None:
    drop.put("a.csv", "SKU,Qty\nA,3", age=timedelta(hours=3))
    drop.put("b.csv", GOOD, age=timedelta(hours=2))
    till = drop.till()
    with pytest.raises(FileRefusedError) as refusal:
        list(till.feeds())
    assert (refusal.value.code, refusal.value.file_name) == ("truncated", "a.csv")
    assert refusal.value.identity == hashlib.sha256(b"SKU,Qty\nA,3").hexdigest()
    assert refusal.value.message.startswith("“a.csv” is not used. The last line (2) has no end")
    assert [feed.name for feed in till.feeds()] == ["b.csv"]
    assert "[truncated] The last line (2) has no end" in drop.report("refused")


def test_a_refused_file_can_be_tried_again_after_a_setting_changed(drop: Drop) -> None:
    drop.put("a.csv", GOOD.replace("A,", "\u00c9,"), encoding="cp1252")
    with pytest.raises(FileRefusedError) as refusal:
        list(drop.till().feeds())
    till = drop.till(encoding="cp1252")
    assert till.release(refusal.value.identity) is True
    (feed,) = till.feeds()
    assert [reading.sku for reading in feed.readings] == ["\u00c9", "B"]


def test_a_refusal_for_its_rows_reports_each_of_them(drop: Drop) -> None:
    drop.put("a.csv", "SKU,Qty\nA,3\n,4\nC,n/a\n")
    with pytest.raises(FileRefusedError) as refusal:
        list(drop.till(on_bad_rows="refuse_file").feeds())
    assert [problem.line for problem in refusal.value.problems] == [3, 4]
    assert "- line 3 [no_sku]" in drop.report("refused")
    assert "- line 4 [bad_quantity]" in drop.report("refused")


def test_columns_only_a_person_can_tell_apart_stop_the_feed_and_keep_the_file(drop: Drop) -> None:
    drop.put("a.csv", "SKU,Qty,Available\nA,3,2\n")
    with pytest.raises(ConfigError) as error:
        list(drop.till().feeds())
    assert "“Qty”, “Available”" in error.value.message
    (feed,) = drop.till(columns={"quantity": "Available"}).feeds()
    assert [reading.on_hand for reading in feed.readings] == [2]


# -- the folder itself ------------------------------------------------------------------------------------------------


def test_a_missing_folder_says_what_to_do(drop: Drop) -> None:
    drop.root.rmdir()
    with pytest.raises(ConfigError) as error:
        list(drop.till().feeds())
    assert (error.value.code, error.value.message) == ("no_folder", f"There is no folder {drop.root}.")
    assert error.value.next_step.startswith("Create it, connect the network drive")


def test_a_folder_in_which_nothing_can_be_moved_says_what_to_do(drop: Drop) -> None:
    drop.put("stock.csv", GOOD)
    drop.put("processing", "somebody's file of that name")
    with pytest.raises(ConfigError) as error:
        list(drop.till().feeds())
    assert error.value.code == "unwritable_folder"
    assert drop.names() == ["processing", "stock.csv"]


def test_a_file_that_cannot_be_opened_says_what_to_do(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    drop.put("stock.csv", GOOD)
    monkeypatch.setattr("connectors.pos_csv.reading.dialect.os.open", denied)  # chmod stops no root
    with pytest.raises(ConfigError) as error:
        list(drop.till().feeds())
    assert (error.value.code, error.value.message) == ("unreadable_file", "“stock.csv” can't be opened: Permission denied.")


def test_an_absolute_folder_is_taken_as_it_is(drop: Drop, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = elsewhere / "stock.csv"
    path.write_text(GOOD, encoding="utf-8")
    drop.touch(path, age=timedelta(hours=1))
    assert [feed.name for feed in drop.till(folder=str(elsewhere)).feeds()] == ["stock.csv"]


def test_links_are_never_followed(drop: Drop, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    secret = outside / "secret.csv"
    secret.write_text(GOOD, encoding="utf-8")
    drop.touch(secret, age=timedelta(hours=1))
    link = drop.root / "link.csv"
    link.symlink_to(secret)
    long_ago = (NOW - timedelta(hours=1)).timestamp()
    os.utime(link, (long_ago, long_ago), follow_symlinks=False)
    assert (list(drop.till().feeds()), link.is_symlink()) == ([], True)
    with pytest.raises(OSError, match="symbolic links"):
        identity_of(link)
    (drop.root / "processing").symlink_to(outside)
    assert list(drop.till().feeds()) == []
    drop.put("stock.csv", GOOD)
    with pytest.raises(ConfigError) as error:
        list(drop.till().feeds())
    assert error.value.code == "linked_folder"
    assert list(outside.iterdir()) == [secret]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("stock.csv", "stock.csv"),
        ("../../x.csv", "_.._x.csv"),
        ("=cmd()|'calc'.csv", "_cmd____calc_.csv"),
        ("Lager März 2026.csv", "Lager_März_2026.csv"),
        ("...", "export.csv"),
        ("a\nb\x00.csv", "a_b_.csv"),
        ("\udcff.csv", "_.csv"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("x" * 300 + ".csv") == "x" * 116 + ".csv"


def test_a_strange_name_is_claimed_under_a_safe_one(drop: Drop) -> None:
    drop.put("=cmd() <b>.csv", GOOD)
    till = drop.till()
    (feed,) = till.feeds()
    till.settle(feed.identity, FeedFate.APPLIED)
    assert drop.names("done") == [f"20260211T100000Z_{feed.identity[:12]}__cmd____b_.csv"]


# -- the connection test ----------------------------------------------------------------------------------------------


def findings(drop: Drop, **given: object) -> list[tuple[bool, str]]:
    return [(finding.ok, finding.message) for finding in drop.till(**given).check().findings]


def test_a_check_tells_what_it_found_and_moves_nothing(drop: Drop) -> None:
    drop.put("old.csv", "nonsense", age=timedelta(hours=5))
    drop.put("stock_20260211_0948.csv", "SKU,Shop,Qty\nA,Main,3\nB,Depot,n/a\nC,Depot,1\n", age=JUST_NOW)
    report = drop.till().check()
    assert report.ok
    assert [finding.message for finding in report.findings] == [
        f"The folder {drop.root} is there and files in it can be moved.",
        "“stock_20260211_0948.csv” can be read: 3 rows, 2 readings.",
        "Columns: sku in “SKU”; outlet in “Shop”; quantity in “Qty”.",
        "It was true at 2026-02-11 09:48 UTC, by its name.",
        (
            "Line 3: the quantity “n/a” can't be used: it is not a number written like 1,234.50. "
            "The item keeps its last known number."
        ),
    ]
    assert report.facts["outlets"] == "Depot, Main"
    assert sorted(path.name for path in drop.root.rglob("*")) == ["old.csv", "stock_20260211_0948.csv"]


def test_a_check_of_an_empty_folder_is_well_and_says_what_comes_next(drop: Drop) -> None:
    report = drop.till().check()
    assert (report.ok, report.findings[1].message) == (True, "No export has arrived yet.")
    assert report.findings[1].next_step == "Let the till export its stock list there, as *.csv."


def test_a_check_of_a_bad_export_fails_with_the_next_step(drop: Drop) -> None:
    drop.put("stock.csv", "SKU,Qty,Available\nA,3,2\n")
    report = drop.till().check()
    assert (report.ok, report.findings[1].ok) == (False, False)
    assert report.findings[1].message.startswith("The newest export, “stock.csv”: 2 columns could hold the quantity")
    assert report.findings[1].next_step


def test_a_check_without_a_folder_fails(drop: Drop, tmp_path: Path) -> None:
    assert findings(drop, folder="nowhere") == [(False, f"There is no folder {tmp_path / 'nowhere'}.")]


# -- tidying up --------------------------------------------------------------------------------------------------------


def read_and_settled(drop: Drop, name: str, fate: FeedFate) -> None:
    drop.put(name, f"SKU,Qty\n{name},1\n")
    till = drop.till()
    for feed in till.feeds():
        till.settle(feed.identity, fate)


def test_old_files_are_deleted_and_held_ones_and_strangers_stay(drop: Drop) -> None:
    for name, fate in (("a.csv", FeedFate.APPLIED), ("b.csv", FeedFate.REFUSED), ("c.csv", FeedFate.HELD)):
        read_and_settled(drop, name, fate)
    drop.put("done/somebody's own.csv", "x", age=timedelta(days=999))
    drop.put("outbound/imported/adjustments.csv", "x", age=timedelta(days=999))
    drop.now += timedelta(days=90)
    assert drop.till().tidy() == 0
    drop.now += timedelta(seconds=1)
    assert drop.till(keep_days=0).tidy() == 0
    assert drop.till().tidy() == 2
    assert drop.names("done") == ["somebody's own.csv"]
    assert list((drop.root / "refused").iterdir()) == []
    assert len(drop.names("held")) == 1
    assert drop.names("outbound/imported") == ["adjustments.csv"]


def test_tidying_up_follows_no_link(drop: Drop, tmp_path: Path) -> None:
    read_and_settled(drop, "a.csv", FeedFate.APPLIED)
    outside = tmp_path / "outside"
    (drop.root / "done").rename(outside)
    (drop.root / "done").symlink_to(outside)
    drop.now += timedelta(days=999)
    assert drop.till().tidy() == 0
    assert len(list(outside.glob("*.csv"))) == 1
