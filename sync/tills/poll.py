"""The till feed (engine.md): looked for every minute, and a sync begun only when the till has something to say."""

from datetime import datetime, timedelta
from typing import Any

from connectors.errors import ConfigError, ConnectorError
from connectors.leases import LeaseHeldError
from connectors.models import Connection
from connectors.services import CallLog, connection_open, health_record
from sync.models import SyncRun, TillFeed
from sync.orders.turns import Clock
from sync.outbox.sweep import outbox_work
from sync.turns.run import run_sync, tills_of

PAUSE = timedelta(minutes=15)  # after a sync that failed: the scheduled ones go on trying, and say why


def feed_poll(*, store: Connection, now: Clock) -> str:
    """Have what the tills of a store say carried at once. Result: the state of the sync, "nothing" new, "waiting" for a person or
    for the next scheduled sync, "busy" while one is at it, "failed" when a till could not be asked."""
    if _must_wait(store, now()):
        return "waiting"
    try:
        tills = tills_of(store=store)
    except ConfigError:  # the scheduled syncs say so
        return "waiting"
    asked = [_has_news(till, now) for till in tills]
    if True not in asked:
        return "failed" if None in asked else "nothing"
    try:
        run = run_sync(store=store, kind=SyncRun.Kind.INCREMENTAL, now=now, may_wait=False)
    except LeaseHeldError:
        return "busy"
    for other in _others(store, tills):
        outbox_work(store=other, now=now)
    return run.state


def _must_wait(store: Connection, now: datetime) -> bool:
    """A held run must not be pushed aside every minute, nor a failing one fill the list."""
    newest = SyncRun.objects.filter(store=store).exclude(state=SyncRun.State.DISCARDED).order_by("-id").first()
    if newest is None or newest.state == SyncRun.State.HELD:
        return newest is not None
    return newest.state == SyncRun.State.FAILED and newest.finished_at is not None and newest.finished_at > now - PAUSE


def _has_news(till: Connection, now: Clock) -> bool | None:
    """Result: None where the till could not be asked."""
    log = CallLog(till)
    try:
        news: bool = connection_open(connection=till, log=log, now=now).has_news(since=_figures(till))
    except ConnectorError as error:
        health_record(connection=till, error=error, now=now())
        return None
    finally:
        log.flush()
    health_record(connection=till, error=None, now=now())
    return news


def _figures(till: Connection) -> dict[str, Any] | None:
    used = TillFeed.objects.filter(connection=till, state=TillFeed.State.APPLIED)
    figures: dict[str, Any] | None = used.order_by("-true_at", "-pk").values_list("figures", flat=True).first()
    return figures


def _others(store: Connection, tills: list[Connection]) -> list[Connection]:
    """Result: the other stores that these tills supply: what was read just now is owed to them too."""
    supplied = Connection.objects.filter(supply__location__connection__in=tills, is_active=True)
    return list(supplied.exclude(pk=store.pk).distinct().order_by("pk"))
