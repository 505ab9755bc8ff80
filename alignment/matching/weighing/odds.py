"""From levels of evidence to odds (Fellegi and Sunter, 1969): how much likelier a level is on a true pair than on another one.

The weights begin with what several trades have in common (`weights.py`) and are then bent towards what these two catalogues do,
within bounds: where SKUs of till and shop are numbered differently, an unlike SKU says nothing; where prices are always equal, an
unequal one says much. Pure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alignment.matching.weighing.levels import KINDS, LEVELS
from alignment.matching.weighing.weights import TRUE_SHARES, WRONG_SHARES

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

PRIOR_STRENGTH = 60.0  # the shares of other trades count as so many pairs seen here
MOST_BENT = 1.5  # natural logarithm
MOST_SAID = {"price": (-1.0, 1.6), "category": (-1.0, 0.7)}  # weak by nature, however regular they seem
_FLOOR = 0.00005


def prior_weights(levels: Levels) -> list[Floats]:
    """Result: by kind, the logarithm of the odds that each level adds, before anything is learned. Where all pairs have the same
    level (no brands, no prices) it adds nothing."""
    weights = []
    for place, kind in enumerate(KINDS):
        true, wrong = _prior_shares(kind, levels[:, place])
        weights.append(np.log(true / wrong))
    return weights


def bent_weights(levels: Levels, truth: Floats) -> list[Floats]:
    """Result: the weights after seeing these pairs, each true with that probability. No level moves by more than MOST_BENT."""
    weights = []
    trues = float(truth.sum()) + 1
    wrongs = len(truth) - float(truth.sum()) + 1
    for place, kind in enumerate(KINDS):
        column, size = levels[:, place], LEVELS[kind]
        prior_true, prior_wrong = _prior_shares(kind, column)
        # Other trades make up the same part of both, or a level that says nothing would seem to say something.
        true = np.bincount(column, weights=truth, minlength=size) + PRIOR_STRENGTH * prior_true
        wrong = np.bincount(column, weights=1 - truth, minlength=size) + PRIOR_STRENGTH * wrongs / trues * prior_wrong
        seen = np.log((true / true.sum()) / (wrong / wrong.sum()))
        prior = np.log(prior_true / prior_wrong)
        bent = np.clip(seen, prior - MOST_BENT, prior + MOST_BENT)
        weights.append(np.clip(bent, *MOST_SAID[kind]) if kind in MOST_SAID else bent)
    return weights


def _prior_shares(kind: str, column: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Result: the shares of true and of wrong pairs, among the levels that are seen here at all."""
    seen = np.bincount(column, minlength=LEVELS[kind]) > 0
    true, wrong = (
        np.where(seen, np.asarray(shares[kind], dtype=np.float64) + _FLOOR, _FLOOR) for shares in (TRUE_SHARES, WRONG_SHARES)
    )
    return true / true.sum(), wrong / wrong.sum()


def log_odds(levels: Levels, weights: Sequence[Floats]) -> Floats:
    """Result: per pair, the sum of what its levels add."""
    total: Floats = np.zeros(len(levels), dtype=np.float64)
    for place, weight in enumerate(weights):
        total += weight[levels[:, place]]
    return total


def one_to_one(items: Places, listings: Places, odds: Floats, *, item_count: int, listing_count: int, rounds: int = 12) -> Floats:
    """Result: per pair, its probability where every item has at most one listing and every listing at most one item.

    Belief propagation on the pairs (the monomer-dimer model): a pair competes with all others of its item and of its listing, and
    less with those that have a better partner elsewhere. Two equally good candidates get a half each.
    """
    to_listing = np.ones(len(odds))  # how free the item is for this listing
    to_item = np.ones(len(odds))
    for _ in range(rounds):
        rivals = np.bincount(items, weights=odds * to_item, minlength=item_count)[items] - odds * to_item
        to_listing = 1 / (1 + np.maximum(rivals, 0))
        rivals = np.bincount(listings, weights=odds * to_listing, minlength=listing_count)[listings] - odds * to_listing
        to_item = 1 / (1 + np.maximum(rivals, 0))
    weight = odds * to_listing * to_item
    result: Floats = weight / (1 + weight)
    return result
