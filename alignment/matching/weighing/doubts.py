"""Contradictions that a person must look at, however sure the odds are. Pure."""

from alignment.matching.parts.sizes import Agreement
from alignment.matching.parts.things import Cut
from alignment.matching.weighing.compare import Comparer
from alignment.matching.weighing.levels import NOTED, Barcode, Numbers, Sku

DOUBTED_AT_MOST = 0.9
CONTRADICTED_AT_MOST = 0.5
_LITTLE_SHARED = 0.15


def doubts_of(item: Cut, listing: Cut, levels: tuple[int, ...], comparer: Comparer) -> list[str]:
    """Result: why this pair must not confirm itself, in a manager's words; empty where nothing speaks against it."""
    said = dict(zip(NOTED, levels, strict=True))
    doubts = []
    barcode, sku, size = said["barcode"], said["sku"], said["size"]
    if size == Agreement.DIFFERS:
        doubts.append("the sizes differ")
    elif size == Agreement.PACK_DIFFERS:
        doubts.append("the packs differ")
    elif size == Agreement.PACK_ONE_SIDED and barcode != Barcode.SAME:
        doubts.append("only one of them is said to be a pack")
    elif size == Agreement.OTHER_KIND and barcode != Barcode.SAME:
        doubts.append("their sizes can't be compared")
    if said["numbers"] == Numbers.DIFFER:
        doubts.append("their numbers differ")
    if barcode == Barcode.ELSEWHERE:
        doubts.append("the barcode of one is on something else")
    elif barcode == Barcode.DIFFERS:
        doubts.append("their barcodes differ")
    elif barcode == Barcode.SAME_SHARED:
        doubts.append("others have the same barcode")
    if sku == Sku.SAME_SHARED:
        doubts.append("others have the same SKU")
    elif sku == Sku.ELSEWHERE:
        doubts.append("the SKU of one is on something else")
    has_code = barcode in (Barcode.SAME, Barcode.SAME_UNCHECKED) or sku in (Sku.SAME, Sku.SAME_SHORT)
    if has_code and likeness_of_names(item, listing, comparer) < _LITTLE_SHARED:
        doubts.append("their names have little in common")
    return doubts


def likeness_of_names(item: Cut, listing: Cut, comparer: Comparer) -> float:
    """Result: 0 to 1, the shared part of what both names say, weighed; 1 where one has no name to contradict the other."""
    if not item.words or not listing.words:
        return 1.0
    words = comparer.words(item, listing)
    whole = words.shared + words.item_only + words.listing_only
    # Common words say little, so a name of nothing else is compared as it is.
    return words.shared / whole if whole else 1.0


def at_most(levels: tuple[int, ...], doubts: list[str]) -> float:
    """Result: the highest confidence that a pair with these doubts may have."""
    if not doubts:
        return 1.0
    said = dict(zip(NOTED, levels, strict=True))
    contradicted = said["size"] >= Agreement.PACK_DIFFERS or said["numbers"] == Numbers.DIFFER
    return CONTRADICTED_AT_MOST if contradicted else DOUBTED_AT_MOST
