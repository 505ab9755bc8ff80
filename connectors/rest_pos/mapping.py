"""The till's JSON, parsed once at the wire (docs/pos-api.yaml). A row that can't be used is named, and the others count."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic import ValidationError as Invalid

from connectors.contract import RowProblem, TillWrite
from connectors.wire import MOST_WHOLE, OddValueError, code, evidence, label, whole
from kit.storable import storable

Row = TypeVar("Row", bound="_Row")
Json = Mapping[str, Any]

_MOST_QUANTITY = Decimal(10_000_000)  # beyond it lie barcodes that were typed into the wrong field
_NOTE = 200
_LONGEST = 190
_KEPT = "Its last known number stays."
UNUSED = frozenset({"bad_row", "bad_quantity"})  # codes of problems that leave the whole row out


def _decimal(pattern: str, *, most: Decimal, places: Decimal) -> tuple[BeforeValidator, AfterValidator]:
    def text_only(said: object) -> Decimal:
        if not isinstance(said, str) or not re.fullmatch(pattern, said):
            raise ValueError("not a decimal number written as text")
        return Decimal(said)

    def fitting(number: Decimal) -> Decimal:
        if abs(number) >= most:
            raise ValueError("too large to be true")
        if number != number.quantize(places):
            raise ValueError(f"more than {-int(places.as_tuple().exponent)} decimals")
        return number

    return BeforeValidator(text_only), AfterValidator(fitting)


def _code(said: object) -> str:
    return code(_text(said), most=_LONGEST)


def _label(said: object) -> str:
    return storable(_text(said))


def _barcode(said: object) -> str:
    return evidence(_text(said).strip(), most=40)


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise ValueError("no text")
    return said


Quantity = Annotated[Decimal, *_decimal(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", most=_MOST_QUANTITY, places=Decimal("0.001"))]
Amount = Annotated[Decimal, *_decimal(r"[0-9]{1,12}(\.[0-9]{1,6})?", most=Decimal(10) ** 10, places=Decimal("0.0001"))]
Code = Annotated[str, Field(min_length=1), BeforeValidator(_code)]
Label = Annotated[str, BeforeValidator(_label)]
Barcode = Annotated[str, BeforeValidator(_barcode)]
Version = Annotated[StrictInt, Field(ge=0, le=MOST_WHOLE)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)  # a till may say more than it must


class Place(_Row):
    name: Code
    is_default: StrictBool


class ItemRow(_Row):
    sku: Code
    name: Label
    barcode: Barcode
    department: Label
    vendor: Label
    cost: Amount | None
    price: Amount | None


class LevelRow(_Row):
    sku: Code
    location: Code
    on_hand: Quantity
    version: Version


class Booked(_Row):
    """An adjustment as the till has it in its books."""

    operation_id: UUID
    booked_at: AwareDatetime


class Envelope(_Row):
    """One page of a list; its rows are looked at one by one, and one that is no object has no fields."""

    data: list[Annotated[dict[str, Any], BeforeValidator(lambda said: said if isinstance(said, dict) else {})]]
    next_after: Version
    has_more: StrictBool
    as_of: AwareDatetime


def item_facts(item: ItemRow) -> dict[str, Any]:
    """Result: what an item is called and costs, as fields of a `TillReading`. A barcode that is none was left out: it is only
    evidence."""
    return {
        "name": item.name.strip()[:500],
        "barcode": item.barcode,
        "category": item.department.strip()[:190],
        "vendor": item.vendor.strip()[:190],
        "cost": item.cost,
        "price": item.price,
    }


def places_from(rows: Iterable[Any]) -> list[Place]:
    """Result: those that can be read."""
    places: list[Place] = []
    for row in rows:
        with suppress(Invalid):
            places.append(Place.model_validate(row))
    return places


def version_of(row: Json) -> int | None:
    """Result: the till's number of the row's last change; None where it can't be read."""
    try:
        return whole(row.get("version"))
    except OddValueError:
        return None


def levels_from(rows: Iterable[Json], problems: list[RowProblem]) -> dict[tuple[str, str], LevelRow]:
    """Result: by SKU and location, the latest row of each; those that can't be used go to `problems`."""
    found = (_parsed(LevelRow, row, problems) for row in rows)
    return {(level.sku, level.location): level for level in found if level}


def items_from(rows: Iterable[Json], problems: list[RowProblem]) -> dict[str, ItemRow]:
    """Result: by SKU, the latest row of each. An item with an odd price or cost is used without it."""
    found = (_parsed(ItemRow, row, problems) for row in rows)
    return {item.sku: item for item in found if item}


def adjustment_json(write: TillWrite) -> dict[str, str]:
    """Result: the body that books this write."""
    delta = f"{write.delta:f}"
    return {
        "operation_id": str(write.operation_id),
        "sku": write.sku,
        "location": write.location,
        "delta": delta.rstrip("0").rstrip(".") if "." in delta else delta,
        "reason": write.reason[:_NOTE],
        "reference": write.reference[:_NOTE],
    }


def moment_from(kept: str) -> datetime:
    """Result: a time that we wrote down ourselves. Raises ValueError."""
    return datetime.fromisoformat(kept)


def _parsed(model: type[Row], row: Json, problems: list[RowProblem]) -> Row | None:
    """Result: the row; None, and one more problem, where it can't be used."""
    try:
        return model.model_validate(row)
    except Invalid as error:
        wrong = {
            str(each["loc"][0]): each["msg"].removeprefix("Value error, ")
            for each in error.errors(include_input=False, include_context=False)
        }
    sku = "" if "sku" in wrong else row["sku"]
    field, why = next(iter(wrong.items()))
    named = f"“{label(row.get('sku'), most=60)}”" if row.get("sku") else "A row without a SKU"
    if wrong.keys() <= {"cost", "price"}:
        problems.append(
            RowProblem(0, sku, f"bad_{field}", f"{named}: the {field} is {why}. It stays as it was.", "Correct it at the till.")
        )
        return _parsed(model, {**row, **dict.fromkeys(wrong)}, problems)
    code = "bad_quantity" if field == "on_hand" else "bad_row"
    problems.append(RowProblem(0, sku, code, f"{named} is not used: {field}: {why}. {_KEPT}", "Correct it at the till."))
    return None
