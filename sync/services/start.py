"""Asking the workers for a run. Nothing is run here: a request must not wait for a shop."""

from typing import Any

from celery import current_app
from celery.exceptions import OperationalError
from django.contrib.auth.models import User

from connectors.errors import RetryableError
from connectors.models import Connection
from sync.models import SyncRun

TASK = "sync.tasks.sync_store"  # by name: services do not know the tasks that call them


def run_request(
    *, store: Connection, kind: SyncRun.Kind, by: User | None, dry_run: bool = False, release: SyncRun | None = None
) -> None:
    """Wake a worker for one run of that store, or to let a held one go on. Raises RetryableError where the broker can't be
    reached; then nothing was asked."""
    asked: dict[str, Any] = {"store_id": store.pk, "kind": str(kind), "by_id": by.pk if by else None, "dry_run": dry_run}
    if release is not None:
        asked["release_run_id"] = release.pk
    try:
        current_app.send_task(TASK, kwargs=asked)
    except OperationalError as error:
        raise RetryableError(
            "The workers can't be reached, so nothing was started.",
            next_step="Check that the broker (Redis) runs, then ask again.",
            code="no_broker",
        ) from error
