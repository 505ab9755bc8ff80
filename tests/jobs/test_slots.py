"""When a job is due: each slot once, through every change of clocks (reliability.md, cases 13 and 26)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jobs.due import At, Every, Once, slot_newest, slot_next

ALL = {"days_of_week": frozenset(range(7)), "days": frozenset(range(1, 32)), "months": frozenset(range(1, 13))}
QUARTERS = frozenset((0, 15, 30, 45))
PACIFIC, VIENNA, LORD_HOWE = ZoneInfo("US/Pacific"), ZoneInfo("Europe/Vienna"), ZoneInfo("Australia/Lord_Howe")


def at(zone, hours, minutes=frozenset({0}), **days):
    return At(minutes=frozenset(minutes), hours=frozenset(hours), zone=zone, **{**ALL, **days})


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def runs(when, begin, end, step=timedelta(minutes=1)):
    """The slots that somebody finds who looks every so often and remembers only the newest."""
    found, newest, now = [], begin, begin
    while now < end:
        now += step
        if slot := slot_newest(when, after=newest, now=now):
            found.append(slot)
            newest = slot
    return found


@pytest.mark.parametrize("zone", [PACIFIC, VIENNA, LORD_HOWE], ids=str)
@pytest.mark.parametrize(
    "day", [utc(2026, 10, 4), utc(2026, 10, 25), utc(2026, 11, 1), utc(2026, 3, 8), utc(2026, 3, 29), utc(2026, 4, 5)]
)
def test_quarters_of_an_hour_come_every_quarter_of_an_hour_when_clocks_change(zone, day):
    begin = day - timedelta(hours=14)
    found = runs(at(zone, range(24), QUARTERS), begin, day + timedelta(hours=38), step=timedelta(minutes=5))
    assert found == [begin + timedelta(minutes=15 * n) for n in range(1, 52 * 4 + 1)]


def test_the_hour_that_us_pacific_has_twice_is_run_twice_by_an_hourly_job_and_once_by_a_nightly_one():
    begin, end = utc(2026, 11, 1, 6), utc(2026, 11, 1, 12)  # 23:00 in summer time to 04:00 in winter time
    hourly = runs(at(PACIFIC, range(24)), begin, end)
    assert hourly == [utc(2026, 11, 1, hour) for hour in range(7, 13)]
    assert runs(at(PACIFIC, {1}, {30}), begin, end) == [utc(2026, 11, 1, 8, 30)]


def test_a_nightly_job_whose_time_is_left_out_runs_that_much_later():
    assert runs(at(PACIFIC, {2}, {30}), utc(2026, 3, 8, 6), utc(2026, 3, 8, 20)) == [utc(2026, 3, 8, 10, 30)]  # 03:30


@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
@pytest.mark.parametrize("zone", [PACIFIC, VIENNA, LORD_HOWE], ids=str)
def test_a_daily_job_runs_once_a_day_all_year(zone, hour):
    begin = utc(2026, 1, 1)
    found = runs(at(zone, {hour}, {30}), begin, utc(2027, 1, 1), step=timedelta(hours=6))
    assert len(found) == len(set(found)) == 365
    assert len({slot.astimezone(zone).date() for slot in found}) == 365


def test_business_hours_are_those_of_the_place():
    found = runs(at(VIENNA, range(6, 23), QUARTERS), utc(2026, 10, 24, 12), utc(2026, 10, 25, 23), step=timedelta(minutes=5))
    shown = [slot.astimezone(VIENNA) for slot in found]
    sunday = [moment for moment in shown if moment.day == 25]
    assert (sunday[0].hour, sunday[0].minute, sunday[-1].hour, sunday[-1].minute) == (6, 0, 22, 45)
    assert sunday[0].astimezone(UTC) == utc(2026, 10, 25, 5)  # the first morning of winter time
    assert len(sunday) == 17 * 4


def test_what_was_missed_is_made_up_for_once():
    hourly, weekly = at(UTC, range(24)), at(UTC, {3}, days_of_week=frozenset({1}))
    left, back = utc(2026, 3, 2, 8, 20), utc(2026, 3, 12, 9, 41)
    assert slot_newest(hourly, after=left, now=back) == utc(2026, 3, 12, 9)
    assert slot_newest(hourly, after=utc(2026, 3, 12, 9), now=back) is None
    assert slot_newest(weekly, after=left, now=back) == utc(2026, 3, 9, 3)
    assert slot_newest(Every(60), after=left, now=back) == utc(2026, 3, 12, 9, 41)
    assert slot_newest(Every(60), after=utc(2026, 3, 12, 9, 41), now=back) is None


def test_a_clock_that_was_set_back_repeats_nothing():
    assert slot_newest(Every(60), after=utc(2026, 3, 2, 9), now=utc(2026, 3, 2, 8, 50)) is None
    assert slot_newest(at(UTC, range(24)), after=utc(2026, 3, 2, 9), now=utc(2026, 3, 2, 8, 50)) is None


def test_once_is_once():
    moment = Once(utc(2026, 3, 2, 9))
    assert slot_newest(moment, after=utc(2026, 3, 1), now=utc(2026, 3, 2, 8)) is None
    assert slot_newest(moment, after=utc(2026, 3, 1), now=utc(2026, 3, 5)) == utc(2026, 3, 2, 9)
    assert slot_newest(moment, after=utc(2026, 3, 2, 9), now=utc(2026, 3, 5)) is None


def test_a_leap_day_and_a_day_that_never_comes():
    leap = at(UTC, {3}, days=frozenset({29}), months=frozenset({2}))
    never = at(UTC, {3}, days=frozenset({30}), months=frozenset({2}))
    assert slot_newest(leap, after=utc(2020, 1, 1), now=utc(2026, 3, 2)) == utc(2024, 2, 29, 3)
    assert slot_newest(never, after=utc(2020, 1, 1), now=utc(2026, 3, 2)) is None


def test_in_a_place_that_changes_its_clocks_by_half_an_hour_the_left_out_times_are_not_merged_into_later_ones():
    left_out = at(LORD_HOWE, {2}, {7, 30})  # 02:07 is 02:37 on that night: later than 02:30
    assert runs(left_out, utc(2026, 10, 3, 15), utc(2026, 10, 3, 17)) == [utc(2026, 10, 3, 15, 30), utc(2026, 10, 3, 15, 37)]


def test_a_day_must_fit_the_date_and_the_day_of_the_week():
    friday_13 = at(UTC, {9}, days=frozenset({13}), days_of_week=frozenset({5}))
    assert slot_newest(friday_13, after=utc(2026, 1, 1), now=utc(2026, 10, 31)) == utc(2026, 3, 13, 9)
    assert slot_next(friday_13, now=utc(2026, 3, 13, 9)) == utc(2026, 11, 13, 9)


@pytest.mark.parametrize(
    ("when", "now", "then"),
    [
        (at(PACIFIC, range(24)), utc(2026, 11, 1, 8, 30), utc(2026, 11, 1, 9)),  # the second 01:00
        (at(PACIFIC, {1}, {30}), utc(2026, 11, 1, 8, 30), utc(2026, 11, 2, 9, 30)),  # not the second 01:30
        (at(PACIFIC, {2}, {30}), utc(2026, 3, 8, 9), utc(2026, 3, 8, 10, 30)),  # 03:30, since 02:30 is left out
        (at(PACIFIC, range(24)), utc(2026, 3, 8, 9), utc(2026, 3, 8, 10)),
        (at(VIENNA, {12}), utc(2026, 3, 2, 11), utc(2026, 3, 3, 11)),
        (at(UTC, {3}, days=frozenset({31})), utc(2026, 1, 31, 3), utc(2026, 3, 31, 3)),
        (at(UTC, {3}, days=frozenset({29}), months=frozenset({2})), utc(2026, 3, 2), utc(2028, 2, 29, 3)),
        (at(UTC, {3}, days=frozenset({30}), months=frozenset({2})), utc(2026, 3, 2), None),
        (Every(900), utc(2026, 3, 2, 9, 15), utc(2026, 3, 2, 9, 30)),
        (Once(utc(2026, 3, 2, 9)), utc(2026, 3, 2, 8), utc(2026, 3, 2, 9)),
        (Once(utc(2026, 3, 2, 9)), utc(2026, 3, 2, 9), None),
    ],
)
def test_the_next_slot_is_the_first_one_after_now(when, now, then):
    assert slot_next(when, now=now) == then
