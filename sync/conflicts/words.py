"""What settling a conflict will do, in sentences."""

from decimal import Decimal

from kit.words import quantity_text
from sync.core.settling import Effect, Way
from sync.core.targets import packs_of
from sync.models import SyncConflict

Type = SyncConflict.Type
LEFT = {
    Type.SIMULTANEOUS_SALE: "both sales stand, and the shelf stays below zero until goods come in.",
    Type.UNMANAGED: "the shop goes on selling it uncounted, and nothing is written to it.",
    Type.LISTING_DELETED: "the pair stays, and nothing is written.",
}
COMES_BACK = "It comes back here when that changes."


def effect_sentence(conflict: SyncConflict, way: Way, count: Decimal | None, effect: Effect) -> str:
    """Result: what follows, for people; with what will not be written where a side is only observed."""
    return f"{_said(conflict, way, count, effect)}{_observed(conflict, effect)}"


def _said(conflict: SyncConflict, way: Way, count: Decimal | None, effect: Effect) -> str:
    if way == Way.NOTED and conflict.conflict_type == Type.MISSING_ALIGNMENT:
        return "It is noted. What was sold of it is not booked: it is taken as entered at the till by hand."
    if way == Way.NOTED:
        return "It is noted. Nothing is written to either side."
    if way == Way.IGNORE:
        return f"It is left as it is: {_left(conflict)} {COMES_BACK}"
    if way == Way.COUNT:
        return _counted(conflict, count or Decimal(0))
    booked = f"{effect.units.normalize():+f} are booked, and the till is told with the next sync."
    if way == Way.HIGHER:
        return (
            f"The shop's number is the higher one: {booked}" if effect.units else f"The till's is the higher one: {_back(effect)}"
        )
    if way == Way.MERGE:
        return f"Both sides' changes count: {booked}"
    return f"The shop wins: {booked}" if way == Way.WOO else f"The till wins: {_back(effect)}"


def _back(effect: Effect) -> str:
    if effect.shop is None or not effect.shop.change:
        return "the shop's number stays."
    before, after = quantity_text(effect.shop.before), quantity_text(effect.shop.after)
    return f"the shop's {before} goes back to {after} with the next sync."


def _left(conflict: SyncConflict) -> str:
    off = conflict.difference
    if conflict.conflict_type != Type.QUANTITY or off is None:
        return LEFT[Type(conflict.conflict_type)]
    more = f"{quantity_text(abs(off))} {'more' if off > 0 else 'fewer'}"
    return f"the shop goes on showing {more} than it should; what either side sells is still carried to the other."


def _counted(conflict: SyncConflict, count: Decimal) -> str:
    pair, in_packs = conflict.alignment, ""
    if pair and pair.pack:
        in_packs = f" of the till's units ({quantity_text(packs_of(count, pair.units_per_listing))} {pair.pack})"
    return f"Counted: {quantity_text(count)}{in_packs} lie on the shelf. Both sides are told with the next sync."


def _observed(conflict: SyncConflict, effect: Effect) -> str:
    said = ""
    if effect.shop and effect.shop.change and not conflict.store.is_live:
        said += " The shop is only observed: nothing is written to it before it is set live."
    till = conflict.alignment.item.connection if conflict.alignment else None
    if till and not till.is_live and effect.till and effect.till.change:
        said += " The till is only observed: it is not told before it is set live."
    return said
