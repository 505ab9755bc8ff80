"""Lists of products and variations: which rows a query means, and in which order."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.errors import not_in
from sandbox.woocommerce.paging import Page, Query, choice, numbers, paged
from sandbox.woocommerce.product import Product

Test = Callable[[Product], bool]

STATUSES = ["any", "future", "trash", "draft", "pending", "private", "publish"]
TYPES = ["simple", "grouped", "external", "variable"]
STOCK_STATUSES = ["instock", "outofstock", "onbackorder"]
VARIATION_ORDERS = ["date", "id", "include", "title", "slug", "modified", "menu_order"]
# The shop lists some of them more than once, and says so in its refusal.
PRODUCT_ORDERS = [
    *("date", "id", "include", "title", "slug", "modified", "popularity", "rating", "post__in", "price", "sales"),
    *("menu_order", "random", "popularity", "rating", "menu_order", "price", "popularity", "rating"),
]
DATED = {"date": "created", "modified": "modified"}
# What decides about these is in the set of products, not in what changes daily.
STRUCTURAL = {"status", "type", "orderby", "order"}
NOT_ASKING = {"page", "per_page", "offset", "_fields", "consumer_key", "consumer_secret"}


class ProductLists:
    """Lists of products and variations. The pages of one walk share one sorting."""

    def __init__(self, catalogue: Catalogue, *, version: str) -> None:
        self._catalogue = catalogue
        self._loses_rows = version == "10.2"
        self._kept: dict[tuple[Any, ...], tuple[int, list[Product]]] = {}

    def products(self, query: Query) -> Page[Product]:
        """Result: the page of `GET products`. Raises RestError for parameters that WooCommerce refuses."""
        choice(query, "type", TYPES)
        for place, name in enumerate(filter(None, query.get("include_types", "").split(","))):
            if name not in TYPES:
                raise not_in("include_types", TYPES, f"include_types[{place}]")
        if query.get("sku"):  # the only way to see a variation in this list (a07); an empty one asks for nothing (h05)
            return self._page("sku", self._by_skus(query["sku"]), query, PRODUCT_ORDERS)
        return self._page("products", None, query, PRODUCT_ORDERS)

    def variations(self, query: Query, parent: Product | None = None) -> Page[Product]:
        """Result: the page of a parent's variations, or of all the shop's. Those of a trashed parent are absent (v_a13c)."""
        if query.get("sku"):
            found = self._by_skus(query["sku"])
            page = self._page("sku", [one for one in found if one.parent], query, VARIATION_ORDERS)
            page.total = len(found)  # it counts products too, though it doesn't list them (v_a08d)
            return page
        if parent is not None:
            return self._page("children", list(parent.children), query, VARIATION_ORDERS)
        return self._page("variations", None, query, VARIATION_ORDERS)

    def _by_skus(self, skus: str) -> list[Product]:
        found = (self._catalogue.by_sku(sku.strip()) for sku in skus.split(",") if sku.strip())
        return list({product.id: product for product in found if product}.values())

    def _page(self, scope: str, pool: Iterable[Product] | None, query: Query, orders: list[str]) -> Page[Product]:
        choice(query, "status", STATUSES)
        order_by = choice(query, "orderby", orders, "date")
        falling = choice(query, "order", ["asc", "desc"], "desc") == "desc"
        tests = _tests(query, self._catalogue.clock)
        with self._catalogue.lock:
            if pool is not None:
                rows = _ordered(pool, tests, order_by, falling=falling, query=query)
            else:
                rows = self._walk(scope, tests, order_by, falling=falling, query=query)
        if self._loses_rows and scope == "products" and order_by in DATED:  # lists of variations don't (v_d23)
            attribute = DATED[order_by]
            return paged(rows, query, shuffled=lambda product: getattr(product, attribute))
        return paged(rows, query)

    def _walk(self, scope: str, tests: list[Test], order_by: str, *, falling: bool, query: Query) -> list[Product]:
        asked = {name: value for name, value in query.items() if name not in NOT_ASKING and not name.startswith("oauth_")}
        key = (scope, *sorted(asked.items()))
        structural = set(asked) <= STRUCTURAL and order_by not in ("modified", "price")
        state = self._catalogue.structure if structural else self._catalogue.changes
        if (kept := self._kept.get(key)) and kept[0] == state:
            return kept[1]
        belongs = _is_top_level if scope == "products" else _is_reachable_variation
        rows = _ordered(self._catalogue.products.values(), [belongs, *tests], order_by, falling=falling, query=query)
        if len(self._kept) >= 8:
            self._kept.clear()
        self._kept[key] = (state, rows)
        return rows


def _is_top_level(product: Product) -> bool:
    return product.parent is None


def _is_reachable_variation(product: Product) -> bool:
    return product.parent is not None and product.parent.status != "trash"


def _ordered(rows: Iterable[Product], tests: list[Test], order_by: str, *, falling: bool, query: Query) -> list[Product]:
    found = [row for row in rows if all(test(row) for test in tests)]
    if order_by in ("include", "post__in"):
        places = {wanted: place for place, wanted in enumerate(numbers(query, "include") or ())}
        return sorted(found, key=lambda row: places.get(row.id, 0))
    keys: dict[str, Callable[[Product], Any]] = {
        "id": lambda row: row.id,
        "modified": lambda row: (row.modified, row.id),
        "title": lambda row: (row.name.lower(), row.id),
        "slug": lambda row: (row.name.lower(), row.id),
        "price": lambda row: (float(row.price or 0), row.id),
        "menu_order": lambda row: (row.menu_order, row.id),
        "popularity": lambda row: (row.total_sales, row.id),
        "sales": lambda row: (row.total_sales, row.id),
    }
    found.sort(key=keys.get(order_by, lambda row: (row.created, row.id)), reverse=falling)
    return found


def _tests(query: Query, clock: SiteClock) -> list[Test]:
    """What a row must pass. Parameters that aren't known are ignored (h04)."""
    status = query.get("status") or "any"
    tests: list[Test] = [(lambda p: p.status not in ("trash", "auto-draft")) if status == "any" else lambda p: p.status == status]
    included = numbers(query, "include")
    if included is not None:
        wanted = set(included)
        tests.append(lambda p: p.id in wanted)
    if excluded := set(numbers(query, "exclude") or ()):
        tests.append(lambda p: p.id not in excluded)
    if parents := set(numbers(query, "parent") or ()):
        tests.append(lambda p: p.parent_id in parents)
    if strangers := set(numbers(query, "parent_exclude") or ()):
        tests.append(lambda p: p.parent_id not in strangers)
    if kind := query.get("type"):
        tests.append(lambda p: p.type == kind)
    if kinds := set(filter(None, query.get("include_types", "").split(","))):
        tests.append(lambda p: p.type in kinds)
    if shown := choice(query, "stock_status", STOCK_STATUSES):
        tests.append(lambda p: p.stock_status == shown)
    if code := query.get("global_unique_id"):
        tests.append(lambda p: code in p.global_unique_id)
    if part := query.get("search_sku", "").lower():
        tests.append(lambda p: part in p.sku.lower())
    if text := query.get("search", "").lower():
        tests.append(lambda p: text in p.name.lower())
    return tests + _date_tests(query, clock)


def _date_tests(query: Query, clock: SiteClock) -> list[Test]:
    gmt = query.get("dates_are_gmt", "").lower() in ("true", "1")
    limits = {name: clock.parse(name, query[name], dates_are_gmt=gmt) for name in DATE_LIMITS if query.get(name)}
    return [_date_test(name, limit) for name, limit in limits.items()]


DATE_LIMITS = ("after", "before", "modified_after", "modified_before")


def _date_test(name: str, limit: int) -> Test:
    if name == "after":
        return lambda p: p.created > limit
    if name == "before":
        return lambda p: p.created < limit
    if name == "modified_after":  # strictly, by whole seconds: what changed in that very second is left out (a15)
        return lambda p: p.modified > limit
    return lambda p: p.modified < limit
