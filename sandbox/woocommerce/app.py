"""The pretend shop: a WSGI app that answers like WooCommerce, and the Python side of it for tests."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.gateway import Gateway
from sandbox.woocommerce.auth import REFUSALS, Key, Keys
from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.checkout import Checkout
from sandbox.woocommerce.clock import SiteClock, utc_now
from sandbox.woocommerce.controls import store_controls
from sandbox.woocommerce.errors import RestError, no_route
from sandbox.woocommerce.fields import Renderer, View
from sandbox.woocommerce.hooks import Hooks
from sandbox.woocommerce.listing import ProductLists
from sandbox.woocommerce.order import Order
from sandbox.woocommerce.order_book import OrderBook
from sandbox.woocommerce.orders import OrderRoutes
from sandbox.woocommerce.page_cache import PageCache
from sandbox.woocommerce.product import Product
from sandbox.woocommerce.products import PhpDiedError, ProductRoutes
from sandbox.woocommerce.rest import Call, Reply, Route, to_response
from sandbox.woocommerce.site import SiteRoutes
from sandbox.woocommerce.webhooks import WebhookRoutes
from sandbox.woocommerce.writes import ProductWrites

VERSIONS = {"10.2": "10.2.4", "10.5": "10.5.0"}
KEY, SECRET = "ck_" + "5a4d" * 10, "cs_" + "5ec2" * 10
LONGEST_REQUEST_LINE = 8190
TOO_LONG = (
    "<html>\r\n<head><title>414 Request-URI Too Large</title></head>\r\n<body>\r\n"
    "<center><h1>414 Request-URI Too Large</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


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
        self.hooks = Hooks(self.clock, version=self.full_version, faults=self.faults, body_of=self._hook_body)
        self._products = ProductRoutes(self.catalogue, version=version, settings=self.settings, announce=self._announce)
        self.book = OrderBook(self.catalogue, self._products.writes, version=version, tell=self._announce)
        self._products.on_delete = self.book.forget_product
        self._orders = OrderRoutes(self.book, version=version, full_version=self.full_version, settings=self.settings)
        self.checkout = Checkout(self.book)
        self.site = SiteRoutes(self.catalogue, version=self.full_version, on_change=self._option_changed)
        self.page_cache: PageCache | None = None
        self._map, self._allow = _routing(self._routes())
        self.controls |= store_controls(self)

    def _routes(self) -> list[Route]:
        hooks = WebhookRoutes(self.hooks, self.clock)
        self.site.listed = [*self._products.routes(), *self._orders.routes(), *hooks.routes()]
        return [*self.site.listed, *self.site.routes()]

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

    def cache_pages(self, **options: Any) -> PageCache:
        """Put a page cache in front of the shop (see there for the options). Result: that cache."""
        self.page_cache = PageCache(clock=self.clock.now, **options)
        return self.page_cache

    def set_option(self, group: str, name: str, value: str) -> None:
        """Change a setting of the shop, such as `products`, `woocommerce_manage_stock`. Raises KeyError for an unknown one."""
        self.site.set(group, name, value)

    def order(self, order_id: int) -> Order:
        """Result: the order. Raises KeyError when there is none."""
        return self.book.orders[order_id]

    def place_order(self, lines: Sequence[tuple[int | str, int]], *, status: str = "processing") -> Order:
        """Result: an order as an integration would make it, overselling if it must. `lines`: (product id or SKU, quantity)."""
        items = [{("sku" if isinstance(what, str) else "product_id"): what, "quantity": units} for what, units in lines]
        return self.book.create({"status": status, "line_items": items})

    def change_order(self, order_id: int, **body: Any) -> Order:
        """Change an order as a PUT would, e.g. `status="cancelled"`. Result: the order."""
        self.book.update(self.order(order_id), body)
        return self.order(order_id)

    def refund_order(self, order_id: int, quantities: dict[int, int] | None = None, *, restock: bool = True) -> None:
        """Give money back for units of lines (line id → quantity; None: everything left), with or without restocking."""
        order = self.order(order_id)
        chosen = {line.id: line.quantity - line.restocked for line in order.lines} if quantities is None else quantities
        rows = [
            {"id": line.id, "quantity": units, "refund_total": round(float(line.price) * units, 2)}
            for line in order.lines
            if (units := chosen.get(line.id, 0))
        ]
        self._orders.refund(order, {"api_refund": False, "api_restock": restock, "line_items": rows})

    def close(self) -> None:
        """End the thread of the webhooks. The shop can be used on, and starts it again when it has something to tell."""
        self.hooks.close()

    def state(self) -> dict[str, Any]:
        return super().state() | {
            "version": self.full_version,
            "products": len(self.catalogue.products),
            "orders": len(self.book.orders),
            "deliveries_waiting": self.hooks.waiting,
        }

    @property
    def lists(self) -> ProductLists:
        """The lists of products, for callers who skip HTTP."""
        return self._products.lists

    @property
    def product_writes(self) -> ProductWrites:
        """What saves products, for callers who skip HTTP."""
        return self._products.writes

    @property
    def race_gap(self) -> float:
        """Seconds between reading and writing in `inventory_delta`, unlocked: 0 is atomic, more is like the real one (c10)."""
        return self._products.writes.race_gap

    @race_gap.setter
    def race_gap(self, seconds: float) -> None:
        self._products.writes.race_gap = seconds

    # Answering

    def _respond(self, request: Request) -> Response:
        return self.page_cache.answer(request, self._dated) if self.page_cache else self._dated(request)

    def _dated(self, request: Request) -> Response:
        response = self._reply(request)
        response.headers["Date"] = http_date(self.clock.now())
        return response

    def _reply(self, request: Request) -> Response:
        if len(f"{request.method} {request.path}?{request.query_string.decode()} HTTP/1.1") > LONGEST_REQUEST_LINE:
            return Response(TOO_LONG, 414, content_type="text/html")
        base = request.host_url.rstrip("/")
        self.hooks.site_url = base
        allow: tuple[str, ...] = ()
        try:
            key = self.keys.caller(request)
            route, values = self._match(request)
            if route.wants and key is None:
                raise RestError(401, *REFUSALS[route.wants])
            allow = self._allow[route.path]
            reply = route.handler(Call(request, base=base), **values)
        except RestError as refusal:
            reply = Reply(refusal.body(), refusal.status)
            allow = () if refusal.hides_methods else allow
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

    # Telling

    def _announce(self, topic: str, what: Product | int) -> None:
        self.hooks.announce(topic, what if isinstance(what, int) else what.id)

    def _hook_body(self, topic: str, resource_id: int) -> dict[str, Any]:
        """What a webhook says: the thing as the API shows it now, or its bare id once it is deleted (e07)."""
        resource, _, event = topic.partition(".")
        if event == "deleted":
            return {"id": resource_id}
        with self.catalogue.lock:
            if resource == "order" and resource_id in self.book.orders:
                return self._orders.view(self.hooks.site_url).order(self.book.orders[resource_id])
            if resource == "product" and resource_id in self.catalogue.products:
                view = View(self.catalogue, base=self.hooks.site_url)
                return Renderer(view, variations=False).row(self.catalogue.products[resource_id])
        name = "shop_order" if resource == "order" else "product"
        return RestError(404, f"woocommerce_rest_{name}_invalid_id", "Invalid ID.").body()

    def _option_changed(self, name: str, value: str) -> None:
        if name == "woocommerce_manage_stock":
            self.catalogue.manage_stock = value == "yes"
            self.catalogue.changes += 1
        if name == "woocommerce_hold_stock_minutes":
            self.checkout.hold_minutes = int(value or 0)


def _routing(routes: list[Route]) -> tuple[Map, dict[str, tuple[str, ...]]]:
    allow: dict[str, list[str]] = {}
    for route in routes:
        allow.setdefault(route.path, []).extend(route.methods)
    rules = [Rule(route.path, methods=route.methods, endpoint=route) for route in routes]
    return Map(rules, merge_slashes=False), {path: tuple(m for m in METHODS if m in found) for path, found in allow.items()}
