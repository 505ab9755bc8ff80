"""Asking the workers for a run. Nothing is run here: a request must not wait for a shop."""

from typing import Any

from celery import current_app
from celery.exceptions import OperationalError
from django.contrib.auth.models import User

from connectors.errors import RetryableError
from connectors.models import Connection
from connectors.services import rest_end
from sync.models import SyncRun

TASK = "sync.tasks.sync_store"  # by name: services do not know the tasks that call them
HOOKS = "sync.tasks.hooks_check"


def run_request(
    *,
    store: Connection,
    kind: SyncRun.Kind,
    by: User | None,
    dry_run: bool = False,
    release: SyncRun | None = None,
    match_again: bool = False,
) -> None:
    """Wake a worker for one run of that store, or to let a held one go on. Raises RetryableError where the broker can't be
    reached; then nothing was asked."""
    asked: dict[str, Any] = {"store_id": store.pk, "kind": str(kind), "by_id": by.pk if by else None, "dry_run": dry_run}
    if release is not None:
        asked["release_run_id"] = release.pk
    if match_again:
        asked["match_again"] = True
    _send(TASK, asked)


def hooks_request(*, store: Connection) -> None:
    """A person wants a store's webhooks seen to, by a worker. Raises RetryableError; the schedule asks for it, too."""
    rest_end(connections=[store])
    _send(HOOKS, {"store_id": store.pk})


def _send(task: str, asked: dict[str, Any]) -> None:
    try:
        current_app.send_task(task, kwargs=asked)
    except OperationalError as error:
        raise RetryableError(
            "The workers can't be reached, so nothing was started.",
            next_step="Check that Redis runs, or with make run that the disk is not full, then ask again.",
            code="no_broker",
        ) from error
