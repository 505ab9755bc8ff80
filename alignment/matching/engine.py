"""The matcher: which listing is each item, how sure that is, and why. Pure; the same input gives the same result.

Candidates by an inverted index; levels of evidence for each; odds that begin as those of other trades and are bent, twice,
towards what these two catalogues do; a probability under one-to-one; and caution where two things contradict each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alignment.matching.explain import evidence_text
from alignment.matching.pairs import Pairs, unsettled_scores
from alignment.matching.parts.things import Thing
from alignment.matching.weighing.confidence import HIGHEST, calibrated
from alignment.matching.weighing.doubts import at_most, doubts_of
from alignment.matching.weighing.habits import habits_learned
from alignment.matching.weighing.levels import NOTED, Barcode, Sku
from alignment.matching.weighing.odds import Floats, bent_weights, log_odds, one_to_one, prior_weights

Kind = Literal["exact", "barcode", "auto-high", "fuzzy"]

LIKELY = 0.7  # a pair that habits are learned from
LEAST = 0.02  # below this a pair is not worth a look
HIGH = 0.95  # `auto-high`
_PRIOR = -2.0  # log-odds of a candidate before anything is known
_MOST = 30.0
_RIVAL = 0.25  # a rival with so much of the pair's odds is named


@dataclass(frozen=True, slots=True)
class Match:
    """One item and the listing it most probably is. `doubts`: why it must not confirm itself, whatever its confidence."""

    item_key: int
    listing_key: int
    kind: Kind
    confidence: float
    evidence: str
    doubts: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        return not self.doubts


class Matching:
    """The outcome. `matches`: at most one for each item and each listing, in the items' order."""

    def __init__(self, pairs: Pairs, confidences: Floats) -> None:
        self._pairs = pairs
        self._confidences = confidences
        self._of_item: dict[int, list[int]] = {}
        self.matches = [self._match(pair) for pair in sorted(_assigned(pairs, confidences))]

    def candidates(self, item_key: int, most: int = 5) -> list[Match]:
        """Result: the listings that an item may be, best first, with what speaks for and against each; also those that are taken,
        or another size."""
        if not self._of_item:
            for pair, place in enumerate(self._pairs.at_item.tolist()):
                self._of_item.setdefault(self._pairs.items[place].thing.key, []).append(pair)
        mine = sorted(self._of_item.get(item_key, ()), key=lambda pair: (-self._confidences[pair], pair))
        return [self._match(pair) for pair in mine[:most]]

    def _match(self, pair: int) -> Match:
        item, listing = self._pairs.cuts(pair)
        levels = tuple(self._pairs.levels[pair].tolist())
        comparer = self._pairs.comparer
        doubts = doubts_of(item, listing, levels, comparer)
        confidence = round(min(float(self._confidences[pair]), HIGHEST, at_most(levels, doubts)), 4)
        rival = self._rival(pair)
        evidence = evidence_text(item, listing, levels, comparer, doubts, rival)
        if rival:
            doubts.append(rival)
        return Match(item.thing.key, listing.thing.key, _kind(levels, confidence, doubts), confidence, evidence, tuple(doubts))

    def _rival(self, pair: int) -> str:
        """Result: which other listing, or other item, is about as good or better, in words; "" where there is none."""
        pairs, confidences = self._pairs, self._confidences
        mine = float(confidences[pair])
        if mine >= 1 / (1 + _RIVAL):
            return ""  # the others have at most the rest
        start, end = np.searchsorted(pairs.at_item, [pairs.at_item[pair], pairs.at_item[pair] + 1])
        same_listing = np.flatnonzero(pairs.at_listing == pairs.at_listing[pair])
        for others, side, word in ((range(start, end), 1, "listing"), (same_listing.tolist(), 0, "item")):
            best = max((other for other in others if other != pair), key=lambda other: confidences[other], default=pair)
            theirs = float(confidences[best])
            if best != pair and theirs > LEAST and theirs >= _RIVAL * mine:
                sku = pairs.cuts(best)[side].thing.sku
                name = f"the {word} “{sku}”" if sku else f"another {word}"
                return f"{name} fits {'better' if theirs > 2 * mine else 'as well'}"
        return ""


def match(
    items: Sequence[Thing],
    listings: Sequence[Thing],
    *,
    barred: Collection[tuple[int, int]] = (),
    settled: Collection[tuple[int, int]] = (),
) -> Matching:
    """Result: the best one-to-one matching of items and listings. `barred` pairs (item key, listing key) are out of the question,
    `settled` ones are known to be true: they are learned from, keep others away, and are not among the matches."""
    pairs = Pairs(items, listings, barred=barred, settled=settled)
    if not len(pairs):
        return Matching(pairs, np.zeros(0))
    scores, share_matched = scored(pairs)
    odds = calibrated(scores, share_matched=share_matched)
    odds[pairs.vetoed() | pairs.excluded] = 0
    return Matching(pairs, _chances(pairs, odds))


def scored(pairs: Pairs) -> tuple[Floats, float]:
    """Result: every pair's log-odds after learning from all of them, not calibrated yet; and the share of the smaller catalogue
    that seems to have a counterpart."""
    scores = unsettled_scores(pairs, log_odds(pairs.levels, prior_weights(pairs.levels)) + _PRIOR, _MOST)
    chances = _chances(pairs, np.exp(scores))
    for _ in range(2):
        pairs.comparer.habits = habits_learned(pairs, np.flatnonzero(chances > LIKELY).tolist())
        pairs.compare_names_again(scores)
        for _ in range(2):
            weights = bent_weights(pairs.levels, chances)
            scores = unsettled_scores(pairs, log_odds(pairs.levels, weights) + _base(chances), _MOST)
            chances = _chances(pairs, np.exp(scores))
    return scores, (float(chances.sum()) + 1) / (min(len(pairs.items), len(pairs.listings)) + 2)


def _chances(pairs: Pairs, odds: Floats) -> Floats:
    return one_to_one(pairs.at_item, pairs.at_listing, odds, item_count=len(pairs.items), listing_count=len(pairs.listings))


def _base(chances: Floats) -> float:
    share = (float(chances.sum()) + 1) / (len(chances) + 10)
    return float(np.log(share / (1 - share)))


def _assigned(pairs: Pairs, confidences: Floats) -> list[int]:
    """Result: the pairs that are left when the surest is taken first, and what excludes it dropped. Under probabilities that are
    one-to-one already, that loses nothing against an optimal assignment (docs/matching.md)."""
    order = np.lexsort((pairs.at_listing, pairs.at_item, -confidences))
    item_taken = np.zeros(len(pairs.items), dtype=bool)
    listing_taken = np.zeros(max(1, len(pairs.listings)), dtype=bool)
    chosen = []
    for pair in order.tolist():
        if confidences[pair] < LEAST:
            break
        item, listing = pairs.at_item[pair], pairs.at_listing[pair]
        if item_taken[item] or listing_taken[listing]:
            continue
        item_taken[item] = listing_taken[listing] = True
        if not pairs.settled[pair]:
            chosen.append(pair)
    return chosen


def _kind(levels: tuple[int, ...], confidence: float, doubts: list[str]) -> Kind:
    said = dict(zip(NOTED, levels, strict=True))
    if said["sku"] in (Sku.SAME, Sku.SAME_SHORT, Sku.SAME_SHARED):
        return "exact"
    if said["barcode"] in (Barcode.SAME, Barcode.SAME_SHARED):
        return "barcode"
    return "auto-high" if confidence >= HIGH and not doubts else "fuzzy"
