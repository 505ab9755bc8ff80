"""Reading a query, and cutting a list into pages with the headers that come with them."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from sandbox.woocommerce.errors import invalid, not_in, wrong_type

Row = TypeVar("Row", bound=Any)
Query = dict[str, str]


# Parameters that WooCommerce takes apart into lists.
LISTS = frozenset({"include", "exclude", "parent", "parent_exclude", "include_types"})

FLAGS = frozenset({"dates_are_gmt", "pos_products_only", "featured", "on_sale"})


def whole(query: Query, name: str, default: int, *, least: int, most: int | None = None) -> int:
    """Result: a whole number from the query. Raises RestError for another kind of value, or one out of bounds."""
    if name not in query:
        return default
    try:
        value = int(query[name])
    except ValueError:
        raise wrong_type(name, "integer") from None
    if most is not None and not least <= value <= most:
        raise invalid(name, "rest_out_of_bounds", f"{name} must be between {least} (inclusive) and {most} (inclusive)")
    if value < least:
        raise invalid(name, "rest_out_of_bounds", f"{name} must be greater than or equal to {least}")
    return value


def choice(query: Query, name: str, choices: list[str], default: str = "") -> str:
    """Result: one of the choices. Raises RestError for anything else."""
    value = query.get(name, default)
    if name in query and value not in choices:
        raise not_in(name, choices)
    return value


def numbers(query: Query, name: str) -> list[int] | None:
    """Result: the ids in a list separated by commas; None when it isn't asked for."""
    if not query.get(name):
        return None
    try:
        return [int(part) for part in query[name].split(",") if part.strip()]
    except ValueError:
        raise wrong_type(name, "integer", f"{name}[0]") from None


class Page(Generic[Row]):
    """One page of rows, with how many there are in all."""

    def __init__(self, rows: Sequence[Row], *, total: int, number: int, size: int) -> None:
        self.rows, self.total, self.number, self.size = rows, total, number, size

    @property
    def pages(self) -> int:
        return -(-self.total // self.size)

    def headers(self, url: str, query: Query) -> list[tuple[str, str]]:
        """Result: X-WP-Total and X-WP-TotalPages, and a Link to the pages beside this one."""
        found = [("X-WP-Total", str(self.total)), ("X-WP-TotalPages", str(self.pages))]
        # Past the end, the page before is the last one there is (a04).
        beside = (("prev", min(self.number - 1, self.pages)), ("next", self.number + 1))
        links = [
            f'<{url}?{_encoded({**query, "page": str(number)})}>; rel="{name}"'
            for name, number in beside
            if 1 <= number <= self.pages
        ]
        return [*found, ("Link", ", ".join(links))] if links else found


def _encoded(query: Query) -> str:
    """A query as WordPress writes it into a link: lists one by one, empty values without their equals sign."""
    parts = []
    for name, value in query.items():
        if name in LISTS:
            parts += [urlencode({f"{name}[{place}]": one}) for place, one in enumerate(value.split(","))]
        else:
            said = "1" if name in FLAGS and value == "true" else value
            parts.append(urlencode({name: said}) if said else name)
    return "&".join(parts)


def paged(rows: Sequence[Row], query: Query, *, shuffled: Callable[[Row], Any] | None = None) -> Page[Row]:
    """Result: the page that `per_page`, `page` and `offset` ask for.

    With `shuffled` (a key) rows of an equal key come in another order on every page, as in MySQL: a walk loses some (a14).
    """
    size = whole(query, "per_page", 10, least=1, most=100)
    number = whole(query, "page", 1, least=1)
    start = whole(query, "offset", (number - 1) * size, least=0)
    cut = rows[start : start + size]
    if shuffled is not None and cut:
        cut = _reshuffled(rows, start, size, number, shuffled)
    return Page(cut, total=len(rows), number=number, size=size)


def _reshuffled(rows: Sequence[Row], start: int, size: int, page: int, key: Callable[[Row], Any]) -> list[Row]:
    first, end = start, min(start + size, len(rows))
    while first > 0 and key(rows[first - 1]) == key(rows[start]):
        first -= 1
    last = end
    while last < len(rows) and key(rows[last]) == key(rows[end - 1]):
        last += 1
    window = list(rows[first:last])
    groups: dict[Any, list[Row]] = {}
    for row in window:
        groups.setdefault(key(row), []).append(row)
    random = Random(page)
    for group in groups.values():
        random.shuffle(group)
    return [row for group in groups.values() for row in group][start - first : end - first]
