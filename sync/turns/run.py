"""One run, from the leases to the last word (engine.md).

A killed run leaves its row `running`; the next run of that store takes it up: what was booked stays booked, what was sent and
not answered is looked up, and both sides are read anew, since a reading from before the crash says nothing about now.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from django.contrib.auth.models import User

from alignment.selectors import connections_on, tills_by_store
from connectors.contract import Side as SideKind
from connectors.errors import ConfigError, ConnectorError
from connectors.leases import LeaseLostError, lease_acquire
from connectors.models import Connection
from connectors.services import CallLog, connection_open, health_record
from kit.words import counted
from sync.models import OutboundWrite, SyncRun, TillFeed
from sync.prices.log import prices_said
from sync.turns.asked import asked_now
from sync.turns.context import Progress, RunContext, Side, silent
from sync.turns.phases import run_dry, run_full, run_incremental, run_read_only

Phase, State, Kind = SyncRun.Phase, SyncRun.State, SyncRun.Kind


def tills_of(*, store: Connection) -> list[Connection]:
    """Result: the tills that supply a store; the only till there is, while nobody has said which. Raises ConfigError."""
    tills = list(connections_on(SideKind.POS).order_by("pk"))
    supplying = tills_by_store(stores=[store], tills=tills)[store.pk]
    if supplying:
        return supplying
    if store.supply.exists():
        raise ConfigError(
            f"The tills that supply “{store.name}” are switched off.",
            next_step="Switch one on under Connections, or choose other locations under Supply in the admin.",
            code="no_supply",
        )
    raise ConfigError(
        f"Nobody has said which till supplies “{store.name}”, and there are {len(tills)} tills.",
        next_step="Choose its locations under Supply in the admin." if tills else "Connect a till (connect pos_csv …).",
        code="no_supply",
    )


def run_sync(
    *,
    store: Connection,
    kind: SyncRun.Kind,
    now: Callable[[], datetime],
    dry_run: bool = False,
    read_only: bool = False,
    release: SyncRun | None = None,
    by: User | None = None,
    progress: Progress = silent,
    sleep: Callable[[float], None] = time.sleep,
    may_wait: bool = True,
    match_again: bool = False,
) -> SyncRun:
    """Sync one store with its tills, once. Result: the finished run, whatever became of it: done, partial, held, failed.

    `read_only` stops after both sides have been read. `release`: a held run that a manager lets go on. `may_wait`: wait for
    settle times and second looks here, or leave them to the next run. `match_again`: propose partners also where nothing is new.
    Raises LeaseHeldError when another run is at it.
    `by` a person, a system is asked even while it is left alone, unless it asked for that itself.
    """
    tills = tills_of(store=store)
    if by is not None:
        asked_now(connections=[store, *tills])
    with ExitStack() as stack:
        sides = [
            stack.enter_context(side_opened(connection, now)) for connection in sorted([store, *tills], key=lambda one: one.pk)
        ]
        by_pk = {side.connection.pk: side for side in sides}
        previewed = dict(release.counts) if release else {}
        run = _run_row(
            store=store, kind=kind, dry_run=dry_run, epoch=by_pk[store.pk].lease.epoch, release=release, by=by, now=now()
        )
        ctx = RunContext(
            run=run,
            store=by_pk[store.pk],
            tills=[by_pk[till.pk] for till in tills],
            now=now,
            progress=progress,
            sleep=sleep,
            may_wait=may_wait,
            match_again=match_again,
            previewed=previewed,
        )
        if release is not None and not dry_run:
            _feeds_release(ctx)
        work = run_incremental if kind == Kind.INCREMENTAL else run_full
        _guarded(ctx, run_dry if dry_run else run_read_only if read_only else work)
        return ctx.run


@contextmanager
def side_opened(connection: Connection, now: Callable[[], datetime]) -> Iterator[Side]:
    """A system for the length of a run: leased, opened, its calls logged, its turn given back. Raises LeaseHeldError and
    ConfigError."""
    lease = lease_acquire(connection=connection, now=now())
    log = CallLog(connection)
    try:
        connection.refresh_from_db()
        yield Side(connection, connection_open(connection=connection, log=log, now=now), lease, log)
    finally:
        try:
            log.flush()
        finally:  # also while the database is away
            lease.release()


def _run_row(
    *, store: Connection, kind: SyncRun.Kind, dry_run: bool, epoch: int, release: SyncRun | None, by: User | None, now: datetime
) -> SyncRun:
    """Result: the row of this run: a new one, a killed one taken up again, or a held one released."""
    if dry_run:
        return SyncRun(store=store, kind=kind, dry_run=True, epoch=epoch, started_at=now, started_by=by)
    killed = SyncRun.objects.filter(store=store, state=State.RUNNING).first()  # we hold the lease: nobody works on it
    if killed and (release or killed.kind != kind):
        killed.state, killed.finished_at, killed.message = (
            State.FAILED,
            now,
            "It was killed; a later run has taken over its work.",
        )
        killed.save()
        killed = None
    run = release or killed or SyncRun(store=store, kind=kind, started_at=now, started_by=by)
    if release:
        run.decided_by, run.held_for, run.preview, run.message = by, [], [], ""
        run.problems.all().delete()  # both sides are read again, and say again what is wrong
    elif killed:
        run.resumed += 1
    run.state, run.epoch, run.is_observed = State.RUNNING, epoch, not store.is_live
    run.save()
    held = SyncRun.objects.filter(store=store, state=State.HELD).exclude(pk=run.pk)
    held.update(state=State.DISCARDED, message="A later run has planned anew.")
    OutboundWrite.objects.filter(connection=store, state=OutboundWrite.State.PENDING, listing__isnull=False, sent_at=None).update(
        state=OutboundWrite.State.CANCELLED
    )  # intents of a killed run: what is owed is worked out again
    return run


def _feeds_release(ctx: RunContext) -> None:
    """What this run held of the tills' feeds goes on with it, unseen by their guards. New feeds are guarded as ever."""
    sides = {side.connection.pk: side for side in ctx.tills}
    for feed in ctx.run.feeds.filter(state=TillFeed.State.HELD, connection__in=sides):
        # First the file: broken off in between, the guard holds it again.
        if sides[feed.connection_id].till.release(feed.identity):
            TillFeed.objects.filter(pk=feed.pk).update(state=TillFeed.State.RELEASED)


