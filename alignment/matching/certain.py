"""Pairs that are certain enough to propose themselves: the same SKU, or the same barcode, on exactly one thing of each side.
Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from alignment.matching.normalise import barcode_key, barcode_text

SAME_SKU = Decimal("1.0000")
SAME_BARCODE = Decimal("0.9900")
CONTRADICTED = Decimal("0.9000")  # the SKU says one thing, the barcode another: a person should look


class Entry(NamedTuple):
    """An item or a listing, as far as matching needs it."""

    pk: int
    sku: str
    key: str
    barcode: str


@dataclass(frozen=True, slots=True)
class Match:
    """One pair worth proposing. `kind` is a match type; `evidence` says why, for people."""

    item_pk: int
    listing_pk: int
    kind: str
    confidence: Decimal
    evidence: str


class _Index:
    """Entries by SKU key and by barcode; None where more than one has it, so that it says nothing."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_sku: dict[str, Entry | None] = {}
        self.by_barcode: dict[str, Entry | None] = {}
        for entry in entries:
            if entry.key:
                self.by_sku[entry.key] = None if entry.key in self.by_sku else entry
            barcode = barcode_key(entry.barcode) if entry.barcode else None
            if barcode:
                self.by_barcode[barcode] = None if barcode in self.by_barcode else entry


def _shared(ours: Mapping[str, Entry | None], theirs: Mapping[str, Entry | None]) -> Iterator[tuple[str, Entry, Entry]]:
    for key, item in ours.items():
        listing = theirs.get(key)
        if item is not None and listing is not None:
            yield key, item, listing


def certain_matches(items: Iterable[Entry], listings: Iterable[Entry]) -> list[Match]:
    """Result: the pairs with the same SKU, apart from spelling, and those with the same barcode, where that is unique on both
    sides. A SKU outweighs a barcode: where they contradict each other only the SKU's pair is there, with a warning."""
    ours, theirs = _Index(items), _Index(listings)
    listing_by_barcode: dict[int, tuple[str, Entry]] = {}
    item_by_barcode: dict[int, Entry] = {}
    for key, item, listing in _shared(ours.by_barcode, theirs.by_barcode):
        listing_by_barcode[item.pk] = key, listing
        item_by_barcode[listing.pk] = item
    matches: list[Match] = []
    used_items: set[int] = set()
    used_listings: set[int] = set()
    for _, item, listing in _shared(ours.by_sku, theirs.by_sku):
        used_items.add(item.pk)
        used_listings.add(listing.pk)
        matches.append(_sku_match(item, listing, listing_by_barcode.get(item.pk), item_by_barcode.get(listing.pk)))
    matches += [
        Match(item_pk, listing.pk, "barcode", SAME_BARCODE, f"same barcode {barcode_text(key)}")
        for item_pk, (key, listing) in listing_by_barcode.items()
        if item_pk not in used_items and listing.pk not in used_listings
    ]
    return matches


def _sku_match(item: Entry, listing: Entry, by_barcode: tuple[str, Entry] | None, barcode_item: Entry | None) -> Match:
    evidence = "same SKU" if item.sku == listing.sku else "same SKU apart from spelling"
    if by_barcode and by_barcode[1].pk == listing.pk:
        return Match(item.pk, listing.pk, "exact", SAME_SKU, f"{evidence}, same barcode {barcode_text(by_barcode[0])}")
    if by_barcode:
        return Match(item.pk, listing.pk, "exact", CONTRADICTED, f"{evidence}, but its barcode is on {_shown(by_barcode[1])}")
    if barcode_item:
        return Match(item.pk, listing.pk, "exact", CONTRADICTED, f"{evidence}, but the barcode is that of {_shown(barcode_item)}")
    return Match(item.pk, listing.pk, "exact", SAME_SKU, evidence)


def _shown(entry: Entry) -> str:
    return f"“{entry.sku[:100]}”" if entry.sku else "a listing without SKU"
