"""What is owed, cut into writes (ledger.md §2, §8)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from django.db import transaction

from inventory.models import StockLevel
from kit.bulk import chunks
from kit.words import quantity_text
from sync.core.guards import zeroed_by, zeroing_guard
from sync.models import OutboundWrite, PlannedChange
from sync.outbox.planned import planned_add, planned_begin
from sync.selectors import last_try_of, levels_owing, pairs_owing, pairs_syncable, targets_of, writes_newest
from sync.turns.context import RunContext, Side

PREVIEW_ROWS = 500
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Change:
    """One number that a listing should show instead of another."""

    pair_id: int
    listing_id: int
    sku: str
    woo_sku: str
    shows: Decimal
    target: Decimal
    history: dict[str, Any] = field(default_factory=dict)  # see `_History.of`


def changes_find(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> list[Change]:
    """Result: every listing of the run's store that shows another number than it should, in no hurry and without effect.
    `item_ids`: look at these items only."""
    store = ctx.store.connection
    found: list[Change] = []
    owing = pairs_owing(store=store) if item_ids is None else pairs_owing(store=store).filter(item_id__in=item_ids)
    names = ("listing_id", "item_id", "units_per_listing", "id", "item__sku", "listing__sku", "listing__baseline")
    for chunk in chunks(owing.values_list(*names).iterator(chunk_size=1000)):
        targets = targets_of(store=store, pairs=[row[:3] for row in chunk])
        for listing_id, _, _, pair_id, sku, woo_sku, baseline in chunk:
            target = targets.get(listing_id)
            if target is not None and baseline is not None and target != baseline:
                found.append(Change(pair_id, listing_id, sku, woo_sku, baseline, target))
    owed = {change.listing_id: change.target - change.shows for change in found}
    history = _History(ctx, "listing_id", owed)
    ctx.counts["quarantined"] = len(history.held)
    return [replace(change, history=history.of(change.listing_id)) for change in found if change.listing_id not in history.held]


class _History:
    """How the last attempts to pay these debts went. `held`: those that must wait (see `limits.py`); the others go out with as
    much beside them as their failures allow."""

    def __init__(self, ctx: RunContext, target: Literal["listing_id", "level_id"], owed: dict[int, Decimal]) -> None:
        newest: dict[int, OutboundWrite] = {}
        for ids in chunks(owed):
            newest |= writes_newest(target=target, ids=ids)
        self._failed = {pk: row for pk, row in newest.items() if row.state in OutboundWrite.FAILED}
        self.held = {pk for pk, row in self._failed.items() if last_try_of(row).holds(owed=owed[pk], now=ctx.now())}

    def of(self, pk: int) -> dict[str, Any]:
        """Result: what the next write inherits. One that a person released begins anew, but alone."""
        row = self._failed.get(pk)
        if row is None or row.at_most is None:
            return {}
        return {"failures": 0 if row.is_released else row.failures, "at_most": row.at_most}


def run_plan(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> None:
    """Put what is owed into the outbox, of these items or of all. Where the run writes nothing, or a guard holds it, only the
    preview is kept."""
    changes = changes_find(ctx=ctx, item_ids=item_ids)
    pairs = pairs_syncable(store=ctx.store.connection).count()
    ctx.counts["pairs"] = pairs
    ctx.counts["changes"] = len(changes)
    zeroed = zeroed_by((change.shows, change.target) for change in changes)
    ctx.counts["zeroed"] = max(ctx.counts["zeroed"], zeroed)  # a later look in the same run plans what is left
    reason = zeroing_guard(
        zeroed=zeroed,
        pairs=pairs,
        most_percent=ctx.store.connection.guard_zero_percent,
        previewed=ctx.previewed.get("zeroed", 0),
    )
    if reason:
        ctx.held_for.append(reason)
    if ctx.writes_nothing or ctx.held_for:
        ctx.run.preview = [
            {
                "sku": change.sku,
                "woo_sku": change.woo_sku,
                "from": quantity_text(change.shows),
                "to": quantity_text(change.target),
            }
            for change in changes[:PREVIEW_ROWS]
        ]
        planned_begin(ctx=ctx)
        quantity = PlannedChange.Field.QUANTITY
        planned_add(ctx=ctx, rows=((change.pair_id, quantity, change.shows, change.target) for change in changes))
        return
    for chunk in chunks(changes):
        with transaction.atomic():
            ctx.store.lease.beat(now=ctx.now())  # who slept through a turn must not plan beside its new holder
            OutboundWrite.objects.bulk_create([_write(ctx, change) for change in chunk])


def _write(ctx: RunContext, change: Change) -> OutboundWrite:
    return OutboundWrite(
        connection=ctx.store.connection,
        listing_id=change.listing_id,
        run=ctx.run_row,
        planned_from=change.shows,
        planned_to=change.target,
        reason="The till's number",
        created_at=ctx.now(),
        **change.history,
    )


def till_plan(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> None:
    """Put what each live till is owed into the outbox, of these items or of all: online orders it doesn't know of yet."""
    for side in ctx.tills:
        if ctx.run.dry_run or not side.connection.is_live:
            continue
        levels = levels_owing(till=side.connection)
        levels = levels if item_ids is None else levels.filter(item_id__in=item_ids)
        for chunk in chunks(levels.iterator(chunk_size=1000)):
            history = _History(ctx, "level_id", {level.pk: level.on_hand - (level.baseline or ZERO) for level in chunk})
            ctx.counts["till_held"] += len(history.held)
            wanted = [_adjustment(ctx, side, level, history) for level in chunk if level.pk not in history.held]
            with transaction.atomic():
                side.lease.beat(now=ctx.now())
                OutboundWrite.objects.bulk_create(wanted)


def _adjustment(ctx: RunContext, side: Side, level: StockLevel, history: "_History") -> OutboundWrite:
    return OutboundWrite(
        connection=side.connection,
        level=level,
        run=ctx.run_row,
        planned_from=level.baseline or ZERO,
        planned_to=level.on_hand,
        reason="Sold or returned online",
        created_at=ctx.now(),
        **history.of(level.pk),
    )
