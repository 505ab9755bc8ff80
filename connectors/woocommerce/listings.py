"""Reading a shop's products and variations: all of them, or some with their receipts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.contract import Aside, SetAside, StoreReading, Told, refuse, untold
from connectors.errors import ConfigError, PartialReadError, RejectedError
from connectors.http.pacing import Pacer, paced_map, split_evenly
from connectors.woocommerce.client import Client, NoRouteError, Page
from connectors.woocommerce.mapping import LISTING_FIELDS, reading_or_aside
from connectors.woocommerce.pages import Collection, asides_tell, read_all

_BY_ID = {"orderby": "id", "order": "asc"}
_MOST = 100  # rows a page, and ids in one `include`


class Listings:
    """Products and variations of one shop.

    Since WooCommerce 10.3 one address lists all variations; before, each variable product lists its own. Whether the shop
    has it is found out by asking for the first page, and remembered.
    """

    def __init__(self, client: Client, pacer: Pacer, *, per_page: int = _MOST, version: str = "") -> None:
        self._client, self._pacer, self._per_page = client, pacer, per_page
        self.variations_in_one = _is_recent(version)

    def walk(self, told: Told = untold, aside: Aside = refuse) -> Iterator[Sequence[StoreReading]]:
        """Result: everything, by ascending id, in pages; only once it is known to be complete. A walk during which the
        shop's own count changed is made once more; then PartialReadError. UnreadableError where too much can't be read."""
        try:
            seen = self._walk_once(told, aside)
        except PartialReadError:
            seen = self._walk_once(told, aside)
        ordered = [seen[remote_id] for remote_id in sorted(seen)]
        for start in range(0, len(ordered), self._per_page):
            yield ordered[start : start + self._per_page]

    def _walk_once(self, told: Told, aside: Aside) -> dict[int, StoreReading]:
        fields = {**_BY_ID, "_fields": LISTING_FIELDS}
        products = Collection("products", fields, eager=not self.variations_in_one)
        collections = [products]
        if self.variations_in_one:
            collections.append(Collection("variations", fields, optional=True))
        seen: dict[int, StoreReading] = {}
        odd: list[SetAside] = []
        parents: list[int] = []

        def own_variations(parent: int) -> Collection:
            collection = Collection(f"products/{parent}/variations", fields, parent=parent)
            collections.append(collection)
            return collection

        def found(collection: Collection, page: Page | None) -> Iterable[Collection]:
            if page is None:
                self.variations_in_one = False
            for row in page.rows if page else ():
                reading = reading_or_aside(row, parent_remote_id=collection.parent)
                collection.saw(reading.remote_id)
                if isinstance(reading, SetAside):
                    odd.append(reading)
                else:
                    seen[reading.remote_id] = reading
                if collection is products and reading.remote_id and _may_have_variations(reading):
                    parents.append(reading.remote_id)
            told(len(seen), sum(max(each.totals, default=0) for each in collections))
            if self.variations_in_one:
                return ()
            due = [own_variations(parent) for parent in parents]
            parents.clear()
            return due

        read_all(self._client, self._pacer, list(collections), found, per_page=self._per_page)
        for collection in collections:
            if not collection.missing:
                collection.check()
        asides_tell(odd, of=len(seen) + len(odd), aside=aside)
        return seen

    def read(self, listings: Sequence[tuple[int, int]], aside: Aside = refuse) -> Sequence[StoreReading]:
        """Result: these (id, parent id) with their receipts; one that is gone is left out. An empty list asks nothing: an
        empty `include` would list the whole shop."""
        readings = self._read_all(listings)
        for reading in readings:
            if isinstance(reading, SetAside):
                aside(reading)
        return [reading for reading in readings if isinstance(reading, StoreReading)]

    def _read_all(self, listings: Sequence[tuple[int, int]]) -> "list[StoreReading | SetAside]":
        products = sorted({remote_id for remote_id, parent in listings if not parent})
        variations = sorted({(parent, remote_id) for remote_id, parent in listings if parent})
        readings = self._fetched(self._chunks("products", products))
        if not variations:
            return readings
        if self.variations_in_one:
            try:
                return readings + self._fetched(self._chunks("variations", sorted(each for _, each in variations)))
            except NoRouteError:
                self.variations_in_one = False
        chunks = []
        for parent in sorted({parent for parent, _ in variations}):
            chunks += self._chunks(f"products/{parent}/variations", [each for p, each in variations if p == parent], parent)
        return readings + self._fetched(chunks)

    def _chunks(self, endpoint: str, ids: Sequence[int], parent: int = 0) -> list["_Chunk"]:
        if not ids:
            return []
        size = -(-len(ids) // split_evenly(len(ids), lanes=self._pacer.lanes, most=_MOST, least=20))
        return [_Chunk(endpoint, ids[start : start + size], parent) for start in range(0, len(ids), size)]

    def _fetched(self, chunks: Sequence["_Chunk"]) -> "list[StoreReading | SetAside]":
        readings: list[StoreReading | SetAside] = []
        for _, some in paced_map(self._fetch, chunks, pacer=self._pacer):
            readings += some
        return readings

    def _fetch(self, chunk: "_Chunk") -> "list[StoreReading | SetAside]":
        wanted = ",".join(str(each) for each in chunk.ids)
        params = {**_BY_ID, "include": wanted, "per_page": str(_MOST), "_fields": f"{LISTING_FIELDS},meta_data"}
        try:
            page = self._client.page(chunk.endpoint, params, items=len(chunk.ids))
        except NoRouteError:
            raise
        except RejectedError:
            if chunk.parent:
                return []  # the parent is gone, and its variations with it
            raise
        readings = [reading_or_aside(row, parent_remote_id=chunk.parent) for row in page.rows]
        found = {reading.remote_id for reading in readings} - {0}
        if not found <= set(chunk.ids):
            raise ConfigError(
                "The shop lists other products than we asked for.",
                next_step="A plugin changes what the shop's API says: switch it off, or ask its maker.",
                code="include_ignored",
            )
        listed = len(found) + sum(1 for reading in readings if not reading.remote_id)
        if listed != page.total:
            raise PartialReadError(f"The shop says it found {page.total} of them, but listed {listed}.")
        return readings


@dataclass(frozen=True, slots=True)
class _Chunk:
    endpoint: str
    ids: Sequence[int]
    parent: int


def _may_have_variations(product: StoreReading | SetAside) -> bool:
    """One that can't be read may have some: to ask costs a request, not to ask would take them for gone."""
    return isinstance(product, SetAside) or product.kind.startswith("variable")


def _is_recent(version: str) -> bool:
    """May the shop list all variations in one? Yes when we don't know: asking costs one small request."""
    numbers = version.split(".")
    if len(numbers) < 2 or not (numbers[0].isdigit() and numbers[1].isdigit()):
        return True
    return (int(numbers[0]), int(numbers[1])) >= (10, 3)
