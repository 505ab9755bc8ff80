"""A whole shop for tests of the main job: a sandbox store behind real HTTP, a till that drops files, and the engine between.

What the shop shows is read back over HTTP, as any customer's client would; what was sent to it is read from its request log.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

from woocommerce import API

from alignment.models import Alignment
from connectors.models import Connection
from connectors.pos_csv import outbound
from connectors.services import connection_save
from inventory.models import Item, Listing, Movement
from sandbox.server import RunningServer, serve
from sandbox.till import Till
from sandbox.till.catalogue import CatalogueRow
from sandbox.till.export import Exporter
from sandbox.till.imports import Imported, Importer
from sandbox.woocommerce import StoreApp
from sync.models import RunProblem, SyncLog, SyncRun
from sync.turns.run import run_sync

FULL, INCREMENTAL = SyncRun.Kind.FULL, SyncRun.Kind.INCREMENTAL
HYDRO = Path(__file__).parents[2] / "sandbox" / "data" / "hydro"


class Clock:
    """A clock that only tests and the engine's own waiting move. It begins now: files on the disk have real times."""

    def __init__(self, *, hours_ago: float = 0) -> None:
        self.at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours_ago)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def tick(self, **by: float) -> None:
        """Let time pass: `minutes=5`."""
        self.at += timedelta(**by)


def product(remote_id: int, sku: str, quantity: int | None, **fields: Any) -> dict[str, Any]:
    """A row for the sandbox store. `quantity` None: the store doesn't count it."""
    counted = {"manage_stock": quantity is not None, "stock_quantity": quantity}
    return {"id": remote_id, "sku": sku, "name": sku, "regular_price": "10", **counted, **fields}


def stocked(till: Till, stock: dict[str, int | str]) -> None:
    """Give a till items with their opening stock."""
    till.stock(
        CatalogueRow(sku, sku, "", "Pots", "Maker", Decimal(2), Decimal(5), Decimal(on_hand), till.clock())
        for sku, on_hand in stock.items()
    )


