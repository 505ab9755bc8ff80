"""When what failed is tried again, and with how much beside it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from jobs.attempts import LastTry, hold_for, pause_after, split_refused, split_unknown

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 1, 3), (2, 5, 15), (3, 25, 75)])
def test_pauses_grow_and_are_spread(attempt, least, most):
    pauses = [pause_after(attempt=attempt, first=2 * SECOND, chance=chance) for chance in (0, 0.5, 1)]
    assert [pause.total_seconds() for pause in pauses] == [least, (least + most) / 2, most]


@pytest.mark.parametrize("chance", [0, 0.3, 1])
def test_nobody_comes_back_sooner_than_asked(chance):
    for asked in (1, 30, 600):
        pause = pause_after(attempt=1, first=2 * SECOND, chance=chance, asked=asked).total_seconds()
        assert asked <= pause <= asked + 1


@pytest.mark.parametrize("size", [1, 2, 9, 10, 11, 50, 99, 100])
def test_the_third_time_goes_alone_whatever_the_first_request_held(size):
    second = split_unknown(size)
    assert split_unknown(second) == 1
    assert second < size or size == 1


@pytest.mark.parametrize(("size", "half"), [(100, 50), (7, 4), (3, 2), (2, 1)])
def test_what_was_refused_goes_in_halves(size, half):
    assert split_refused(size) == half


def last(**fields) -> LastTry:
    return LastTry(**{"owed": Decimal(3), "until": AT, "is_refused": False, **fields})


def test_what_was_refused_is_the_items_own_fault():
    assert last(is_refused=True).is_bad(attempts=3)


@pytest.mark.parametrize(
    ("failures", "is_alone", "expected"), [(3, True, True), (4, True, True), (2, True, False), (3, False, False)]
)
def test_what_failed_three_times_is_at_fault_once_it_was_alone(failures, is_alone, expected):
    assert last(failures=failures, is_alone=is_alone).is_bad(attempts=3) is expected


def test_the_same_debt_waits_until_its_time():
    assert last().holds(owed=Decimal(3), now=AT - SECOND)
    assert not last().holds(owed=Decimal(3), now=AT)


@pytest.mark.parametrize("change", [{"owed": Decimal(2)}, {"is_released": True}, {"until": None}])
def test_another_debt_or_a_released_one_does_not_wait(change):
    assert not last(**change).holds(owed=Decimal(3), now=AT - SECOND)


@pytest.mark.parametrize(("failures", "hours"), [(3, 1), (4, 2), (5, 4), (7, 16), (8, 24), (90, 24)])
def test_while_nothing_gets_through_the_wait_is_short_and_doubles(failures, hours):
    rules = {"attempts": 3, "longest": DAY, "while_all_fails": timedelta(hours=1)}
    assert hold_for(failures=failures, others_pass=False, **rules) == timedelta(hours=hours)
    assert hold_for(failures=failures, others_pass=True, **rules) == DAY
