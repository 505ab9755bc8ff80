"""One transaction's worth of a till's readings: what they mean, and what is written for them (ledger.md §3)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from alignment.models import Alignment
from connectors.contract import Feed, TillReading
from inventory.ledger.keeper import Entry, Paper, Reading, book
from inventory.ledger.locks import levels_locked
from inventory.models import Item, Movement, StockLevel, Voucher
from kit.rows import rows_update
from kit.sku import sku_key
from kit.words import quantity_text
from sync.core.readings import Activity, Deferred, Opening, WriteSpan, till_reading_judge
from sync.limits import limits
from sync.models import SyncLog
from sync.prices.log import PriceMove, till_prices_log
from sync.turns.context import RunContext, Side

ITEM_FIELDS = ("name", "barcode", "category", "vendor", "cost", "price")


class TillChunk:
    """One transaction's worth of readings."""

    def __init__(
        self, ctx: RunContext, side: Side, feed: Feed, locations: dict[str, int], spans: dict[int, list[WriteSpan]]
    ) -> None:
        self.ctx, self.side, self.feed, self.locations, self.spans = ctx, side, feed, locations, spans
        self.paper = Paper(
            kind=Voucher.Kind.FEED,
            connection_id=side.connection.pk,
            document=feed.identity,
            number=int(feed.true_at.timestamp()),
        )
        self.unchanged: list[int] = []
        self.said_anew: list[StockLevel] = []  # in step, but the till had never said so: it has taken in what we told it
        self.opened: list[tuple[StockLevel, Decimal]] = []
        self.moved: list[tuple[StockLevel, Decimal]] = []
        self.deferred: list[int] = []
        self.put_off: dict[int, str] = {}  # by level, why
        self.uncounted: list[int] = []  # levels that had a number, and that the till counts no more
        self.counted_again: list[int] = []
        self.repriced: dict[int, PriceMove] = {}

    @property
    def used(self) -> set[int]:
        """The levels whose reading was used."""
        levels = [*self.said_anew, *(level for level, _ in [*self.opened, *self.moved])]
        return {*self.unchanged, *(level.pk for level in levels)}

    def apply(self, readings: list[TillReading], seen: set[int]) -> list[int]:
        """Book the readings, and add their items to `seen`. Result: the versions of those that were deferred."""
        items = self._items(readings)
        seen.update(items.values())
        levels = {
            (row[1], row[2]): row
            for row in levels_locked(items=items.values()).values_list(
                "id", "item_id", "location_id", "baseline", "last_reading", "uncounted_since"
            )
        }
        for reading in readings:
            item_id, location_id = items[reading.sku], self.locations[reading.location]
            known = levels.get((item_id, location_id))
            if known is not None:
                self._note_counting(known, is_counted=reading.on_hand is not None)
            if reading.on_hand is not None:
                self._level(reading.on_hand, reading.version, item_id, location_id, known)
        self._save()
        return self.deferred

    def _note_counting(self, known: tuple[Any, ...], *, is_counted: bool) -> None:
        """A till that stops counting an item says no number: its last one stands, as that of a missing item."""
        pk, item_id, _, baseline, _, uncounted_since = known
        if is_counted and uncounted_since is not None:
            self.counted_again.append(pk)
        elif not is_counted and uncounted_since is None and baseline is not None:
            self.uncounted.append(pk)
        else:
            return
        self.ctx.changed_items.add(item_id)

    def _level(self, shows: Decimal, version: int, item_id: int, location_id: int, known: tuple[Any, ...] | None) -> None:
        if known is None:
            level = StockLevel(item_id=item_id, location_id=location_id)
            self.opened.append((level, shows))
            return
        pk, _, _, baseline, last_reading, _ = known
        spans = self.spans.get(pk, ())
        if baseline == shows == last_reading and not spans:  # the common case, decided without building anything
            self.unchanged.append(pk)
            return
        verdict = till_reading_judge(shows=shows, span=self.feed.span, baseline=baseline, writes=spans, skew=limits().till_skew)
        level = StockLevel(pk=pk, item_id=item_id, location_id=location_id, baseline=baseline)
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
                level.last_reading = shows
                self.said_anew.append(level)

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
        if self.uncounted:
            StockLevel.objects.filter(pk__in=self.uncounted).update(uncounted_since=true_at)
        if self.counted_again:
            StockLevel.objects.filter(pk__in=self.counted_again).update(uncounted_since=None)
        for level in self.said_anew:
            level.read_at = true_at
        rows_update(self.said_anew, ["last_reading", "read_at"])
        book(
            [
                *(self._entry(level, shows, Movement.Kind.OPENING, Reading(shows, shows)) for level, shows in self.opened),
                *(self._entry(level, residual, Movement.Kind.TILL, _reading(level, residual)) for level, residual in self.moved),
            ],
            at=now,
        )
        self._log(now)
        till_prices_log(ctx=self.ctx, changes=self.repriced)
        self.ctx.counts["till_opened"] += len(self.opened)
        self.ctx.counts["till_changed"] += len(self.moved)
        self.ctx.changed_items.update(level.item_id for level in self.said_anew)
        self.ctx.changed_items.update(level.item_id for level, _ in [*self.opened, *self.moved])

    def _entry(self, level: StockLevel, units: Decimal, kind: Movement.Kind, reading: Reading) -> Entry:
        return Entry(
            paper=self.paper,
            level=level,
            units=units,
            kind=kind,
            occurred_at=self.feed.true_at,
            reason=self.feed.name,
            reading=reading,
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


def _reading(level: StockLevel, residual: Decimal) -> Reading:
    """Result: what the till shows, and a baseline that has in it what moved there."""
    shows, baseline = level.last_reading or Decimal(0), level.baseline or Decimal(0)
    return Reading(shows, baseline + residual)
