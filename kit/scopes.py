"""Settings that narrower rows inherit from wider ones: product ← category ← connection ← all. Pure: rows are given.

A row of one connection goes before one of every connection, for the same product or category; a row of the second connection
named goes before one of the first.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar


class Scoped(Protocol):
    """A row that names what it is for; None and "" mean all."""

    @property
    def connection_id(self) -> int | None: ...
    @property
    def category(self) -> str: ...
    @property
    def item_id(self) -> int | None: ...


Row = TypeVar("Row", bound=Scoped)
Value = TypeVar("Value")


class ScopeTable(Generic[Row]):
    """Rows by what they are for. One look-up costs the same however many rows there are."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = {(row.connection_id, row.category, row.item_id): row for row in rows}

    def chain(self, *, item_id: int | None, category: str, connection_ids: Sequence[int]) -> list[Row]:
        """Result: the rows that hold for that product, the widest first."""
        kinds: list[tuple[str, int | None]] = [("", None)]
        if category:
            kinds.append((category, None))
        if item_id is not None:
            kinds.append(("", item_id))
        keys = ((connection, *kind) for kind in kinds for connection in (None, *connection_ids))
        return [self._rows[key] for key in keys if key in self._rows]


def inherited(widest_first: Iterable[object], name: str, default: Value) -> Value:
    """Result: that field of the narrowest row that says something; `default` where none does."""
    value = default
    for row in widest_first:
        said = getattr(row, name)
        if said is not None and said != "":
            value = said
    return value
