"""When a file was true (pos_csv.md; reliability.md, cases 25, 26 and 34)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import FeedFate
from connectors.errors import FeedError
from connectors.pos_csv.reading.truth import time_in_name
from tests.connectors.pos_csv.conftest import NOW, Drop, settings

ROWS = "SKU,Qty,Modified\nA,3,2026-02-11 08:15\nB,4,2026-02-11 09:40\nC,5,\n"


@pytest.mark.parametrize(
    ("name", "zone", "moment"),
    [
        ("20260211_0948.csv", "UTC", datetime(2026, 2, 11, 9, 48, tzinfo=UTC)),
        ("stock_2026-02-11T09-48-00.csv", "UTC", datetime(2026, 2, 11, 9, 48, tzinfo=UTC)),
        ("stock 2026-02-11 09.48.31.csv", "UTC", datetime(2026, 2, 11, 9, 48, 31, tzinfo=UTC)),
        ("20260211094831.csv", "UTC", datetime(2026, 2, 11, 9, 48, 31, tzinfo=UTC)),
        ("pos_export_20260211_094831_000017.csv", "UTC", datetime(2026, 2, 11, 9, 48, 31, tzinfo=UTC)),
        ("20260211_0948.csv", "Europe/Paris", datetime(2026, 2, 11, 8, 48, tzinfo=UTC)),
        ("20260211T094800Z.csv", "Europe/Paris", datetime(2026, 2, 11, 9, 48, tzinfo=UTC)),
        ("stock.csv", "UTC", None),
        ("stock_20260211.csv", "UTC", None),  # a day is no moment
        ("stock_20261399_0948.csv", "UTC", None),
        ("stock_20260211_2561.csv", "UTC", None),
        ("order_120260211094831.csv", "UTC", None),
    ],
)
def test_a_name_may_say_when(name: str, zone: str, moment: datetime | None) -> None:
    assert time_in_name(name, settings(timezone=zone), near=NOW) == moment


@pytest.mark.parametrize("hour", [0, 1])
def test_the_hour_that_comes_twice_is_told_apart_by_the_file(hour: int) -> None:
    written = datetime(2026, 10, 25, hour, 31, tzinfo=UTC)  # 02:30 in Paris, twice
    told = time_in_name("20261025_0230.csv", settings(timezone="Europe/Paris"), near=written)
    assert told == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_a_pattern_of_the_shops_own_can_be_set() -> None:
    pattern = r"(?P<day>\d\d)(?P<month>\d\d)(?P<year>\d{4})-(?P<hour>\d\d)h(?P<minute>\d\d)"
    told = time_in_name("stock-11022026-09h48.csv", settings(time_pattern=pattern), near=NOW)
    assert told == datetime(2026, 2, 11, 9, 48, tzinfo=UTC)


def moment_of(drop: Drop, name: str, content: str = ROWS, **given: object) -> datetime:
    drop.put(name, content, age=timedelta(minutes=5))
    (feed,) = drop.till(**given).feeds()
    return feed.true_at


def test_without_a_name_or_column_the_files_own_time_counts(drop: Drop) -> None:
    assert moment_of(drop, "stock.csv") == NOW - timedelta(minutes=5)


def test_a_modified_column_is_not_taken_unasked(drop: Drop) -> None:
    """It tells when an item last changed, which is earlier than the export; our later writes would be misjudged."""
    assert moment_of(drop, "stock.csv", columns={"updated": "Modified"}) == NOW - timedelta(minutes=5)


def test_the_latest_time_of_the_named_column_counts(drop: Drop) -> None:
    told = moment_of(drop, "stock.csv", time_column="modified", timezone="Europe/Paris")
    assert told == datetime(2026, 2, 11, 8, 40, tzinfo=UTC)


def test_the_name_beats_the_column(drop: Drop) -> None:
    assert moment_of(drop, "20260211_0954.csv", time_column="Modified") == datetime(2026, 2, 11, 9, 54, tzinfo=UTC)


def test_times_in_the_tills_own_format_are_read(drop: Drop) -> None:
    content = "SKU,Qty,When\nA,3,11/02/2026 09:15\n"
    told = moment_of(drop, "stock.csv", content, time_column="When", time_format="%d/%m/%Y %H:%M")
    assert told == datetime(2026, 2, 11, 9, 15, tzinfo=UTC)


def test_a_column_without_times_is_noted_and_the_file_counts(drop: Drop) -> None:
    drop.put("stock.csv", "SKU,Qty,When\nA,3,soon\n", age=timedelta(minutes=5))
    (feed,) = drop.till(time_column="When").feeds()
    assert feed.true_at == NOW - timedelta(minutes=5)
    assert [(problem.code, problem.serious) for problem in feed.problems] == [("time_unknown", False)]


def test_of_a_till_whose_clock_runs_ten_minutes_fast_the_files_own_time_counts(drop: Drop) -> None:
    assert moment_of(drop, "20260211_1005.csv") == NOW - timedelta(minutes=5)


def test_a_file_from_the_future_is_refused(drop: Drop) -> None:
    """Taken as it is, every honest file after it would be older than the last one used."""
    drop.put("20260211_1130.csv", ROWS, age=-timedelta(minutes=90))
    drop.put("20260211_1130.csv.done", "")
    with pytest.raises(FeedError) as refusal:
        list(drop.till().feeds())
    assert (refusal.value.code, refusal.value.next_step) == ("future", "Check the till's clock, and the connection's time zone.")
    assert len(drop.names("refused")) == 1


def test_feeds_come_in_the_order_of_their_truth_not_of_their_arrival(drop: Drop) -> None:
    drop.put("b_20260211_0900.csv", "SKU,Qty\nA,1\n", age=timedelta(minutes=1))
    drop.put("c_20260211_0700.csv", "SKU,Qty\nA,2\n", age=timedelta(minutes=2))
    drop.put("a_20260211_0800.csv", "SKU,Qty\nA,3\n", age=timedelta(minutes=3))
    names = [feed.name for feed in drop.till().feeds()]
    assert names == ["c_20260211_0700.csv", "a_20260211_0800.csv", "b_20260211_0900.csv"]


# -- a time in a name, held against the file's own ------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A file's name, how long ago it was written, and when it is taken to be true: before NOW, as (at, earliest, latest)."""

    name: str
    age: float
    at: float
    earliest: float | None = None
    latest: float | None = None


