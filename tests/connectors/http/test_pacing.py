"""The pacer moves with the store's own response time; the paced map keeps every lane busy. Timings are made up."""

import time
from collections import deque
from threading import Event, Lock

import pytest

from connectors.http.pacing import UNTIL_RESULT, Pacer, paced_map, split_evenly


def test_a_comfortable_store_keeps_two_lanes_and_whole_batches():
    pacer = Pacer(lanes=2, batch=100)
    for _ in range(50):
        pacer.answered(seconds=2.9, items=100)
    assert (pacer.lanes, pacer.batch) == (2, 100)


def test_a_slow_answer_halves_the_batch_and_takes_a_lane():
    pacer = Pacer(lanes=2, batch=100)
    pacer.answered(seconds=12.5, items=100)
    assert (pacer.lanes, pacer.batch) == (1, 50)
    pacer.answered(seconds=13, items=50)
    assert (pacer.lanes, pacer.batch) == (1, 25)


def test_a_middling_answer_changes_nothing():
    pacer = Pacer(lanes=2, batch=100)
    pacer.refused()
    pacer.answered(seconds=6, items=50)
    assert (pacer.lanes, pacer.batch) == (1, 50)


def test_a_store_that_recovers_gets_its_pace_back_and_no_more():
    pacer = Pacer(lanes=2, batch=100)
    pacer.refused()
    pacer.refused()
    assert (pacer.lanes, pacer.batch) == (1, 25)
    steps = []
    for _ in range(8):
        pacer.answered(seconds=0.5, items=25)
        steps.append((pacer.lanes, pacer.batch))
    assert steps == [(2, 31), (2, 38), (2, 47), (2, 58), (2, 72), (2, 90), (2, 100), (2, 100)]


def test_a_batch_never_shrinks_to_nothing():
    pacer = Pacer(lanes=2, batch=100)
    for _ in range(12):
        pacer.refused()
        pacer.answered(seconds=60, items=1)
    assert (pacer.lanes, pacer.batch) == (1, 1)


@pytest.mark.parametrize(
    ("count", "lanes", "most", "requests"),
    [
        (160, 2, 100, 2),
        (100, 2, 100, 2),
        (250, 2, 100, 4),
        (3000, 2, 100, 30),
        (160, 1, 100, 2),
        (9, 2, 100, 1),  # too few to be worth a second request
        (10, 2, 100, 2),
        (1, 2, 100, 1),
        (7, 4, 1, 7),
        (101, 3, 50, 3),
    ],
)
def test_items_are_split_so_that_all_lanes_end_together(count, lanes, most, requests):
    assert split_evenly(count, lanes=lanes, most=most) == requests


def test_never_more_at_once_than_the_pacer_allows():
    pacer, lock, open_, most = Pacer(lanes=2), Lock(), [0], [0]

    def work(number: int) -> int:
        with lock:
            open_[0] += 1
            most[0] = max(most[0], open_[0])
        time.sleep(0.01)
        with lock:
            open_[0] -= 1
        return number * number

    assert dict(paced_map(work, range(12), pacer=pacer)) == {number: number * number for number in range(12)}
    assert most[0] == 2


def test_a_freed_lane_is_filled_before_its_result_is_handled():
    pacer, started = Pacer(lanes=1), [Event(), Event()]

    def work(number: int) -> int:
        started[number].set()
        return number

    for number, _ in paced_map(work, range(2), pacer=pacer):
        if number == 0:
            assert started[1].wait(2)  # while we still hold the first result


def test_a_lane_given_up_is_not_filled_again():
    pacer, drawn = Pacer(lanes=2), []

    def tasks():
        for number in range(6):
            drawn.append((number, pacer.lanes))
            yield number

    def work(number: int) -> int:
        if number == 0:
            pacer.refused()
        time.sleep(0.02 if number else 0)
        return number

    assert sorted(number for number, _ in paced_map(work, tasks(), pacer=pacer)) == [0, 1, 2, 3, 4, 5]
    assert drawn[0] == (0, 2)
    assert {lanes for number, lanes in drawn[2:]} == {1}


def test_tasks_that_depend_on_a_result_are_asked_for_again():
    pacer, todo, open_ = Pacer(lanes=2), deque([3]), [0]

    class Growing:
        def __iter__(self):
            return self

        def __next__(self):
            if todo:
                open_[0] += 1
                return todo.popleft()
            if open_[0]:
                return UNTIL_RESULT
            raise StopIteration

    seen = []
    for number, _ in paced_map(lambda number: number, Growing(), pacer=pacer):
        open_[0] -= 1
        seen.append(number)
        todo.extend([number - 1] * 2 if number > 1 else [])
    assert sorted(seen) == [1, 1, 1, 1, 2, 2, 3]


def test_the_first_failure_ends_the_map_and_draws_nothing_more():
    pacer, drawn, finished = Pacer(lanes=2), [], []

    def tasks():
        for number in range(10):
            drawn.append(number)
            yield number

    def work(number: int) -> int:
        if number == 0:
            raise ValueError("broken")
        time.sleep(0.05)
        finished.append(number)
        return number

    with pytest.raises(ValueError, match="broken"):
        list(paced_map(work, tasks(), pacer=pacer))
    assert drawn == [0, 1]
    assert finished == [1]
