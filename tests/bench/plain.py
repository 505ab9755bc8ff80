"""What we are measured against, written as plain functions on `requests`: a floor, and three ways in which others do it.

The floor knows everything beforehand (how many pages there are, what should change), asks as little as the API allows, and
keeps nothing: no ledger, no receipts, no check that a row was missed. Nobody can sync in less at the same concurrency.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, TypeVar

import requests

from tests.bench.catalogue import Catalogue, Ware
from tests.bench.shop import Shop

T = TypeVar("T")
PAGE = BATCH = 100


def at_once(shop: Shop, lanes: int, work: Callable[[requests.Session, T], Any], tasks: Iterable[T]) -> list[Any]:
    """Do the tasks with so many connections at once, in order. Result: what they returned."""
    idle: SimpleQueue[requests.Session] = SimpleQueue()
    for _ in range(lanes):
        idle.put(shop.session())

    def one(task: T) -> Any:
        session = idle.get()
        try:
            return work(session, task)
        finally:
            idle.put(session)

    with ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(one, tasks))


def floor(shop: Shop, catalogue: Catalogue, wanted: Mapping[int, int], *, lanes: int = 2) -> None:
    """Read every number, then write those that are not as wanted."""

    def read(session: requests.Session, where: tuple[str, int]) -> list[tuple[int, int]]:
        query = {"per_page": PAGE, "page": where[1], "orderby": "id", "order": "asc", "_fields": "id,stock_quantity"}
        shown = [(row["id"], row["stock_quantity"]) for row in _get(shop, session, where[0], query)]
        return [(remote_id, wanted[remote_id]) for remote_id, quantity in shown if wanted.get(remote_id, quantity) != quantity]

    differs = [row for page in at_once(shop, lanes, read, _pages(shop, catalogue)) for row in page]
    parents = {ware.remote_id: ware.parent_remote_id for ware in catalogue.wares() if ware.is_variation}
    at_once(shop, lanes, lambda session, batch: _post(shop, session, *batch), _batches(differs, parents, lanes))


def numbers(shop: Shop, catalogue: Catalogue) -> dict[int, int]:
    """Result: by remote id, what the store shows of everything that it counts."""
    fields = {"per_page": PAGE, "orderby": "id", "order": "asc", "_fields": "id,stock_quantity"}
    pages = at_once(
        shop, 2, lambda session, where: _get(shop, session, where[0], {**fields, "page": where[1]}), _pages(shop, catalogue)
    )
    return {row["id"]: row["stock_quantity"] for page in pages for row in page if row["stock_quantity"] is not None}


def _pages(shop: Shop, catalogue: Catalogue) -> list[tuple[str, int]]:
    pages = [("products", page + 1) for page in range(-(-catalogue.products // PAGE))]
    if shop.version == "10.2":  # it has no list of all variations
        return pages + [(f"products/{parent}/variations", 1) for parent, _ in catalogue.parents()]
    return pages + [("variations", page + 1) for page in range(-(-(catalogue.pairs - catalogue.simple) // PAGE))]


def _batches(
    differs: Sequence[tuple[int, int]], parents: Mapping[int, int], lanes: int
) -> list[tuple[str, list[tuple[int, int]]]]:
    """As few batches as will do, the products' as even as can be, so that the lanes end together."""
    by_parent: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for remote_id, quantity in differs:
        by_parent[parents.get(remote_id, 0)].append((remote_id, quantity))
    products = by_parent.pop(0, [])
    count = -(-len(products) // BATCH)
    count = -(-count // lanes) * lanes
    cut = [("products/batch", products[start::count]) for start in range(min(count, len(products)))]
    return cut + [(f"products/{parent}/variations/batch", rows) for parent, rows in by_parent.items()]


def one_put_each(shop: Shop, wares: Sequence[Ware], wanted: Mapping[int, int], *, lanes: int = 1) -> None:
    """B1: a PUT for every item, without reading."""
    at_once(shop, lanes, lambda session, ware: _put(shop, session, _address(ware), wanted[ware.remote_id]), wares)


def batch_everything(shop: Shop, wares: Sequence[Ware], wanted: Mapping[int, int], *, lanes: int = 1) -> None:
    """B2: everything in batches, whether it changed or not."""
    parents = {ware.remote_id: ware.parent_remote_id for ware in wares}
    rows = [(ware.remote_id, wanted[ware.remote_id]) for ware in wares]
    at_once(shop, lanes, lambda session, batch: _post(shop, session, *batch), _batches(rows, parents, 1))


def read_then_put(shop: Shop, wares: Sequence[Ware], wanted: Mapping[int, int], *, lanes: int = 1) -> None:
    """B3: each item looked up by its SKU, then a PUT."""

    def both(session: requests.Session, ware: Ware) -> None:
        found = _get(shop, session, "products", {"sku": ware.sku, "_fields": "id,parent_id,stock_quantity"})
        assert found[0]["id"] == ware.remote_id
        _put(shop, session, _address(ware), wanted[ware.remote_id])

    at_once(shop, lanes, both, wares)


def _address(ware: Ware) -> str:
    return f"products/{ware.parent_remote_id}/variations/{ware.remote_id}" if ware.is_variation else f"products/{ware.remote_id}"


def _get(shop: Shop, session: requests.Session, endpoint: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    reply = session.get(f"{shop.url}/wp-json/wc/v3/{endpoint}", params=query, timeout=60)
    reply.raise_for_status()
    rows: list[dict[str, Any]] = reply.json()
    return rows


def _put(shop: Shop, session: requests.Session, endpoint: str, quantity: int) -> None:
    session.put(f"{shop.url}/wp-json/wc/v3/{endpoint}", json={"stock_quantity": quantity}, timeout=60).raise_for_status()


def _post(shop: Shop, session: requests.Session, endpoint: str, rows: Sequence[tuple[int, int]]) -> None:
    items = [{"id": remote_id, "stock_quantity": quantity} for remote_id, quantity in rows]
    session.post(f"{shop.url}/wp-json/wc/v3/{endpoint}", json={"update": items}, timeout=120).raise_for_status()
