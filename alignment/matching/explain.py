"""Evidence in a sentence for a manager: “same barcode 0514975826515; size 1 l = 1l; name 0.93”. Pure."""

from collections.abc import Sequence

from alignment.matching.parts.sizes import Agreement
from alignment.matching.parts.things import Cut
from alignment.matching.weighing.compare import Comparer
from alignment.matching.weighing.doubts import likeness_of_names
from alignment.matching.weighing.levels import NOTED, Barcode, Brand, Price, Sku
from kit.gtin import gtin_text

_SKU = {
    Sku.SAME_SHARED: "same SKU",
    Sku.SAME_SHORT: "same SKU, though a short one",
    Sku.NEAR_SAME: "SKU almost the same",
    Sku.NEAR: "SKU much alike",
    Sku.ALIKE: "SKU somewhat alike",
    Sku.OTHER_NUMBERS: "SKU alike but for its numbers",
}
_PRICE = {Price.FAR: "prices far apart", Price.WORLDS: "prices far apart", Price.APART: "prices apart"}


def evidence_text(
    item: Cut, listing: Cut, levels: tuple[int, ...], comparer: Comparer, doubts: Sequence[str], rival: str = ""
) -> str:
    """Result: what speaks for and against a pair; doubts first, since they want a decision."""
    said = dict(zip(NOTED, levels, strict=True))
    parts = [f"check: {doubt}" for doubt in doubts]
    if rival:
        parts.append(rival if doubts else f"check: {rival}")
    parts += [_barcode(item, listing, said["barcode"]), _sku(item, listing, said["sku"])]
    parts += [_size(item, listing, said["size"]), *_name(item, listing, comparer)]
    if said["brand"] == Brand.SAME:
        parts.append(f"brand {item.thing.brand}")
    elif said["brand"] == Brand.OTHER:
        parts.append("another brand")
    if said["price"] == Price.SAME:
        parts.append("same price")
    elif said["price"] in _PRICE:
        parts.append(f"{_PRICE[Price(said['price'])]} ({item.thing.price} / {listing.thing.price})")
    return "; ".join(part for part in parts if part)


def _barcode(item: Cut, listing: Cut, level: int) -> str:
    if level in (Barcode.SAME, Barcode.SAME_SHARED):
        shared = [key for key in item.barcodes if key in listing.barcodes]
        return f"same barcode {gtin_text(shared[0])}" if shared else f"same number {item.unchecked} as barcode"
    if level == Barcode.SAME_UNCHECKED:
        return f"same number {item.unchecked} as barcode, though its check digit is wrong"
    return ""


def _sku(item: Cut, listing: Cut, level: int) -> str:
    if level == Sku.SAME:
        return "same SKU" if item.thing.sku == listing.thing.sku else "same SKU apart from spelling"
    return _SKU.get(Sku(level), "")


def _size(item: Cut, listing: Cut, level: int) -> str:
    ours, theirs = _sizes(item), _sizes(listing)
    if level == Agreement.SAME and ours and theirs:
        return f"size {ours} = {theirs}"
    if level == Agreement.SAME_NUMBER:
        return f"size {ours or theirs}, by its number"
    if level == Agreement.OTHER_KIND:
        return f"size {ours} against {theirs}"
    if level >= Agreement.PACK_DIFFERS:
        return f"size {ours} ≠ {theirs}"
    if level in (Agreement.ONE_SIDED, Agreement.PACK_ONE_SIDED):
        return f"size {ours or theirs} only {'at the till' if ours else 'in the shop'}" if not (ours and theirs) else ""
    return ""


def _sizes(cut: Cut) -> str:
    sizes = [measure.text for measure in cut.measures]
    return " ".join(([f"{cut.pack} ×"] if cut.pack and sizes else [f"pack of {cut.pack}"] if cut.pack else []) + sizes)


def _name(item: Cut, listing: Cut, comparer: Comparer) -> list[str]:
    if not item.words or not listing.words:
        return []
    words = comparer.words(item, listing)
    parts = [f"name {likeness_of_names(item, listing, comparer):.2f}"]
    if words.item_words:
        parts.append(f"only the till says “{' '.join(words.item_words[:5])}”")
    if words.listing_words:
        parts.append(f"only the shop says “{' '.join(words.listing_words[:5])}”")
    return parts
