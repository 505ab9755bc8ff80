"""Waking a worker without waiting for the broker (reliability.md, case 17). A lost wake-up costs a minute: the sweep."""

import logging
import time
from threading import Condition, Thread

from celery import current_app

logger = logging.getLogger(__name__)
PAUSE = 0.2  # seconds between two messages, at least: a burst of webhooks is a burst of rows, not of messages
TASK = "sync.tasks.inbox_work"  # by name: services do not know the tasks that call them
SYNC = "sync.tasks.sync_store"


class Waker:
    """Asks for stores' inboxes to be worked off, from a thread of its own: whoever calls does not feel a broker that hangs.
    The first call sends at once; those of one store that come meanwhile become one message."""

    def __init__(self) -> None:
        self._change = Condition()
        self._stores: dict[int, None] = {}
        self._thread: Thread | None = None

    def wake(self, store_id: int) -> None:
        """Have that store's inbox looked at soon."""
        with self._change:
            self._stores[store_id] = None
            if self._thread is None or not self._thread.is_alive():  # not at import: the web server forks after that
                self._thread = Thread(target=self._work, name="inbox-waker", daemon=True)
                self._thread.start()
            self._change.notify()

    def _work(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._stores))
                store_id = next(iter(self._stores))
                del self._stores[store_id]
            try:
                current_app.send_task(TASK, kwargs={"store_id": store_id}, ignore_result=True, retry=False)
            except Exception as error:  # noqa: BLE001 - whatever a broker does, the row is kept and the sweep finds it
                logger.warning("No worker could be woken, the sweep will find the webhook: %s", error)
            time.sleep(PAUSE)


_waker = Waker()


def inbox_wake(*, store_id: int) -> None:
    """Have that store's inbox looked at soon. Returns at once and never fails."""
    _waker.wake(store_id)


def run_wake(*, store_id: int, kind: str) -> None:
    """Have a killed run taken up again. For workers only: it waits for the broker, as long as its time-outs say. Never fails: the
    next sweep asks again."""
    try:
        current_app.send_task(SYNC, kwargs={"store_id": store_id, "kind": kind}, ignore_result=True, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever a broker does, the run's row is kept
        logger.warning("No worker could be woken, the next sweep will ask again: %s", error)
