"""How a report says things: the words that its sections share."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from kit.words import quantity_text
from sync.models import SyncConflict

UNKNOWN = "unknown"
A_RULE = "a rule, or a command"


def named_said(conflict: SyncConflict) -> tuple[str, str]:
    """Result: name and SKU of what a conflict is about."""
    pair = conflict.alignment
    listing = pair.listing if pair else conflict.listing
    sku = pair.item.sku if pair else listing.sku if listing else ""
    return (pair.item.name if pair else "") or (listing.name if listing else "") or conflict.subject or sku, sku


def more_said(rows: Sequence[object], most: int) -> tuple[str, ...]:
    return (f"The first {most:,} are shown; there are more.",) if len(rows) > most else ()


def units_said(quantity: Decimal | None) -> str:
    return quantity_text(quantity) or UNKNOWN


def label_of(choices: Iterable[tuple[str, str]], value: str) -> str:
    return dict(choices).get(value, value)
