"""What settling conflicts would write, for many at once: the facts are read together, and each is decided by the pure core."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2s
from typing import Final

from alignment.models import Alignment, StoreLocation
from connectors.contract import StockManagement
from inventory.ledger.locks import levels_locked, listings_locked
from inventory.models import Listing, StockLevel
from sync.core.settling import NOTHING, Account, Effect, Refusal, Step, Way, effect_of
from sync.core.targets import listing_target
from sync.models import OutboundWrite, SyncConflict

Type = SyncConflict.Type
ZERO: Final = Decimal(0)
WITH: Final = ("store", "alignment__item__connection", "alignment__listing", "listing", "order")
WAYS: Final[Mapping[str, tuple[Way, ...]]] = {
    Type.QUANTITY: (Way.POS, Way.WOO, Way.COUNT, Way.HIGHER, Way.MERGE, Way.IGNORE),
    Type.SIMULTANEOUS_SALE: (Way.COUNT, Way.IGNORE),
    Type.UNMANAGED: (Way.IGNORE,),
    Type.LISTING_DELETED: (Way.IGNORE,),
    Type.SKU_CHANGED: (Way.NOTED,),
    Type.MISSING_ALIGNMENT: (Way.NOTED,),
}
INSTEAD: Final[Mapping[str, str]] = {  # what mends it, where a person's word alone does not
    Type.QUANTITY: "Say who is right, or count the shelf.",
    Type.SIMULTANEOUS_SALE: "Count the shelf. It goes by itself once goods are booked in at the till.",
    Type.UNMANAGED: "Tick “Manage stock” on it in the shop; then it goes. Or leave it uncounted.",
    Type.LISTING_DELETED: "Restore it in the shop, or reject its pair; then it goes.",
    Type.SKU_CHANGED: "Nothing is wrong with the pair: note it. If it is another product by now, reject the pair and align anew.",
    Type.MISSING_ALIGNMENT: "Align it: then what was sold is booked. Or note it, if you have entered it at the till yourself.",
    Type.UNSETTLED: "It goes with the answer: see to the write that waits, or to the numbers put off.",
    Type.PRICE: "Decide it under Prices.",
}


def ways_of(conflict: SyncConflict) -> tuple[Way, ...]:
    """Result: how a person may settle it; nothing where it goes by itself once mended."""
    return () if conflict.resolved_at else WAYS.get(conflict.conflict_type, ())


@dataclass(frozen=True, slots=True)
class Follower:
    """Another listing of the same item, whose number follows."""

    listing: Listing
    pack: str
    shop: Step


class Outlook:
    """Open conflicts with all it takes to say what settling them would write. What is booked with one shows in the next: two of
    them may lie on one shelf."""

    def __init__(self, conflicts: Sequence[SyncConflict], *, lock: bool = False) -> None:
        """`conflicts`: with what WITH names. `lock`: keep the levels and listings until the transaction ends."""
        pairs = [conflict.alignment for conflict in conflicts if conflict.alignment]
        stores = {conflict.store_id for conflict in conflicts}
        self.places: dict[int, list[StoreLocation]] = {}
        for place in StoreLocation.objects.filter(store__in=stores):
            self.places.setdefault(place.store_id, []).append(place)
        items = {pair.item_id for pair in pairs}
        self.listings = {pair.listing_id: pair.listing for pair in pairs}
        if lock:
            self.listings |= listings_locked(ids=self.listings)
        levels = levels_locked(items=items) if lock else StockLevel.objects.filter(item__in=items).order_by("pk")
        self.levels = {(level.item_id, level.location_id): level for level in levels}
        open_writes = OutboundWrite.objects.filter(
            listing__in=[pair.listing_id for pair in pairs], state__in=OutboundWrite.UNANSWERED, carries_number=True
        )
        self.unanswered = set(open_writes.values_list("listing_id", flat=True))

    def effect(self, conflict: SyncConflict, way: Way, count: Decimal | None = None) -> Effect | Refusal:
        """Result: what settling it so would write now, or why it can't be."""
        if way not in ways_of(conflict):
            return _not_so(conflict)
        pair = conflict.alignment
        if pair is None or conflict.conflict_type not in (Type.QUANTITY, Type.SIMULTANEOUS_SALE):
            return NOTHING
        if pair.status != Alignment.Status.CONFIRMED:
            return Refusal("The two are no pair any more.", "The next sync closes it.")
        effect = effect_of(account=self.account(conflict, pair), way=way, count=count)
        if isinstance(effect, Effect) and way == Way.IGNORE and conflict.conflict_type == Type.SIMULTANEOUS_SALE:
            return replace(effect, absorbed=ZERO)
        return effect

    def account(self, conflict: SyncConflict, pair: Alignment) -> Account:
        """Result: the pair as the ledger has it."""
        listing = self.listings[pair.listing_id]
        shelves = self._shelves(conflict.store_id, pair.item_id)
        counted = [level for level in shelves if level.baseline is not None]
        is_quantity = conflict.conflict_type == Type.QUANTITY
        return Account(
            per=pair.units_per_listing,
            shelf=sum((level.on_hand for level in shelves), ZERO),
            on_hand=sum((level.on_hand for level in counted), ZERO),
            reserved=sum((level.reserved for level in counted), ZERO),
            buffer=sum((place.buffer for place in self.places.get(conflict.store_id, ())), ZERO),
            told=sum((level.baseline or ZERO for level in counted), ZERO) if counted else None,
            has_level=bool(shelves),
            baseline=listing.baseline if listing.counts_stock else None,
            residual=conflict.difference if is_quantity else None,
            suspect=listing.suspect if is_quantity else None,
            is_unanswered=pair.listing_id in self.unanswered,
        )

    def book(self, conflict: SyncConflict, effect: Effect) -> StockLevel | None:
        """Let what follows see it. Result: the level it was booked at, changed in memory; None where nothing was."""
        pair = conflict.alignment
        if pair is None:
            return None
        listing = self.listings[pair.listing_id]
        if listing.baseline is not None and conflict.conflict_type == Type.QUANTITY:
            listing.baseline += effect.absorbed
            listing.suspect, listing.suspected_at, listing.came_back = None, None, False
        if not effect.units:
            return None
        level = self._shelves(conflict.store_id, pair.item_id)[0]
        level.on_hand += effect.units
        return level

    def _shelves(self, store_id: int, item_id: int) -> list[StockLevel]:
        """Result: an item's levels at the places that supply a store, in their order: a difference is booked at the first."""
        found = (self.levels.get((item_id, place.location_id)) for place in self.places.get(store_id, ()))
        return [level for level in found if level is not None]

    def followers(self, conflict: SyncConflict, effect: Effect) -> list[Follower]:
        """Result: the other listings of the item, in any store, whose numbers change with it. Costs two queries."""
        pair = conflict.alignment
        if pair is None or not effect.units:
            return []
        others = Alignment.objects.filter(item=pair.item_id, status=Alignment.Status.CONFIRMED).exclude(pk=pair.pk)
        level = self._shelves(conflict.store_id, pair.item_id)[0]
        others = others.filter(listing__baseline__isnull=False, listing__missing_since=None)
        counted = others.filter(listing__stock_management=StockManagement.OWN)
        found = list(counted.select_related("listing__connection")[:5])
        for place in StoreLocation.objects.filter(store__in={one.listing.connection_id for one in found} - self.places.keys()):
            self.places.setdefault(place.store_id, []).append(place)
        return [one for other in found if (one := self._follower(other, level, effect.units))]

    def _follower(self, pair: Alignment, level: StockLevel, units: Decimal) -> Follower | None:
        places = self.places.get(pair.listing.connection_id, [])
        if level.baseline is None or level.location_id not in {place.location_id for place in places}:
            return None
        shelves = [one for one in self._shelves(pair.listing.connection_id, pair.item_id) if one.baseline is not None]
        buffer, before = sum((place.buffer for place in places), ZERO), [one.on_hand - one.reserved for one in shelves]
        shows = [listing_target(available=[*before, more], buffer=buffer, per=pair.units_per_listing) for more in (ZERO, units)]
        return Follower(pair.listing, pair.pack, Step(*shows)) if shows[0] != shows[1] else None


def _not_so(conflict: SyncConflict) -> Refusal:
    if conflict.resolved_at:
        return Refusal(f"It is settled already: {conflict.get_resolution_display()}.", "There is nothing to do.")
    return Refusal(f"“{conflict.get_conflict_type_display()}” can't be settled so.", INSTEAD[conflict.conflict_type])


def effect_mark(conflict: SyncConflict, way: Way, effect: Effect) -> str:
    """Result: a short fingerprint of what settling it so would write: it changes with any number of it."""
    said = [conflict.pk, conflict.conflict_type, conflict.difference, way]
    steps = [f"{step.before.normalize():f}>{step.after.normalize():f}" if step else "" for step in _steps(effect)]
    text = "|".join(map(str, [*said, effect.units.normalize(), *steps]))
    return blake2s(text.encode(), digest_size=5).hexdigest()


def _steps(effect: Effect) -> tuple[Step | None, Step | None, Step | None]:
    return effect.shelf, effect.till, effect.shop
