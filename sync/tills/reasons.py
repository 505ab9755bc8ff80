"""Why a till is owed something, in its own words: the online orders that it has not been told of yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Max, Q

from inventory.models import Movement, StockLevel, Voucher
from sync.models import Order, OutboundWrite

ZERO = Decimal(0)
MOST = 8  # orders named; the till's field is short, and the ledger has them all
GENERAL = "Sold or returned online"
FAR_BACK = 100  # movements looked at where the times don't tell
ORDERS = (Voucher.Kind.ORDER, Voucher.Kind.LATE)
LENGTH = 200  # what a till keeps of it (docs/pos-api.yaml)
OTHERWISE = {Movement.Kind.STORE: "Changed in the shop", Movement.Kind.TILL: "Counted"}
FROM_TILL = Q(kind=Movement.Kind.OPENING) | Q(voucher__kind=Voucher.Kind.FEED)  # the till knows what it said itself


@dataclass(frozen=True, slots=True)
class TillReason:
    """What an adjustment says of itself. `reference`: the order numbers alone."""

    reason: str = GENERAL
    reference: str = ""


def till_reasons(*, levels: Iterable[StockLevel]) -> dict[int, TillReason]:
    """Result: by level, what explains the units that it is owed now: the movements since the till was last told, if they come to
    just that. Where they don't, the newest ones that do; else only that it was online."""
    levels = list(levels)
    told = _told_at([level.pk for level in levels])
    moved = _movements(levels)
    orders = _orders([movement for each in moved.values() for movement in each])
    reasons = {}
    for level in levels:
        since = told.get(level.pk)
        fresh = [one for one in moved.get(level.pk, ()) if since is None or one.recorded_at > since]
        owed = level.on_hand - (level.baseline or ZERO)
        reasons[level.pk] = _reason(_explaining(fresh, moved.get(level.pk, []), owed), orders)
    return reasons


def _told_at(level_ids: list[int]) -> dict[int, datetime | None]:
    """Result: by level, when the newest adjustment went out that the till has taken in."""
    taken = OutboundWrite.objects.filter(level__in=level_ids, state=OutboundWrite.State.APPLIED).order_by()
    return dict(taken.values("level_id").annotate(at=Max("sent_at")).values_list("level_id", "at"))


def _movements(levels: list[StockLevel]) -> dict[int, list[Movement]]:
    """Result: by level, what moved there without the till having said so, newest first."""
    places = {(level.item_id, level.location_id): level.pk for level in levels}
    found: dict[int, list[Movement]] = {}
    rows = Movement.objects.filter(item_id__in={item for item, _ in places}, location_id__in={place for _, place in places})
    for movement in rows.exclude(FROM_TILL).select_related("voucher").order_by("-pk"):
        level_id = places.get((movement.item_id, movement.location_id))
        if level_id is not None:
            found.setdefault(level_id, []).append(movement)
    return found


def _explaining(fresh: list[Movement], all_of_it: list[Movement], owed: Decimal) -> Sequence[Movement]:
    """Result: the movements that come to what is owed, newest first; none where that can't be told."""
    if sum((movement.quantity for movement in fresh), ZERO) == owed:
        return fresh
    total = ZERO
    for count, movement in enumerate(all_of_it[:FAR_BACK], start=1):
        total += movement.quantity
        if total == owed:
            return all_of_it[:count]
    return ()


def _order_id(movement: Movement) -> tuple[int, int] | None:
    """Result: (store, order) that a movement came from."""
    voucher = movement.voucher
    return (voucher.connection_id, int(voucher.document)) if voucher.kind in ORDERS else None


def _orders(movements: Iterable[Movement]) -> dict[tuple[int, int], Order]:
    ids = {key for movement in movements if (key := _order_id(movement))}
    orders = Order.objects.filter(connection__in={store for store, _ in ids}, remote_id__in={order for _, order in ids})
    return {(order.connection_id, order.remote_id): order for order in orders}


def _reason(movements: Sequence[Movement], orders: Mapping[tuple[int, int], Order]) -> TillReason:
    units: dict[Order, Decimal] = {}
    others: dict[str, None] = {}
    for movement in reversed(movements):  # oldest first, as they came
        order = orders.get(_order_id(movement) or (0, 0))
        if order is not None:
            units[order] = units.get(order, ZERO) + movement.quantity
        else:
            others[OTHERWISE.get(Movement.Kind(movement.kind), movement.get_kind_display())] = None
    named: dict[str, list[str]] = {}
    for order, moved in units.items():
        if moved:  # what came and went again is nothing to the till
            named.setdefault("" if moved < 0 else "cancelled" if order.status == "cancelled" else "returned", []).append(
                order.number
            )
    said = [_named(numbers, what) for what, numbers in named.items()] + list(others)
    if not said:
        return TillReason()
    return TillReason("; ".join(said)[:LENGTH], _listed([number for each in named.values() for number in each])[:LENGTH])


def _named(numbers: list[str], what: str) -> str:
    """Result: “Online orders 512, 514”, or “Online order 512 cancelled”."""
    return f"Online {'order' if len(numbers) == 1 else 'orders'} {_listed(numbers)} {what}".strip()


def _listed(numbers: list[str]) -> str:
    more = f" and {len(numbers) - MOST} more" if len(numbers) > MOST else ""
    return ", ".join(numbers[:MOST]) + more
