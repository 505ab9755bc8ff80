"""A sync that failed is tried again soon: by night the schedule would leave it for hours."""

import logging
from datetime import datetime, timedelta

from alerts.models import Alert
from alerts.rules.words import Code
from connectors.errors import RetryableError
from sync.models import SyncRun
from sync.turns.start import run_request

logger = logging.getLogger(__name__)
AFTER = timedelta(minutes=5)


def failed_syncs_retry(*, now: datetime) -> int:
    """Ask for one more run of each store whose sync failed five minutes ago or longer: once for each alert, the schedule does the
    rest. Result: how many were asked for."""
    waiting = Alert.objects.filter(rule=Code.SYNC_FAILED, cause_gone_at=None, retried_at=None, since__lte=now - AFTER)
    asked = 0
    for alert in waiting.select_related("run__store").order_by("pk"):
        claimed = Alert.objects.filter(pk=alert.pk, retried_at=None).update(retried_at=now)
        if not claimed or alert.run is None:
            continue
        try:
            run_request(store=alert.run.store, kind=SyncRun.Kind(alert.run.kind), by=None)
        except RetryableError as error:
            logger.warning("%s could not be tried again: %s", alert.run, error)
            Alert.objects.filter(pk=alert.pk).update(retried_at=None)
            continue
        asked += 1
    return asked
