"""The till's words: what it holds, what happens to it, and how it refuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

Row = TypeVar("Row")


class TillError(ValueError):
    """The till refuses. `code` is a stable word, the text says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


class Kind(StrEnum):
    """Why a quantity changed."""

    SALE = "sale"
    COUNT = "count"
    RECEIPT = "receipt"
    ADJUSTMENT = "adjustment"  # booked by somebody else's operation id


@dataclass(frozen=True, slots=True)
class Item:
    sku: str
    name: str
    barcode: str
    department: str
    vendor: str
    cost: Decimal | None
    price: Decimal | None
    price_sign: str
    version: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Level:
    sku: str
    location: str
    on_hand: Decimal
    version: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change somebody asks the till to book once. An empty location means the default one."""

    operation_id: UUID
    sku: str
    delta: Decimal
    location: str = ""
    reason: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class StaffNote:
    """A few lines for whoever stands at the till."""

    operation_id: UUID
    title: str
    lines: Sequence[str]
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Happening:
    """One change of one level: the truth a test holds a ledger against. `on_hand` is what lay there right after it."""

    kind: Kind
    sku: str
    location: str
    delta: Decimal
    on_hand: Decimal
    version: int
    at: datetime
    unit_price: Decimal | None = None
    adjustment: Adjustment | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows changed after a version, as they were at `as_of`."""

    rows: Sequence[Row]
    next_after: int
    has_more: bool
    as_of: datetime


@dataclass(frozen=True, slots=True)
class TillState:
    """Everything a till knows, to go on from later."""

    version: int
    items: Sequence[Item]
    levels: Sequence[Level]
    happenings: Sequence[Happening]
