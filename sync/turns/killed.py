"""Runs whose worker was killed (reliability.md, cases 11 and 20): taken up again soon, and not for ever."""

import logging
from collections.abc import Callable
from datetime import datetime

from connectors.leases import LeaseHeldError, lease_acquire
from connectors.models import Connection
from sync.models import SyncRun

logger = logging.getLogger(__name__)
ATTEMPTS = 3
SET_ASIDE = (
    f"It was begun {ATTEMPTS} times, and each time its worker was killed: perhaps for want of memory. It is not taken up again; "
    "the next sync begins anew."
)


def run_killed(*, store: Connection) -> SyncRun | None:
    """Result: the run of a store that nobody works on any more; None: there is none. Ask with the store's turn in hand."""
    return SyncRun.objects.filter(store=store, state=SyncRun.State.RUNNING).first()


def run_set_aside(*, store: Connection, now: Callable[[], datetime]) -> SyncRun | None:
    """End a run that has ended its worker three times. Result: that run; None: there is none, or a run is at work."""
    if not SyncRun.objects.filter(store=store, state=SyncRun.State.RUNNING, resumed__gte=ATTEMPTS - 1).exists():
        return None
    try:
        lease = lease_acquire(connection=store, now=now())
    except LeaseHeldError:
        return None
    try:
        run = run_killed(store=store)
        if run is None or run.resumed < ATTEMPTS - 1:
            return None
        run.state, run.message, run.finished_at = SyncRun.State.FAILED, SET_ASIDE, now()
        run.save(update_fields=["state", "message", "finished_at"])
    finally:
        lease.release()
    logger.error("%s is set aside. %s", run, SET_ASIDE)
    return run
