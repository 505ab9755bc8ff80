"""The candidate pairs of two catalogues, with their evidence as a table of small numbers. Pure."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from alignment.matching.candidates import Index
from alignment.matching.parts.sizes import Agreement
from alignment.matching.parts.things import Cut, Thing, cut_both
from alignment.matching.weighing.compare import Comparer
from alignment.matching.weighing.levels import NOTED, Barcode, Sku
from alignment.matching.weighing.odds import Flags, Floats, Levels, Places

_HOPELESS = 10.0  # natural logarithm
_COLUMN = {kind: place for place, kind in enumerate(NOTED)}


class Pairs:
    """Pairs of places in `items` and `listings`. `barred` pairs are left out; `settled` ones are in, whatever they share."""

    def __init__(
        self,
        items: Sequence[Thing],
        listings: Sequence[Thing],
        *,
        barred: Collection[tuple[int, int]] = (),
        settled: Collection[tuple[int, int]] = (),
    ) -> None:
        self.items, self.listings = cut_both(items, listings)
        self.comparer = Comparer(self.items, self.listings)
        partner_of = _places(self.items, self.listings, settled)
        pairs = list(_candidates(self.items, self.listings, frozenset(barred), partner_of))
        self.at_item: Places = np.asarray([place for place, _ in pairs], dtype=np.int32)
        self.at_listing: Places = np.asarray([place for _, place in pairs], dtype=np.int32)
        del pairs
        self.settled, self.excluded = self._settled(partner_of)
        self.levels = self._levels()

    def __len__(self) -> int:
        return len(self.at_item)

    def cuts(self, pair: int) -> tuple[Cut, Cut]:
        return self.items[self.at_item[pair]], self.listings[self.at_listing[pair]]

    def level(self, kind: str) -> Levels:
        """Result: every pair's level of that kind."""
        return self.levels[:, _COLUMN[kind]]

    def same_code(self) -> Flags:
        """Result: the pairs that a barcode or a whole SKU speaks for."""
        barcode, sku = self.level("barcode"), self.level("sku")
        return np.isin(barcode, (Barcode.SAME, Barcode.SAME_SHARED)) | np.isin(sku, (Sku.SAME, Sku.SAME_SHARED))

    def vetoed(self) -> Flags:
        """Result: the pairs whose sizes differ and that no code speaks for: never the same thing."""
        return (self.level("size") >= Agreement.PACK_DIFFERS) & ~self.same_code()

    def compare_names_again(self, scores: Floats) -> None:
        """After the comparer's habits changed: only names and categories depend on them. Pairs that are hopeless beside their
        item's best are left as they are."""
        best = np.full(len(self.items), -np.inf)
        np.maximum.at(best, self.at_item, scores)
        near = np.flatnonzero(scores >= best[self.at_item] - _HOPELESS)
        compare, category = self.comparer.name, self.comparer.category
        size, numbers = self.level("size")[near].tolist(), self.level("numbers")[near].tolist()
        found = bytearray()
        for place, pair in enumerate(near.tolist()):
            item, listing = self.cuts(pair)
            found += bytes((*compare(item, listing, size[place], numbers[place]), category(item, listing)))
        again = np.frombuffer(bytes(found), dtype=np.uint8).reshape(-1, 3)
        for place, kind in enumerate(("name", "shared", "category")):
            self.levels[near, _COLUMN[kind]] = again[:, place]

    def _levels(self) -> Levels:
        compare = self.comparer.levels
        found = bytearray()
        for at_item, at_listing in zip(self.at_item.tolist(), self.at_listing.tolist(), strict=True):
            found += bytes(compare(self.items[at_item], self.listings[at_listing]))
        return np.frombuffer(bytes(found), dtype=np.uint8).reshape(-1, len(NOTED)).copy()

    def _settled(self, partner_of: dict[int, int]) -> tuple[Flags, Flags]:
        """Result: which pairs are settled, and which are impossible because of that."""
        partners = np.full(len(self.items), -1, dtype=np.int32)
        taken = np.zeros(max(1, len(self.listings)), dtype=bool)
        for item, listing in partner_of.items():
            partners[item] = listing
            taken[listing] = True
        settled = partners[self.at_item] == self.at_listing
        return settled, ~settled & ((partners[self.at_item] >= 0) | taken[self.at_listing])


def _places(items: Sequence[Cut], listings: Sequence[Cut], settled: Collection[tuple[int, int]]) -> dict[int, int]:
    if not settled:
        return {}
    item_places = {cut.thing.key: place for place, cut in enumerate(items)}
    listing_places = {cut.thing.key: place for place, cut in enumerate(listings)}
    return {
        item_places[item]: listing_places[listing]
        for item, listing in settled
        if item in item_places and listing in listing_places
    }


def _candidates(
    items: Sequence[Cut], listings: Sequence[Cut], barred: frozenset[tuple[int, int]], partner_of: dict[int, int]
) -> Iterable[tuple[int, int]]:
    index = Index(listings)
    for place, item in enumerate(items):
        found = index.candidates(item)
        partner = partner_of.get(place)
        if partner is not None and partner not in found:
            found.append(partner)
        for listing in found:
            if (item.thing.key, listings[listing].thing.key) not in barred:
                yield place, listing


def unsettled_scores(pairs: Pairs, scores: Floats, most: float) -> Floats:
    """Result: the scores with what is settled, impossible or vetoed put beyond doubt."""
    scores = np.clip(scores, -most, most)
    scores[pairs.vetoed() | pairs.excluded] = -most
    scores[pairs.settled] = most
    return scores
