"""When a file was true (csv.md §5.8; reliability.md, cases 25, 26 and 34)."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import FeedError
from connectors.pos_csv.truth import time_in_name
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
    assert moment_of(drop, "20260211_0930.csv", time_column="Modified") == datetime(2026, 2, 11, 9, 30, tzinfo=UTC)


def test_times_in_the_tills_own_format_are_read(drop: Drop) -> None:
    content = "SKU,Qty,When\nA,3,11/02/2026 09:15\n"
    told = moment_of(drop, "stock.csv", content, time_column="When", time_format="%d/%m/%Y %H:%M")
    assert told == datetime(2026, 2, 11, 9, 15, tzinfo=UTC)


def test_a_column_without_times_is_noted_and_the_file_counts(drop: Drop) -> None:
    drop.put("stock.csv", "SKU,Qty,When\nA,3,soon\n", age=timedelta(minutes=5))
    (feed,) = drop.till(time_column="When").feeds()
    assert feed.true_at == NOW - timedelta(minutes=5)
    assert [(problem.code, problem.serious) for problem in feed.problems] == [("time_unknown", False)]


def test_a_till_whose_clock_runs_ten_minutes_fast_is_believed(drop: Drop) -> None:
    assert moment_of(drop, "20260211_1010.csv") == NOW + timedelta(minutes=10)


def test_a_file_from_the_future_is_refused(drop: Drop) -> None:
    """Taken as it is, every honest file after it would be older than the last one used."""
    drop.put("20260211_1130.csv", ROWS)
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
