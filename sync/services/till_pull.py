"""The till's statements become movements (design.md §3.3)."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from alignment.matching.normalise import sku_key
from alignment.models import Alignment
from connectors.contract import DEFERRED_FROM, Feed, FeedFate, TillReading
from connectors.errors import ConnectorError, FeedError
from inventory.models import Item, Location, Movement, StockLevel
from sync.core.readings import Activity, Deferred, Opening, WriteSpan, till_reading_judge
from sync.limits import limits
from sync.models import SyncLog, SyncRun, TillFeed
from sync.selectors import write_spans
from sync.services.context import CHUNK, RunContext, Side, chunks
from sync.services.log import quantity_text
from sync.services.price_log import PriceMove, till_prices_log
from sync.services.put_offs import PutOffs
from sync.services.rows import rows_update

PUT_OFF = "put_off"  # in a feed's figures: how many of its readings were deferred
ITEM_FIELDS = ("name", "barcode", "category", "vendor", "cost", "price")


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
    spans = write_spans(connection=side.connection, target="level_id", since=feed.true_at - limits().till_skew)
    put_offs = PutOffs(side.connection, "level_id")
    seen: set[int] = set()
    deferred: list[int] = []
    for number, readings in enumerate(chunks(feed.readings)):
        with transaction.atomic():
            if not ctx.run.dry_run:
                side.lease.beat(now=ctx.now())
            chunk = _Chunk(ctx, side, feed, locations, spans)
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


class _Chunk:
    """One transaction's worth of readings."""

    def __init__(
        self, ctx: RunContext, side: Side, feed: Feed, locations: dict[str, int], spans: dict[int, list[WriteSpan]]
    ) -> None:
        self.ctx, self.side, self.feed, self.locations, self.spans = ctx, side, feed, locations, spans
        self.statement = f"feed {feed.identity[:16]} {feed.true_at:%Y%m%d%H%M%S}"
        self.unchanged: list[int] = []
        self.opened: list[tuple[StockLevel, Decimal]] = []
        self.moved: list[tuple[StockLevel, Decimal]] = []
        self.deferred: list[int] = []
        self.put_off: dict[int, str] = {}  # by level, why
        self.repriced: dict[int, PriceMove] = {}

    @property
    def used(self) -> set[int]:
        """The levels whose reading was used."""
        return {*self.unchanged, *(level.pk for level, _ in [*self.opened, *self.moved])}

    def apply(self, readings: list[TillReading], seen: set[int]) -> list[int]:
        """Book the readings, and add their items to `seen`. Result: the versions of those that were deferred."""
        items = self._items(readings)
        seen.update(items.values())
        levels = {
            (row[1], row[2]): row
            for row in StockLevel.objects.filter(item_id__in=items.values()).values_list(
                "id", "item_id", "location_id", "on_hand", "baseline"
            )
        }
        for reading in readings:
            item_id, location_id = items[reading.sku], self.locations[reading.location]
            if reading.on_hand is not None:
                self._level(reading.on_hand, reading.version, item_id, location_id, levels.get((item_id, location_id)))
        self._save()
        return self.deferred

    def _level(self, shows: Decimal, version: int, item_id: int, location_id: int, known: tuple[Any, ...] | None) -> None:
        if known is None:
            level = StockLevel(item_id=item_id, location_id=location_id)
            self.opened.append((level, shows))
            return
        pk, _, _, on_hand, baseline = known
        spans = self.spans.get(pk, ())
        if baseline == shows and not spans:  # the common case, decided without building anything
            self.unchanged.append(pk)
            return
        verdict = till_reading_judge(
            shows=shows, true_at=self.feed.true_at, baseline=baseline, writes=spans, skew=limits().till_skew
        )
        level = StockLevel(pk=pk, item_id=item_id, location_id=location_id, on_hand=on_hand, baseline=baseline)
        match verdict:
            case Opening():
                self.opened.append((level, shows))
            case Activity(residual):
                level.last_reading = shows
                self.moved.append((level, residual))
            case Deferred(why):
                self.ctx.counts["till_readings_deferred"] += 1
                self.put_off[pk] = why
                self.deferred.append(version)
            case _:
                self.unchanged.append(pk)

    def _items(self, readings: list[TillReading]) -> dict[str, int]:
        """Result: the id of each SKU; items seen for the first time are made, changed ones brought up to date."""
        newest = {reading.sku: reading for reading in readings}
        known = {
            row[1]: row
            for row in Item.objects.filter(connection=self.side.connection, sku__in=newest).values_list(
                "id", "sku", "missing_since", *ITEM_FIELDS
            )
        }
        fresh, changed = [], []
        for sku, reading in newest.items():
            row = known.get(sku)
            said = (reading.name, reading.barcode, reading.category, reading.vendor, reading.cost, reading.price)
            if row is not None and not reading.describes_item:
                said = row[3:]
            if row is None:
                fresh.append(self._item(sku, said))
            elif row[2] is not None or row[3:] != said:
                # A price that could not be read is unknown: what we knew before stands.
                cost, price = (now if now is not None else before for now, before in zip(said[4:], row[7:9], strict=True))
                kept = (*said[:4], cost, price)
                if row[2] is not None or row[3:] != kept:
                    item = self._item(sku, kept)
                    item.pk = row[0]
                    self.repriced[row[0]] = (row[8], price)
                    changed.append(item)
        Item.objects.bulk_create(fresh)
        rows_update(changed, [*ITEM_FIELDS, "missing_since"])
        self.ctx.counts["items_new"] += len(fresh)
        self.ctx.changed_items.update(item.pk for item in [*fresh, *changed])
        return {sku: row[0] for sku, row in known.items()} | {item.sku: item.pk for item in fresh}

    def _item(self, sku: str, said: tuple[Any, ...]) -> Item:
        return Item(
            connection=self.side.connection,
            sku=sku,
            sku_key=sku_key(sku),
            first_seen_at=self.feed.true_at,
            missing_since=None,
            **dict(zip(ITEM_FIELDS, said, strict=True)),
        )

    def _save(self) -> None:
        true_at, now = self.feed.true_at, self.ctx.now()
        StockLevel.objects.filter(pk__in=self.unchanged).update(read_at=true_at)
        for level, shows in self.opened:
            level.baseline = level.last_reading = shows
            level.on_hand += shows
            level.read_at = true_at
        fresh = [level for level, _ in self.opened if not level.pk]
        reopened = [level for level, _ in self.opened if level.pk]
        StockLevel.objects.bulk_create(fresh)
        for level, residual in self.moved:
            level.on_hand += residual
            level.baseline = (level.baseline or Decimal(0)) + residual
            level.read_at = true_at
        changed = [*reopened, *(level for level, _ in self.moved)]
        rows_update(changed, ["on_hand", "baseline", "last_reading", "read_at"])
        Movement.objects.bulk_create(
            [self._movement(level, shows, Movement.Kind.OPENING, now) for level, shows in self.opened]
            + [self._movement(level, residual, Movement.Kind.TILL, now) for level, residual in self.moved]
        )
        self._log(now)
        till_prices_log(ctx=self.ctx, changes=self.repriced)
        self.ctx.counts["till_opened"] += len(self.opened)
        self.ctx.counts["till_changed"] += len(self.moved)
        self.ctx.changed_items.update(level.item_id for level, _ in [*self.opened, *self.moved])

    def _movement(self, level: StockLevel, quantity: Decimal, kind: Movement.Kind, now: datetime) -> Movement:
        return Movement(
            item_id=level.item_id,
            location_id=level.location_id,
            quantity=quantity,
            kind=kind,
            source=self.side.connection,
            reference=f"{self.statement} item {level.item_id} place {level.location_id}",
            occurred_at=self.feed.true_at,
            recorded_at=now,
            reason=self.feed.name[:250],
        )

    def _log(self, now: datetime) -> None:
        """One row for each value that changed at the till, for items that some store sells."""
        if not self.moved:
            return
        was = {level.item_id: (level.last_reading or Decimal(0)) - residual for level, residual in self.moved}
        became = {level.item_id: level.last_reading for level, _ in self.moved}
        pairs = Alignment.objects.filter(item_id__in=was, status=Alignment.Status.CONFIRMED).values_list("id", "item_id")
        SyncLog.objects.bulk_create(
            [
                SyncLog(
                    alignment_id=pair_id,
                    run=None if self.ctx.run.dry_run else self.ctx.run,
                    at=now,
                    source=SyncLog.Source.POS,
                    action=SyncLog.Action.QUANTITY,
                    old_value=quantity_text(was[item_id]),
                    new_value=quantity_text(became[item_id]),
                    reason=f"Till's export {self.feed.name}"[:300],
                )
                for pair_id, item_id in pairs
            ]
        )
