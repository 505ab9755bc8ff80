"""Conflicts that come and go with the state of a pair: not counted by the shop, gone from it, sold below zero, unanswered for
long, a changed SKU; and what was sold online without an alignment (ledger.md §7)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Exists, Max, OuterRef, Sum
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.models import Alignment, StoreLocation
from connectors.contract import StockManagement
from inventory.models import Item, Movement, StockLevel
from kit.words import quantity_text
from sync.core.policy import DriftClass
from sync.limits import limits
from sync.models import OrderLine, OutboundWrite, SyncConflict, SyncState
from sync.selectors import conflicts_left, conflicts_open
from sync.standing.put_offs import Asked, put_offs_to_ask
from sync.turns.context import RunContext

Type = SyncConflict.Type
FOLLOWED = (Type.LISTING_DELETED, Type.UNMANAGED, Type.SIMULTANEOUS_SALE, Type.UNSETTLED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a pair that a person should know."""

    kind: SyncConflict.Type
    why: str
    pos_value: str = ""
    woo_value: str = ""
    difference: Decimal | None = None
    size: DriftClass = DriftClass.CRITICAL  # one side's number is missing


def unsettled_find(*, ctx: RunContext) -> Asked:
    """Result: the items and listings that a person should look at, since an adjustment was not answered for long, or their
    numbers were put off again and again."""
    asked = put_offs_to_ask(connections=[side.connection for side in ctx.sides], now=ctx.now())
    writes = OutboundWrite.objects.filter(
        connection__in=[side.connection for side in ctx.tills],
        state__in=OutboundWrite.UNANSWERED,
        level__isnull=False,
        sent_at__lt=ctx.now() - limits().ask_after,
    )
    why = "An adjustment was not booked at the till for hours. Import the files in its outbound folder there."
    asked.items.update(dict.fromkeys(writes.values_list("level__item_id", flat=True), why))
    return asked


def conflicts_follow(
    *, ctx: RunContext, pairs: Sequence[Alignment], writes: Mapping[int, OutboundWrite], unsettled: Asked
) -> dict[int, SyncConflict]:
    """Open the conflicts that these pairs show and nobody has been told of, and close those that have gone by themselves.
    Call before the pairs' states are refreshed: a changed SKU shows against the old state. Result: by pair, what is still
    under review."""
    below = _below_zero(ctx, [pair.item_id for pair in pairs])
    renamed = _renamed(pairs)
    known: dict[tuple[int | None, str], SyncConflict] = {
        (conflict.alignment_id, conflict.conflict_type): conflict
        for conflict in conflicts_open(store=ctx.store.connection).filter(alignment__in=[pair.pk for pair in pairs])
    }
    left = {
        (conflict.alignment_id, conflict.conflict_type): conflict
        for conflict in conflicts_left(store=ctx.store.connection).filter(alignment__in=[pair.pk for pair in pairs])
    }
    fresh: list[SyncConflict] = []
    gone: list[SyncConflict] = []
    over: list[SyncConflict] = []  # was left as it is, and is so no more
    moved: list[SyncConflict] = []
    for pair in pairs:
        found = {finding.kind: finding for finding in _findings(ctx, pair, below, writes.get(pair.listing_id), unsettled)}
        if pair.pk in renamed:
            found[Type.SKU_CHANGED] = renamed[pair.pk]
        same = {kind for kind, finding in found.items() if _is_left(left.get((pair.pk, kind)), finding)}
        fresh += [_conflict(ctx, pair, one) for kind, one in found.items() if (pair.pk, kind) not in known and kind not in same]
        over += [left[pair.pk, kind] for kind in FOLLOWED if kind not in same and (pair.pk, kind) in left]
        agrees = _agrees_again(pair, writes.get(pair.listing_id), ctx.store.store.clock_ahead)
        if (pair.pk, Type.QUANTITY) in left and agrees:
            over.append(left[pair.pk, Type.QUANTITY])
        gone += [known[pair.pk, kind] for kind in FOLLOWED if kind not in found and (pair.pk, kind) in known]
        if (pair.pk, Type.QUANTITY) in known and agrees:
            gone.append(known.pop((pair.pk, Type.QUANTITY)))
        sold, shelf = known.get((pair.pk, Type.SIMULTANEOUS_SALE)), found.get(Type.SIMULTANEOUS_SALE)
        if sold and shelf and sold.difference != shelf.difference:
            sold.pos_value, sold.woo_value, sold.difference = shelf.pos_value, shelf.woo_value, shelf.difference
            moved.append(sold)
    _save(ctx, fresh, gone)
    _left_no_more(over)
    if moved:
        bulk_update_with_history(
            moved, SyncConflict, ["pos_value", "woo_value", "difference"], default_change_reason="The shelf has moved on."
        )
    return {pair_id: conflict for (pair_id, kind), conflict in known.items() if kind == Type.QUANTITY and pair_id is not None}


