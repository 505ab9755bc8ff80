"""What a reading means: ledger.md §3 and §5, rule by rule."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from functools import partial

import pytest

from sync.core.readings import (
    Activity,
    Deferred,
    Drift,
    InStep,
    Opening,
    Suspect,
    TooSoon,
    WriteSpan,
    store_reading_judge,
    till_reading_judge,
)

T = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SKEW = 2 * MINUTE


def till(shows, *, baseline, writes=()):
    return till_reading_judge(shows=D(shows), span=(T, T), baseline=baseline, writes=writes, skew=SKEW)


def store(shows, *, baseline=D(10), news_at=None, writes=(), suspect=None, suspected_at=None):
    return store_reading_judge(
        shows=D(shows),
        read_at=T,
        baseline=baseline,
        news_at=news_at,
        writes=writes,
        suspect=suspect,
        suspected_at=suspected_at,
        settle=MINUTE,
        skew=timedelta(seconds=5),
    )


def test_the_first_number_opens_the_account():
    assert till(7, baseline=None) == Opening(D(7))
    assert store(7, baseline=None) == Opening(D(7))


def test_the_same_number_is_in_step():
    assert till(10, baseline=D(10)) == InStep()
    assert store(10) == InStep()


@pytest.mark.parametrize(("shows", "residual"), [(8, -2), (13, 3), (0, -10), (-1, -11)])
def test_what_the_till_did_is_the_difference_to_its_baseline(shows, residual):
    assert till(shows, baseline=D(10)) == Activity(D(residual))


def test_a_till_reading_is_deferred_while_a_write_is_unanswered():
    assert isinstance(till(7, baseline=D(10), writes=[WriteSpan(D(-3), T - 9 * MINUTE, None)]), Deferred)


@pytest.mark.parametrize("seconds", [-119, 0, 119])
def test_a_till_reading_is_deferred_when_a_write_was_acknowledged_about_then(seconds):
    acked = T + timedelta(seconds=seconds)
    assert isinstance(till(7, baseline=D(10), writes=[WriteSpan(D(-3), acked - MINUTE, acked)]), Deferred)


def test_a_write_surely_later_than_the_reading_is_taken_out_of_the_baseline():
    later = WriteSpan(D(-3), T + 3 * MINUTE, T + 4 * MINUTE)
    assert till(10, baseline=D(7), writes=[later]) == InStep()
    assert till(9, baseline=D(7), writes=[later]) == Activity(D(-1))


def test_a_write_surely_before_the_reading_is_in_it():
    before = WriteSpan(D(-3), T - 5 * MINUTE, T - 3 * MINUTE)
    assert till(7, baseline=D(7), writes=[before]) == InStep()


def test_a_first_residual_at_the_store_is_only_a_suspect():
    assert store(12) == Suspect(D(2))


def test_the_same_residual_again_after_the_settle_time_is_drift():
    assert store(12, suspect=D(2), suspected_at=T - MINUTE) == Drift(D(2))


def test_a_second_look_before_the_settle_time_says_nothing():
    assert store(12, suspect=D(2), suspected_at=T - MINUTE + timedelta(seconds=1)) == TooSoon()


def test_another_residual_is_a_new_suspect():
    assert store(13, suspect=D(2), suspected_at=T - 9 * MINUTE) == Suspect(D(3))


def test_a_suspect_that_went_away_is_forgotten():
    assert store(10, suspect=D(2), suspected_at=T - 9 * MINUTE) == InStep()


@pytest.mark.parametrize("news_at", [T, T + MINUTE, T - timedelta(seconds=5)])
def test_a_store_reading_is_deferred_when_an_order_changed_since_it_began(news_at):
    assert isinstance(store(9, news_at=news_at), Deferred)
    assert isinstance(store(9, baseline=None, news_at=news_at), Deferred)


def test_an_order_that_changed_before_the_reading_began_defers_nothing():
    assert store(10, news_at=T - timedelta(seconds=6)) == InStep()


@pytest.mark.parametrize("answered_at", [None, T, T + MINUTE])
def test_a_store_reading_is_deferred_while_or_after_a_write(answered_at):
    assert isinstance(store(9, writes=[WriteSpan(D(-1), T - MINUTE, answered_at)]), Deferred)


def test_a_write_answered_before_the_reading_began_defers_nothing():
    assert store(10, writes=[WriteSpan(D(-1), T - 2 * MINUTE, T - MINUTE)]) == InStep()


def test_a_reading_of_doubtful_time_is_used_only_where_it_books_the_same_either_way():
    told = WriteSpan(D(-1), T - timedelta(hours=2), T - timedelta(hours=2))
    judge = partial(till_reading_judge, span=(T - timedelta(hours=5), T), baseline=D(6), writes=[told], skew=SKEW)
    assert judge(shows=D(6)) == InStep()
    for shows in (5, 7):
        assert isinstance(judge(shows=D(shows)), Deferred)
    assert till_reading_judge(shows=D(5), span=(T, T), baseline=D(6), writes=[told], skew=SKEW) == Activity(D(-1))
    before = WriteSpan(D(-1), T - timedelta(hours=6), T - timedelta(hours=6))
    assert judge(shows=D(5), writes=[before]) == Activity(D(-1))
    after = WriteSpan(D(-1), T + timedelta(hours=1), T + timedelta(hours=1))
    assert judge(shows=D(7), writes=[after]) == InStep()
