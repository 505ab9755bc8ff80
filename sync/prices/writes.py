"""Prices on their way to a shop: what goes out beside a number, and what came of it (ledger.md §6, §4)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from alignment.models import Alignment
from connectors.contract import StoreReading
from connectors.errors import ConnectorError
from inventory.models import Listing
from kit.rows import rows_update
from sync.models import OutboundWrite, PriceReview, PriceWrite, SyncLog
from sync.prices.log import price_shown
from sync.prices.reviews import review_failed, review_written
from sync.turns.context import RunContext


def prices_carried(*, rows: Sequence[OutboundWrite]) -> dict[int, PriceWrite]:
    """Result: by outbox row, the price it carries. One that the till has changed since it was planned is left out: the next
    price sync plans it anew."""
    found = PriceWrite.objects.filter(write__in=rows)
    prices = {price.write_id: price for price in found}
    if not prices:
        return {}
    carrying = {row.pk: row.listing_id for row in rows if row.pk in prices and row.listing_id}
    pairs = Alignment.objects.filter(listing_id__in=carrying.values(), status=Alignment.Status.CONFIRMED)
    now = dict(pairs.values_list("listing_id", "item__price"))
    return {
        pk: prices[pk] for pk, listing_id in carrying.items() if listing_id in now and now[listing_id] == prices[pk].source_price
    }


def price_wire(price: PriceWrite | None) -> dict[str, Any]:
    """Result: the fields of a `StoreWrite` that tell it."""
    if price is None:
        return {}
    return {
        "price": price.price_to,
        "decimals": price.decimals,
        "ends_sale": price.ends_sale,
        "barcode": price.barcode,
        "cost": price.cost,
    }


def prices_settled(*, ctx: RunContext, rows: Sequence[OutboundWrite], readings: Mapping[UUID, StoreReading | None]) -> None:
    """Write down what became of the prices that these decided rows carried, as the shop shows them now. Call in a transaction,
    once the rows' states are known."""
    by_row = {row.pk: row for row in rows}
    prices = list(PriceWrite.objects.filter(write_id__in=by_row).order_by("id").select_related("review__decided_by"))
    if not prices:
        return
    listings: list[Listing] = []
    taken: list[tuple[PriceWrite, OutboundWrite]] = []
    done: list[PriceReview] = []
    failed: list[tuple[PriceReview, str]] = []
    for price in prices:
        row = by_row[price.write_id]
        reading = readings.get(row.operation_id)
        if reading is None or row.listing is None:
            if row.state == OutboundWrite.State.REJECTED:
                price.was_taken = False
                if price.review:
                    failed.append((price.review, row.error))
            continue
        row.listing.price, row.listing.sale_price = reading.price, reading.sale_price
        row.listing.barcode, row.listing.cost = reading.barcode, reading.cost
        listings.append(row.listing)
        price.was_taken = _is_taken(price, reading)
        if price.was_taken:
            taken.append((price, row))
        else:
            _tell(ctx, row, price, reading)
        if price.review and price.was_taken:
            done.append(price.review)
        elif price.review:
            failed.append((price.review, "The shop shows another price."))
    rows_update(prices, ["was_taken"])
    rows_update(listings, ["price", "sale_price", "barcode", "cost"])
    ctx.changed_listings.update(listing.pk for listing in listings)
    review_written(ctx=ctx, reviews=done)
    review_failed(ctx=ctx, failed=failed)
    _log(ctx, taken)


def _is_taken(price: PriceWrite, reading: StoreReading) -> bool:
    if price.price_to is not None and reading.price != price.price_to:
        return False
    return not (price.ends_sale and reading.sale_price is not None)


def _tell(ctx: RunContext, row: OutboundWrite, price: PriceWrite, reading: StoreReading) -> None:
    shows, sent = price_shown(reading.price) or "none", price_shown(price.price_to)
    error = ConnectorError(
        f"The shop shows the price {shows} instead of the {sent} we sent.",
        next_step="Look at the product's price in the shop; a plugin may own it.",
        code="price_not_taken",
    )
    row.error_code, row.error = error.code, str(error)[:2000]
    subject = row.listing.sku or f"#{row.listing.remote_id}" if row.listing else str(row.operation_id)
    ctx.problem(side=ctx.store, subject=subject, error=error)
    ctx.counts["prices_not_taken"] += 1


def _log(ctx: RunContext, taken: Sequence[tuple[PriceWrite, OutboundWrite]]) -> None:
    """One log row for each price that we changed in the shop."""
    written = [(price, row) for price, row in taken if price.price_to is not None]
    ctx.counts["prices_written"] += len(written)
    ctx.counts["barcodes_written"] += sum(1 for price, _ in taken if price.barcode)
    ctx.counts["costs_written"] += sum(1 for price, _ in taken if price.cost is not None)
    pairs = dict(
        Alignment.objects.filter(
            listing_id__in=[row.listing_id for _, row in written], status=Alignment.Status.CONFIRMED
        ).values_list("listing_id", "id")
    )
    SyncLog.objects.bulk_create(
        [
            SyncLog(
                alignment_id=pairs[row.listing_id],
                run=ctx.run_row,
                at=row.answered_at or ctx.now(),
                source=SyncLog.Source.MANUAL if price.review_id else SyncLog.Source.ENGINE,
                action=SyncLog.Action.PRICE,
                old_value=price_shown(price.price_from),
                new_value=price_shown(price.price_to),
                reason=price.reason,
            )
            for price, row in written
            if row.listing_id in pairs
        ]
    )
