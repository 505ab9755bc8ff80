"""A person settles conflicts (ledger.md §7). What follows is owed, and paid by the next sync."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from connectors.errors import ConfigError
from connectors.leases import Lease, LeaseHeldError, LeaseLostError, lease_acquire
from connectors.models import Connection
from kit.bulk import chunks
from sync.conflicts.booking import Booking
from sync.conflicts.effects import WITH, Outlook, effect_mark, ways_of
from sync.conflicts.words import effect_sentence
from sync.core.settling import Refusal, Way
from sync.models import OrderLine, SyncConflict
from sync.selectors import conflicts_open

POS: Final = Way.POS.value
WOO: Final = Way.WOO.value
NOTED: Final = Way.NOTED.value
Winner = str | Decimal  # the name of a way other than a count, or a count
AT_ONCE = 200  # conflicts in one transaction: each is settled whole or not at all
SAID: Final = (Way.POS, Way.WOO, Way.HIGHER, Way.MERGE, Way.IGNORE)


class ChangedError(ConfigError):
    """What settling it would write is not what the reader has seen."""

    code = "changed"


@dataclass(slots=True)
class Settled:
    """What became of many: `changed` would write something else than was seen, `left_out` says why by conflict."""

    done: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)


def winner_parse(text: str) -> Winner:
    """Result: what `pos`, `woo`, `higher`, `merge`, `ignore` or a number means. Raises ConfigError for anything else, and for
    less than nothing."""
    word = text.strip().lower()
    if word in SAID:
        return word
    try:
        count = Decimal(word)
    except InvalidOperation:
        count = Decimal("NaN")
    if not count.is_finite() or count < 0 or count >= 10**9 or count != count.quantize(Decimal("0.001")):
        raise ConfigError(
            f"“{text}” is neither pos, nor woo, nor a count.",
            next_step="Say pos, woo, higher, merge, ignore or a number such as 12.",
        )
    return count


def way_of(winner: Winner) -> tuple[Way, Decimal | None]:
    """Result: the way, and the count where it is one."""
    return (Way.COUNT, winner) if isinstance(winner, Decimal) else (Way(winner), None)


def winners_of(conflict: SyncConflict) -> list[str]:
    """Result: how a person may settle it, by name; nothing where it goes by itself once mended."""
    return [way.value for way in ways_of(conflict)]


def outcome_of(conflict: SyncConflict, winner: Winner) -> str:
    """Result: what settling it so will do, for people. Raises ConfigError where it can't be settled so."""
    way, count = way_of(winner)
    effect = Outlook([conflict]).effect(conflict, way, count)
    if isinstance(effect, Refusal):
        raise ConfigError(effect.why, next_step=effect.next_step)
    return effect_sentence(conflict, way, count, effect)


def conflicts_of_sku(*, store: Connection, sku: str) -> list[SyncConflict]:
    """Result: the open conflicts that a person can settle, of this SKU of the till or of the shop."""
    mine = Q(alignment__item__sku=sku) | Q(alignment__listing__sku=sku) | Q(listing__sku=sku) | Q(subject=sku)
    found = conflicts_open(store=store).filter(mine).select_related(*WITH)
    return [conflict for conflict in found if ways_of(conflict)]


def conflict_resolve(
    *,
    conflict: SyncConflict,
    winner: Winner,
    by: User | None,
    reason: str,
    now: Callable[[], datetime],
    seen: str = "",
) -> SyncConflict:
    """Settle one conflict, as `outcome_of` says. `seen`: the mark of the effect that was looked at, "" for none. Result: the
    settled conflict.

    Raises ConfigError where it can't be settled so, or has been settled meanwhile; ChangedError where it would write something
    else by now; LeaseHeldError while a run works on one of its two sides: it would write over the accounts; LeaseLostError where
    another one took the turn: nothing was written then.
    """
    conflict = SyncConflict.objects.select_related(*WITH).get(pk=conflict.pk)  # as it is by now
    outcome_of(conflict, winner)  # what can't be is said without waiting for a turn
    settled = Settled()
    tills = [conflict.alignment.item.connection] if conflict.alignment else []
    _resolve_in_turn([conflict.store, *tills], {conflict.pk: seen}, winner, by, _reason(reason), now, settled)
    if why := settled.left_out.get(conflict.pk):
        raise ConfigError(why)
    if settled.changed:
        raise ChangedError("Its numbers have changed since you looked.", next_step="Look again, then settle it.")
    return SyncConflict.objects.get(pk=conflict.pk)


