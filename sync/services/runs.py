"""One run, from the leases to the last word (design.md §3, §5).

The order of the phases is the rule: unanswered writes first, then the till, then the store's numbers and after them its orders,
then what is owed, then the writes. A killed run leaves its row `running`; the next run of that store takes it up: what was
booked stays booked, what was sent and not answered is looked up, and both sides are read anew, since a reading from before
the crash says nothing about now.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from alignment.models import Alignment, Listing, StoreLocation
from alignment.services.proposals import proposals_refresh
from connectors.contract import Side as SideKind
from connectors.errors import ConfigError, ConnectorError
from connectors.leases import LeaseLostError, lease_acquire
from connectors.models import Connection
from connectors.services import CallLog, connection_open, health_record
from inventory.models import Location
from sync.models import OutboundWrite, SyncRun
from sync.services.context import Progress, RunContext, Side, silent
from sync.services.deliver import outbox_deliver
from sync.services.plan import run_plan, till_plan
from sync.services.settle import store_settle, till_settle
from sync.services.states import states_refresh
from sync.services.store_pull import SECOND_LOOK, snapshot_apply, snapshot_of, snapshot_take
from sync.services.till_deliver import till_deliver
from sync.services.till_pull import till_pull

Phase, State, Kind = SyncRun.Phase, SyncRun.State, SyncRun.Kind


def tills_of(*, store: Connection) -> list[Connection]:
    """Result: the tills that supply a store; the only till there is, while nobody has said which. Raises ConfigError."""
    supplying = Connection.objects.filter(locations__supplies__store=store, is_active=True).distinct().order_by("pk")
    if supplying:
        return list(supplying)
    tills = [one for one in Connection.objects.filter(is_active=True).order_by("pk") if one.side == SideKind.POS]
    if len(tills) != 1:
        raise ConfigError(
            f"Nobody has said which till supplies “{store.name}”, and there are {len(tills)} tills.",
            next_step="Connect a till (connect pos_csv …)." if not tills else "Choose its locations under Supply in the admin.",
            code="no_supply",
        )
    return tills


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
    may_wait: bool = True,
) -> SyncRun:
    """Sync one store with its tills, once. Result: the finished run, whatever became of it: done, partial, held, failed.

    `read_only` stops after both sides have been read. `release`: a held run that a manager lets go on. `may_wait`: wait for
    settle times and second looks here, or leave them to the next run. Raises LeaseHeldError when another run is at it.
    """
    tills = tills_of(store=store)
    with ExitStack() as stack:
        sides = [stack.enter_context(_side(connection, now)) for connection in sorted([store, *tills], key=lambda one: one.pk)]
        by_pk = {side.connection.pk: side for side in sides}
        run = _run_row(
            store=store, kind=kind, dry_run=dry_run, epoch=by_pk[store.pk].lease.epoch, release=release, by=by, now=now()
        )
        ctx = RunContext(
            run=run,
            store=by_pk[store.pk],
            tills=[by_pk[till.pk] for till in tills],
            now=now,
            progress=progress,
            may_wait=may_wait,
            released=release is not None,
        )
        _guarded(ctx, _dry_run if dry_run else _read_only if read_only else _full if kind == Kind.FULL else _incremental)
        return ctx.run


@contextmanager
def _side(connection: Connection, now: Callable[[], datetime]) -> Iterator[Side]:
    """A system for the length of a run: leased, opened, its calls logged, its turn given back."""
    lease = lease_acquire(connection=connection, now=now())
    log = CallLog(connection)
    try:
        connection.refresh_from_db()
        yield Side(connection, connection_open(connection=connection, log=log, now=now), lease, log)
    finally:
        log.flush()
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
        run.decided_by, run.held_for, run.preview = by, [], []
    elif killed:
        run.resumed += 1
    run.state, run.epoch = State.RUNNING, epoch
    run.save()
    held = SyncRun.objects.filter(store=store, state=State.HELD).exclude(pk=run.pk)
    held.update(state=State.DISCARDED, message="A later run has planned anew.")
    OutboundWrite.objects.filter(connection=store, state=OutboundWrite.State.PENDING, listing__isnull=False, sent_at=None).update(
        state=OutboundWrite.State.CANCELLED
    )  # intents of a killed run: what is owed is worked out again
    return run


def _guarded(ctx: RunContext, work: Callable[[RunContext], None]) -> None:
    """Do the work and write down how it ended, whatever happens."""
    error: ConnectorError | None = None
    try:
        work(ctx)
    except ConnectorError as caught:
        error = caught
        ctx.run.state, ctx.run.message = State.FAILED, str(caught)
        ctx.problem(side=ctx.store, subject=ctx.run.get_phase_display(), error=caught)
    except LeaseLostError as caught:
        ctx.run.state, ctx.run.message = State.FAILED, str(caught)
    except Exception as caught:
        ctx.run.state = State.FAILED
        ctx.run.message = (
            f"Evenstock met an error of its own: {type(caught).__name__}. Nothing was lost; the log has the details."
        )
        ctx.run.finished_at = ctx.now()
        ctx.run.save()
        raise
    health_record(connection=ctx.store.connection, error=error, now=ctx.now())
    _finish(ctx)


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
    if run.dry_run:
        return f"Dry run: {counts['changes']:,} numbers would be written to the shop. Nothing was changed."
    said = [f"{counts['in_step']:,} pairs are in step."]
    if counts["changes"] and ctx.writes_nothing:
        said.append(
            f"{counts['changes']:,} numbers would change; “{ctx.store.connection.name}” is in observe mode, so none was written."
        )
    elif counts["writes"]:
        said.append(f"{counts['writes']:,} numbers were written to the shop.")
    for name, words in (
        ("need_decision", "need a decision"),
        ("waiting", "wait for a later look"),
        ("failed", "failed"),
        ("open_writes", "writes are not answered yet"),
    ):
        if counts[name]:
            said.append(f"{counts[name]:,} {words}.")
    return " ".join(said)


# -- the phases --------------------------------------------------------------------------------------------------------


def _read_tills(ctx: RunContext) -> None:
    ctx.enter(Phase.TILL)
    for side in ctx.tills:
        till_pull(ctx=ctx, side=side)
    if not StoreLocation.objects.filter(store=ctx.store.connection).exists():
        places = Location.objects.filter(connection__in=[side.connection for side in ctx.tills])
        StoreLocation.objects.bulk_create([StoreLocation(store=ctx.store.connection, location=place) for place in places])


def _propose(ctx: RunContext) -> None:
    """Let items and listings that are plainly the same propose themselves, when there are new ones."""
    if ctx.counts["items_new"] or ctx.counts["listings_new"]:
        for side in ctx.tills:
            proposals_refresh(pos=side.connection, store=ctx.store.connection)


def _settle(ctx: RunContext) -> None:
    ctx.enter(Phase.SETTLE)
    for side in ctx.tills:
        till_settle(ctx=ctx, side=side)
    store_settle(ctx=ctx)


def _write(ctx: RunContext) -> None:
    """Decide and write, both ways, unless a guard holds the run."""
    ctx.enter(Phase.PLAN)
    if not ctx.held_for:
        run_plan(ctx=ctx)
    if ctx.held_for:
        return
    ctx.enter(Phase.DELIVER)
    if not ctx.writes_nothing:
        outbox_deliver(ctx=ctx)
    till_plan(ctx=ctx)
    for side in ctx.tills:
        till_deliver(ctx=ctx, side=side)


def _full(ctx: RunContext) -> None:
    _settle(ctx)
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_take(ctx=ctx))
    _propose(ctx)
    _write(ctx)
    _look_again(ctx)
    states_refresh(ctx=ctx)


def _read_only(ctx: RunContext) -> None:
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_take(ctx=ctx))
    _propose(ctx)
    states_refresh(ctx=ctx)


def _incremental(ctx: RunContext) -> None:
    _settle(ctx)
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_of(ctx=ctx, listings=_open_questions(ctx)))
    _write(ctx)
    _look_again(ctx)
    states_refresh(ctx=ctx)


def _dry_run(ctx: RunContext) -> None:
    """Read both sides, book everything in a transaction that is then undone, and keep only what it would have written."""
    ctx.progress(Phase.STORE, 0, 0)
    snapshot = snapshot_take(ctx=ctx)
    with transaction.atomic():
        _read_tills(ctx)
        snapshot_apply(ctx=ctx, snapshot=snapshot)
        ctx.progress(Phase.PLAN, 0, 0)
        if not ctx.held_for:
            run_plan(ctx=ctx)
        transaction.set_rollback(True)


def _open_questions(ctx: RunContext) -> list[tuple[int, int]]:
    """Result: (remote id, parent remote id) of the aligned listings whose number needs a look: not opened yet, or suspect."""
    aligned = Listing.objects.filter(
        connection=ctx.store.connection, alignments__status=Alignment.Status.CONFIRMED, missing_since=None, stock_management="own"
    )
    unknown = aligned.filter(baseline=None) | aligned.filter(suspect__isnull=False)
    return list(unknown.distinct().values_list("remote_id", "parent_remote_id"))


def _look_again(ctx: RunContext) -> None:
    """Unanswered writes and suspects need a later look. Wait for it here, where the run may wait; and pay what it shows."""
    if ctx.held_for or ctx.writes_nothing:
        return
    for _ in range(4):
        until = _next_look(ctx)
        if until is None or not ctx.may_wait:
            return
        ctx.enter(Phase.LOOK_AGAIN)
        _wait_until(ctx, until)
        store_settle(ctx=ctx)
        snapshot_apply(ctx=ctx, snapshot=snapshot_of(ctx=ctx, listings=_open_questions(ctx)))
        _write(ctx)


def _next_look(ctx: RunContext) -> datetime | None:
    """Result: the next moment at which looking again can tell something; None when nothing is open."""
    moments: list[datetime] = []
    store = ctx.store.connection
    unanswered = OutboundWrite.objects.filter(connection=store, state__in=OutboundWrite.UNANSWERED, listing__isnull=False)
    if (first := unanswered.order_by("sent_at").first()) and first.sent_at:
        moments.append(first.sent_at + ctx.store.store.settle)
    suspects = Listing.objects.filter(connection=store, suspect__isnull=False, alignments__status=Alignment.Status.CONFIRMED)
    if (suspect := suspects.order_by("suspected_at").first()) and suspect.suspected_at:
        moments.append(suspect.suspected_at + SECOND_LOOK)
    return min(moments, default=None)


def _wait_until(ctx: RunContext, until: datetime) -> None:
    total = (until - ctx.now()).total_seconds()
    while (left := (until - ctx.now()).total_seconds()) > 0:
        ctx.progress(Phase.LOOK_AGAIN, int(total - left), max(1, int(total)))
        ctx.beat()
        ctx.sleep(min(left, 1.0))


def run_discard(*, run: SyncRun, by: User, now: datetime) -> None:
    """A manager decides that a held run shall not go on. Nothing it planned is written."""
    run.state, run.decided_by, run.finished_at = State.DISCARDED, by, now
    run.message = f"Discarded. It was held because: {' '.join(run.held_for)}"
    run.save()
