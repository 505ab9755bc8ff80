"""What each row of an alignment file would do. Pure: it judges rows against what is known, and touches nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from alignment.importing.rows import AlignmentRow
from kit.files.effects import PROBLEMS, Effect


@dataclass(frozen=True, slots=True)
class Thing:
    """An item or a listing, as far as an import needs it. `is_stockable` False: a parent of variations, a group."""

    pk: int
    sku: str
    key: str
    name: str
    is_missing: bool = False
    is_stockable: bool = True

    @property
    def label(self) -> str:
        return f"“{self.sku}” ({self.name})" if self.name else f"“{self.sku}”"


@dataclass(frozen=True, slots=True)
class Pair:
    """An alignment as it is now."""

    pk: int
    item_pk: int
    listing_pk: int
    status: str
    match_type: str
    confidence: Decimal
    units: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a pair: what → what."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowEffect:
    """One row's fate. `message` and `next_step` are set for problems, and where there is something worth knowing."""

    row: AlignmentRow
    effect: Effect
    code: str = ""
    message: str = ""
    next_step: str = ""
    item: Thing | None = None
    listing: Thing | None = None
    pair: Pair | None = None
    changes: tuple[Change, ...] = ()
    match_type: str = ""
    confidence: Decimal = Decimal(0)
    units: int | None = None  # None: the file doesn't say, so 1 for a new pair, and what it was for one that is there

    @property
    def units_after(self) -> int:
        """What the pair's pack size would be."""
        return self.units or (self.pair.units if self.pair else 1)

    @property
    def is_problem(self) -> bool:
        return self.effect in PROBLEMS


class Shelf:
    """The things of one side, found by the SKU's exact text first, then by its key where only one has it."""

    def __init__(self, things: Sequence[Thing]) -> None:
        self._by_sku: dict[str, list[Thing]] = {}
        self._by_key: dict[str, list[Thing]] = {}
        for thing in things:
            self._by_sku.setdefault(thing.sku, []).append(thing)
            self._by_key.setdefault(thing.key, []).append(thing)

    def find(self, sku: str, key: str) -> list[Thing]:
        """Result: one thing; several where the SKU is ambiguous; none where it is unknown. What is there and can be stocked
        comes before what is not: a store shows a variation without SKU under its parent's."""
        found = self._by_sku.get(sku) or (self._by_key.get(key, []) if key else [])
        present = [thing for thing in found if not thing.is_missing]
        return [thing for thing in present if thing.is_stockable] or present or found


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before the import. Pairs of this till and store by (item, listing); confirmed partners by listing, of any
    till, and by item and units per listing, in this store."""

    items: Shelf
    listings: Shelf
    pairs: Mapping[tuple[int, int], Pair] = field(default_factory=dict)
    partner_of_listing: Mapping[int, str] = field(default_factory=dict)
    partner_of_item: Mapping[tuple[int, int], tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EffectCounts:
    """How many rows meet which fate."""

    create: int
    change: int
    unchanged: int
    conflict: int
    error: int

    @classmethod
    def of(cls, effects: Sequence[RowEffect]) -> "EffectCounts":
        counted = Counter(effect.effect for effect in effects)
        return cls(**{effect.value: counted[effect] for effect in Effect})

    @property
    def problems(self) -> int:
        return self.conflict + self.error
