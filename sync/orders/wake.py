"""Waking a worker without waiting for the broker (reliability.md, case 17). A lost wake-up costs a minute: the sweep.

One wake-up for a store is as good as a hundred: while one is on its way, no other is sent. A worker marks it as taken *before* it
looks, so that what comes while it looks wakes again, and what came before is seen.
"""

import logging
import time
from datetime import datetime, timedelta
from threading import Condition, Thread
from typing import Any

from celery import current_app
from django.db import Error

from sync.models import WakeUp

logger = logging.getLogger(__name__)
PAUSE = 0.2  # seconds between two messages, at least: a burst of webhooks is a burst of rows, not of messages
TASK = "sync.tasks.inbox_work"  # by name: services do not know the tasks that call them
SYNC = "sync.tasks.sync_store"
PRIORITY = 9  # behind the schedule's own, which has none: however many webhooks there are, a till is read in time
HOW: dict[str, Any] = {"priority": PRIORITY, "ignore_result": True, "retry": False}
LOST_AFTER = timedelta(minutes=1)  # by then the sweep has looked, whatever became of the message


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
                current_app.send_task(TASK, kwargs={"store_id": store_id}, **HOW)
            except Exception as error:  # noqa: BLE001 - whatever a broker does, the row is kept and the sweep finds it
                logger.warning("No worker could be woken, the sweep will find the webhook: %s", error)
            time.sleep(PAUSE)


_waker = Waker()


def inbox_wake(*, store_id: int, now: datetime) -> None:
    """Have that store's inbox looked at soon, for what is in the database by now. Returns at once and never fails."""
    try:
        if _is_on_its_way(store_id, now):
            return
    except Error:  # one wake-up too many does no harm
        logger.warning("Whether a worker was woken is not known, so one is.", exc_info=True)
    _waker.wake(store_id)


def _is_on_its_way(store_id: int, now: datetime) -> bool:
    """Result: has a wake-up been sent that nobody has taken? If not, it counts as sent from now on."""
    lately = (now - LOST_AFTER, now + LOST_AFTER)  # later than that: a clock was set back
    if WakeUp.objects.filter(store_id=store_id, sent_at__range=lately).exists():
        return True
    mine = WakeUp(store_id=store_id, sent_at=now)
    WakeUp.objects.bulk_create([mine], update_conflicts=True, unique_fields=["store"], update_fields=["sent_at"])
    return False


def wake_taken(*, store_id: int) -> None:
    """A worker is about to look at that store's inbox: who comes from now on wakes again. To be called before it looks."""
    WakeUp.objects.filter(store_id=store_id).delete()


def run_wake(*, store_id: int, kind: str) -> None:
    """Have a killed run taken up again. For workers only: it waits for the broker, as long as its time-outs say. Never fails: the
    next sweep asks again."""
    try:
        current_app.send_task(SYNC, kwargs={"store_id": store_id, "kind": kind}, **HOW)
    except Exception as error:  # noqa: BLE001 - whatever a broker does, the run's row is kept
        logger.warning("No worker could be woken, the next sweep will ask again: %s", error)
