"""When a file that can be read still wants a person's look before it is believed (ledger.md §8). Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from connectors.contract import TillReading
from connectors.guards import emptied_too_many, gone_too_many, in_stock_count
from connectors.pos_csv.reading.presets import header_key
from connectors.pos_csv.settings import PosCsvSettings


@dataclass(frozen=True, slots=True)
class FeedFigures:
    """What one file is compared with the next by. `items` and `in_stock` count SKU × outlet."""

    items: int
    in_stock: int
    header: tuple[str, ...]
    currencies: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "header": list(self.header), "currencies": list(self.currencies)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "FeedFigures | None":
        """Result: the figures, or None where none were kept (or by a version that kept others)."""
        try:
            return cls(int(kept["items"]), int(kept["in_stock"]), tuple(kept["header"]), tuple(kept.get("currencies", ())))
        except (KeyError, TypeError, ValueError):
            return None


def figures(readings: Sequence[TillReading], header: Sequence[str], currencies: Sequence[str]) -> FeedFigures:
    """Result: the figures of one file."""
    return FeedFigures(len(readings), in_stock_count(readings), tuple(header_key(name) for name in header), tuple(currencies))


def guard(previous: FeedFigures | None, current: FeedFigures, settings: PosCsvSettings) -> list[str]:
    """Result: why a person should look first, in words; empty: go on. The first file ever has nothing to be compared with."""
    if previous is None:
        return []
    reasons = []
    if settings.file_is_complete and (gone := gone_too_many(previous, current, settings)):
        reasons.append(
            f"The file has {current.items:,} items where the last one had {previous.items:,}: {gone:,} are gone, more than the "
            f"{settings.max_shrink_percent} % you allow. Check that the export is whole."
        )
    if emptied := emptied_too_many(previous, current, settings):
        reasons.append(
            f"{current.in_stock:,} items have stock where {previous.in_stock:,} had: {emptied:,} shelves went empty, more than "
            f"the {settings.max_zeroed_percent} % you allow. Check the till's list against a few shelves."
        )
    if previous.header != current.header:
        reasons.append(_header_change(previous.header, current.header))
    new_currencies = set(current.currencies) - set(previous.currencies)
    if previous.currencies and new_currencies:
        reasons.append(
            f"Prices are now in {', '.join(sorted(new_currencies))}, they were in {', '.join(previous.currencies)}. "
            "Check that the right price list was exported."
        )
    return reasons


def _header_change(before: Sequence[str], now: Sequence[str]) -> str:
    lost, new = [name for name in before if name not in now], [name for name in now if name not in before]
    if not lost and not new:
        return "The columns stand in another order than in the last file. Check that it is the same list."
    parts = [f"{verb}: {', '.join(names[:8])}" for verb, names in (("gone", lost), ("new", new)) if names]
    return f"The columns changed since the last file ({'; '.join(parts)}). Check that it is the same list."