def _guarded(ctx: RunContext, work: Callable[[RunContext], None]) -> None:
    """Do the work and write down how it ended, whatever happens."""
    try:
        work(ctx)
    except ConnectorError as caught:
        blamed = ctx.blamed or ctx.store
        ctx.run.state, ctx.run.message = State.FAILED, str(caught)
        ctx.problem(side=blamed, subject=ctx.run.get_phase_display(), error=caught)
        health_record(connection=blamed.connection, error=caught, now=ctx.now())
    except LeaseLostError as caught:
        _broken_off(ctx, str(caught))
        return
    except Exception as caught:
        _broken_off(
            ctx, f"Evenstock met an error of its own: {type(caught).__name__}. Nothing was lost; the log has the details."
        )
        raise
    else:
        for side in ctx.sides:
            health_record(connection=side.connection, error=ctx.failing.get(side.connection.pk), now=ctx.now())
    _finish(ctx)


def _broken_off(ctx: RunContext, message: str) -> None:
    """End the run's row as failed, unless a newer run has taken the row up meanwhile: then it is that run's to end."""
    ctx.run.state, ctx.run.message, ctx.run.finished_at = State.FAILED, message, ctx.now()
    if ctx.run.dry_run:
        ctx.run.save()
        return
    mine = SyncRun.objects.filter(pk=ctx.run.pk, epoch=ctx.run.epoch, state=State.RUNNING)
    mine.update(state=State.FAILED, message=message, finished_at=ctx.run.finished_at)


def _finish(ctx: RunContext) -> None:
    run = ctx.run
    run.finished_at = ctx.now()
    if run.dry_run:
        run.save()
    ctx.problems_save()
    if run.state == State.RUNNING:
        open_writes = OutboundWrite.objects.filter(
            connection=ctx.store.connection, state__in=OutboundWrite.OPEN, listing__isnull=False
        ).count()
        ctx.counts["open_writes"] = open_writes
        if ctx.held_for:
            run.state, run.held_for = State.HELD, ctx.held_for
        else:
            run.state = State.PARTIAL if ctx.counts["failures"] or (open_writes and not run.dry_run) else State.DONE
            run.phase = Phase.FINISHED
    run.counts = {name: number for name, number in sorted(ctx.counts.items()) if number}
    run.message = run.message or _summary(ctx)
    run.save()


def _summary(ctx: RunContext) -> str:
    """Result: how it went, in a sentence or three."""
    run, counts = ctx.run, ctx.counts
    if run.state == State.HELD:
        return " ".join(ctx.held_for)
    changes = counted(counts["changes"], "number", "numbers")
    if run.dry_run and run.kind == Kind.PRICES:
        changes = f"{changes} and {counted(counts['price_changes'], 'price', 'prices')}"
    if run.dry_run:
        return f"Dry run: {changes} would be written to the shop. Nothing was changed."
    said = [f"{counted(counts['in_step'], 'pair is', 'pairs are')} in step."]
    if counts["changes"] and ctx.writes_nothing:
        said.append(f"{changes} would change; “{ctx.store.connection.name}” is in observe mode, so none was written.")
    elif counts["writes"]:
        said.append(f"{counted(counts['writes'], 'number was', 'numbers were')} written to the shop.")
    said.extend(prices_said(ctx=ctx))
    for name, one, many in (
        ("need_decision", "needs a decision", "need a decision"),
        ("waiting", "waits for a later look", "wait for a later look"),
        ("failed", "failed", "failed"),
        ("set_aside", "thing in the shop can't be read and is set aside", "things in the shop can't be read and are set aside"),
        ("open_writes", "write is not answered yet", "writes are not answered yet"),
        ("till_readings_deferred", "till reading was put off until our own adjustment of the item is in it",
         "till readings were put off until our own adjustments of the items are in them"),
    ):  # fmt: skip
        if counts[name]:
            said.append(f"{counted(counts[name], one, many)}.")
    return " ".join(said)


def run_discard(*, run: SyncRun, by: User, now: datetime) -> None:
    """A manager decides that a held run shall not go on. Nothing it planned is written."""
    run.state, run.decided_by, run.finished_at = State.DISCARDED, by, now
    run.message = f"Discarded. It was held because: {' '.join(run.held_for)}"
    run.save()