def minutes(moment: datetime) -> float:
    return (NOW - moment).total_seconds() / 60


def taken(drop: Drop, files: Sequence[Written], **given: object) -> list[tuple[str, float, float, float]]:
    """Each file as a till finds it when it comes, and reads it: name, and minutes before NOW."""
    found = []
    for number, file in enumerate(files):
        drop.now = NOW - timedelta(minutes=file.age) + timedelta(seconds=5)
        drop.put(file.name, f"SKU,Qty\nA,{number}\n", age=timedelta(seconds=5))
        till = drop.till(**given)
        for feed in till.feeds():
            found.append((feed.name, minutes(feed.true_at), *map(minutes, feed.span)))
            till.settle(feed.identity, FeedFate.APPLIED)
    return found


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([Written("s_20260211_0820.csv", 100, 100)], id="right"),
        pytest.param([Written("s_20260211_082030.csv", 99, 99.5)], id="with seconds, slow disk"),
        pytest.param([Written("s_20260211_082059.csv", 100, 99 + 1 / 60)], id="times of files in whole minutes"),
        pytest.param([Written("s_20260211.csv", 100, 100)], id="a day is no moment"),
        pytest.param([Written("s_20260211_0920.csv", 100, 100)], id="zone an hour ahead"),
        pytest.param([Written("s_20260211_1350.csv", 100, 100)], id="zone 5:30 ahead"),
        pytest.param([Written("s_20260211_0320.csv", 100, 100, 400)], id="zone five hours behind, first file"),
        pytest.param([Written("s_20260211_0320.csv", 100, 100, 400), Written("s_20260211_0420.csv", 40, 40)], id="zone behind"),
        pytest.param([Written("s_20260211_0001.csv", 100, 100, 599), Written("s_20260211_0002.csv", 40, 40)], id="counter"),
        pytest.param([Written("s_20260211_2359.csv", 100, 100), Written("s_20260212_0000.csv", 40, 40)], id="counter ahead"),
        pytest.param([Written("s_20260211_0812.csv", 100, 108, None, 100)], id="slow clock"),
        pytest.param(
            [Written("s_20260211_0750.csv", 120, 130, None, 120), Written("s_20260211_0755.csv", 115, 115)],
            id="slow clock, many files",
        ),
        pytest.param(
            [Written("s_20260211_0600.csv", 240, 240), Written("s_20260211_0630.csv", 30, 210, None, 30)], id="one came late"
        ),
        pytest.param(
            [Written("s_20260211_0700.csv", 180, 180), Written("s_20260211_0630.csv", 30, 210, None, 30)],
            id="an old one came late",
        ),
        pytest.param([Written("s_20260210_2000.csv", 700, 700, 840), Written("s_20260211_0600.csv", 40, 40, 240)], id="all late"),
        pytest.param(
            [Written("s_20260211_0930.csv", 30, 30), Written("s_20260211_0930_2.csv", 29.5, 30)], id="two in one minute"
        ),
    ],
)
def test_a_time_in_a_name_is_held_against_the_files_own(drop: Drop, files: list[Written]) -> None:
    wanted = [
        (one.name, one.at, one.at if one.earliest is None else one.earliest, one.at if one.latest is None else one.latest)
        for one in files
    ]
    assert [(name, *map(pytest.approx, times)) for name, *times in taken(drop, files)] == wanted


