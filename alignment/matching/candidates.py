"""Which listings are worth comparing with an item: those that share its rare features. Pure.

An inverted index from features (words, their beginnings, pieces of SKUs, sizes, barcodes) to listings. A feature counts as much
as it is rare; the commonest ones of an item are left out once enough listings were looked at, so that the work stays in
proportion to the catalogue.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from alignment.matching.parts.things import Cut

CANDIDATES = 12
_LOOKED_AT = 20_000  # listings per item, counted once for each shared feature
_TIMES_TOUCHED = 50  # by so many features at most, nearly always
_PIECE = 3
_BEGINNING = 4

Indices = npt.NDArray[np.int32]


def features(cut: Cut) -> Iterator[tuple[str, float]]:
    """Result: what a thing can be found by, and how much that counts besides its rarity. One feature may come twice."""
    for word in cut.words:
        yield f"w{word}", 1.0
        yield f"b{word[:_BEGINNING]}", 0.5
        if len(word) > 2:
            yield f"c{word[:2]}", 0.15
    for word in cut.brand_words:
        yield f"w{word}", 0.7
        yield f"b{word[:_BEGINNING]}", 0.3
    for number in cut.numbers:
        yield f"n{number}", 0.6
    for measure in cut.measures:
        value = measure.value
        yield f"m{measure.dimension}{value if isinstance(value, str) else round(math.log(value or 1) * 20)}", 0.7
        if measure.number:
            yield f"n{measure.number:g}", 0.5
    if cut.pack:
        yield f"p{cut.pack}", 0.4
    sku = cut.compact_sku
    for start in range(len(sku) - _PIECE + 1):
        yield f"s{sku[start : start + _PIECE]}", 0.35


class Index:
    """Listings by feature."""

    def __init__(self, listings: Sequence[Cut]) -> None:
        self.size = len(listings)
        postings: dict[str, list[int]] = defaultdict(list)
        self._codes: dict[str, list[int]] = defaultdict(list)
        length = np.zeros(max(1, self.size), dtype=np.float32)
        kept: list[set[str]] = []
        for place, cut in enumerate(listings):
            mine = {name for name, _ in features(cut)}
            kept.append(mine)
            for name in mine:
                postings[name].append(place)
            for code in certain_codes(cut):
                self._codes[code].append(place)
        self._postings: dict[str, Indices] = {name: np.asarray(places, dtype=np.int32) for name, places in postings.items()}
        weights = {name: self._rarity(len(places)) for name, places in postings.items()}
        del postings
        for place, mine in enumerate(kept):
            length[place] = sum(weights[name] for name in mine)
        # Long names share more by chance.
        self._length = np.maximum(length, 1.0) ** np.float32(0.35)
        self._sum = np.zeros(max(1, self.size), dtype=np.float32)

    def _rarity(self, count: int) -> float:
        return math.log(1 + self.size / count)

    def candidates(self, item: Cut, most: int = CANDIDATES) -> list[int]:
        """Result: places of the listings that share most with the item, best first; those with the same code are always there."""
        wanted: dict[str, float] = {}
        for name, weight in features(item):
            wanted[name] = max(weight, wanted.get(name, 0.0))
        found = [(len(places), name, places) for name in wanted if (places := self._postings.get(name)) is not None]
        found.sort(key=lambda entry: entry[:2])
        sums, looked = self._sum, 0
        used: list[Indices] = []
        for count, name, places in found:
            looked += count
            if used and looked > _LOOKED_AT:
                break
            sums[places] += wanted[name] * self._rarity(count)
            used.append(places)
        best = self._best(np.concatenate(used), most) if used else []
        certain = [place for code in certain_codes(item) for place in self._codes.get(code, ())[:3]]
        return list(dict.fromkeys([*certain, *best]))

    def _best(self, touched: Indices, most: int) -> list[int]:
        """Result: the best of the touched listings; their sums are nought again afterwards. One may be there several times."""
        values = self._sum[touched] / self._length[touched]
        enough = most * _TIMES_TOUCHED
        if len(touched) > enough:
            top = np.argpartition(values, -enough)[-enough:]
            self._sum[touched] = 0
            touched, values = touched[top], values[top]
        else:
            self._sum[touched] = 0
        order = np.lexsort((touched, -values))  # equal sums in the catalogue's order: the same result every time
        return list(dict.fromkeys(touched[order].tolist()))[:most]


def certain_codes(cut: Cut) -> Iterator[str]:
    """Result: what makes two things a candidate pair whatever else they share."""
    for key in cut.barcodes:
        yield f"#{key}"
    if cut.unchecked:
        yield f"?{cut.unchecked}"
    if cut.sku_key:
        yield f"={cut.sku_key}"
