"""The class of all tasks: what the schedule sends is begun once for each slot, and what kills its workers is set aside."""

import logging
from datetime import timedelta
from typing import Any

from celery.contrib.django.task import DjangoTask
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError
from django.utils import timezone

logger = logging.getLogger(__name__)
SLOT = "evenstock_slot"  # the header that names the slot; the message itself is no more than a wake-up


class SlotTask(DjangoTask):  # type: ignore[misc] # celery has no types
    """A task that asks its slot's row before it begins. What nobody scheduled just runs, unless it has lost workers."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        slot_id = self._slot_id()
        return self.run(*args, **kwargs) if slot_id is None else self._run_slot(slot_id, args, kwargs)

    @property
    def _is_redelivered(self) -> bool:
        return bool((self.request.delivery_info or {}).get("redelivered"))

    def _slot_id(self) -> int | None:
        from jobs.slots import slot_of_lost_message  # apps are not loaded when this module is

        if slot_id := self.request.get(SLOT) or (self.request.headers or {}).get(SLOT):
            return int(slot_id)
        if self._is_redelivered:
            return slot_of_lost_message(task=self.name, message_id=self.request.id, now=timezone.now())
        return None

    def _run_slot(self, slot_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        from jobs.process import process_name
        from jobs.slots import TOO_LONG, Claim, slot_claim

        limit = timedelta(seconds=self.time_limit or self.app.conf.task_time_limit)
        me = process_name()
        claim = slot_claim(slot_id=slot_id, process=me, now=timezone.now(), limit=limit, redelivered=self._is_redelivered)
        if claim != Claim.GO:
            return str(claim)
        try:
            result = self.run(*args, **kwargs)
        except SoftTimeLimitExceeded:
            _finish(slot_id, me, TOO_LONG)
            raise
        except Exception as error:
            _finish(slot_id, me, f"{type(error).__name__}: {error}")
            raise
        _finish(slot_id, me, "")
        return result


def _finish(slot_id: int, process: str, failure: str) -> None:
    from jobs.slots import slot_finish

    try:
        slot_finish(slot_id=slot_id, process=process, now=timezone.now(), failure=failure)
    except DatabaseError:
        # What it did is in its own rows; this one ends with its time limit.
        logger.exception("The end of scheduled run %s could not be written down", slot_id)
