"""The till's own CSV: one row per item, in the header a shop's till really exports."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TextIO

HEADER = ("SKU", "Description", "UPC", "Department", "Vendor", "Cost", "Retail Price", "Qty On Hand", "Last Modified")
MODIFIED = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One item as the file says it. `price_sign` is the currency sign some tills print before some prices ("$32.50")."""

    sku: str
    name: str
    barcode: str
    department: str
    vendor: str
    cost: Decimal | None
    price: Decimal | None
    on_hand: Decimal
    modified_at: datetime
    price_sign: str = ""


def read_catalogue(path: Path, *, encoding: str, zone: tzinfo) -> Iterator[CatalogueRow]:
    """Every row of a well-formed export. Raises ValueError with the line number where the file is not one."""
    with path.open(encoding=encoding, newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        if tuple(reader.fieldnames or ()) != HEADER:
            raise ValueError(f"{path.name}: the header is not {','.join(HEADER)}")
        for row in reader:
            try:
                yield _row(row, zone)
            except (ArithmeticError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}, line {reader.line_num}: {error!r}") from error


def write_catalogue(out: TextIO, rows: Iterable[CatalogueRow], *, zone: tzinfo) -> None:
    """Write rows as the till exports them: CRLF line ends, local time to the minute."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in rows:
        price = "" if row.price is None else f"{row.price_sign}{plain(row.price)}"
        cost = "" if row.cost is None else plain(row.cost)
        modified = row.modified_at.astimezone(zone).strftime(MODIFIED)
        writer.writerow((row.sku, row.name, row.barcode, row.department, row.vendor, cost, price, plain(row.on_hand), modified))


def made_up(n: int, *, seed: int, now: datetime) -> Iterator[CatalogueRow]:
    """n invented items with numbered SKUs, 0 to 200 on hand; the same ones for the same seed."""
    rng, width = Random(seed), max(6, len(str(n)))
    for number in range(1, n + 1):
        cost = Decimal(rng.randint(100, 20_000)) / 100
        yield CatalogueRow(
            sku=f"GEN-{number:0{width}}",
            name=f"Generated item {number}",
            barcode=f"2{number:011}",
            department=rng.choice(("Nutrients", "Media", "Lighting", "Containers", "Air")),
            vendor=f"Vendor {rng.randint(1, 20)}",
            cost=cost,
            price=(cost * Decimal("1.6")).quantize(Decimal("0.01")),
            on_hand=Decimal(rng.randint(0, 200)),
            modified_at=now,
        )


def plain(number: Decimal) -> str:
    """A decimal as people write it: no exponent, and no trailing zeros but those it came with."""
    return f"{number:f}"


def _row(row: dict[str, str], zone: tzinfo) -> CatalogueRow:
    price = row["Retail Price"]
    digits = price.lstrip("$€£ ")
    return CatalogueRow(
        sku=row["SKU"],
        name=row["Description"],
        barcode=row["UPC"],
        department=row["Department"],
        vendor=row["Vendor"],
        cost=Decimal(row["Cost"]) if row["Cost"] else None,
        price=Decimal(digits) if digits else None,
        on_hand=Decimal(row["Qty On Hand"]),
        modified_at=datetime.strptime(row["Last Modified"], MODIFIED).replace(tzinfo=zone),
        price_sign=price.removesuffix(digits),
    )
