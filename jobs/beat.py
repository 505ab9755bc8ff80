"""Beat: opens the schedule's slots and wakes a worker for each. All it knows is in the database, so it can be killed at any time,
and a second one does no harm (reliability.md, cases 13 and 14)."""

import logging
from datetime import datetime, timedelta
from typing import Any

from celery.beat import Scheduler
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from jobs.tasks import SLOT

logger = logging.getLogger(__name__)
INSTALL_EVERY = timedelta(minutes=1)  # a connection that was made in the admin has its jobs by then


class SlotScheduler(Scheduler):  # type: ignore[misc] # celery has no types
    """Celery's scheduler with the rows of `jobs.slots` in place of its own memory."""

    _installed_at: datetime | None = None

    def setup_schedule(self) -> None:
        """Nothing is kept in this process."""
        self.schedule: dict[str, Any] = {}

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Open what is due and send it. Result: seconds until the next look."""
        now = timezone.now()
        try:
            close_old_connections()
            self._install(now)
            self._send_due(now)
        except (DatabaseError, InterfaceError):
            logger.warning("The schedule waits for the database.", exc_info=True)
        return float(self.max_interval)

    def _install(self, now: datetime) -> None:
        from jobs.schedule import schedule_install  # apps are not loaded when this module is

        if self._installed_at is None or not timedelta() <= now - self._installed_at < INSTALL_EVERY:
            schedule_install()
            self._installed_at = now

    def _send_due(self, now: datetime) -> None:
        from jobs.process import process_name
        from jobs.slots import slot_not_sent, slots_open

        broker_answers = True
        for errand in slots_open(now=now, process=process_name()):
            if broker_answers:
                try:
                    headers = {SLOT: errand.slot_id}
                    self.app.send_task(
                        errand.task,
                        errand.args,
                        errand.kwargs,
                        headers=headers,
                        retry=False,
                        ignore_result=True,
                        **errand.options,
                    )
                    continue
                except Exception as error:  # noqa: BLE001 - whatever a broker does: the slot is kept, and sent at the next look
                    logger.warning("No worker could be woken, trying again: %s", error)
                    broker_answers = False
            slot_not_sent(slot_id=errand.slot_id)

    @property
    def info(self) -> str:
        return "    . slots -> the database"
