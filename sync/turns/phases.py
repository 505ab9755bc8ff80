"""The phases of a run. Their order is the rule (ledger.md): unanswered writes first, then the till, then the store's numbers
and after them its orders, then what is owed, then the writes; and a later look at what stayed open."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from alignment.models import Alignment, StoreLocation
from alignment.review.proposals import proposals_refresh
from inventory.models import Item, Listing, Location, Movement, StockLevel
from kit.statistics import statistics_refresh
from sync.limits import limits
from sync.models import OutboundWrite, SyncRun
from sync.outbox.plan import run_plan, till_plan
from sync.outbox.send import outbox_deliver
from sync.outbox.settle import settled_by, store_settle, till_settle
from sync.prices.outbox import prices_plan
from sync.prices.plan import prices_find, prices_open, prices_to_read
from sync.prices.till import till_prices_deliver, till_prices_settle
from sync.selectors import differences_left, listings_unread, under_review
from sync.standing.states import states_refresh
from sync.stores.read import snapshot_apply, snapshot_of, snapshot_take
from sync.tills.read import till_pull
from sync.tills.tell import till_deliver
from sync.turns.context import RunContext

Phase = SyncRun.Phase


def _read_tills(ctx: RunContext) -> None:
    ctx.enter(Phase.TILL)
    for side in ctx.tills:
        with ctx.blaming(side):
            till_pull(ctx=ctx, side=side)
    if not StoreLocation.objects.filter(store=ctx.store.connection).exists():
        places = Location.objects.filter(connection__in=[side.connection for side in ctx.tills])
        StoreLocation.objects.bulk_create([StoreLocation(store=ctx.store.connection, location=place) for place in places])


def _know_the_new(ctx: RunContext) -> None:
    """Let items and listings that are plainly the same propose themselves, when there are new ones or somebody asks."""
    statistics_refresh(Item, Location, StockLevel, Movement, Listing, rows=ctx.counts["items_new"] + ctx.counts["listings_new"])
    if ctx.match_again or ctx.counts["items_new"] or ctx.counts["listings_new"]:
        for side in ctx.tills:
            ctx.beat()  # a minute of matching for fifty thousand items
            proposals_refresh(pos=side.connection, store=ctx.store.connection)
        ctx.beat()


def _settle(ctx: RunContext) -> None:
    ctx.enter(Phase.SETTLE)
    for side in ctx.tills:
        with ctx.blaming(side):
            till_settle(ctx=ctx, side=side)
            till_prices_settle(ctx=ctx, side=side)
    store_settle(ctx=ctx)


def _write(ctx: RunContext) -> None:
    """Decide and write, both ways, unless a guard holds the run."""
    ctx.enter(Phase.PLAN)
    _plan(ctx)
    if ctx.held_for:
        return
    ctx.enter(Phase.DELIVER)
    if not ctx.writes_nothing:
        outbox_deliver(ctx=ctx)
    till_plan(ctx=ctx)
    for side in ctx.tills:
        with ctx.blaming(side):
            till_deliver(ctx=ctx, side=side)
            till_prices_deliver(ctx=ctx, side=side)


def _plan(ctx: RunContext) -> None:
    """What is owed, and which prices differ. A guard of either holds both."""
    if not ctx.held_for:
        prices = prices_find(ctx=ctx)
        run_plan(ctx=ctx)
        prices_plan(ctx=ctx, plan=prices)


def run_full(ctx: RunContext) -> None:
    prices_open(ctx=ctx, is_whole=ctx.run.kind == SyncRun.Kind.PRICES)
    _settle(ctx)
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_take(ctx=ctx))
    _know_the_new(ctx)
    _write(ctx)
    _look_again(ctx)
    states_refresh(ctx=ctx)


def run_read_only(ctx: RunContext) -> None:
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_take(ctx=ctx))
    _know_the_new(ctx)
    states_refresh(ctx=ctx)


def run_incremental(ctx: RunContext) -> None:
    prices_open(ctx=ctx, is_whole=False)
    _settle(ctx)
    _read_tills(ctx)
    ctx.enter(Phase.STORE)
    snapshot_apply(ctx=ctx, snapshot=snapshot_of(ctx=ctx, listings=[*_open_questions(ctx), *prices_to_read(ctx=ctx)]))
    _write(ctx)
    _look_again(ctx)
    states_refresh(ctx=ctx)


def run_dry(ctx: RunContext) -> None:
    """Read both sides, book everything in a transaction that is then undone, and keep only what it would have written."""
    prices_open(ctx=ctx, is_whole=ctx.run.kind == SyncRun.Kind.PRICES)
    ctx.progress(Phase.STORE, 0, 0)
    snapshot = snapshot_take(ctx=ctx)
    with transaction.atomic():
        _read_tills(ctx)
        snapshot_apply(ctx=ctx, snapshot=snapshot)
        ctx.progress(Phase.PLAN, 0, 0)
        _plan(ctx)
        transaction.set_rollback(True)


def _open_questions(ctx: RunContext) -> list[tuple[int, int]]:
    """Result: (remote id, parent remote id) of the aligned listings whose number needs a look: not known, suspect, off when an
    order changed, not read the last time, or under review: a person can settle only what was read since the last order on it."""
    store = ctx.store.connection
    is_off = ~Q(quantity=F("baseline")) & ~Q(pk__in=differences_left(store=store))
    unknown = Q(baseline=None) | Q(quantity=None) | Q(remote_id__in=listings_unread(store=store))
    reviewed = Q(pk__in=under_review(store=store).values("alignment__listing_id"))
    wanted = _aligned(ctx).filter(unknown | is_off | Q(suspect__isnull=False) | reviewed)
    return list(wanted.distinct().values_list("remote_id", "parent_remote_id"))


def _aligned(ctx: RunContext) -> QuerySet[Listing]:
    return Listing.objects.filter(
        connection=ctx.store.connection, alignments__status=Alignment.Status.CONFIRMED, missing_since=None, stock_management="own"
    )


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
    moments.extend(filter(None, (settled_by(ctx=ctx, row=row) for row in unanswered)))
    suspects = Listing.objects.filter(connection=store, suspect__isnull=False, alignments__status=Alignment.Status.CONFIRMED)
    suspects = suspects.exclude(pk__in=under_review(store=store).values("alignment__listing_id"))  # they wait for a person
    if (suspect := suspects.order_by("suspected_at").first()) and suspect.suspected_at:
        moments.append(suspect.suspected_at + limits().second_look)
    # An account that an order kept from opening: a busy shop must not stay half connected until the next run.
    near = limits().second_look
    ahead = ctx.store.store.clock_ahead
    there = ctx.now() + ahead
    unopened = _aligned(ctx).filter(baseline=None, news_at__gt=there - near, news_at__lt=there + near)
    if (listing := unopened.order_by("news_at").last()) and listing.news_at:
        moments.append(listing.news_at - ahead + limits().store_skew + timedelta(seconds=1))
    return min(moments, default=None)


def _wait_until(ctx: RunContext, until: datetime) -> None:
    total = (until - ctx.now()).total_seconds()
    while (left := (until - ctx.now()).total_seconds()) > 0:
        ctx.progress(Phase.LOOK_AGAIN, int(total - left), max(1, int(total)))
        ctx.beat()
        ctx.sleep(min(left, 1.0))
