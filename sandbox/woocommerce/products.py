"""The addresses of products and variations."""

from collections.abc import Callable
from typing import Any

from sandbox.faults import Settings
from sandbox.woocommerce.catalogue import Catalogue
from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.fields import Renderer, View
from sandbox.woocommerce.listing import ProductLists
from sandbox.woocommerce.paging import Page
from sandbox.woocommerce.product import Product
from sandbox.woocommerce.rest import BATCH, CREATE, READ_LIST, Call, Reply, Route, item_routes
from sandbox.woocommerce.writes import ProductWrites

BATCH_LIMIT = 100


class PhpDiedError(Exception):
    """The interpreter ends in the middle of a batch: what is written stays written (h02)."""


class ProductRoutes:
    """Products and their variations, one at a time, in lists and in batches."""

    def __init__(
        self, catalogue: Catalogue, *, version: str, settings: Settings, announce: Callable[[str, Product], None]
    ) -> None:
        self.catalogue, self.version, self.settings, self.announce = catalogue, version, settings, announce
        self.on_delete: Callable[[Product], None] = lambda _product: None
        self.writes = ProductWrites(catalogue)
        self.lists = ProductLists(catalogue, version=version)

    def routes(self) -> list[Route]:
        """Result: the addresses below /wp-json."""
        one, of_parent = "/wc/v3/products/<int:product_id>", "/wc/v3/products/<int:parent_id>/variations"
        found = [
            Route(("GET",), "/wc/v3/products", self.list_products, READ_LIST),
            Route(("POST",), "/wc/v3/products", self.create_product, CREATE),
            Route(("POST", "PUT", "PATCH"), "/wc/v3/products/batch", self.batch_products, BATCH),
            *item_routes(one, get=self.get_product, edit=self.put_product, delete=self.delete_product),
            Route(("GET",), of_parent, self.list_variations, READ_LIST),
            Route(("POST",), of_parent, self.create_variation, CREATE),
            Route(("POST", "PUT", "PATCH"), f"{of_parent}/batch", self.batch_variations, BATCH),
            *item_routes(
                f"{of_parent}/<int:product_id>", get=self.get_variation, edit=self.put_variation, delete=self.delete_variation
            ),
            Route(("GET",), "/wc-analytics/products", self.list_products, READ_LIST),
            Route(("POST",), "/wc-analytics/products", self.create_product, CREATE),
            Route(("GET",), "/wc-analytics/variations", self.list_all_variations, READ_LIST),
        ]
        if self.version != "10.2":
            found.append(Route(("GET",), "/wc/v3/variations", self.list_all_variations, READ_LIST))
        return found

    # Lists

    def list_products(self, call: Call) -> Reply:
        return self._listed(call, self.lists.products(call.query), self._renderer(call, variations=False))

    def list_variations(self, call: Call, parent_id: int) -> Reply:
        parent = self._product(parent_id, missing=404)
        return self._listed(call, self.lists.variations(call.query, parent), self._renderer(call, variations=True))

    def list_all_variations(self, call: Call) -> Reply:
        renderer = self._renderer(call, variations=True, shop_wide=True)
        reply = self._listed(call, self.lists.variations(call.query), renderer)
        if "wc-analytics" in call.url:  # its links lead nowhere: they carry the pattern of the route (a12)
            wrong = f"{call.base}/wp-json/wc-analytics/products/(?P<product_id>%5B\\d%5D&"
            reply.headers = [(name, value.replace(f"{call.url}?", wrong)) for name, value in reply.headers]
        return reply

    def _listed(self, call: Call, page: Page[Product], renderer: Renderer) -> Reply:
        self.settings.read(len(page.rows))
        with self.catalogue.lock:
            rows = renderer.rows(page.rows)
        return Reply(rows, headers=page.headers(call.url, call.query), trimmed=True)

    def _renderer(self, call: Call, *, variations: bool, shop_wide: bool = False, single: bool = False) -> Renderer:
        reading = call.request.method == "GET"
        view = View(self.catalogue, base=call.base, written=call.request.method not in ("GET", "DELETE"))
        wanted = call.query.get("_fields", "") if reading else ""
        return Renderer(view, variations=variations, wanted=wanted, shop_wide=shop_wide, linked=single)

    # One product

    def get_product(self, call: Call, product_id: int) -> Reply:
        product = self._product(product_id, missing=404)
        return Reply(self._renderer(call, variations=False, single=True).row(product), trimmed=True)

    def create_product(self, call: Call) -> Reply:
        product = self._create(self.writes.check(call.body), None)
        location = f"{call.base}/wp-json/wc/v3/products/{product.id}"
        return Reply(self._renderer(call, variations=False).row(product), 201, [("Location", location)])

    def put_product(self, call: Call, product_id: int) -> Reply:
        product = self._writable(product_id)
        self._update(product, self.writes.check(call.body))
        return Reply(self._renderer(call, variations=False).row(product))

    def delete_product(self, call: Call, product_id: int) -> Reply:
        return self._deleted(call, self._writable(product_id), variations=False)

    # One variation

    def get_variation(self, call: Call, parent_id: int, product_id: int) -> Reply:
        product = self._variation(parent_id, product_id)
        return Reply(self._renderer(call, variations=True, single=True).row(product), trimmed=True)

    def create_variation(self, call: Call, parent_id: int) -> Reply:
        product = self._create(self.writes.check(call.body), self._product(parent_id, missing=404))
        return Reply(self._renderer(call, variations=True).row(product), 201)

    def put_variation(self, call: Call, parent_id: int, product_id: int) -> Reply:
        product = self._variation(parent_id, product_id)
        self._update(product, self.writes.check(call.body))
        return Reply(self._renderer(call, variations=True).row(product))

    def delete_variation(self, call: Call, parent_id: int, product_id: int) -> Reply:
        return self._deleted(call, self._variation(parent_id, product_id), variations=True)

    # Batches

    def batch_products(self, call: Call) -> Reply:
        return self._batch(call, None)

    def batch_variations(self, call: Call, parent_id: int) -> Reply:
        return self._batch(call, self._product(parent_id, missing=404))

    def _batch(self, call: Call, parent: Product | None) -> Reply:
        """Items one after the other, none checked (b04), each kept or refused by itself (b03): not a transaction."""
        asked = {name: call.body[name] for name in ("create", "update", "delete") if isinstance(call.body.get(name), list)}
        if sum(map(len, asked.values())) > BATCH_LIMIT:
            message = f"Unable to accept more than {BATCH_LIMIT} items for this request."
            raise RestError(413, "woocommerce_rest_request_entity_too_large", message)
        renderer = self._renderer(call, variations=parent is not None)
        work = {"create": self._batch_create, "update": self._batch_update, "delete": self._batch_delete}
        die_at, done = call.request.environ.get("sandbox.die_at"), 0
        answer: dict[str, list[Any]] = {}
        for name, items in asked.items():
            answer[name] = []
            for item in items:
                if die_at is not None and done >= die_at:
                    call.request.environ["sandbox.died"] = True
                    raise PhpDiedError
                answer[name].append(_answered(work[name], item, parent, renderer))
                done += 1
        return Reply(answer)

    def _batch_create(self, item: Any, parent: Product | None, renderer: Renderer) -> Any:
        return renderer.row(self._create(item if isinstance(item, dict) else {}, parent))

    def _batch_update(self, item: Any, parent: Product | None, renderer: Renderer) -> Any:
        product = self._batch_target(item.get("id"), parent)
        self._update(product, item)
        return renderer.row(product)

    def _batch_delete(self, item: Any, parent: Product | None, renderer: Renderer) -> Any:
        product = self._batch_target(item.get("id") if isinstance(item, dict) else item, parent)
        row = renderer.row(product)
        self._remove(product)  # a batch deletes for good
        return row

    def _batch_target(self, product_id: Any, parent: Product | None) -> Product:
        known = product_id if isinstance(product_id, int) else 0
        return self._writable(known) if parent is None else self._variation(parent.id, known)

    # What they share

    def _product(self, product_id: int, *, missing: int) -> Product:
        product = self.catalogue.products.get(product_id)
        if product is None:
            raise RestError(missing, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return product

    def _writable(self, product_id: int) -> Product:
        product = self._product(product_id, missing=400)
        if product.parent is not None:
            message = (
                "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
            )
            raise RestError(404, "woocommerce_rest_invalid_product_id", message)
        return product

    def _variation(self, parent_id: int, product_id: int) -> Product:
        product = self.catalogue.products.get(product_id)
        if product is None or product.parent_id != parent_id or product.parent is None:
            refusal = RestError(404, "woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
            refusal.hides_methods = product is not None
            raise refusal
        return product

    def _create(self, body: dict[str, Any], parent: Product | None) -> Product:
        product = self.writes.create(body, parent=parent)
        self.settings.wrote()
        self.announce("product.created", product)
        return product

    def _update(self, product: Product, body: dict[str, Any]) -> None:
        self.writes.update(product, body)
        self.settings.wrote()
        self.announce("product.updated", product)

    def _deleted(self, call: Call, product: Product, *, variations: bool) -> Reply:
        row = self._renderer(call, variations=variations).row(product)
        if call.flag("force"):
            self._remove(product)
        else:
            self.writes.trash(product)
            self.announce("product.deleted", product)
        return Reply(row)

    def _remove(self, product: Product) -> None:
        self.on_delete(product)
        self.catalogue.remove(product)
        self.announce("product.deleted", product)


def _answered(work: Callable[..., Any], item: Any, parent: Product | None, renderer: Renderer) -> Any:
    """The row of one item of a batch, or its refusal: with the id that was sent, null for none (b05), 0 for a new one."""
    try:
        return work(item, parent, renderer)
    except RestError as refusal:
        sent = item.get("id") if isinstance(item, dict) else item
        creating = work.__name__ == "_batch_create"
        return {"id": 0 if creating else sent, "error": refusal.body()}
