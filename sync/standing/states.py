"""Where each pair stands, kept up to date for people and for other tools."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet
from simple_history.utils import bulk_create_with_history

from alignment.models import Alignment, StoreLocation
from inventory.models import StockLevel
from kit.bulk import chunks
from kit.rows import rows_update
from kit.words import counted
from sync.conflicts.find import conflicts_close_gone, conflicts_follow, unsettled_find
from sync.core.standing import Counting, Position, Verdict, judge
from sync.limits import limits
from sync.models import OutboundWrite, SyncConflict, SyncState
from sync.selectors import conflicts_open, differences_left, last_try_of, listings_unread, targets_of, writes_newest
from sync.standing.put_offs import Asked
from sync.standing.words import state_said
from sync.turns.context import RunContext

Status = SyncState.Status
FIELDS = [
    "pos_sku", "woo_sku", "pos_quantity", "woo_quantity", "last_pos_update", "last_woo_update", "pos_price", "pos_cost",
    "woo_price", "sync_status", "reason",
]  # fmt: skip
ZERO = Decimal(0)


def states_refresh(*, ctx: RunContext) -> None:
    """Bring the state of every pair that this run touched up to date, and of those that were not in step before. Only rows
    that changed are written, with history; the others only move their `last_sync`."""
    store, now = ctx.store.connection, ctx.now()
    _forget_rejected(SyncState.objects.filter(woo=store))
    confirmed = Alignment.objects.filter(status=Alignment.Status.CONFIRMED, listing__connection=store)
    unsettled = confirmed.filter(Q(sync_state=None) | ~Q(sync_state__sync_status=Status.SYNCED))
    wanted = set(unsettled.order_by().values_list("id", flat=True))
    # By these ids alone: with the store's join a database may read the whole store for each chunk. `_refresh` leaves others out.
    touched = Alignment.objects.filter(status=Alignment.Status.CONFIRMED).order_by().values_list("id", flat=True)
    late = unsettled_find(ctx=ctx)
    with_conflict = conflicts_open(store=store).filter(alignment__status=Alignment.Status.CONFIRMED)
    wanted.update(with_conflict.values_list("alignment__id", flat=True))
    for ids in chunks({*ctx.changed_items, *late.items}):
        wanted.update(touched.filter(item_id__in=ids))
    for ids in chunks({*ctx.changed_listings, *late.listings}):
        wanted.update(touched.filter(listing_id__in=ids))
    for ids in chunks(sorted(wanted)):
        _refresh(ctx, ids, now, late)
    conflicts_close_gone(ctx=ctx)
    in_step = SyncState.objects.filter(woo=store, sync_status=Status.SYNCED)
    # `last_sync` is kept out of the history: a run that changes nothing writes no history rows.
    in_step.update(last_sync=now)
    ctx.counts["in_step"] = in_step.count()
    ctx.counts["waiting"] = SyncState.objects.filter(woo=store, sync_status=Status.PENDING).count()
    ctx.counts["need_decision"] = SyncState.objects.filter(woo=store, sync_status=Status.CONFLICT).count()
    ctx.counts["failed"] = SyncState.objects.filter(woo=store, sync_status=Status.ERROR).count()


def states_refresh_items(*, ctx: RunContext, item_ids: Iterable[int]) -> None:
    """Bring the states of these items' pairs in the run's store up to date, and no others."""
    item_ids = list(item_ids)
    pairs = Alignment.objects.filter(
        status=Alignment.Status.CONFIRMED, listing__connection=ctx.store.connection, item_id__in=item_ids
    )
    _forget_rejected(SyncState.objects.filter(woo=ctx.store.connection, alignment__item_id__in=item_ids))
    for ids in chunks(pairs.values_list("id", flat=True)):
        _refresh(ctx, ids, ctx.now(), unsettled_find(ctx=ctx))


def _forget_rejected(states: QuerySet[SyncState]) -> None:
    """Before others are made: a product that was made anew has the same two SKUs."""
    states.exclude(alignment__status=Alignment.Status.CONFIRMED).delete()


def _refresh(ctx: RunContext, pair_ids: Iterable[int], now: datetime, unsettled: Asked) -> None:
    found = Alignment.objects.filter(pk__in=list(pair_ids)).order_by().select_related("item", "listing", "sync_state")
    pairs = [pair for pair in found if pair.listing.connection_id == ctx.store.connection.pk]
    listing_ids = [pair.listing_id for pair in pairs]
    counted_in = [(pair.listing_id, pair.item_id, pair.units_per_listing) for pair in pairs]
    targets = targets_of(store=ctx.store.connection, pairs=counted_in)
    till = _till_quantities(ctx, [pair.item_id for pair in pairs])
    writes = writes_newest(target="listing_id", ids=listing_ids)
    untold = _untold_items([pair.item_id for pair in pairs])
    troubles = _till_troubles([pair.item_id for pair in pairs])
    uncounted = _uncounted_items(ctx, [pair.item_id for pair in pairs])
    left = differences_left(store=ctx.store.connection)
    unread = listings_unread(store=ctx.store.connection)
    with transaction.atomic():
        review = conflicts_follow(ctx=ctx, pairs=pairs, writes=writes, unsettled=unsettled)
    fresh, changed = [], []
    for pair in pairs:
        old = getattr(pair, "sync_state", None)
        said = _said(
            pair,
            target=targets.get(pair.listing_id),
            write=writes.get(pair.listing_id),
            review=review.get(pair.pk),
            is_uncounted=pair.item_id in uncounted,
            till_is_untold=pair.item_id in untold,
            till_trouble=troubles.get(pair.item_id, ""),
            left=left.get(pair.listing_id),
            unread=unread.get(pair.listing.remote_id, ""),
        )
        new = _state(pair, old, till.get(pair.item_id), said, now)
        if old is None:
            fresh.append(new)
        elif any(getattr(old, name) != getattr(new, name) for name in FIELDS):
            new.pk = old.pk
            new.last_sync = old.last_sync
            changed.append(new)
    reason = f"{ctx.run}"[:100] if ctx.run.pk else "Online order"
    with transaction.atomic():
        if fresh:
            bulk_create_with_history(fresh, SyncState, default_change_reason=reason)
        if changed:
            rows_update(changed, FIELDS)
            SyncState.history.bulk_history_create(changed, update=True, default_change_reason=reason)


def _till_quantities(ctx: RunContext, item_ids: list[int]) -> dict[int, Decimal]:
    """Result: by item, what its till shows as far as we know, over the places that supply the store: what it said last, and what
    it has taken in of us since."""
    places = StoreLocation.objects.filter(store=ctx.store.connection).values("location_id")
    said: dict[int, Decimal] = {}
    levels = StockLevel.objects.filter(item_id__in=item_ids, location_id__in=places, baseline__isnull=False)
    for item_id, baseline in levels.values_list("item_id", "baseline"):
        said[item_id] = said.get(item_id, ZERO) + (baseline or ZERO)
    return said


def _uncounted_items(ctx: RunContext, item_ids: list[int]) -> set[int]:
    """Result: the items that their till had counted at a place that supplies the store, and counts no more."""
    places = StoreLocation.objects.filter(store=ctx.store.connection).values("location_id")
    levels = StockLevel.objects.filter(item_id__in=item_ids, location_id__in=places, uncounted_since__isnull=False)
    return set(levels.values_list("item_id", flat=True))


def _untold_items(item_ids: list[int]) -> set[int]:
    """Result: the items whose till has not answered yet what was sold of them online."""
    writes = OutboundWrite.objects.filter(level__item_id__in=item_ids, state__in=OutboundWrite.UNANSWERED)
    return set(writes.values_list("level__item_id", flat=True))


def _till_troubles(item_ids: list[int]) -> dict[int, str]:
    """Result: by item, why its till was not told what was sold online, where it has refused it or could not be reached."""
    owing = StockLevel.objects.filter(item__in=item_ids, baseline__isnull=False).exclude(on_hand=F("baseline"))
    levels = {level.pk: level for level in owing}
    newest = writes_newest(target="level_id", ids=levels)
    return {
        levels[pk].item_id: f"The till was not told of {row.owed.normalize():+f}. {_said_of(row)}"
        for pk, row in newest.items()
        if _failed_at(row, levels[pk].on_hand - (levels[pk].baseline or ZERO))
    }


def _failed_at(write: OutboundWrite, owed: Decimal) -> bool:
    """Is this what became of the newest try to pay just that, and should a person know? A lost answer alone is no failure."""
    if write.state not in OutboundWrite.FAILED or write.owed != owed:
        return False
    return not write.failures or last_try_of(write).is_bad(attempts=limits().attempts)


def _said_of(write: OutboundWrite) -> str:
    """Result: why a write failed and when it is tried again."""
    if write.is_released:
        return f"{write.error} It is tried again with the next sync."
    if write.state == OutboundWrite.State.REJECTED:
        return f"{write.error} “Try again” on the write sends it anew; so does another number."
    if write.failures:
        often = f"It failed {counted(write.failures, 'time', 'times')} in a row, the last time alone."
        return f"{write.error} {often} “Try again” on the write sends it anew; so does another number."
    return f"{write.error} The next sync tries again."


def _state(
    pair: Alignment,
    old: SyncState | None,
    till_says: Decimal | None,
    said: tuple[Status, str],
    now: datetime,
) -> SyncState:
    listing, item = pair.listing, pair.item
    status, reason = said
    pos_moved = old is None or old.pos_quantity != till_says
    woo_moved = old is None or old.woo_quantity != listing.quantity
    return SyncState(
        alignment=pair,
        pos_id=item.connection_id,
        woo_id=listing.connection_id,
        pos_sku=item.sku,
        woo_sku=listing.sku,
        pos_quantity=till_says,
        woo_quantity=listing.quantity,
        last_pos_update=now if pos_moved else old.last_pos_update if old else None,
        last_woo_update=now if woo_moved else old.last_woo_update if old else None,
        pos_price=item.price,
        pos_cost=item.cost,
        woo_price=listing.price,
        sync_status=status,
        reason=reason,
    )


def _said(
    pair: Alignment,
    *,
    target: Decimal | None,
    write: OutboundWrite | None,
    review: SyncConflict | None,
    is_uncounted: bool,
    till_is_untold: bool,
    till_trouble: str,
    left: Decimal | None,
    unread: str,
) -> tuple[Status, str]:
    """Result: the pair's status and its sentence. `write`: the newest to the listing; `review`: its open conflict about the
    quantity; `till_trouble`: why the till could not be told; `unread`: why the shop's answer about it could not be read."""
    listing = pair.listing
    gap = None if target is None or listing.baseline is None else target - listing.baseline
    verdict = judge(
        Position(
            counting=Counting.GONE if listing.missing_since else Counting(listing.stock_management),
            target=target,
            baseline=listing.baseline,
            shows=listing.quantity,
            suspect=listing.suspect,
            difference=review.difference if review else None,
            left=left,
            is_unread=bool(unread),
            item_is_missing=pair.item.missing_since is not None,
            item_is_uncounted=is_uncounted,
            is_unanswered=write is not None and write.state in OutboundWrite.UNANSWERED,
            has_failed=write is not None and gap is not None and _failed_at(write, gap),
            till_is_untold=till_is_untold,
            till_is_troubled=bool(till_trouble),
        )
    )
    off = {
        Verdict.DISPUTED: review.difference if review else None,
        Verdict.SUSPECT: listing.suspect,
        Verdict.LEFT: left,
    }.get(verdict)
    why = {
        Verdict.UNREAD: unread,
        Verdict.TILL_TROUBLE: till_trouble,
        Verdict.FAILED: _said_of(write) if write and verdict == Verdict.FAILED else "",
    }.get(verdict, "")
    return state_said(verdict, off=off, target=target, size=review.drift_class if review else "", why=why)
