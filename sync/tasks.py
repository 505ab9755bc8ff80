"""What the workers do. Celery only wakes; the rows are the truth (engine.md)."""

import logging
from collections.abc import Callable

from celery import shared_task
from django.contrib.auth.models import User
from django.utils import timezone

from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from connectors.models import Connection
from jobs.slots import slots_tidy as tidy_slots
from sync.models import SyncRun
from sync.orders.inbox import inbox_sweep as sweep_inbox
from sync.orders.inbox import inbox_work as work_inbox
from sync.orders.poll import orders_poll as poll_orders
from sync.orders.wake import inbox_wake
from sync.outbox.sweep import outbox_sweep as sweep_outbox
from sync.prices.rules import price_policy_of
from sync.stores.hooks import hooks_check as check_hooks
from sync.tills.poll import feed_poll as poll_feed
from sync.turns.killed import run_set_aside
from sync.turns.recheck import conflicts_check as check_conflicts
from sync.turns.run import run_sync
from sync.upkeep.housekeeping import housekeep as do_housekeep

logger = logging.getLogger(__name__)


# Short tasks: they hold a store's turn for seconds. One that hangs must not keep its worker for an hour.
SHORT = {"soft_time_limit": 4 * 60, "time_limit": 5 * 60, "ignore_result": True}


@shared_task  # type: ignore[untyped-decorator] # celery has no types
def sync_store(
    store_id: int,
    kind: str,
    by_id: int | None = None,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - a task's arguments come by name, from a message
    release_run_id: int | None = None,
    match_again: bool = False,  # noqa: FBT001, FBT002
) -> str:
    """Sync one store once. Result: the state the run ended in; "refused" when another run is at it, the store is not in use, or
    the run to be released is no longer held; "set aside" when the run to be taken up has ended its workers."""
    store = Connection.objects.get(pk=store_id)
    if not store.is_active:
        return "refused"
    if run_set_aside(store=store, now=timezone.now):
        return "set aside"
    release = SyncRun.objects.filter(pk=release_run_id, state=SyncRun.State.HELD).first() if release_run_id else None
    if release_run_id and release is None:
        logger.info("Run %s is no longer held: not released again.", release_run_id)
        return "refused"
    try:
        run = run_sync(
            store=store,
            kind=SyncRun.Kind(kind),
            now=timezone.now,
            dry_run=dry_run,
            release=release,
            by=User.objects.filter(pk=by_id).first() if by_id else None,
            match_again=match_again,
            may_wait=kind != SyncRun.Kind.INCREMENTAL,  # an incremental run leaves what needs time to the next one
        )
    except (LeaseHeldError, ConfigError) as refusal:
        logger.warning("No sync of connection %s: %s", store_id, refusal)
        return "refused"
    inbox_wake(store_id=store_id, now=timezone.now())  # who came during the run found the store taken
    return run.state


@shared_task  # type: ignore[untyped-decorator] # celery has no types
def price_sync(store_id: int) -> str:
    """Sync one store's prices, and its numbers with them. Result: as of `sync_store`; "off" where nobody owns its prices."""
    if price_policy_of(store=Connection.objects.get(pk=store_id)) is None:
        return "off"
    result: str = sync_store(store_id, SyncRun.Kind.PRICES)
    return result


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def inbox_work(store_id: int) -> str:
    """Work off what one store told by webhook. Result: "done" or "busy"."""
    return work_inbox(store=Connection.objects.get(pk=store_id), now=timezone.now)


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def inbox_sweep() -> int:
    """Work off what lost wake-ups and crashes left. Result: stores that had something."""
    return sweep_inbox(now=timezone.now)


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def orders_poll(store_id: int) -> str:
    """Read one store's orders, for what webhooks missed. Result: "done", "busy" or "failed"."""
    return _in_use(store_id, poll_orders)


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def hooks_check(store_id: int) -> str:
    """Look whether one store's webhooks are in place and arrive. Result: the state found."""
    return check_hooks(store=Connection.objects.get(pk=store_id), now=timezone.now).state


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def outbox_sweep() -> int:
    """Work off what a crash left unsent, unanswered or unfinished. Result: stores that had something."""
    return sweep_outbox(now=timezone.now)


@shared_task(soft_time_limit=20 * 60, time_limit=25 * 60, ignore_result=True)  # type: ignore[untyped-decorator] # celery has no types
def feed_poll(store_id: int) -> str:
    """Carry what the tills of one store have to say, if anything. Result: what became of it."""
    return _in_use(store_id, poll_feed)


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def conflicts_check(store_id: int) -> str:
    """Look again at what waits for a person. Result: "done", "busy" or "failed"."""
    return _in_use(store_id, check_conflicts)


@shared_task(**SHORT)  # type: ignore[untyped-decorator] # celery has no types
def slots_tidy() -> int:
    """Forget old rows of the schedule. Result: how many."""
    return tidy_slots(now=timezone.now())


@shared_task(soft_time_limit=20 * 60, time_limit=25 * 60, ignore_result=True)  # type: ignore[untyped-decorator] # celery has no types
def housekeep() -> dict[str, int]:
    """Archive or forget what is old enough. Result: how much of each."""
    return do_housekeep(now=timezone.now)


def _in_use(store_id: int, work: Callable[..., str]) -> str:
    """A job outlives its store's being switched off: then it does nothing."""
    store = Connection.objects.get(pk=store_id)
    return work(store=store, now=timezone.now) if store.is_active else "refused"
