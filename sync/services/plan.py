"""What is owed, cut into writes (design.md §3.2, §3.8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sync.core.guards import zeroing_guard
from sync.models import OutboundWrite
from sync.selectors import levels_owing, pairs_owing, pairs_syncable, targets_of
from sync.services.context import RunContext, chunks
from sync.services.log import quantity_text

PREVIEW_ROWS = 500
QUARANTINE = timedelta(hours=24)  # how long a refused number is not sent again, if nothing about it changes


@dataclass(frozen=True, slots=True)
class Change:
    """One number that a listing should show instead of another."""

    pair_id: int
    listing_id: int
    sku: str
    woo_sku: str
    shows: Decimal
    target: Decimal


def changes_find(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> list[Change]:
    """Result: every listing of the run's store that shows another number than it should, in no hurry and without effect.
    `item_ids`: look at these items only."""
    store = ctx.store.connection
    found: list[Change] = []
    owing = pairs_owing(store=store) if item_ids is None else pairs_owing(store=store).filter(item_id__in=item_ids)
    rows = owing.values_list("id", "item_id", "listing_id", "item__sku", "listing__sku", "listing__baseline")
    for chunk in chunks(rows.iterator(chunk_size=1000)):
        targets = targets_of(store=store, item_ids=[row[1] for row in chunk])
        for pair_id, item_id, listing_id, sku, woo_sku, baseline in chunk:
            target = targets.get(item_id)
            if target is not None and baseline is not None and target != baseline:
                found.append(Change(pair_id, listing_id, sku, woo_sku, baseline, target))
    refused = _quarantined(ctx, [change.listing_id for change in found])
    ctx.counts["quarantined"] = sum(1 for change in found if (change.listing_id, change.target) in refused)
    return [change for change in found if (change.listing_id, change.target) not in refused]


def _quarantined(ctx: RunContext, listing_ids: list[int]) -> set[tuple[int | None, Decimal]]:
    """Result: (listing, number) that the shop refused lately. The same again would get the same answer."""
    refused: set[tuple[int | None, Decimal]] = set()
    since = ctx.now() - QUARANTINE
    for ids in chunks(listing_ids):
        writes = OutboundWrite.objects.filter(
            listing_id__in=ids, state=OutboundWrite.State.REJECTED, created_at__gte=since, is_released=False
        )
        refused.update(writes.values_list("listing_id", "planned_to"))
    return refused


def run_plan(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> None:
    """Put what is owed into the outbox, of these items or of all. Where the run writes nothing, or a guard holds it, only the
    preview is kept."""
    changes = changes_find(ctx=ctx, item_ids=item_ids)
    pairs = pairs_syncable(store=ctx.store.connection).count()
    ctx.counts["pairs"] = pairs
    ctx.counts["changes"] = len(changes)
    if not ctx.released:
        reason = zeroing_guard(
            changes=((change.shows, change.target) for change in changes),
            pairs=pairs,
            most_percent=ctx.store.connection.guard_zero_percent,
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
        return
    for chunk in chunks(changes):
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
    )


def till_plan(*, ctx: RunContext, item_ids: Iterable[int] | None = None) -> None:
    """Put what each live till is owed into the outbox, of these items or of all: online orders it doesn't know of yet."""
    for side in ctx.tills:
        if ctx.run.dry_run or not side.connection.is_live:
            continue
        now = ctx.now()
        levels = levels_owing(till=side.connection)
        levels = levels if item_ids is None else levels.filter(item_id__in=item_ids)
        for chunk in chunks(levels.iterator(chunk_size=1000)):
            OutboundWrite.objects.bulk_create(
                [
                    OutboundWrite(
                        connection=side.connection,
                        level=level,
                        run=ctx.run_row,
                        planned_from=level.baseline or Decimal(0),
                        planned_to=level.on_hand,
                        reason="Sold or returned online",
                        created_at=now,
                    )
                    for level in chunk
                ]
            )
