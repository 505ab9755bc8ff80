"""A person settles a conflict (design.md §3.7). What follows is owed, and paid by the next sync."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from simple_history.utils import bulk_update_with_history

from alignment.models import Alignment, Listing
from connectors.errors import ConfigError
from connectors.leases import Lease, lease_acquire
from connectors.models import Connection
from inventory.models import Movement, StockLevel
from sync.core.targets import packs_of, units_of
from sync.models import OrderLine, SyncConflict, SyncLog, SyncState
from sync.selectors import conflicts_open, supply_levels
from sync.services.drift import drift_accept
from sync.services.log import quantity_text

Type, Resolution = SyncConflict.Type, SyncConflict.Resolution
POS: Final = "pos"
WOO: Final = "woo"
NOTED: Final = "noted"
Winner = str | Decimal  # POS, WOO, NOTED, or a count
COUNTED = (Type.QUANTITY, Type.SIMULTANEOUS_SALE)  # a count of the shelf settles these
MERELY_NOTED = (Type.SKU_CHANGED, Type.MISSING_ALIGNMENT)


def winner_parse(text: str) -> Winner:
    """Result: what `pos`, `woo` or a number means. Raises ConfigError for anything else, and for less than nothing."""
    word = text.strip().lower()
    if word in (POS, WOO):
        return word
    try:
        count = Decimal(word)
    except InvalidOperation:
        count = Decimal("NaN")
    if not count.is_finite() or count < 0 or count >= 10**9 or count != count.quantize(Decimal("0.001")):
        raise ConfigError(f"“{text}” is neither pos, nor woo, nor a count.", next_step="Say pos, woo or a number such as 12.")
    return count


def winners_of(conflict: SyncConflict) -> list[str]:
    """Result: how a person may settle it: any of pos, woo, count, noted; nothing where it goes by itself once mended."""
    if conflict.resolved_at:
        return []
    if conflict.conflict_type == Type.QUANTITY:
        return [POS, WOO, "count"]
    if conflict.conflict_type == Type.SIMULTANEOUS_SALE:
        return ["count"]
    return [NOTED] if conflict.conflict_type in MERELY_NOTED else []


def outcome_of(conflict: SyncConflict, winner: Winner) -> str:
    """Result: what settling it so will do, for people. Raises ConfigError where it can't be settled so."""
    name = winner if isinstance(winner, str) else "count"
    if name not in winners_of(conflict):
        if conflict.resolved_at:
            raise ConfigError(f"It is settled already: {conflict.get_resolution_display()}.", next_step="There is nothing to do.")
        raise ConfigError(
            f"“{conflict}” can't be settled so.",
            next_step=f"It can be settled by: {ways}."
            if (ways := ", ".join(winners_of(conflict)))
            else "Mend its cause; then it goes.",
        )
    if name == NOTED and conflict.conflict_type == Type.MISSING_ALIGNMENT:
        return "It is noted. What was sold of it is not booked: it is taken as entered at the till by hand."
    if name == NOTED:
        return "It is noted. Nothing is written to either side."
    if winner == POS:
        return f"The till wins: the shop's {conflict.woo_value} goes back to {conflict.pos_value} with the next sync."
    if winner == WOO:
        per = conflict.alignment.units_per_listing if conflict.alignment else 1
        units = units_of(conflict.difference or Decimal(0), per)
        return f"The shop wins: {units.normalize():+f} are booked, and the till is told with the next sync."
    pair, in_packs = conflict.alignment, ""
    if pair and pair.pack:
        in_packs = f" of the till's units ({quantity_text(packs_of(Decimal(winner), pair.units_per_listing))} {pair.pack})"
    return f"Counted: {quantity_text(Decimal(winner))}{in_packs} lie on the shelf. Both sides are told with the next sync."


def conflicts_of_sku(*, store: Connection, sku: str) -> list[SyncConflict]:
    """Result: the open conflicts that a person can settle, of this SKU of the till or of the shop."""
    mine = Q(alignment__item__sku=sku) | Q(alignment__listing__sku=sku) | Q(listing__sku=sku) | Q(subject=sku)
    found = conflicts_open(store=store).filter(mine).select_related("alignment__item", "alignment__listing", "listing", "store")
    return [conflict for conflict in found if winners_of(conflict)]


