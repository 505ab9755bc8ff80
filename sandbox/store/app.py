"""The pretend shop: a WSGI app that answers like WooCommerce, and the Python side of it for tests."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.gateway import Gateway
from sandbox.store.auth import REFUSALS, Key, Keys
from sandbox.store.catalogue import Catalogue
from sandbox.store.clock import SiteClock, utc_now
from sandbox.store.errors import RestError, no_route
from sandbox.store.product import Product
from sandbox.store.products import PhpDiedError, ProductRoutes
from sandbox.store.rest import Call, Reply, Route, to_response

VERSIONS = {"10.2": "10.2.4", "10.5": "10.5.0"}
KEY, SECRET = "ck_" + "5a4d" * 10, "cs_" + "5ec2" * 10
LONGEST_REQUEST_LINE = 8190
TOO_LONG = (
    "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n"
    "<center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)


class StoreApp(Gateway):
    """A WooCommerce of version "10.2" or "10.5" in memory. `key` and `secret` may read and write."""

    def __init__(
        self,
        *,
        version: str = "10.5",
        basic_over_http: bool = False,
        clock: Callable[[], datetime] = utc_now,
        time_zone: str = "Europe/Amsterdam",
        seed: int = 0,
    ) -> None:
        super().__init__(self._respond, seed=seed)
        if version not in VERSIONS:
            raise ValueError(f"The sandbox plays WooCommerce {' or '.join(VERSIONS)}, not {version}.")
        self.version, self.full_version = version, VERSIONS[version]
        self.clock = SiteClock(clock=clock, time_zone=time_zone)
        self.catalogue = Catalogue(self.clock)
        self.keys = Keys(basic_over_http=basic_over_http, now=lambda: clock().timestamp())
        self.key, self.secret = self.add_key("read_write", key=KEY, secret=SECRET)
        self._products = ProductRoutes(self.catalogue, version=version, settings=self.settings, announce=self._announce)
        self._map, self._allow = _routing(self._routes())

    def _routes(self) -> list[Route]:
        return self._products.routes()

    def _announce(self, topic: str, product: Product) -> None:
        """Nobody listens yet."""

    # For callers in Python

    def add_key(self, permissions: str, *, key: str, secret: str) -> tuple[str, str]:
        """Make an API key with `read`, `write` or `read_write`. Result: key and secret."""
        self.keys.add(Key(key, secret, permissions))
        return key, secret

    def load(self, rows: Iterable[dict[str, Any]] | str | Path) -> None:
        """Fill the shop: rows of the shape of store_catalogue.json, or the path of such a file."""
        if isinstance(rows, (str, Path)):
            self.catalogue.load_file(rows)
        else:
            self.catalogue.load(rows)

    def generate(self, *, products: int = 3000, variable: int = 50, variations: int = 4, seed: int = 1) -> None:
        """Fill the shop with invented products."""
        self.catalogue.generate(products=products, variable=variable, variations=variations, seed=seed)

    def product(self, product_id: int) -> Product:
        """Result: the product or variation. Raises KeyError when there is none."""
        return self.catalogue.products[product_id]

    def product_by_sku(self, sku: str) -> Product:
        """Result: the product or variation of that SKU. Raises KeyError when there is none."""
        product = self.catalogue.by_sku(sku)
        if product is None:
            raise KeyError(sku)
        return product

    def quantity(self, product_id: int) -> int | None:
        """Result: the quantity the shop shows; None where it doesn't count."""
        return self.product(product_id).shown_quantity

    def set_quantity(self, product_id: int, quantity: int) -> None:
        """Somebody edits the number in the shop's own admin."""
        product = self.product(product_id)
        with self.catalogue.lock:
            (product.stock_holder or product).quantity = quantity
            self.catalogue.touch(product)
        self._announce("product.updated", product)

    # Answering

    def _respond(self, request: Request) -> Response:
        if len(request.environ.get("REQUEST_URI", "")) > LONGEST_REQUEST_LINE:
            return Response(TOO_LONG, 414, content_type="text/html")
        base = request.host_url.rstrip("/")
        allow: tuple[str, ...] = ()
        try:
            key = self.keys.caller(request)
            route, values = self._match(request)
            call = Call(request, base=base)
            if route.wants and key is None:
                raise RestError(401, *REFUSALS[route.wants])
            allow = self._allow[route.path]
            reply = route.handler(call, **values)
        except RestError as refusal:
            reply = Reply(refusal.body(), refusal.status)
        except PhpDiedError:
            return Response(status=500)  # the gateway puts the fatal's page in its place
        return to_response(reply, base=base, allow=allow, fields=request.args.get("_fields", "") if reply.status < 300 else "")

    def _match(self, request: Request) -> tuple[Route, dict[str, Any]]:
        path = request.args.get("rest_route") or request.path.removeprefix("/wp-json")
        try:
            route, values = self._map.bind(request.host).match(path.rstrip("/") or "/", method=request.method)
        except HTTPException:
            raise no_route() from None
        return route, dict(values)


def _routing(routes: list[Route]) -> tuple[Map, dict[str, tuple[str, ...]]]:
    allow: dict[str, list[str]] = {}
    for route in routes:
        allow.setdefault(route.path, []).extend(route.methods)
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    rules = [Rule(route.path, methods=route.methods, endpoint=route) for route in routes]
    return Map(rules, merge_slashes=False), {path: tuple(m for m in order if m in found) for path, found in allow.items()}
