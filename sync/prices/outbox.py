"""Prices put into the outbox: beside a number where both change, so that both go out in one request (prices.md)."""

from collections.abc import Iterable, Sequence

from inventory.models import Listing
from kit.bulk import chunks
from sync.models import OutboundWrite, PlannedChange, PriceWrite, TillPrice
from sync.outbox.planned import Row, planned_add
from sync.prices.log import price_shown
from sync.prices.plan import PriceChange, PricePlan
from sync.selectors import writes_newest
from sync.turns.context import RunContext

PREVIEW_ROWS = 500


def prices_plan(*, ctx: RunContext, plan: PricePlan) -> None:
    """Put prices into the outbox: beside the number where both change, so that both go out in one request. Where the run writes
    nothing, or is held, only the preview is kept."""
    if not (plan.to_shop or plan.to_tills):
        return
    is_held = bool(ctx.held_for)
    if ctx.writes_nothing or is_held:
        _preview(ctx, plan.to_shop)
        planned_add(ctx=ctx, rows=map(_planned, plan.to_shop))
    else:
        for chunk in chunks(plan.to_shop):
            _to_shop(ctx, chunk)
    live = set() if is_held or ctx.run.dry_run else {side.connection.pk for side in ctx.tills if side.connection.is_live}
    told = [each for each in plan.to_tills if each.pair.till_id in live]
    untold = [each for each in plan.to_tills if each.pair.till_id not in live]
    _preview(ctx, untold)
    till_price = PlannedChange.Field.TILL_PRICE
    planned_add(ctx=ctx, rows=((each.pair.pair_id, till_price, each.shows, each.target) for each in untold))
    for chunk in chunks(told):
        _to_tills(ctx, chunk)


def _planned(change: PriceChange) -> Row:
    has_price = change.target is not None
    field = PlannedChange.Field.PRICE if has_price else PlannedChange.Field.FACTS
    return change.pair.pair_id, field, change.shows if has_price else None, change.target


def _preview(ctx: RunContext, changes: Iterable[PriceChange]) -> None:
    rows: list[dict[str, str]] = list(ctx.run.preview)
    for change in changes:
        if change.target is not None and len(rows) < PREVIEW_ROWS:
            pair = change.pair
            rows.append(
                {
                    "sku": pair.sku,
                    "woo_sku": pair.woo_sku,
                    "from": price_shown(change.shows),
                    "to": price_shown(change.target),
                    "field": "price",
                }
            )
    ctx.run.preview = rows


def _to_shop(ctx: RunContext, changes: Sequence[PriceChange]) -> None:
    assert ctx.prices is not None
    decimals, now = ctx.prices.decimals, ctx.now()
    listings = {change.pair.listing_id: change for change in changes}
    planned = OutboundWrite.objects.filter(
        run=ctx.run_row, listing_id__in=listings, state=OutboundWrite.State.PENDING, sent_at=None
    )
    rows = {row.listing_id: row for row in planned}
    baselines = dict(Listing.objects.filter(pk__in=listings.keys() - rows.keys()).values_list("pk", "baseline"))
    newest = writes_newest(target="listing_id", ids=baselines)
    failed = {pk: row for pk, row in newest.items() if row.state in OutboundWrite.FAILED}
    fresh = OutboundWrite.objects.bulk_create(
        [
            OutboundWrite(
                connection=ctx.store.connection,
                listing_id=listing_id,
                run=ctx.run_row,
                carries_number=False,
                planned_from=baseline or 0,
                planned_to=baseline or 0,
                reason="A price",
                created_at=now,
                at_most=failed[listing_id].at_most if listing_id in failed else None,
                failures=failed[listing_id].failures if listing_id in failed else 0,
            )
            for listing_id, baseline in baselines.items()
        ]
    )
    rows |= {row.listing_id: row for row in fresh}
    PriceWrite.objects.bulk_create(
        [
            PriceWrite(
                write=rows[listing_id],
                price_from=change.shows,
                price_to=change.target,
                source_price=change.pair.item_price,
                decimals=decimals,
                ends_sale=change.ends_sale,
                barcode=change.barcode,
                cost=change.cost,
                review=change.review,
                reason=change.reason or "The till's price",
            )
            for listing_id, change in listings.items()
        ]
    )


def _to_tills(ctx: RunContext, changes: Sequence[PriceChange]) -> None:
    assert ctx.prices is not None
    TillPrice.objects.bulk_create(
        [
            TillPrice(
                connection_id=change.pair.till_id,
                item_id=change.pair.item_id,
                alignment_id=change.pair.pair_id,
                run=ctx.run,
                review=change.review,
                price_from=change.shows,
                price_to=change.target,
                decimals=ctx.prices.decimals,
                reason=change.reason or "The shop's price",
                created_at=ctx.now(),
            )
            for change in changes
            if change.target is not None
        ]
    )