def conflict_resolve(
    *, conflict: SyncConflict, winner: Winner, by: User | None, reason: str, now: Callable[[], datetime]
) -> SyncConflict:
    """Settle one conflict, as `outcome_of` says. Result: the settled conflict.

    Raises ConfigError where it can't be settled so, or has been settled meanwhile; LeaseHeldError while a run works on one of
    its two sides: it would write over the accounts.
    """
    outcome_of(conflict, winner)
    if not reason.strip():
        raise ConfigError("Nobody has said why.", next_step="Say why: it is kept in the history.")
    pair = conflict.alignment
    with _turns([conflict.store, *([pair.item.connection] if pair else [])], now) as leases, transaction.atomic():
        for lease in leases:
            lease.beat(now=now())
        fresh = SyncConflict.objects.select_for_update(of=("self",)).get(pk=conflict.pk)
        outcome_of(fresh, winner)
        if fresh.conflict_type == Type.MISSING_ALIGNMENT:
            _wait_no_longer(fresh)
        if pair and winner != NOTED:
            _settle(fresh, pair, winner, by, reason.strip(), now())
        fresh.resolved_at, fresh.resolved_by, fresh.reason = now(), by, reason.strip()[:300]
        fresh.resolution = {POS: Resolution.POS, WOO: Resolution.WOO, NOTED: Resolution.NOTED}.get(str(winner), Resolution.COUNT)
        bulk_update_with_history(
            [fresh],
            SyncConflict,
            ["resolved_at", "resolved_by", "reason", "resolution"],
            default_user=by,
            default_change_reason=reason.strip()[:100],
        )
    return fresh


def _wait_no_longer(conflict: SyncConflict) -> None:
    """A person has entered at the till what was sold; an alignment must not book it a second time."""
    waiting = OrderLine.objects.filter(order__connection=conflict.store, waits=True, listing=conflict.listing)
    lines = [line.pk for line in waiting.select_related("order") if conflict.listing_id or line.subject == conflict.subject]
    OrderLine.objects.filter(pk__in=lines).update(waits=False)


@contextmanager
def _turns(connections: Sequence[Connection], now: Callable[[], datetime]) -> Iterator[list[Lease]]:
    """Hold these connections' turns, always in the same order. Raises LeaseHeldError."""
    with ExitStack() as stack:
        leases = []
        for connection in sorted(connections, key=lambda one: one.pk):
            leases.append(lease_acquire(connection=connection, now=now()))
            stack.callback(leases[-1].release)
        yield leases


def _settle(conflict: SyncConflict, pair: Alignment, winner: Winner, by: User | None, reason: str, now: datetime) -> None:
    listing = Listing.objects.select_for_update().get(pk=pair.listing_id)
    level = supply_levels(store=conflict.store, item_ids=[pair.item_id]).get(pair.item_id)
    residual = conflict.difference if conflict.conflict_type == Type.QUANTITY else None
    if residual is not None and listing.baseline is None:
        raise ConfigError("The shop's number is unknown by now.", next_step="Let the next sync read it.")
    if winner != POS and level is None:
        raise ConfigError("The till has no level for this item.", next_step="Let the till count it first.")
    if winner == WOO and level and residual is not None:
        drift_accept(
            store=conflict.store, listing=listing, level=level, units=units_of(residual, pair.units_per_listing),
            reference=f"conflict {conflict.pk}", at=now, by=by, why=reason,
        )  # fmt: skip
    elif level and isinstance(winner, Decimal):
        _count(conflict, pair, level, winner, by, reason, now)
    if residual is not None:
        # The account believes what the shop shows; what it should show instead is owed from here on.
        Listing.objects.filter(pk=listing.pk).update(baseline=F("baseline") + residual, suspect=None, suspected_at=None)
    SyncLog.objects.create(
        alignment=pair,
        at=now,
        source=SyncLog.Source.MANUAL,
        action=SyncLog.Action.RESOLVED,
        old_value=conflict.woo_value[:40] if winner == POS else conflict.pos_value[:40],
        new_value={POS: conflict.pos_value, WOO: conflict.woo_value}.get(str(winner), quantity_text(_number(winner)))[:40],
        reason=reason[:300],
    )
    _state_waits(pair, by, reason)


def _number(winner: Winner) -> Decimal | None:
    return winner if isinstance(winner, Decimal) else None


def _count(
    conflict: SyncConflict, pair: Alignment, level: StockLevel, count: Decimal, by: User | None, reason: str, now: datetime
) -> None:
    """A person has counted: so many lie on the shelves that supply the store, all told."""
    shelves = StockLevel.objects.filter(item_id=pair.item_id, location__supplies__store=conflict.store)
    units = count - sum((shelf.on_hand for shelf in shelves), Decimal(0))
    if not units:
        return
    Movement.objects.create(
        item_id=pair.item_id,
        location_id=level.location_id,
        quantity=units,
        kind=Movement.Kind.TILL,
        source=pair.item.connection,
        reference=f"conflict {conflict.pk}",
        occurred_at=now,
        recorded_at=now,
        by=by,
        reason=f"Counted: {reason}"[:250],
    )
    StockLevel.objects.filter(pk=level.pk).update(on_hand=F("on_hand") + units)


def _state_waits(pair: Alignment, by: User | None, reason: str) -> None:
    """Until the next sync has paid what follows, the pair waits; with that it leaves the list of those that need a decision."""
    state = SyncState.objects.filter(alignment=pair).first()
    if state is not None:
        state.sync_status, state.reason = SyncState.Status.PENDING, "Settled by a person; the next sync tells both sides."
        bulk_update_with_history(
            [state], SyncState, ["sync_status", "reason"], default_user=by, default_change_reason=reason[:100]
        )