def _is_left(left: SyncConflict | None, finding: Finding) -> bool:
    """Has a person left just this as it is?"""
    return left is not None and left.difference == finding.difference


def _agrees_again(pair: Alignment, write: OutboundWrite | None, ahead: timedelta) -> bool:
    """Was the account's number read, after the last order on it and our last write to it? Orders and writes move the account
    alone: by chance it may meet an older reading. `ahead`: how far the shop's clock, by which orders are dated, is ahead."""
    listing = pair.listing
    if listing.baseline is None:
        return True
    if listing.suspect is not None or listing.quantity != listing.baseline or listing.read_at is None:
        return False
    if listing.news_at is not None and listing.news_at - ahead >= listing.read_at:
        return False
    return write is None or write.answered_at is None or write.answered_at <= listing.read_at


def _below_zero(ctx: RunContext, item_ids: Iterable[int]) -> dict[int, Decimal]:
    """Result: what lies on the shelf of items that were sold more often than they lay there, at both sides together. One that the
    till alone sells below zero is no matter between the two: the alert about the shelf tells of it."""
    places = StoreLocation.objects.filter(store=ctx.store.connection).values("location_id")
    online = Movement.objects.filter(item_id=OuterRef("item_id"), kind=Movement.Kind.ONLINE, quantity__lt=0)
    below = StockLevel.objects.filter(item_id__in=list(item_ids), location_id__in=places, on_hand__lt=0)
    levels = below.filter(Exists(online)).order_by()
    return dict(levels.values("item_id").annotate(sum=Sum("on_hand")).values_list("item_id", "sum"))


def _renamed(pairs: Sequence[Alignment]) -> dict[int, Finding]:
    """Result: by pair, that its item is gone from the till and another SKU there has its barcode by now: told once for each time
    it went. The pair is never re-pointed by itself."""
    gone = {pair.pk: pair for pair in pairs if pair.item.missing_since is not None and pair.item.barcode}
    if not gone:
        return {}
    codes = {pair.item.barcode for pair in gone.values()}
    tills = {pair.item.connection_id for pair in gone.values()}
    heirs = {
        (item.connection_id, item.barcode): item.sku
        for item in Item.objects.filter(connection__in=tills, missing_since=None, barcode__in=codes)
    }
    told = dict(
        SyncConflict.objects.filter(alignment__in=gone, conflict_type=Type.SKU_CHANGED)
        .order_by()
        .values("alignment_id")
        .annotate(newest=Max("detected_at"))
        .values_list("alignment_id", "newest")
    )
    found = {}
    for pk, pair in gone.items():
        item, heir = pair.item, heirs.get((pair.item.connection_id, pair.item.barcode))
        if heir and item.missing_since and (pk not in told or told[pk] < item.missing_since):
            why = (
                f"The till lists “{item.sku}” no more, and “{heir}” has its barcode. The pair holds, with the last number known. "
                "If it was renamed, reject this alignment and align the new SKU."
            )
            found[pk] = Finding(Type.SKU_CHANGED, why[:300], heir, pair.listing.sku, None, DriftClass.MINOR)
    return found


def _findings(
    ctx: RunContext, pair: Alignment, below: Mapping[int, Decimal], write: OutboundWrite | None, unsettled: Asked
) -> list[Finding]:
    listing, found = pair.listing, []
    state: SyncState | None = getattr(pair, "sync_state", None)
    shows = quantity_text(listing.quantity)
    if listing.missing_since:
        found.append(Finding(Type.LISTING_DELETED, "The product is no longer in the shop: deleted, or in its bin."))
    elif listing.stock_management != StockManagement.OWN:
        found.append(Finding(Type.UNMANAGED, "The shop doesn't count this product: unknown, not zero."))
    if pair.item_id in below:
        why = "More was sold at both sides together than lay on the shelf. Every sale counts; somebody will not get theirs."
        shelf = below[pair.item_id]
        found.append(Finding(Type.SIMULTANEOUS_SALE, why, quantity_text(shelf), shows, shelf))
    late = write is not None and write.state in OutboundWrite.UNANSWERED and write.sent_at is not None
    if late and write and write.sent_at and write.sent_at < ctx.now() - limits().ask_after:
        found.append(
            Finding(Type.UNSETTLED, "The shop has not answered a write for hours, so its numbers are not used.", "", shows)
        )
    elif asked := unsettled.items.get(pair.item_id) or unsettled.listings.get(pair.listing_id):
        found.append(Finding(Type.UNSETTLED, asked[:300], "", shows))
    if state is not None and state.woo_sku != listing.sku:
        why = f"The shop's SKU was “{state.woo_sku}”. The pair is known by the product's number and still holds."
        found.append(Finding(Type.SKU_CHANGED, why[:300], pair.item.sku, listing.sku, None, DriftClass.MINOR))
    return found


