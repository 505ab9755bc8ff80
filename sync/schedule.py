"""What of the engine runs by itself, and when (engine.md)."""

from collections.abc import Iterator
from datetime import timedelta

from connectors.contract import Side
from connectors.models import Connection
from connectors.selectors import connections_of
from jobs.schedule import EACH_MINUTE, At, Job

OPENING_HOURS = "6-22"
POLL_EVERY = timedelta(minutes=5)
HOOKS_EVERY = timedelta(minutes=15)


def jobs() -> Iterator[Job]:
    """The jobs of this app: those of every store in use, and the sweeps they share."""
    yield Job("Inbox sweep", "sync.tasks.inbox_sweep", EACH_MINUTE)
    yield Job("Outbox sweep", "sync.tasks.outbox_sweep", EACH_MINUTE)
    yield Job("Forget old scheduled runs", "sync.tasks.slots_tidy", At(minute="40", hour="*"))
    yield Job("Archive what is old enough", "sync.tasks.housekeep", At(minute="20", hour="4"))
    yield Job("Forget old results of tasks", "celery.backend_cleanup", At(minute="50", hour="4"))
    for store in connections_of(side=Side.STORE):
        yield from _store_jobs(store)


def _store_jobs(store: Connection) -> Iterator[Job]:
    kwargs, zone = {"store_id": store.pk}, store.time_zone

    def job(name: str, task: str, when: timedelta | At, **more: str) -> Job:
        return Job(f"{name} of {store.name}", f"sync.tasks.{task}", when, {**kwargs, **more})

    yield job("Till feed", "feed_poll", EACH_MINUTE)
    yield job("Incremental sync", "sync_store", At(minute="*/15", hour=OPENING_HOURS, zone=zone), kind="incremental")
    yield job("Full sync", "sync_store", At(minute="0", hour="3", zone=zone), kind="full")
    yield job("Price sync", "price_sync", At(minute="0", hour="4", zone=zone))
    yield job("Orders poll", "orders_poll", POLL_EVERY)
    yield job("Conflict check", "conflicts_check", At(minute="20", hour="*", zone=zone))
    if store.spec.capabilities.webhooks:
        yield job("Webhook check", "hooks_check", HOOKS_EVERY)
