"""From when on a product's figures are worth an alert, as its thresholds say together."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal

from kit.scopes import inherited


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for one product; defaults are what nobody has set. Units, percent, hours. A figure at its limit is well."""

    low_stock_below: Decimal | None = None  # None: nobody is told
    out_of_stock: bool = True
    discrepancy_units: Decimal = Decimal(10)
    discrepancy_percent: Decimal = Decimal(10)
    price_percent: Decimal = Decimal(20)
    file_within_hours: int = 24


NAMES = tuple(field.name for field in fields(Limits))
DEFAULT = Limits()


def limits_of(widest_first: Iterable[object]) -> Limits:
    """Result: what these rows of thresholds say together."""
    rows = list(widest_first)
    return Limits(**{name: inherited(rows, name, getattr(DEFAULT, name)) for name in NAMES}) if rows else DEFAULT
