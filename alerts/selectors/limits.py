"""The thresholds there are, for many products at once."""

from collections.abc import Sequence
from typing import Any

from alerts.models import Threshold
from alerts.rules.limits import DEFAULT, Limits, limits_of
from kit.scopes import ScopeTable


class LimitTable:
    """All thresholds, read once. Products of one scope share their limits."""

    def __init__(self) -> None:
        self._rows = list(Threshold.objects.all())
        self._table = ScopeTable(self._rows)
        self._known: dict[tuple[int, ...], Limits] = {}

    def of(self, *, item_id: int | None = None, category: str = "", connection_ids: Sequence[int] = ()) -> Limits:
        """Result: the limits of a product in these systems; of two systems the second one named goes before."""
        chain = self._table.chain(item_id=item_id, category=category, connection_ids=connection_ids)
        key = tuple(row.pk for row in chain)
        if key not in self._known:
            self._known[key] = limits_of(chain)
        return self._known[key]

    def said(self, name: str) -> list[Any]:
        """Result: every value that limit has anywhere, the default included where there is one: for a first sieve."""
        values = [getattr(DEFAULT, name), *(getattr(row, name) for row in self._rows)]
        return [value for value in values if value is not None]
