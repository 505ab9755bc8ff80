"""A sandbox shop behind HTTP, and the store that talks to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from connectors.contract import CallRecord
from connectors.settings.allowed import folders_allowed
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.store import WooCommerceStore
from sandbox.server import RunningServer, serve
from sandbox.woocommerce import StoreApp
from tests.conftest import NOW

ROWS = [
    {
        "id": 11,
        "type": "simple",
        "sku": "MAT-1",
        "name": "Mat",
        "regular_price": "12.50",
        "manage_stock": True,
        "stock_quantity": 10,
    },
    {
        "id": 12,
        "type": "simple",
        "sku": "CUP-1",
        "name": "Cup",
        "regular_price": "3.00",
        "manage_stock": True,
        "stock_quantity": 4,
    },
    {"id": 13, "type": "simple", "sku": "BAG-1", "name": "Bag", "regular_price": "9.00", "manage_stock": False},
    {"id": 20, "type": "variable", "sku": "SOIL", "name": "Soil", "manage_stock": False},
    {"id": 21, "parent_id": 20, "sku": "SOIL-1", "name": "1L", "regular_price": "5", "manage_stock": True, "stock_quantity": 6},
    {"id": 22, "parent_id": 20, "sku": "SOIL-5", "name": "5L", "regular_price": "15", "manage_stock": True, "stock_quantity": 7},
    {"id": 30, "type": "variable", "sku": "LAMP", "name": "Lamp", "manage_stock": True, "stock_quantity": 40},
    {"id": 31, "parent_id": 30, "sku": "LAMP-W", "name": "Warm", "regular_price": "80", "manage_stock": False},
]


@dataclass
class Shop:
    """A running sandbox shop and a store on it."""

    app: StoreApp
    server: RunningServer
    store: WooCommerceStore
    calls: list[CallRecord]

    def asked(self) -> list[str]:
        """Method and path of each request so far, without the API's own prefix."""
        return [f"{entry.method} {entry.path.removeprefix('/wp-json/wc/v3/')}" for entry in self.app.requests]


def store_on(url: str, calls: list[CallRecord], *, key: str, secret: str, **settings: object) -> WooCommerceStore:
    """A store as the registry would build it, with patience for a test."""
    return WooCommerceStore(
        WooCommerceSettings.model_validate({"url": url, "read_timeout": 2} | settings),
        WooCommerceCredentials(consumer_key=key, consumer_secret=secret),
        record=calls.append,
        now=lambda: NOW,
        folders=folders_allowed(),
        allow_private=True,
    )


@pytest.fixture
def shop() -> Iterator[Callable[..., Shop]]:
    running: list[RunningServer] = []

    def build(
        played: str = "10.5",
        *,
        tls: bool = False,
        rows: list | None = None,
        key: str = "",
        secret: str = "",
        asked_for_caches: bool = False,
        **settings: object,
    ) -> Shop:
        app = StoreApp(version=played)
        app.load(ROWS if rows is None else rows)
        server = serve(app, tls=tls)
        running.append(server)
        calls: list[CallRecord] = []
        given = {"ca_file": server.ca_file or ""} | settings
        store = store_on(server.url, calls, key=key or app.key, secret=secret or app.secret, **given)
        if asked_for_caches:
            store.read_listings([(999_999, 0)])  # it asks once about caches; what follows is counted
            app.forget_requests()
            calls.clear()
        return Shop(app, server, store, calls)

    yield build
    for server in running:
        server.stop()
