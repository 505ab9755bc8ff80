"""Catalogues as the matcher wants them, and how well it did on them."""

import csv
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from alignment.importing.catalogues import store_file_read, till_file_read
from alignment.matching.engine import Match, match
from alignment.matching.parts.things import Thing
from tests.alignment.catalogues.abroad import clothes, ironmonger
from tests.alignment.catalogues.books import books
from tests.alignment.catalogues.grocer import grocer
from tests.alignment.catalogues.made import Made

MADE = {"grocer": grocer, "books": books, "clothes": clothes, "ironmonger": ironmonger}


@dataclass(frozen=True)
class Catalogues:
    items: list[Thing]
    listings: list[Thing]
    truth: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """Every match with whether it is true, and how many pairs there are to find."""

    judged: list[tuple[Match, bool]]
    true_pairs: int

    def confirmed(self, threshold: float = 0.95) -> list[bool]:
        return [right for match, right in self.judged if match.is_safe and match.confidence >= threshold]

    @property
    def precision(self) -> float:
        return sum(self.confirmed()) / len(self.confirmed())

    @property
    def recall(self) -> float:
        return sum(self.confirmed()) / self.true_pairs

    @property
    def top1(self) -> float:
        return sum(right for _, right in self.judged) / self.true_pairs


def from_files(pos: Path, store: Path, truth: dict[str, str]) -> Catalogues:
    return Catalogues(till_file_read(pos).things, store_file_read(store).things, truth)


def from_made(made: Made) -> Catalogues:
    with tempfile.TemporaryDirectory() as folder:
        return from_files(*made.write(Path(folder)), made.truth)


@cache
def catalogues(name: str) -> Catalogues:
    if name in MADE:
        return from_made(MADE[name]())
    root = Path(settings.BASE_DIR)
    data = root / "sandbox" / "data" / name
    with (root / "tests" / "data" / name / "alignment_truth.csv").open(encoding="utf-8-sig", newline="") as file:
        truth = {row["POS SKU"]: row["WooCommerce SKU"] for row in csv.DictReader(file)}
    return from_files(data / "pos_export.csv", data / "store_catalogue.json", truth)


def judge(found: Catalogues) -> Outcome:
    return judged(found, match(found.items, found.listings).matches)


def judged(found: Catalogues, matches: list[Match]) -> Outcome:
    items = {item.key: item.sku for item in found.items}
    listings = {listing.key: listing.sku for listing in found.listings}
    right = [(one, found.truth.get(items[one.item_key]) == listings[one.listing_key]) for one in matches]
    return Outcome(right, len(found.truth))


@cache
def outcome(name: str) -> Outcome:
    return judge(catalogues(name))
