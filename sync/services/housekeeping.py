"""What may be forgotten: webhooks that were worked off, the log of requests, files that were read long ago. Never the ledger, nor
the outbox, the log of changes, conflicts or orders: by these a webhook that comes back after a year is known to be old."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from connectors.contract import Side
from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError
from connectors.management.base import connections_of
from connectors.models import ApiCall, Connection
from sync.limits import limits
from sync.models import InboundEvent
from sync.services.context import chunks
from sync.services.runs import side_opened

logger = logging.getLogger(__name__)
MOST = 100_000  # rows of a kind at a time; the rest goes the next day, so that nobody waits for the database


def housekeep(*, now: Callable[[], datetime]) -> dict[str, int]:
    """Forget what is old enough, in small transactions. Result: how much of each. A till at which a sync works is left for the
    next day; one that can't be reached stops nothing."""
    worked_off = InboundEvent.objects.filter(
        state__in=(InboundEvent.State.DONE, InboundEvent.State.IGNORED), done_at__lt=now() - limits().keep_events
    )
    return {
        "webhooks": _forget(worked_off),
        "requests": _forget(ApiCall.objects.filter(at__lt=now() - limits().keep_calls)),
        "files": sum(_till_tidy(till, now) for till in connections_of(side=Side.POS)),
    }


def _forget(old: QuerySet[Any]) -> int:
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:MOST])
    return sum(old.filter(pk__in=part).delete()[0] for part in chunks(ids))


def _till_tidy(till: Connection, now: Callable[[], datetime]) -> int:
    try:
        with side_opened(till, now) as side:
            return side.till.tidy()
    except LeaseHeldError:
        return 0
    except ConnectorError as error:
        logger.warning("“%s” could not be tidied up: %s", till.name, error)
        return 0
