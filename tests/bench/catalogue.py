"""The shop that is measured: its products as the sandbox loads them, as the till exports them, and as rows of our tables."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

HEADER = ("SKU", "Description", "UPC", "Department", "Vendor", "Cost", "Retail Price", "Qty On Hand", "Last Modified")
SIZES = ("1L", "5L", "10L", "20L")


@dataclass(frozen=True, slots=True)
class Ware:
    """One thing that both sides sell, and its number at the start."""

    remote_id: int
    parent_remote_id: int  # 0 for a product
    sku: str
    name: str
    price: str
    quantity: int

    @property
    def is_variation(self) -> bool:
        return self.parent_remote_id != 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`simple` products, and `variable` ones of four variations each, numbered on from 11."""

    simple: int = 3000
    variable: int = 50

    @property
    def pairs(self) -> int:
        return self.simple + self.variable * len(SIZES)

    @property
    def products(self) -> int:
        """Rows that the shop's list of products has; variations are in lists of their own."""
        return self.simple + self.variable

    def wares(self) -> Iterator[Ware]:
        """Result: what can be sold, the same on every call. A variable product itself is none of it."""
        random = Random(1)
        for number in range(self.simple):
            price, quantity = f"{random.randrange(300, 9000) / 100:.2f}", random.randrange(20, 80)
            yield Ware(11 + number, 0, f"BEN-{number:06d}", f"Bench item {number}", price, quantity)
        for number in range(self.variable):
            parent = self.parent_id(number)
            for place, size in enumerate(SIZES):
                price, quantity = f"{random.randrange(300, 9000) / 100:.2f}", random.randrange(20, 80)
                yield Ware(parent + 1 + place, parent, f"BENV-{number:04d}-{size}", size, price, quantity)

    def parent_id(self, number: int) -> int:
        return 11 + self.simple + number * (len(SIZES) + 1)

    def parents(self) -> Iterator[tuple[int, str]]:
        """Result: (remote id, name) of each variable product."""
        for number in range(self.variable):
            yield self.parent_id(number), f"Bench variable {number}"

    def store_file(self, path: Path) -> Path:
        """Write the file that `python -m sandbox store --load` takes. Result: its path."""
        rows: list[dict[str, Any]] = [
            {"id": parent, "parent_id": 0, "type": "variable", "name": name, "sku": "", "manage_stock": False}
            for parent, name in self.parents()
        ]
        rows += [
            {
                "id": ware.remote_id,
                "parent_id": ware.parent_remote_id,
                "type": "variation" if ware.is_variation else "simple",
                "name": ware.name,
                "sku": ware.sku,
                "regular_price": ware.price,
                "manage_stock": True,
                "stock_quantity": ware.quantity,
            }
            for ware in self.wares()
        ]
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path

    def changed(self, shows: Mapping[int, int], percent: int, *, seed: int) -> dict[int, int]:
        """Result: by remote id, new numbers for that share of the pairs, drawn at random; each differs, none is zero."""
        random = Random(seed)
        new: dict[int, int] = {}
        for remote_id in random.sample(sorted(shows), round(len(shows) * percent / 100)):
            shown, change = shows[remote_id], random.randint(1, 9)
            new[remote_id] = shown + change if shown < 20 else shown - change
        return new


class Exports:
    """A till's drop folder. Every export is a minute younger than the one before, and lies still long enough to be taken."""

    def __init__(self, folder: Path, catalogue: Catalogue, *, turn: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._catalogue = folder, catalogue
        self._true_at = datetime.now(UTC) - timedelta(hours=6) + timedelta(minutes=turn)

    def write(self, quantities: Mapping[int, int]) -> Path:
        """Export these numbers, by remote id. Result: the file."""
        self._true_at += timedelta(minutes=1)
        path = self._folder / f"pos_export_{self._true_at:%Y%m%d_%H%M%S}.csv"
        stamp = f"{self._true_at:%Y-%m-%d %H:%M}"  # a file of equal content would be recognised, and not applied again
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(HEADER)
            for ware in self._catalogue.wares():
                writer.writerow(
                    (ware.sku, ware.name, "", "Bench", "Bench", "1.00", ware.price, quantities[ware.remote_id], stamp)
                )
        os.utime(path, (self._true_at.timestamp(), self._true_at.timestamp()))
        return path


def slices(rows: Iterable[Any], size: int = 5000) -> Iterator[list[Any]]:
    """Result: the rows in lists of at most `size`."""
    rest = iter(rows)
    while part := list(islice(rest, size)):
        yield part
