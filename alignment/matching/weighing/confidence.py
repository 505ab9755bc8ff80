"""Odds as a confidence that means what it says: of the pairs at 0.9, about nine in ten are right. Pure.

The evidence overlaps (a SKU repeats the name), and how many items have no counterpart differs from shop to shop, so summed odds
are off by a factor. Factor and exponent were fitted on made-up catalogues of two trades at several rates of noise and on a real
shop, each counting alike, and then set a little lower than fitted (docs/matching.md).
"""

from collections.abc import Iterable
from math import log

import numpy as np

from alignment.matching.weighing.odds import Floats

SHIFT, PER_SHARE, TEMPER = 2.5, 0.9, 0.9
MOST_SHIFT = 5.0
HIGHEST = 0.9999  # nothing is certain
USUAL_THRESHOLD = 0.95


def calibrated(scores: Floats, *, share_matched: float) -> Floats:
    """Result: per pair, odds (not their logarithm) that can be taken at their word. `share_matched`: the part of the items that
    seem to have a counterpart at all."""
    share = min(0.99, max(0.02, share_matched))
    shift = min(MOST_SHIFT, SHIFT + PER_SHARE * log(share / (1 - share)))
    result: Floats = np.exp(shift + TEMPER * scores)
    return result


def expected_error(confidences: Iterable[float], threshold: float) -> float | None:
    """Result: the part of those at or above the threshold that is expected to be wrong, 0 to 1: the mean of 1 − confidence. None
    where none is that high: unknown, not zero."""
    above = [float(confidence) for confidence in confidences if confidence >= threshold]
    return sum(1 - confidence for confidence in above) / len(above) if above else None
