"""Who watches the schedule: it wakes everybody else, so nobody would miss it (reliability.md, case 13)."""

import logging
from datetime import datetime

from jobs.models import Heartbeat
from jobs.vitals import schedule_silent_since

logger = logging.getLogger(__name__)


def schedule_watch(*, now: datetime) -> datetime | None:
    """Look whether the schedule gives signs of life, and write down a silence that nobody has written down yet, and its end.
    Result: since when it has been silent; None: it lives."""
    row, _ = Heartbeat.objects.get_or_create(name=Heartbeat.SCHEDULE, defaults={"at": now})  # from now on, it is missed
    silent = schedule_silent_since(now=now)
    same = Heartbeat.objects.filter(pk=row.pk)
    if silent is not None and same.filter(silent_since=None).update(silent_since=silent, noticed_at=now):
        logger.error(
            "The schedule has been silent since %s: nothing is read or told by itself. Start beat.", f"{silent:%F %T} UTC"
        )
    elif silent is None and same.exclude(silent_since=None).update(silent_since=None, noticed_at=None):
        logger.warning("The schedule gives signs of life again. What was missed is made up for once.")
    return silent
