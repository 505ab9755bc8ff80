"""A pretend store on a port, and a session that knows its key."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from sandbox.server import RunningServer, serve
from sandbox.woocommerce import StoreApp

ROWS = [
    {"id": 11, "sku": "A-1", "name": "Pump", "regular_price": "10.00", "manage_stock": True, "stock_quantity": 10},
    {"id": 12, "sku": "A-2", "name": "Tray", "regular_price": "4.50", "manage_stock": True, "stock_quantity": 5},
    {"id": 13, "sku": "A-3", "name": "Rope", "regular_price": "1.00", "manage_stock": False, "stock_quantity": None},
    {"id": 20, "sku": "V", "name": "Hose", "type": "variable"},
    {"id": 21, "sku": "V-1", "name": "1m", "parent_id": 20, "regular_price": "2.00", "manage_stock": True, "stock_quantity": 7},
]


class Caller:
    """A client of one store, with the key that may do everything."""

    def __init__(self, server: RunningServer, store: StoreApp) -> None:
        self.server, self.store = server, store
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (store.key, store.secret)
        self.session.verify = server.ca_file or True

    def __call__(self, method: str, path: str, **more: object) -> requests.Response:
        more.setdefault("timeout", 10)
        return self.session.request(method, f"{self.server.url}/wp-json/wc/v3/{path}", **more)

    def control(self, method: str, name: str, given: object = None) -> requests.Response:
        """Steer the sandbox as another process would."""
        return requests.request(method, f"{self.server.url}/__sandbox/{name}", json=given, timeout=10)


@pytest.fixture
def open_store() -> Iterator[Callable[..., Caller]]:
    """Open a store of five products, by default over plain http with Basic."""
    with ExitStack() as stack:

        def opened(*, tls: bool = False, basic_over_http: bool = True, **options: object) -> Caller:
            store = StoreApp(basic_over_http=basic_over_http, **options)
            store.load(ROWS)
            caller = Caller(stack.enter_context(serve(store, tls=tls)), store)
            stack.callback(caller.session.close)
            return caller

        yield opened


@pytest.fixture
def call(open_store: Callable[..., Caller]) -> Caller:
    return open_store()
