"""How many requests a system gets at once: by its own response time, not by our wishes.

Two at a time is the recorded optimum of a small WooCommerce (woocommerce.md, Cost): one leaves half of it idle, four add
nothing. The pacer starts there and gives lanes up, and gets them back, as the time of each answer tells.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import Enum
from threading import Lock
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Pause(Enum):
    """What a task iterator yields when it has nothing to do until a result has come back."""

    UNTIL_RESULT = "until_result"


UNTIL_RESULT: Final = Pause.UNTIL_RESULT


class Pacer:
    """Concurrency and batch size for one system, moved by how long it takes to answer. Thread-safe.

    Units: seconds, and items per request. A request slower than `slow` halves the batch and gives up one lane; one that is
    comfortably fast (under a quarter of it) grows the batch by a quarter, and regains the lane.
    """

    def __init__(self, *, lanes: int = 2, batch: int = 100, slow: float = 12.0) -> None:
        self._lock = Lock()
        self._lanes_most, self._batch_most = lanes, batch
        self._slow = slow
        self._lanes, self._batch = lanes, batch

    @property
    def lanes(self) -> int:
        """Requests that may be open at once."""
        return self._lanes

    @property
    def batch(self) -> int:
        """Items that one write request may carry."""
        return self._batch

    def answered(self, *, seconds: float, items: int) -> None:
        """A request of `items` items was answered after `seconds`."""
        with self._lock:
            if seconds > self._slow:
                self._batch = max(1, min(self._batch, items) // 2)
                self._lanes = max(1, self._lanes - 1)
            elif seconds < self._slow / 4:
                self._batch = min(self._batch_most, self._batch + max(1, self._batch // 4))
                if self._lanes < self._lanes_most:
                    self._lanes += 1

    def refused(self) -> None:
        """The system said it has too much to do, or did not answer in time: half of everything."""
        with self._lock:
            self._batch = max(1, self._batch // 2)
            self._lanes = 1


def split_evenly(count: int, *, lanes: int, most: int, least: int = 5) -> int:
    """How many requests `count` items should go in, so that all lanes end together: 160 in two lanes of 100 are 80 + 80.

    As few as `most` items a request allow, rounded up to a multiple of the lanes while each still carries `least` items: a
    request costs about as much as two or three items (woocommerce.md, Cost).
    """
    needed = -(-count // max(1, most))
    rounded = -(-needed // lanes) * lanes
    return rounded if count >= rounded * least else needed


def paced_map(work: Callable[[T], R], tasks: Iterable[T | Pause], *, pacer: Pacer) -> Iterator[tuple[T, R]]:
    """Run `work` over `tasks` in threads, never more at once than the pacer allows, and yield (task, result) as they end.

    Tasks are drawn lazily in the caller's thread just before they start, so a task may be claimed in the database as it is
    drawn; a freed lane is filled before its result is yielded, so that the system works while the caller does. An iterator
    whose next task depends on a result yields `UNTIL_RESULT` and is asked again after the caller has had one.
    The first exception ends the map: what is open is waited for, nothing more is drawn, then it is raised.
    """
    todo = iter(tasks)
    open_: dict[Future[R], T] = {}
    drained = False

    def fill(pool: ThreadPoolExecutor) -> None:
        nonlocal drained
        while not drained and len(open_) < pacer.lanes:
            try:
                task = next(todo)
            except StopIteration:
                drained = True
                return
            if isinstance(task, Pause):
                return
            open_[pool.submit(work, task)] = task

    with ThreadPoolExecutor(max_workers=16, thread_name_prefix="paced") as pool:
        while True:
            fill(pool)
            if not open_:
                return
            done, _ = wait(open_, return_when=FIRST_COMPLETED)
            for future in done:
                task, result = open_.pop(future), future.result()
                if not any(other.exception() for other in done):
                    fill(pool)
                yield task, result