class Shop:
    """Store, till, drop folder and two connections. `stock`: what lies on the shelf; `listed`: what the store shows."""

    def __init__(
        self,
        folder: Path,
        *,
        stock: dict[str, int | str] | None = None,
        listed: Iterable[dict[str, Any]] | None = None,
        version: str = "10.5",
        tls: bool = True,
        mode: str = "live",
        till_mode: str = "observe",
        hours_ago: float = 0,
        **settings: Any,
    ) -> None:
        self.clock = Clock(hours_ago=hours_ago)
        self.moved_at: dict[str, datetime] = {}  # the adjustment files the till has taken in
        self.app = StoreApp(version=version, clock=self.clock.now)
        self.till = Till(clock=self.clock.now)
        stocked(self.till, stock or {})
        self.app.load(listed if listed is not None else self._listed_like_the_till())
        self.server: RunningServer = serve(self.app, tls=tls)
        # The official client is at a loss over plain http with parameters; customers look in here.
        self.window = self.server if tls else serve(self.app, tls=True)
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.exporter, self.importer = Exporter(self.till, folder), Importer(self.till, folder / "outbound")
        self.pos = connection_save(
            name="till",
            kind="pos_csv",
            settings_given={"folder": str(folder), "stable_seconds": 0},
            credentials={},
            mode=till_mode,
        )
        self.store = connection_save(
            name="store",
            kind="woocommerce",
            settings_given={
                "url": self.server.url,
                "ca_file": self.server.ca_file or "",
                "settle_seconds": 5,
                "read_timeout": 10,
                **settings,
            },
            credentials={"consumer_key": self.app.key, "consumer_secret": self.app.secret},
            mode=mode,
        )

    def _listed_like_the_till(self) -> list[dict[str, Any]]:
        return [product(100 + n, row.sku, max(0, int(row.on_hand))) for n, row in enumerate(self.till.snapshot()[1])]

    # The till's side

    def export(self, *, name: str = "") -> Path:
        """The till writes down what it shows now."""
        path = self.exporter.write()
        if name:
            path = path.rename(path.with_name(name))
        os.utime(path, (self.clock.at.timestamp(),) * 2)
        return path

    def drop(self, content: bytes, name: str = "") -> Path:
        """A file of anybody's making in the drop folder."""
        path = self.folder / (name or f"pos_export_{self.clock.at:%Y%m%d_%H%M%S}.csv")
        path.write_bytes(content)
        os.utime(path, (self.clock.at.timestamp(),) * 2)
        return path

    def take_in_adjustments(self) -> list[Imported]:
        """The till books the files in `outbound/`."""
        taken = self.importer.run()
        self.moved_at |= {each.name: self.clock.at for each in taken}
        return taken

    def waiting_files(self, folder: str = "") -> list[str]:
        """Names of the exports that lie in the drop folder, or in one of its subfolders."""
        return sorted(path.name for path in (self.folder / folder).glob("*.csv") if path.is_file())

    # The engine

    def sync(self, kind: SyncRun.Kind = FULL, **options: Any) -> SyncRun:
        """One run of the engine, on the shop's clock."""
        return run_sync(
            store=Connection.objects.get(pk=self.store.pk),
            kind=kind,
            now=self.clock.now,
            **{"sleep": self.clock.sleep, **options},
        )

    def open(self, *, pairs: Iterable[tuple[str, str]] | None = None) -> SyncRun:
        """Read both sides for the first time and align: same SKU on both sides, or the given (POS SKU, store SKU)."""
        self.export()
        run = self.sync(read_only=True)
        self.align(pairs)
        self.clock.tick(minutes=1)
        self.app.forget_requests()
        return run

    def align(self, pairs: Iterable[tuple[str, str]] | None = None) -> None:
        items = {item.sku: item for item in Item.objects.filter(connection=self.pos)}
        listings = {listing.sku: listing for listing in Listing.objects.filter(connection=self.store).exclude(kind="variable")}
        pairs = [(sku, sku) for sku in items if sku in listings] if pairs is None else pairs
        for pos_sku, woo_sku in pairs:
            Alignment.objects.update_or_create(
                item=items[pos_sku],
                listing=listings[woo_sku],
                defaults={"match_type": "exact", "confidence": 1, "status": Alignment.Status.CONFIRMED},
            )

    def running(self, **options: Any) -> SyncRun:
        """Bring the shop into step for the first time. Result: that run; the request log is empty afterwards."""
        self.open()
        run = self.sync(**options)
        self.clock.tick(minutes=1)
        self.app.forget_requests()
        return run

    # What is so

    def shown(self) -> dict[str, int | None]:
        """What the store shows, by SKU, read over HTTP; None where it doesn't count."""
        client = API(self.window.url, self.app.key, self.app.secret, timeout=30, verify_ssl=self.window.ca_file)
        rows: list[dict[str, Any]] = []
        kept = list(self.app.requests)
        for route in self._routes(client):
            page = 1
            while found := self._page(client, route, page):
                rows.extend(found)
                page += 1
        with self.app._log_lock:  # looking leaves no trace in the log that tests read
            self.app._log.clear()
            self.app._log.extend(kept)
        return {row["sku"]: row["stock_quantity"] if row["manage_stock"] is True else None for row in rows if row["sku"]}

    @staticmethod
    def _page(client: API, route: str, page: int) -> list[dict[str, Any]]:
        reply = client.get(route, params={"per_page": 100, "page": page, "orderby": "id", "order": "asc"})
        assert reply.status_code == 200, reply.text
        found: list[dict[str, Any]] = reply.json()
        return found

    def _routes(self, client: API) -> list[str]:
        if self.app.version != "10.2":
            return ["products", "variations"]
        parents = [each.id for each in self.app.catalogue.products.values() if each.type == "variable"]
        return ["products", *(f"products/{parent}/variations" for parent in parents)]

    def shelf(self) -> dict[str, Decimal]:
        """What the till shows, by SKU."""
        return {sku: self.till.on_hand(sku) for sku in self.till.skus()}

    def expected(self) -> dict[str, int]:
        """What the store should show of everything the till has, in whole units."""
        return {sku: max(0, int(on_hand)) for sku, on_hand in self.shelf().items()}

    def sent(self) -> dict[str, list[int]]:
        """Every change that was sent to the store, by SKU, in order, whatever became of it."""
        found: dict[str, list[int]] = {}
        for request in self.app.writes:
            for item in request.body["update"]:
                found.setdefault(self.app.product(item["id"]).sku, []).append(item["inventory_delta"])
        return found

    def logged(self, source: SyncLog.Source | None = None) -> list[tuple[str, str, str]]:
        """(store SKU, old, new) of each log row, oldest first."""
        rows = SyncLog.objects.order_by("id")
        rows = rows.filter(source=source) if source else rows
        return list(rows.values_list("alignment__listing__sku", "old_value", "new_value"))

    def movements(self, kind: Movement.Kind | None = None) -> list[tuple[str, Decimal]]:
        """(SKU, quantity) of each movement after the opening, oldest first."""
        rows = Movement.objects.order_by("id").exclude(kind=Movement.Kind.OPENING)
        rows = rows.filter(kind=kind) if kind else rows
        return list(rows.values_list("item__sku", "quantity"))


def problems(run: SyncRun) -> list[tuple[str, int | None, str]]:
    """(subject, line, code) of what a run could not do."""
    return list(RunProblem.objects.filter(run=run).values_list("subject", "line", "code"))


def csv_bytes(rows: Iterable[tuple[Any, ...]], *, header: tuple[str, ...] = ("SKU", "Description", "Qty On Hand")) -> bytes:
    """A small export."""
    lines = [",".join(map(str, row)) for row in (header, *rows)]
    return ("\r\n".join(lines) + "\r\n").encode()


def hydro_pairs() -> list[tuple[str, str]]:
    """The sample shop's alignment: (POS SKU, store SKU)."""
    with (HYDRO / "pos_shopify_alignment.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["POS SKU"], row["WooCommerce SKU"]) for row in csv.DictReader(lines)]


@contextmanager
def opened(folder: Path, **options: Any) -> Iterator[Shop]:
    """A shop that is closed again."""
    shop = Shop(folder, **options)
    try:
        # The file system's own clock can't be set.
        with patch.object(outbound, "moved_at", lambda path, **_: shop.moved_at[path.name]):
            yield shop
    finally:
        shop.window.stop()
        shop.server.stop()
