"""What holds a readable file back (ledger.md §8). Pure: figures in, reasons out."""

from typing import Any

import pytest

from connectors.pos_csv.guards import FeedFigures, guard
from tests.connectors.pos_csv.conftest import Drop, settings

HEADER = ("sku", "qty")


def figures(items: int, in_stock: int, header: tuple[str, ...] = HEADER, currencies: tuple[str, ...] = ()) -> FeedFigures:
    return FeedFigures(items, in_stock, header, currencies)


@pytest.mark.parametrize(
    ("before", "now", "given"),
    [
        (None, figures(1, 0), {}),  # the first file ever
        (figures(100, 80), figures(100, 80), {}),
        (figures(100, 80), figures(80, 64), {}),  # exactly 20 %
        (figures(20, 20), figures(10, 10), {}),  # half, but only ten items: a small shop
        (figures(100, 80), figures(100, 64), {}),
        (figures(100, 80), figures(300, 240), {}),
        (figures(100, 80), figures(81, 63), {}),  # shelves that went with their rows are counted once
        (figures(100, 80), figures(10, 10), {"file_is_complete": False, "max_zeroed_percent": 100}),
        (figures(100, 80), figures(10, 0), {"max_shrink_percent": 100, "max_zeroed_percent": 100}),
        (figures(9, 9, currencies=("$",)), figures(9, 9), {}),
        (figures(9, 9), figures(9, 9, currencies=("$",)), {}),
    ],
)
def test_ordinary_change_holds_nothing(before: FeedFigures | None, now: FeedFigures, given: dict[str, Any]) -> None:
    assert guard(before, now, settings(**given)) == []


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        (
            figures(100, 80),
            figures(79, 79),
            (
                "The file has 79 items where the last one had 100: 21 are gone, more than the 20 % you allow. "
                "Check that the export is whole."
            ),
        ),
        (
            figures(100, 80),
            figures(100, 63),
            (
                "63 items have stock where 80 had: 17 shelves went empty, more than the 20 % you allow. "
                "Check the till's list against a few shelves."
            ),
        ),
        (
            figures(9, 9),
            figures(9, 9, header=("sku", "available")),
            "The columns changed since the last file (gone: qty; new: available). Check that it is the same list.",
        ),
        (
            figures(9, 9),
            figures(9, 9, header=("qty", "sku")),
            "The columns stand in another order than in the last file. Check that it is the same list.",
        ),
        (
            figures(9, 9, currencies=("$",)),
            figures(9, 9, currencies=("$", "€")),
            "Prices are now in €, they were in $. Check that the right price list was exported.",
        ),
    ],
)
def test_what_wants_a_look_is_held_with_its_reason(before: FeedFigures, now: FeedFigures, reason: str) -> None:
    assert guard(before, now, settings()) == [reason]


def test_figures_survive_being_kept_as_json() -> None:
    kept = figures(3, 2, currencies=("$",))
    assert FeedFigures.from_json(kept.as_json()) == kept
    assert FeedFigures.from_json({"rows": 3}) is None


def test_the_till_compares_a_feed_with_the_figures_of_the_last(drop: Drop) -> None:
    till = drop.till()
    drop.put("a.csv", "SKU,Qty\n" + "".join(f"A{n},5\n" for n in range(60)))
    (first,) = till.feeds()
    drop.put("b.csv", "SKU,Qty\n" + "".join(f"A{n},{0 if n < 20 else 5}\n" for n in range(60)))
    second = next(feed for feed in till.feeds() if feed.name == "b.csv")
    assert till.guard(first, None) == []
    assert till.guard(first, first.figures) == []
    assert till.guard(second, first.figures) == [
        (
            "40 items have stock where 60 had: 20 shelves went empty, more than the 20 % you allow. "
            "Check the till's list against a few shelves."
        ),
    ]
