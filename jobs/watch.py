"""What every worker does by itself, without being woken: it looks whether the schedule lives, and for what its own killed
children left. Beat can't: it may be what is dead."""

import logging
from threading import Event, Thread
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import connections
from django.utils import timezone

logger = logging.getLogger(__name__)
WATCH_EVERY = 30.0  # seconds; with jobs.vitals.SILENT_AFTER, a dead schedule is noticed within two minutes
_stop = Event()


def look() -> None:
    """Look once. Never raises: the next look is due soon."""
    from jobs.silence import schedule_watch  # apps are not loaded when this module is
    from jobs.slots import slots_recover
    from kit.offers import offers

    try:
        now = timezone.now()
        slots_recover(now=now)
        schedule_watch(now=now)
        for watch in offers("watch", "schedule_watch"):  # tells people
            watch(now=now)
    except Exception:
        logger.exception("The watch over the schedule failed, and goes on")
    finally:
        connections.close_all()  # nothing is kept open: the worker forks, and a child must not share it


def _watch() -> None:
    while not _stop.wait(WATCH_EVERY):
        look()


@worker_ready.connect  # type: ignore[untyped-decorator] # celery has no types
def watch_begin(**_: Any) -> None:
    """In a thread of the worker's own process: its timer would be held up by a database that hangs."""
    _stop.clear()
    Thread(target=_watch, name="schedule-watch", daemon=True).start()


@worker_shutting_down.connect  # type: ignore[untyped-decorator] # celery has no types
def watch_end(**_: Any) -> None:
    _stop.set()