def _conflict(ctx: RunContext, pair: Alignment, finding: Finding) -> SyncConflict:
    return SyncConflict(
        store=ctx.store.connection,
        alignment=pair,
        conflict_type=finding.kind,
        pos_value=finding.pos_value,
        woo_value=finding.woo_value,
        difference=finding.difference,
        drift_class=finding.size,
        why=finding.why,
        detected_at=ctx.now(),
    )


def _left_no_more(over: list[SyncConflict]) -> None:
    for conflict in over:
        conflict.is_left = False
    if over:
        bulk_update_with_history(over, SyncConflict, ["is_left"], default_change_reason="It is so no more.")


def _save(ctx: RunContext, fresh: list[SyncConflict], gone: list[SyncConflict]) -> None:
    reason = f"{ctx.run}"[:100] if ctx.run.pk else "Online order"
    for conflict in gone:
        conflict.resolved_at, conflict.resolution = ctx.now(), SyncConflict.Resolution.GONE
        conflict.reason = "Both sides say so themselves by now."
    if fresh:
        bulk_create_with_history(fresh, SyncConflict, default_change_reason=reason)
    if gone:
        bulk_update_with_history(gone, SyncConflict, ["resolved_at", "resolution", "reason"], default_change_reason=reason)
    ctx.counts["conflicts_opened"] += len(fresh)
    ctx.counts["conflicts_closed"] += len(gone)


def conflicts_without_pair(*, ctx: RunContext, lines: Sequence[OrderLine]) -> None:
    """Tell once of each product that was sold online and belongs to no item, and of each SKU that belongs to no product; not
    before the store has any alignment."""
    store = ctx.store.connection
    sold: dict[tuple[int | None, str], OrderLine] = {_about(line): line for line in lines if line.taken}
    if not sold or not Alignment.objects.filter(status=Alignment.Status.CONFIRMED, listing__connection=store).exists():
        return
    told = conflicts_open(store=store).filter(conflict_type=Type.MISSING_ALIGNMENT, alignment=None)
    known = set(told.values_list("listing_id", "subject"))
    fresh = [_unaligned(ctx, line, about) for about, line in sold.items() if about not in known]
    _save(ctx, fresh, [])


def _about(line: OrderLine) -> tuple[int | None, str]:
    return (line.listing_id, "") if line.listing_id else (None, line.subject)


def _unaligned(ctx: RunContext, line: OrderLine, about: tuple[int | None, str]) -> SyncConflict:
    listing_id, subject = about
    what = "it is aligned with no item" if listing_id else "no product of the shop is known for it"
    later = "It is booked once it is aligned; or note this, if you have entered it at the till yourself."
    return SyncConflict(
        store=ctx.store.connection,
        listing_id=listing_id,
        subject=subject,
        order=line.order,
        conflict_type=Type.MISSING_ALIGNMENT,
        woo_value=quantity_text(line.taken),
        drift_class=DriftClass.CRITICAL,
        why=f"Order {line.order.number} sold it, and {what}, so the till doesn't hear of it. {later}"[:300],
        detected_at=ctx.now(),
    )


def conflicts_close_gone(*, ctx: RunContext) -> None:
    """Close what an alignment has settled: products that have one by now, pairs that are none any more, and SKUs whose order
    lines have found their product or hold nothing any more."""
    store = ctx.store.connection
    waiting = conflicts_open(store=store)
    aligned = waiting.filter(conflict_type=Type.MISSING_ALIGNMENT, listing__alignments__status=Alignment.Status.CONFIRMED)
    rejected = waiting.filter(alignment__isnull=False).exclude(alignment__status=Alignment.Status.CONFIRMED)
    _left_no_more(list(conflicts_left(store=store).exclude(alignment__status=Alignment.Status.CONFIRMED)))
    subjects = list(waiting.filter(conflict_type=Type.MISSING_ALIGNMENT, alignment=None, listing=None))
    if subjects:
        lost = OrderLine.objects.filter(order__connection=store, listing=None).exclude(taken=0).select_related("order")
        still = {line.subject for line in lost}
        subjects = [conflict for conflict in subjects if conflict.subject not in still]
    _save(ctx, [], [*aligned.order_by(), *rejected.order_by(), *subjects])