def conflicts_resolve(
    *, chosen: Mapping[int, str], winner: Winner, by: User | None, reason: str, now: Callable[[], datetime]
) -> Settled:
    """Settle many the same way. `chosen`: by conflict, the mark of the effect that was looked at, "" for none. Each is settled
    whole or stays open, wherever this is cut off. One turn for each store; a store that a run works on is left out. Raises
    ConfigError without a reason."""
    said, settled = _reason(reason), Settled()
    rows = SyncConflict.objects.filter(pk__in=chosen).order_by("store_id", "pk")
    of_store: dict[int, list[int]] = {}
    tills: dict[int, set[int]] = {}
    for pk, store_id, till_id in rows.values_list("pk", "store_id", "alignment__item__connection_id"):
        of_store.setdefault(store_id, []).append(pk)
        tills.setdefault(store_id, set()).update({till_id} if till_id else ())
    sides = Connection.objects.in_bulk([*of_store, *(pk for each in tills.values() for pk in each)])
    for store_id, pks in of_store.items():
        connections = [sides[pk] for pk in {store_id, *tills[store_id]}]
        try:
            _resolve_in_turn(connections, {pk: chosen[pk] for pk in pks}, winner, by, said, now, settled)
        except (LeaseHeldError, LeaseLostError) as error:
            decided = {*settled.done, *settled.changed, *settled.left_out}
            settled.left_out.update(dict.fromkeys((pk for pk in pks if pk not in decided), str(error)))
    return settled


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ConfigError("Nobody has said why.", next_step="Say why: it is kept in the history.")
    return reason.strip()[:300]


def _resolve_in_turn(
    connections: Sequence[Connection],
    chosen: Mapping[int, str],
    winner: Winner,
    by: User | None,
    reason: str,
    now: Callable[[], datetime],
    settled: Settled,
) -> None:
    """Settle conflicts of one store, with the turn on all these connections in hand. Raises LeaseHeldError."""
    way, count = way_of(winner)
    with _turns(connections, now) as leases:
        for pks in chunks(chosen, AT_ONCE):
            with transaction.atomic():
                for lease in leases:
                    lease.beat(now=now())
                part = _settle({pk: chosen[pk] for pk in pks}, Booking(way=way, count=count, by=by, reason=reason, at=now()))
            settled.done += part.done
            settled.changed += part.changed
            settled.left_out |= part.left_out


def _settle(chosen: Mapping[int, str], booking: Booking) -> Settled:
    """Settle conflicts of one store, one after another as the preview did. Call in a transaction, with the turn in hand."""
    part = Settled()
    rows = SyncConflict.objects.select_for_update(of=("self",)).filter(pk__in=chosen).select_related(*WITH).order_by("pk")
    conflicts = list(rows)
    outlook = Outlook(conflicts, lock=True)
    for conflict in conflicts:
        effect = outlook.effect(conflict, booking.way, booking.count)
        if isinstance(effect, Refusal):
            part.left_out[conflict.pk] = f"{effect.why} {effect.next_step}"
        elif chosen[conflict.pk] not in ("", effect_mark(conflict, booking.way, effect)):
            part.changed.append(conflict.pk)
        else:
            booking.add(outlook, conflict, effect)
            part.done.append(conflict.pk)
    if booking.way == Way.NOTED:
        _wait_no_longer(conflict for conflict in conflicts if conflict.pk in set(part.done))
    booking.save()
    return part


def _wait_no_longer(conflicts: Iterable[SyncConflict]) -> None:
    """A person has entered at the till what was sold; an alignment must not book it a second time."""
    sold = [one for one in conflicts if one.conflict_type == SyncConflict.Type.MISSING_ALIGNMENT]
    if not sold:
        return
    waiting = OrderLine.objects.filter(order__connection=sold[0].store_id, waits=True)
    listings, subjects = {one.listing_id for one in sold if one.listing_id}, {one.subject for one in sold if not one.listing_id}
    waiting.filter(listing__in=listings).update(waits=False)
    if subjects:
        alone = waiting.filter(listing=None).select_related("order")
        OrderLine.objects.filter(pk__in=[line.pk for line in alone if line.subject in subjects]).update(waits=False)


@contextmanager
def _turns(connections: Sequence[Connection], now: Callable[[], datetime]) -> Iterator[list[Lease]]:
    """Hold these connections' turns, always in the same order. Raises LeaseHeldError."""
    with ExitStack() as stack:
        leases = []
        for connection in sorted(connections, key=lambda one: one.pk):
            leases.append(lease_acquire(connection=connection, now=now()))
            stack.callback(leases[-1].release)
        yield leases
