"""The till's statements become movements (ledger.md §3)."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from connectors.contract import DEFERRED_FROM, Feed, FeedFate, TillReading
from connectors.errors import ConnectorError, FeedError
from inventory.models import Item, Location
from kit.bulk import CHUNK, chunks
from kit.sku import sku_key
from sync.limits import limits
from sync.models import SyncRun, TillFeed
from sync.selectors import write_spans
from sync.standing.put_offs import PutOffs
from sync.tills.chunk import TillChunk
from sync.turns.context import RunContext, Side

PUT_OFF = "put_off"  # in a feed's figures: how many of its readings were deferred


def till_pull(*, ctx: RunContext, side: Side) -> None:
    """Apply every new feed of one till, oldest truth first. What can't be used is noted with its reason and the next one is
    taken; a feed that a guard holds is noted in `ctx.held_for`."""
    for _ in range(100):  # an unreadable feed ends the iteration; it has been filed away, so start again for the others
        try:
            last = _last_applied(side)
            for feed in side.till.feeds(claim=not ctx.run.dry_run, since=last.figures if last else None):
                _feed_take(ctx=ctx, side=side, feed=feed)
            return
        except FeedError as error:
            ctx.problem(side=side, subject=side.connection.name, error=error)
            if ctx.run.dry_run:
                return


def _last_applied(side: Side) -> TillFeed | None:
    """Result: the newest feed in use; of two that were true at once, the later one."""
    applied = TillFeed.objects.filter(connection=side.connection, state=TillFeed.State.APPLIED)
    return applied.order_by("-true_at", "-pk").first()


def _says_more(row: TillFeed, feed: Feed) -> bool:
    """Does the same content, true at a later time, tell what it could not tell before? Yes where readings were put off then:
    else a till that goes on showing the same would never be heard."""
    return row.state == TillFeed.State.APPLIED and bool(row.figures.get(PUT_OFF)) and feed.true_at > row.true_at


def _feed_take(*, ctx: RunContext, side: Side, feed: Feed) -> None:
    """Decide what becomes of one feed: apply, refuse, hold, or recognise it as one we had."""
    row = TillFeed.objects.filter(connection=side.connection, identity=feed.identity).first()
    if row and row.state in (TillFeed.State.APPLIED, TillFeed.State.REFUSED) and not _says_more(row, feed):
        TillFeed.objects.filter(pk=row.pk).update(seen_again=F("seen_again") + 1)
        ctx.counts["feeds_seen_again"] += 1
        _settle(ctx, side, feed, FeedFate.DUPLICATE)
        return
    last = _last_applied(side)
    row = row or TillFeed(connection=side.connection, identity=feed.identity, received_at=ctx.now())
    row.name, row.true_at, row.rows, row.good_rows = feed.name[:250], feed.true_at, feed.rows, len(feed.readings)
    row.run = None if ctx.run.dry_run else ctx.run
    row.figures = dict(feed.figures)
    for problem in feed.problems:
        ctx.problem(
            side=side,
            subject=problem.sku or feed.name,
            line=problem.line or None,
            error=ConnectorError(problem.message, next_step=problem.next_step, code=problem.code),
            fails_run=problem.serious,
        )
    if last and feed.true_at < last.true_at:
        message = (
            f"“{feed.name}” says how things were at {feed.true_at:%Y-%m-%d %H:%M} UTC, before “{last.name}”, which is in use."
        )
        row.state, row.message = TillFeed.State.REFUSED, message
        _feed_save(ctx, side, row)
        error = ConnectorError(
            message, next_step="Nothing to do, if a newer export is there. Else export again.", code="older_feed"
        )
        ctx.problem(side=side, subject=feed.name, error=error, fails_run=False)
        _settle(ctx, side, feed, FeedFate.REFUSED)
        return
    reasons = [] if row.state == TillFeed.State.RELEASED else side.till.guard(feed, last.figures if last else None)
    if reasons:
        row.state, row.message = TillFeed.State.HELD, " ".join(reasons)
        _feed_save(ctx, side, row)
        ctx.held_for.extend(f"{feed.name}: {reason}" for reason in reasons)
        _settle(ctx, side, feed, FeedFate.HELD)
        return
    row.state = TillFeed.State.APPLYING
    _feed_save(ctx, side, row)
    put_off_before = ctx.counts["till_readings_deferred"]
    deferred_from = feed_apply(ctx=ctx, side=side, feed=feed)
    left_open = {DEFERRED_FROM: deferred_from} if deferred_from else {}
    if put_off := ctx.counts["till_readings_deferred"] - put_off_before:
        left_open[PUT_OFF] = put_off
    row.state, row.figures = TillFeed.State.APPLIED, {**feed.figures, **left_open}
    _feed_save(ctx, side, row)
    ctx.counts["feeds_applied"] += 1
    _settle(ctx, side, feed, FeedFate.APPLIED)


@transaction.atomic
def _feed_save(ctx: RunContext, side: Side, row: TillFeed) -> None:
    """Raises LeaseLostError: what a newer run has made of the feed stands."""
    if not ctx.run.dry_run:
        side.lease.beat(now=ctx.now())
    row.save()


def _settle(ctx: RunContext, side: Side, feed: Feed, fate: FeedFate) -> None:
    if not ctx.run.dry_run:
        side.till.settle(feed.identity, fate, feed.problems)


def feed_apply(*, ctx: RunContext, side: Side, feed: Feed) -> int:
    """Book a feed, a chunk a transaction. Applying it again after a crash books nothing twice: what was booked is in the
    baseline, so its residual is zero. Result: the lowest version among the readings that were deferred; 0: none was."""
    locations = _locations(side, feed.readings)
    spans = write_spans(connection=side.connection, target="level_id", since=feed.span[0] - limits().till_skew)
    put_offs = PutOffs(side.connection, "level_id")
    seen: set[int] = set()
    deferred: list[int] = []
    for number, readings in enumerate(chunks(feed.readings)):
        with transaction.atomic():
            if not ctx.run.dry_run:
                side.lease.beat(now=ctx.now())
            chunk = TillChunk(ctx, side, feed, locations, spans)
            deferred.extend(chunk.apply(readings, seen))
            put_offs.note(put_off=chunk.put_off, used=chunk.used, at=feed.true_at)
        ctx.progress(SyncRun.Phase.TILL, min(len(feed.readings), (number + 1) * CHUNK), len(feed.readings))
    if feed.is_complete:
        _mark_missing(ctx, side, feed, seen)
    ctx.counts["items"] = Item.objects.filter(connection=side.connection).count()
    return min(filter(None, deferred), default=0)


def _locations(side: Side, readings: Iterable[TillReading]) -> dict[str, int]:
    """Result: the id of each place that the feed names; places seen for the first time are made."""
    names = {reading.location for reading in readings}
    Location.objects.bulk_create(
        [Location(connection=side.connection, remote_name=name, name=name or side.connection.name) for name in sorted(names)],
        ignore_conflicts=True,
    )
    found = Location.objects.filter(connection=side.connection, remote_name__in=names)
    return dict(found.values_list("remote_name", "id"))


def _mark_missing(ctx: RunContext, side: Side, feed: Feed, seen: set[int]) -> None:
    """Items that a complete feed leaves out are missing: flagged, with their last number kept. Missing is not zero. An item
    whose row could not be used is there all the same."""
    bad_rows = {sku_key(problem.sku) for problem in feed.problems if problem.sku}
    known = Item.objects.filter(connection=side.connection, missing_since=None).values_list("id", "sku_key")
    gone = [pk for pk, key in known.iterator() if pk not in seen and key not in bad_rows]
    for ids in chunks(gone):
        Item.objects.filter(pk__in=ids).update(missing_since=feed.true_at)
    ctx.changed_items.update(gone)
    ctx.counts["items_missing"] += len(gone)