def test_the_zone_that_is_set_makes_a_name_right(drop: Drop) -> None:
    files = [Written("s_20260211_0320.csv", 100, 100), Written("s_20260211_0420.csv", 40, 40)]
    assert [times[0] for _, *times in taken(drop, files, timezone="America/New_York")] == [100, 40]


def test_files_that_were_copied_together_are_told_apart_by_their_names(drop: Drop) -> None:
    for number, hour in enumerate((9, 7, 8)):
        drop.put(f"s_20260211_0{hour}00.csv", f"SKU,Qty\nA,{number}\n", age=timedelta(minutes=10, seconds=number))
    told = [(feed.name, feed.span[0] == feed.true_at, feed.span[1] > feed.true_at) for feed in drop.till().feeds()]
    assert told == [(f"s_20260211_0{hour}00.csv", True, True) for hour in (7, 8, 9)]


def test_a_file_keeps_its_time_however_late_it_is_read(drop: Drop) -> None:
    drop.put("s_20260211_0300.csv", "SKU,Qty\nA,1\n", age=timedelta(hours=7))
    (feed,) = drop.till().feeds()
    assert (minutes(feed.true_at), feed.span) == (420, (feed.true_at, feed.true_at))


def test_of_the_hour_that_comes_twice_both_are_possible_for_a_file_that_came_late(drop: Drop) -> None:
    drop.now = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)
    drop.put("s_20261025_0230.csv", "SKU,Qty\nA,1\n", age=timedelta(minutes=30))
    (feed,) = drop.till(timezone="Europe/Paris").feeds()
    assert (feed.true_at, feed.span[0]) == (datetime(2026, 10, 25, 5, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC))


def test_a_named_column_is_held_against_the_file_too(drop: Drop) -> None:
    content = "SKU,Qty,When\nA,3,2026-02-11 11:15\n"
    assert moment_of(drop, "stock.csv", content, time_column="When") == NOW - timedelta(minutes=5)


def test_a_statement_is_known_by_its_name_whatever_is_believed_of_it(drop: Drop) -> None:
    """A counter tells two files of equal content apart; a copy of one of them is one we had."""
    identities = []
    for name in ("s_20260211_0001.csv", "s_20260211_0002.csv", "s_20260211_0002.csv"):
        drop.now += timedelta(hours=1)
        drop.put(name, "SKU,Qty\nA,1\n", age=timedelta(minutes=1))
        till = drop.till()
        (feed,) = till.feeds()
        till.settle(feed.identity, FeedFate.APPLIED)
        identities.append(feed.identity)
    assert len(set(identities)) == 2
    assert identities[1] == identities[2]


ZONES = "hours apart, as two time zones are: set timezone to where the till stands, if it is not."
NUMBER = "If it is the till's time, set timezone to where the till stands; if it is a running number, nothing needs doing."
FILE = "and the file was written at 2026-02-11 09:50 UTC"


@pytest.mark.parametrize(
    ("before", "name", "says", "step"),
    [
        ((), "s_20260211_0950.csv", "It was true at 2026-02-11 09:50 UTC, by its name.", ""),
        (
            (),
            "s_20260211_0450.csv",
            f"04:50 UTC, {FILE}, and nothing tells which is right. A",
            f"They are 5:00 {ZONES}",
        ),
        ((), "s_20260211_1050.csv", f"10:50 UTC, {FILE}: no list is of a time to come. The file's own", f"They are 1:00 {ZONES}"),
        (
            [("s_20260211_0001.csv", 70)],
            "s_20260211_0002.csv",
            f"00:02 UTC, {FILE}. A file came in between without",
            NUMBER,
        ),
        ([("s_20260211_0600.csv", 240)], "s_20260211_0630.csv", f"06:30 UTC, {FILE}: it came late, since such times have", ""),
    ],
    ids=["agreed", "open", "ahead", "out of order", "late"],
)
def test_the_connection_test_says_which_time_it_believes_and_why(
    drop: Drop, before: Sequence[tuple[str, float]], name: str, says: str, step: str
) -> None:
    taken(drop, [Written(*file, 0) for file in before])
    drop.now = NOW
    drop.put(name, "SKU,Qty\nA,1\n", age=timedelta(minutes=10))
    findings = drop.till().check().findings
    assert [(one.ok, one.next_step) for one in findings if says in one.message] == [(True, step)], findings
