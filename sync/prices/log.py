"""Every price that changed, at which side, and why (prices.md)."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db.models import QuerySet

from alignment.models import Alignment
from kit.words import counted
from sync.models import OutboundWrite, PriceWrite, SyncLog
from sync.turns.context import RunContext

PriceMove = tuple[Decimal | None, Decimal | None]  # what it was, what it is


def price_shown(price: Decimal | None) -> str:
    """Result: a price as people write it, with two decimals at least where it has any: 12, 12.50, 1.234; "" where unknown."""
    if price is None:
        return ""
    plain = price.normalize()
    places = -int(plain.as_tuple().exponent)
    return f"{plain:f}" if places <= 0 else f"{price:.{max(places, 2)}f}"


def till_prices_log(*, ctx: RunContext, changes: Mapping[int, PriceMove]) -> None:
    """Note prices that changed at a till, by item, for those that the run's store sells."""
    moved = _moved(changes)
    pairs = _pairs(ctx).filter(item_id__in=moved).values_list("id", "item_id") if moved else ()
    _create(ctx, SyncLog.Source.POS, ((pair_id, moved[item_id]) for pair_id, item_id in pairs), "Changed at the till")


def store_prices_log(*, ctx: RunContext, changes: Mapping[int, PriceMove]) -> None:
    """Note prices that were changed in the shop, by listing; not those that our own unanswered writes explain."""
    moved = _moved(changes)
    if not moved:
        return
    open_writes = PriceWrite.objects.filter(write__listing_id__in=moved, write__state__in=OutboundWrite.UNANSWERED)
    ours = set(open_writes.values_list("write__listing_id", "price_to"))
    theirs = {pk: change for pk, change in moved.items() if (pk, change[1]) not in ours}
    pairs = _pairs(ctx).filter(listing_id__in=theirs).values_list("id", "listing_id")
    _create(ctx, SyncLog.Source.WOO, ((pair_id, theirs[listing_id]) for pair_id, listing_id in pairs), "Changed in the shop")


def _moved(changes: Mapping[int, PriceMove]) -> dict[int, PriceMove]:
    return {pk: (old, new) for pk, (old, new) in changes.items() if old != new}


def _pairs(ctx: RunContext) -> QuerySet[Alignment]:
    return Alignment.objects.filter(status=Alignment.Status.CONFIRMED, listing__connection=ctx.store.connection).order_by()


def _create(ctx: RunContext, source: SyncLog.Source, rows: Iterable[tuple[int, PriceMove]], reason: str) -> None:
    SyncLog.objects.bulk_create(
        [
            SyncLog(
                alignment_id=pair_id,
                run=ctx.run_row,
                at=ctx.now(),
                source=source,
                action=SyncLog.Action.PRICE,
                old_value=price_shown(old),
                new_value=price_shown(new),
                reason=reason,
            )
            for pair_id, (old, new) in rows
        ]
    )


def prices_said(*, ctx: RunContext) -> list[str]:
    """Result: what a run did about prices, in sentences."""
    counts, said = ctx.counts, []
    if counts["price_changes"] and ctx.writes_nothing and not counts["till_prices_sent"]:
        said.append(f"{counted(counts['price_changes'], 'price', 'prices')} would change; none was written.")
    for name, one, many in (
        ("prices_written", "price was written to the shop", "prices were written to the shop"),
        ("till_prices_written", "price was told to the till", "prices were told to the till"),
        ("price_reviews", "price change waits for a person", "price changes wait for a person"),
        ("prices_refused", "price could not be used", "prices could not be used"),
        ("prices_of_packs", "pack of several units keeps its own price", "packs of several units keep their own prices"),
    ):
        if counts[name]:
            said.append(f"{counted(counts[name], one, many)}.")
    return said
