"""The addresses of orders, their notes, and refunds."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.faults import Settings
from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.errors import BareStatusError, RestError, not_in, wrong_type
from sandbox.woocommerce.listing import DATE_LIMITS
from sandbox.woocommerce.order import STATUSES, Order, Refund, RefundLine
from sandbox.woocommerce.order_book import OrderBook
from sandbox.woocommerce.order_json import OrderView
from sandbox.woocommerce.paging import Page, Query, choice, numbers, paged
from sandbox.woocommerce.product import stock_amount
from sandbox.woocommerce.rest import CREATE, DELETE, READ_ITEM, READ_LIST, Call, Reply, Route, item_routes

LISTED = ["any", "trash", *STATUSES]
ORDERS = ["date", "id", "include", "title", "slug", "modified"]
REFUND_ORDERS = ["date", "id", "include", "title", "slug", "modified"]


class OrderRoutes:
    """Orders one at a time and in lists, and what was refunded of them."""

    def __init__(self, book: OrderBook, *, version: str, full_version: str, settings: Settings) -> None:
        self.book, self.settings = book, settings
        self._full_version = full_version
        self._loses_rows = version == "10.2"
        self._clock = book.catalogue.clock

    def routes(self) -> list[Route]:
        """Result: the addresses below /wp-json."""
        orders, refunds = "/wc/v3/orders", "/wc/v3/orders/<int:order_id>/refunds"
        return [
            Route(("GET",), orders, self.list_orders, READ_LIST),
            Route(("POST",), orders, self.create_order, CREATE),
            *item_routes(f"{orders}/<int:order_id>", get=self.get_order, edit=self.put_order, delete=self.delete_order),
            Route(("GET",), f"{orders}/<int:order_id>/notes", self.list_notes, READ_LIST),
            Route(("GET",), "/wc/v3/refunds", self.list_all_refunds, READ_LIST),
            Route(("GET",), refunds, self.list_refunds, READ_LIST),
            Route(("POST",), refunds, self.create_refund, CREATE),
            Route(("GET",), f"{refunds}/<int:refund_id>", self.get_refund, READ_ITEM),
            Route(("DELETE",), f"{refunds}/<int:refund_id>", self.delete_refund, DELETE),
        ]

    # Orders

    def list_orders(self, call: Call) -> Reply:
        page = self._page(call.query)
        self.settings.read(len(page.rows))
        view = self.view(call.base)
        with self.book.catalogue.lock:
            rows = [view.order(order) for order in page.rows]
        return Reply(rows, headers=page.headers(call.url, _with_defaults(call.query)))

    def create_order(self, call: Call) -> Reply:
        _check_status(call.body)
        order = self.book.create(call.body)
        self.settings.wrote()
        location = f"{call.base}/wp-json/wc/v3/orders/{order.id}"
        return Reply(self.view(call.base).order(order), 201, [("Location", location)])

    def get_order(self, call: Call, order_id: int) -> Reply:
        return Reply(self.view(call.base).order(self._order(order_id)))

    def put_order(self, call: Call, order_id: int) -> Reply:
        order = self._order(order_id, missing=400)
        _check_status(call.body)
        self.book.update(order, call.body)
        self.settings.wrote()
        return Reply(self.view(call.base).order(order))

    def delete_order(self, call: Call, order_id: int) -> Reply:
        order = self._order(order_id)
        shown = self.view(call.base).order(order)
        if call.flag("force"):
            self.book.delete(order)
        elif order.status == "trash":
            raise RestError(410, "woocommerce_rest_already_trashed", "The Order has already been deleted.")
        else:
            self.book.trash(order)
        return Reply(shown)

    def list_notes(self, call: Call, order_id: int) -> Reply:
        view, order = self.view(call.base), self._order(order_id)
        return Reply([view.note(order, note) for note in order.notes])

    def view(self, base: str) -> OrderView:
        """Result: what renders orders for callers of that address."""
        return OrderView(self._clock, base=base, version=self._full_version, with_cost=self.book.catalogue.cost_enabled)

    def _order(self, order_id: int, *, missing: int = 404) -> Order:
        order = self.book.orders.get(order_id)
        if order is None:
            raise RestError(missing, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
        return order

    def _page(self, query: Query) -> Page[Order]:
        order_by = choice(query, "orderby", ORDERS, "date")
        falling = choice(query, "order", ["asc", "desc"], "desc") == "desc"
        tests = _order_tests(query, self._clock)
        with self.book.catalogue.lock:
            rows = [order for order in self.book.orders.values() if all(test(order) for test in tests)]
        dated = {"date": "created", "modified": "modified"}.get(order_by)
        rows.sort(key=lambda order: (getattr(order, dated) if dated else 0, order.id), reverse=falling)
        if self._loses_rows and dated:
            return paged(rows, query, shuffled=lambda order: getattr(order, dated))
        return paged(rows, query)

    # Refunds

    def list_all_refunds(self, call: Call) -> Reply:
        """All refunds of the shop, each with its order's id."""
        choice(call.query, "orderby", REFUND_ORDERS, "date")
        falling = choice(call.query, "order", ["asc", "desc"], "desc") == "desc"
        after = _after(call.query, self._clock)
        found = [refund for order in self.book.orders.values() for refund in order.refunds if refund.created > after]
        found.sort(key=lambda refund: (refund.created, refund.id), reverse=falling)
        page, view = paged(found, call.query), self.view(call.base)
        rows = [view.refund(refund, with_parent=True) for refund in page.rows]
        return Reply(rows, headers=page.headers(call.url, {**call.query, "dp": "2"}))

    def list_refunds(self, call: Call, order_id: int) -> Reply:
        page, view = paged(self._order(order_id).refunds, call.query), self.view(call.base)
        return Reply([view.refund(refund) for refund in page.rows], headers=page.headers(call.url, call.query))

    def get_refund(self, call: Call, order_id: int, refund_id: int) -> Reply:
        return Reply(self.view(call.base).refund(self._refund(order_id, refund_id)))

    def create_refund(self, call: Call, order_id: int) -> Reply:
        refund = self.refund(self._order(order_id), call.body)
        return Reply(self.view(call.base).refund(refund), 201)

    def delete_refund(self, call: Call, order_id: int, refund_id: int) -> Reply:
        """The refund goes, the stock stays as it is (woocommerce_answers.md 16)."""
        refund = self._refund(order_id, refund_id)
        if not call.flag("force"):
            raise RestError(501, "woocommerce_rest_trash_not_supported", "The order refund does not support trashing.")
        with self.book.catalogue.lock:
            self._order(order_id).refunds.remove(refund)
            self.book.touched(self._order(order_id))
        return Reply(self.view(call.base).refund(refund))

    def refund(self, order: Order, body: dict[str, Any]) -> Refund:
        """Result: the new refund. Raises RestError for too much money, or for a gateway that isn't there (d14b, d14c)."""
        lines = [row for row in body.get("line_items") or () if isinstance(row, dict)]
        stated = body.get("amount")
        amount = _amount(stated) if stated is not None else sum((_amount(row.get("refund_total")) for row in lines), Decimal(0))
        with self.book.catalogue.lock:
            if not 0 <= amount <= order.total - order.refunded:
                raise BareStatusError(500, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.")
            if body.get("api_refund", True) not in (False, "false", 0):
                message = "The payment gateway for this order does not exist."
                raise BareStatusError(500, "woocommerce_rest_cannot_create_order_refund", message)
            catalogue = self.book.catalogue
            refund = Refund(
                catalogue.new_id(),
                order.id,
                amount,
                str(body.get("reason") or ""),
                self._clock.now(),
                catalogue.new_meta_id(),
                full=order.refunded + amount >= order.total,
            )
            self._refund_lines(order, refund, lines, restock=body.get("api_restock", True) not in (False, "false", 0))
            order.refunds.insert(0, refund)
            self.book.touched(order)
            self.book.close_refunded(order)
        return refund

    def _refund_lines(self, order: Order, refund: Refund, rows: list[dict[str, Any]], *, restock: bool) -> None:
        for row in rows:
            line = order.line(row.get("id"))
            if line is None:
                continue
            units = stock_amount(row.get("quantity", 0))
            number, meta_id = self.book.new_line_id(), self.book.catalogue.new_meta_id()
            refund.lines.append(RefundLine(number, line, units, _amount(row.get("refund_total")), meta_id))
            if restock and units:
                self.book.restock(line, units)

    def _refund(self, order_id: int, refund_id: int) -> Refund:
        found = next((refund for refund in self._order(order_id).refunds if refund.id == refund_id), None)
        if found is None:
            raise RestError(404, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.")
        return found


def _amount(given: Any) -> Decimal:
    try:
        return Decimal(str(given if given is not None else 0))
    except InvalidOperation:
        raise wrong_type("amount", "string") from None


def _with_defaults(query: Query) -> Query:
    """The query as the links of an orders list repeat it: with what wasn't asked (v_d20)."""
    statuses = {f"status[{place}]": name for place, name in enumerate(query.get("status", "any").split(","))}
    rest = {name: value for name, value in query.items() if name != "status"}
    return {**rest, "page": query.get("page", "1"), **statuses, "dp": "2", "context": "view"}


def _check_status(body: dict[str, Any]) -> None:
    if body.get("status") is not None and body["status"] not in STATUSES:
        raise not_in("status", STATUSES)


def _after(query: Query, clock: SiteClock) -> int:
    gmt = query.get("dates_are_gmt", "").lower() in ("true", "1")
    return clock.parse("after", query["after"], dates_are_gmt=gmt) if query.get("after") else -1


def _order_tests(query: Query, clock: SiteClock) -> list[Callable[[Order], bool]]:
    wanted = set(filter(None, query.get("status", "any").split(","))) or {"any"}
    for place, name in enumerate(wanted):
        if name not in LISTED:
            raise not_in("status", LISTED, f"status[{place}]")
    tests: list[Callable[[Order], bool]] = [
        (lambda order: order.status not in ("trash", "auto-draft")) if "any" in wanted else lambda order: order.status in wanted
    ]
    if (included := numbers(query, "include")) is not None:
        ids = set(included)
        tests.append(lambda order: order.id in ids)
    if product := query.get("product"):
        tests.append(lambda order: any(line.product and str(line.product.id) == product for line in order.lines))
    gmt = query.get("dates_are_gmt", "").lower() in ("true", "1")
    limits = [(name, clock.parse(name, query[name], dates_are_gmt=gmt)) for name in DATE_LIMITS if query.get(name)]
    return tests + [_date_test(name, limit) for name, limit in limits]


def _date_test(name: str, limit: int) -> Callable[[Order], bool]:
    attribute = "modified" if name.startswith("modified") else "created"
    if name.endswith("after"):
        return lambda order: bool(getattr(order, attribute) > limit)
    return lambda order: bool(getattr(order, attribute) < limit)
