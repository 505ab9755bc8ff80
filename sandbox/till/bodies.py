"""The till's JSON: requests parsed once and strictly, rows written as docs/pos-api.yaml says."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from sandbox.till.catalogue import plain
from sandbox.till.words import Happening, Item, Level, StaffNote


def _decimal(pattern: str) -> BeforeValidator:
    """Takes decimal text of that shape and nothing else: a JSON number has been a float on its way."""

    def parse(text: object) -> Decimal:
        if not isinstance(text, str) or not re.fullmatch(pattern, text):
            raise ValueError("not a decimal written as text")
        return Decimal(text)

    return BeforeValidator(parse)


DecimalText = Annotated[Decimal, _decimal(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")]
AmountText = Annotated[Decimal, _decimal(r"[0-9]{1,12}(\.[0-9]{1,6})?")]
Note = Annotated[str, Field(max_length=200)]
Sku = Annotated[str, Field(min_length=1)]
Json = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AdjustmentRequest(_Body):
    operation_id: UUID
    sku: Sku
    delta: DecimalText
    location: str = ""
    reason: Note = ""
    reference: Note = ""


class SaleRequest(_Body):
    sku: Sku
    quantity: DecimalText
    location: str = ""


class PriceChange(_Body):
    price: AmountText


class NoteRequest(_Body):
    operation_id: UUID
    title: Annotated[str, Field(min_length=1, max_length=120)]
    lines: Annotated[list[Note], Field(max_length=50)]


def item_json(item: Item) -> Json:
    return {
        "sku": item.sku,
        "name": item.name,
        "barcode": item.barcode,
        "department": item.department,
        "vendor": item.vendor,
        "cost": None if item.cost is None else plain(item.cost),
        "price": None if item.price is None else plain(item.price),
        "version": item.version,
        "modified_at": moment(item.modified_at),
    }


def level_json(level: Level, as_of: datetime) -> Json:
    return {
        "sku": level.sku,
        "location": level.location,
        "on_hand": plain(level.on_hand),
        "version": level.version,
        "as_of": moment(as_of),
    }


def adjustment_json(booked: Happening) -> Json:
    assert booked.adjustment is not None, "only a booked adjustment is shown as one"
    return {
        "operation_id": str(booked.adjustment.operation_id),
        "sku": booked.sku,
        "location": booked.location,
        "delta": plain(booked.delta),
        "reason": booked.adjustment.reason,
        "reference": booked.adjustment.reference,
        "on_hand": plain(booked.on_hand),
        "version": booked.version,
        "booked_at": moment(booked.at),
    }


def note_json(note: StaffNote) -> Json:
    return {
        "operation_id": str(note.operation_id),
        "title": note.title,
        "lines": list(note.lines),
        "shown_at": moment(note.shown_at),
    }


def sale_json(sale: Happening) -> Json:
    return {
        "sku": sale.sku,
        "location": sale.location,
        "quantity": plain(-sale.delta),
        "unit_price": None if sale.unit_price is None else plain(sale.unit_price),
        "on_hand": plain(sale.on_hand),
        "version": sale.version,
        "sold_at": moment(sale.at),
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond where there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
