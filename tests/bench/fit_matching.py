"""`python -m tests.bench.fit_matching`: where the matcher's figures come from.

Prints how often each level of evidence is seen on true and on wrong candidates (`matching/weighing/weights.py`), and how well
each factor and exponent would calibrate its confidence (`matching/weighing/confidence.py`). Every catalogue counts alike. Only
trades that may be tuned on: the held-out ones of `abroad.py` are never looked at here.
"""

import os
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

SHIFTS, PER_SHARES, TEMPERS = (1.5, 2.0, 2.5, 3.0), (0.7, 0.9, 1.0), (0.8, 0.9, 1.0)


def training() -> Iterator[tuple[str, Any]]:
    """Result: the catalogues that were fitted on: two trades at several rates of noise, and the real shop."""
    from tests.alignment.catalogues.books import books
    from tests.alignment.catalogues.grocer import grocer
    from tests.alignment.catalogues.made import Rates
    from tests.alignment.matching.catalogues import catalogues, from_made

    few = {"till_barcodes": 0.4, "shop_barcodes": 0.4}
    rare = {"till_barcodes": 0.3, "shop_barcodes": 0.3, "no_vendor": 1, "typos": 0.08, "same_price": 0.5}
    yield "hydro", catalogues("hydro")
    for seed in (101, 102):
        yield f"grocer {seed}", from_made(grocer(seed, share=0.5))
        yield f"books {seed}", from_made(books(seed, titles=1000))
    yield (
        "grocer, no barcodes",
        from_made(
            grocer(
                103,
                Rates(till_barcodes=0, shop_barcodes=0, same_sku=0.1, same_price=0.4, only_till=0.12, only_shop=0.12),
                share=0.5,
            )
        ),
    )
    yield "grocer, hard", from_made(grocer(104, Rates(**rare, same_sku=0.6, only_till=0.1, only_shop=0.1), share=0.5))
    yield "books, hard", from_made(books(105, Rates(**rare, only_till=0.12, only_shop=0.12), titles=800))
    yield "grocer, many missing", from_made(grocer(111, Rates(**few, only_till=0.3, only_shop=0.3), share=0.6))
    yield "books, many missing", from_made(books(112, Rates(**few, only_till=0.3, only_shop=0.3, same_price=0.5), titles=1300))
    yield (
        "grocer, half missing",
        from_made(
            grocer(
                113,
                Rates(till_barcodes=0.2, shop_barcodes=0.2, only_till=0.5, only_shop=0.2, same_price=0.3, no_vendor=1),
                share=0.6,
            )
        ),
    )


def main() -> int:
    import django

    django.setup()
    from alignment.matching.engine import scored
    from alignment.matching.pairs import Pairs
    from alignment.matching.weighing.levels import KINDS, LEVELS
    from alignment.matching.weighing.odds import one_to_one

    shares: list[list[tuple[np.ndarray, np.ndarray]]] = []
    losses: dict[tuple[float, float, float], list[float]] = {}
    for name, known in training():
        pairs = Pairs(known.items, known.listings)
        cuts = (pairs.cuts(pair) for pair in range(len(pairs)))
        true = np.array([known.truth.get(item.thing.sku) == listing.thing.sku for item, listing in cuts])
        shares.append([_shares(pairs.levels[:, place], true, LEVELS[kind]) for place, kind in enumerate(KINDS)])
        scores, matched = scored(pairs)
        for shift, per_share, temper in product(SHIFTS, PER_SHARES, TEMPERS):
            odds = np.exp(shift + per_share * np.log(matched / (1 - matched)) + temper * scores)
            chances = one_to_one(
                pairs.at_item, pairs.at_listing, odds, item_count=len(pairs.items), listing_count=len(pairs.listings)
            )
            right = np.clip(np.where(true, chances, 1 - chances), 1e-6, 1)
            losses.setdefault((shift, per_share, temper), []).append(float(-np.log(right).sum() / len(pairs.items)))
        print(f"{name}: {len(pairs)} candidates, {true.sum()} of {len(known.truth)} true pairs among them", file=sys.stderr)
    for place, kind in enumerate(KINDS):
        for side, word in enumerate(("true", "wrong")):
            print(kind, word, np.round(np.mean([one[place][side] for one in shares], axis=0), 4).tolist())
    for setting, loss in sorted(losses.items(), key=lambda entry: np.mean(entry[1]))[:8]:
        print("shift, per share, temper:", setting, "mean loss:", round(float(np.mean(loss)), 4))
    return 0


def _shares(column: np.ndarray, true: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    counts = np.bincount(column[true], minlength=size), np.bincount(column[~true], minlength=size)
    return counts[0] / counts[0].sum(), counts[1] / counts[1].sum()


if __name__ == "__main__":
    sys.exit(main())
