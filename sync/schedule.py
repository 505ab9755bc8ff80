"""When what runs (design.md §5). Installed once, then the managers' to edit in the admin."""

import json
from datetime import timedelta
from typing import Any

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from connectors.contract import Side
from connectors.management.base import connections_of
from connectors.models import Connection

OPENING_HOURS = "6-22"
SWEEP_EVERY = timedelta(minutes=1)
POLL_EVERY = timedelta(minutes=5)
HOOKS_EVERY = timedelta(minutes=15)


def schedule_install(*, incremental_every_seconds: int = 0) -> int:
    """Give every store its jobs, and all of them their sweep, unless they are there: what a manager changed stays. Result: how
    many jobs were added. `incremental_every_seconds` puts a short interval in place of the quarter of an hour (for the demo)."""
    added = _add("Inbox sweep", "inbox_sweep", {}, _every(SWEEP_EVERY))
    for store in connections_of(side=Side.STORE):
        added += _store_jobs(store)
        if incremental_every_seconds:
            often = {**_every(timedelta(seconds=incremental_every_seconds)), "crontab": None}
            PeriodicTask.objects.filter(name=f"Incremental sync of {store.name}").update(**often)
    return added


def _store_jobs(store: Connection) -> int:
    kwargs = {"store_id": store.pk}
    quarter_hours = _at(store, minute="*/15", hour=OPENING_HOURS)
    added = _add(f"Incremental sync of {store.name}", "sync_store", {**kwargs, "kind": "incremental"}, quarter_hours)
    added += _add(f"Full sync of {store.name}", "sync_store", {**kwargs, "kind": "full"}, _at(store, minute="0", hour="3"))
    added += _add(f"Orders poll of {store.name}", "orders_poll", kwargs, _every(POLL_EVERY))
    if store.spec.capabilities.webhooks:
        added += _add(f"Webhook check of {store.name}", "hooks_check", kwargs, _every(HOOKS_EVERY))
    return added


def _add(name: str, task: str, kwargs: dict[str, Any], when: dict[str, Any]) -> int:
    named = {"task": f"sync.tasks.{task}", "kwargs": json.dumps(kwargs), **when}
    return int(PeriodicTask.objects.get_or_create(name=name, defaults=named)[1])


def _at(store: Connection, **fields: str) -> dict[str, Any]:
    schedule, _ = CrontabSchedule.objects.get_or_create(**fields, timezone=store.time_zone)
    return {"crontab": schedule}


def _every(interval: timedelta) -> dict[str, Any]:
    """A job that nobody took up before the next one is due is dropped: a long run must not be followed by a queue of them."""
    seconds = int(interval.total_seconds())
    schedule, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    return {"interval": schedule, "expire_seconds": seconds}
