"""Many counts in one statement: each a query in the same shape, put together by a union."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

Rows = QuerySet[Any, Any]


def counted_by(rows: Rows, *, keys: Mapping[str, Any], figures: Mapping[str, Any]) -> Rows:
    """Result: a row for each combination of the keys, with its figures; as tuples, keys first. Names must be none of the
    model's own."""
    shaped: Rows = rows.order_by().annotate(**keys).values(*keys).annotate(**figures).values_list(*keys, *figures)
    return shaped
