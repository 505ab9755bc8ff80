"""The till over HTTP, exactly as docs/pos-api.yaml says."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from hmac import compare_digest
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from sandbox.faults import Fault
from sandbox.gateway import Gateway
from sandbox.till.bodies import (
    AdjustmentRequest,
    Json,
    NoteRequest,
    PriceChange,
    SaleRequest,
    adjustment_json,
    item_json,
    level_json,
    moment,
    note_json,
    sale_json,
)
from sandbox.till.catalogue import plain
from sandbox.till.shelf import Till, utc_now
from sandbox.till.words import Adjustment, Page, TillError

Body = TypeVar("Body", bound=BaseModel)

STATUSES = {"operation_id_reused": 409, "unauthorized": 401, "not_found": 404}
ROUTES = Map(
    [
        Rule("/v1/locations", methods=["GET"], endpoint="list_locations"),
        Rule("/v1/items", methods=["GET"], endpoint="list_items"),
        Rule("/v1/items/<path:sku>", methods=["GET"], endpoint="get_item"),
        Rule("/v1/items/<path:sku>/price", methods=["PATCH"], endpoint="change_price"),
        Rule("/v1/levels", methods=["GET"], endpoint="list_levels"),
        Rule("/v1/adjustments", methods=["POST"], endpoint="book_adjustment"),
        Rule("/v1/adjustments/<operation_id>", methods=["GET"], endpoint="get_adjustment"),
        Rule("/v1/sales", methods=["GET"], endpoint="list_sales"),
        Rule("/v1/sales", methods=["POST"], endpoint="ring_up_sale"),
        Rule("/v1/notes", methods=["POST"], endpoint="show_note"),
    ],
    merge_slashes=False,
)


class TillApp(Gateway, Till):
    """A till with an HTTP interface: a WSGI app that asks for `token`. Python callers use the methods of `Till`, and the
    gateway's `faults`, `settings` and `requests`."""

    def __init__(
        self,
        *,
        token: str = "till-token",  # noqa: S107 - a pretend till guards nothing
        locations: Sequence[str] = ("Main",),
        clock: Callable[[], datetime] = utc_now,
        zone: tzinfo = UTC,
        seed: int = 0,
    ) -> None:
        Gateway.__init__(self, self._dispatch, seed=seed)
        Till.__init__(self, locations=locations, clock=clock, zone=zone)
        self.token = token
        self.controls |= {
            "sell": lambda given: sale_json(self.sell(*_what_and_how_many(given))),
            "receive": lambda given: {"on_hand": plain(self.receive(*_what_and_how_many(given)).on_hand)},
            "count": lambda given: {"changed": self.count(*_what_and_how_many(given)) is not None},
            "reprice": lambda given: item_json(self.reprice(given["sku"], _decimal(given["price"]))),
        }

    def _dispatch(self, request: Request) -> Response:
        try:
            self._let_in(request)
            endpoint, path = ROUTES.bind_to_environ(request.environ).match()
            status, body = getattr(self, f"_{endpoint}")(request, **path)
        except TillError as refusal:
            status, body = STATUSES.get(refusal.code, 422), {"code": refusal.code, "message": refusal.message}
        except HTTPException as error:
            status, body = error.code or 500, {"code": _word(error.name), "message": error.description or error.name}
        return Response(json.dumps(body), status, mimetype="application/json")

    def _answer_badly(self, request: Request, fault: Fault) -> Response:
        reply = super()._answer_badly(request, fault)
        if fault.kind == "rate_limit":  # a till says so in its own words, not in a web host's
            reply.mimetype = "application/json"
            reply.data = json.dumps({"code": "too_many_requests", "message": "Too much at once; ask again later."})
        return reply

    def _let_in(self, request: Request) -> None:
        given = request.headers.get("Authorization", "")
        if not compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise TillError("unauthorized", "The bearer token is missing or wrong.")

    # -- endpoints: each answers (status, body) ------------------------------------------------------------------------

    def _list_locations(self, _request: Request) -> tuple[int, Json]:
        return 200, {"data": [{"name": name, "is_default": name == self.locations[0]} for name in self.locations]}

    def _list_items(self, request: Request) -> tuple[int, Json]:
        page = self.items_after(*_cursor(request))
        return 200, self._page(page, [item_json(item) for item in page.rows])

    def _get_item(self, _request: Request, sku: str) -> tuple[int, Json]:
        try:
            return 200, item_json(self.item(sku))
        except TillError as refusal:
            raise TillError("not_found", refusal.message) from refusal

    def _list_levels(self, request: Request) -> tuple[int, Json]:
        page = self.levels_after(*_cursor(request))
        return 200, self._page(page, [level_json(level, page.as_of) for level in page.rows])

    def _list_sales(self, request: Request) -> tuple[int, Json]:
        page = self.sales_after(*_cursor(request))
        return 200, self._page(page, [sale_json(sale) for sale in page.rows])

    def _change_price(self, request: Request, sku: str) -> tuple[int, Json]:
        change = _parse(PriceChange, request)
        self.settings.wrote()
        try:
            return 200, item_json(self.reprice(sku, change.price))
        except TillError as refusal:
            raise TillError("not_found", refusal.message) from refusal

    def _book_adjustment(self, request: Request) -> tuple[int, Json]:
        wanted = _parse(AdjustmentRequest, request)
        self.settings.wrote()
        booked, now = self.adjust(Adjustment(**wanted.model_dump()))
        return (201 if now else 200), adjustment_json(booked)

    def _get_adjustment(self, _request: Request, operation_id: str) -> tuple[int, Json]:
        try:
            wanted = UUID(operation_id)
        except ValueError:
            raise TillError("invalid", "The operation id is not a UUID.") from None
        booked = self.adjustment(wanted)
        if booked is None:
            raise TillError("not_found", f"Nothing was booked under {wanted}.")
        return 200, adjustment_json(booked)

    def _ring_up_sale(self, request: Request) -> tuple[int, Json]:
        wanted = _parse(SaleRequest, request)
        if not wanted.quantity:
            raise TillError("zero_quantity", "A sale of nothing can't be rung up.")
        self.settings.wrote()
        return 201, sale_json(self.sell(wanted.sku, wanted.quantity, wanted.location))

    def _show_note(self, request: Request) -> tuple[int, Json]:
        wanted = _parse(NoteRequest, request)
        self.settings.wrote()
        note, now = self.show_note(wanted.operation_id, wanted.title, wanted.lines)
        return (201 if now else 200), note_json(note)

    def _page(self, page: Page[Any], rows: list[Json]) -> Json:
        self.settings.read(len(rows))
        return {"data": rows, "next_after": page.next_after, "has_more": page.has_more, "as_of": moment(page.as_of)}


def _parse(model: type[Body], request: Request) -> Body:
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise TillError("invalid", f"{where}: {first['msg']}") from error


def _cursor(request: Request) -> tuple[int, int]:
    """(after, limit) of a list request."""
    return _whole(request, "after", default=0, least=0, most=2**63), _whole(request, "limit", default=250, least=1, most=1000)


def _whole(request: Request, name: str, *, default: int, least: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise TillError("invalid", f"{name}: not a whole number from {least} to {most}")
    return int(text)


def _what_and_how_many(given: Json) -> tuple[str, Decimal, str | None]:
    return given["sku"], _decimal(given["n"]), given.get("location")


def _decimal(given: Any) -> Decimal:
    try:
        return Decimal(str(given))
    except ArithmeticError:
        raise TillError("invalid", f"{given!r} is not a number.") from None


def _word(name: str) -> str:
    return name.lower().replace(" ", "_")
