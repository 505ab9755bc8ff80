"""A file of thresholds is planned, shown, and then applied: all of its good rows or, on any surprise, none."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alerts.models import Threshold
from alignment.errors import AlignmentChangedError
from connectors.models import Connection
from inventory.models import Item
from kit.bulk import CHUNK, UPDATE_CHUNK, chunks, reason_text
from kit.files.cells import cell_safe
from kit.files.effects import Effect
from kit.files.table import TableRow, table_parse
from kit.words import quantity_text

CONNECTION, CATEGORY, SKU = "Connection", "Category", "SKU"
SCOPE: Final = (CONNECTION, CATEGORY, SKU)
LIMITS: Final[Mapping[str, str]] = {
    "Low below": "low_stock_below",
    "Tell when sold out": "out_of_stock",
    "Off by units": "discrepancy_units",
    "Off by percent": "discrepancy_percent",
    "Price off by percent": "price_percent",
    "File within hours": "file_within_hours",
}
COLUMNS: Final = (*SCOPE, *LIMITS)
YES_NO: Final[Mapping[str, bool | None]] = {
    "": None,
    "yes": True,
    "no": False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
}
_NUMBER = re.compile(r"[0-9]{1,11}([.,][0-9]{1,3})?")
Scope = tuple[int | None, str, int | None]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One row's fate. `values`: every limit that the file has a column for; an empty cell means inherited."""

    line: int
    label: str
    effect: Effect
    scope: Scope = (None, "", None)
    values: tuple[tuple[str, Any], ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    message: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class ThresholdPlan:
    """What an import would do, row by row."""

    rows: Sequence[RowPlan]

    @cached_property
    def counts(self) -> Counter[Effect]:
        return Counter(row.effect for row in self.rows)

    @cached_property
    def fingerprint(self) -> str:
        """Equal for plans that do the same: what was looked at is what is applied."""
        return hashlib.sha256(repr(list(self.rows)).encode()).hexdigest()


def thresholds_plan(*, content: bytes, encoding: str, limit: int) -> ThresholdPlan:
    """Result: the effect of every row; nothing is written. Raises FileError for a file that can't be read as a whole.
    The file needs the three columns that say for what, and any of the limits."""
    rows = table_parse(content, encoding=encoding, limit=limit, columns=SCOPE, others=list(LIMITS))
    known = _Known(rows)
    plans = [_judge(row, known) for row in rows]
    seen: dict[Scope, int] = {}
    for place, plan in enumerate(plans):
        if plan.effect == Effect.ERROR:
            continue
        first = seen.setdefault(plan.scope, plan.line)
        if first != plan.line:
            plans[place] = _error(plan, f"Line {first} is about the same.", "Keep only the row that is right.")
    return ThresholdPlan(plans)


def thresholds_apply(*, plan: ThresholdPlan, by: AbstractBaseUser | None, reason: str) -> int:
    """Store the plan's good rows, in one transaction, with history. Result: how many. Raises AlignmentChangedError, and does
    nothing, where a threshold was added or removed since the plan was made."""
    try:
        with transaction.atomic():
            new = [
                Threshold(connection_id=row.scope[0], category=row.scope[1], item_id=row.scope[2], **dict(row.values))
                for row in plan.rows
                if row.effect == Effect.CREATE
            ]
            for part in chunks(new):
                bulk_create_with_history(
                    part, Threshold, batch_size=CHUNK, default_user=by, default_change_reason=reason_text(reason)
                )
            return len(new) + _change([row for row in plan.rows if row.effect == Effect.CHANGE], by, reason)
    except IntegrityError:
        raise _changed_meanwhile() from None


def thresholds_rows() -> Iterable[list[str]]:
    """Result: every threshold as a file has it, the header first; safe for a spreadsheet."""
    yield list(COLUMNS)
    for row in Threshold.objects.select_related("connection", "item").order_by("pk"):
        scope = [row.connection.name if row.connection else "", row.category, row.item.sku if row.item else ""]
        yield [cell_safe(cell) for cell in (*scope, *(_text(getattr(row, field)) for field in LIMITS.values()))]


def _change(wanted: Sequence[RowPlan], by: AbstractBaseUser | None, reason: str) -> int:
    known = {_scope(row): row for row in Threshold.objects.select_for_update()}
    changed = []
    for plan in wanted:
        row = known.get(plan.scope)
        if row is None:
            raise _changed_meanwhile()
        for name, value in plan.values:
            setattr(row, name, value)
        changed.append(row)
    bulk_update_with_history(
        changed, Threshold, list(LIMITS.values()), batch_size=UPDATE_CHUNK, default_user=by,
        default_change_reason=reason_text(reason),
    )  # fmt: skip
    return len(changed)


def _changed_meanwhile() -> AlignmentChangedError:
    return AlignmentChangedError(
        "Thresholds changed since this import was planned; nothing was applied.",
        next_step="Look at the new preview, then confirm again.",
    )


class _Known:
    """Connections, items and thresholds, as far as these rows can touch them."""

    def __init__(self, rows: Sequence[TableRow]) -> None:
        self.connections = dict(Connection.objects.values_list("name", "pk"))
        self.categories = set(Item.objects.exclude(category="").order_by().values_list("category", flat=True).distinct())
        self.items: dict[str, list[tuple[int, int]]] = {}
        for skus in chunks({row.cells[SKU] for row in rows if row.cells[SKU]}):
            for pk, sku, till in Item.objects.filter(sku__in=skus).order_by("pk").values_list("pk", "sku", "connection_id"):
                self.items.setdefault(sku, []).append((pk, till))
        self.thresholds = {_scope(row): row for row in Threshold.objects.all()}


def _judge(row: TableRow, known: _Known) -> RowPlan:
    connection, category, sku = (row.cells[column] for column in SCOPE)
    label = " · ".join(filter(None, [connection, category, sku]))[:200] or "all products"
    plan = RowPlan(row.line, label, Effect.ERROR)
    if row.is_short:
        return _error(plan, "The row has fewer cells than the header.", "Look for a missing delimiter in this line.")
    if connection and connection not in known.connections:
        return _error(plan, f"There is no connection “{connection[:60]}”.", "Write its name as under Connections.")
    if category and sku:
        return _error(plan, "It names a category and a product.", "Name one of them.")
    if category and category not in known.categories:
        return _error(plan, f"The till has no category “{category[:60]}”.", "Write it exactly as the till does.")
    connection_id = known.connections.get(connection)
    found = known.items.get(sku, []) if sku else []
    own = [pk for pk, till in found if till == connection_id] or [pk for pk, _ in found]
    if sku and len(own) != 1:
        said = f"The till has no item “{sku[:60]}”." if not own else f"Several tills have an item “{sku[:60]}”."
        return _error(plan, said, "Check the spelling." if not own else "Name the till in the column Connection.")
    values: dict[str, Any] = {}
    for column, field in LIMITS.items():
        if column in row.cells:
            try:
                values[field] = _value(field, row.cells[column])
            except ValidationError as error:
                return _error(plan, f"{column}: {' '.join(error.messages)}", "Correct it, or leave it empty to inherit.")
    return _against_known(replace(plan, scope=(connection_id, category, own[0] if own else None)), values, known)


def _against_known(plan: RowPlan, values: Mapping[str, Any], known: _Known) -> RowPlan:
    old = known.thresholds.get(plan.scope)
    named = {field: column for column, field in LIMITS.items()}
    changes = tuple(
        (named[field], _text(getattr(old, field)) if old else "", _text(value))
        for field, value in values.items()
        if (getattr(old, field) if old else None) != value
    )
    effect = Effect.CREATE if old is None else Effect.CHANGE if changes else Effect.UNCHANGED
    return replace(plan, effect=effect, values=tuple(values.items()), changes=changes)


def _value(field: str, text: str) -> Any:
    """Result: a cell as the model has it; None where it is empty. Raises ValidationError."""
    if field == "out_of_stock":
        if text.casefold() not in YES_NO:
            raise ValidationError(f"“{text[:20]}” is neither yes nor no.")
        return YES_NO[text.casefold()]
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise ValidationError(f"“{text[:20]}” is no number from zero up.")
    model_field = Threshold._meta.get_field(field)  # noqa: SLF001 - Django documents it under this name
    value = model_field.clean(text.replace(",", "."), None)  # type: ignore[union-attr] # a column, no relation
    return value.normalize() + 0 if isinstance(value, Decimal) else value


def _scope(row: Threshold) -> Scope:
    return (row.connection_id, row.category, row.item_id)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return quantity_text(value) if isinstance(value, Decimal) else str(value)


def _error(plan: RowPlan, message: str, next_step: str) -> RowPlan:
    return replace(plan, effect=Effect.ERROR, message=message, next_step=next_step)
