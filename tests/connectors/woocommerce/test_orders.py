"""Reading orders over HTTP: none missed, the trash too, and the clock of the shop."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors.errors import PartialReadError, RetryableError
from connectors.http.cache import FRESH
from sandbox.server import serve
from tests.connectors.scripted import HTML, Answer, Request, Scripted, listing
from tests.connectors.woocommerce.conftest import store_on
from tests.connectors.woocommerce.recorded import body

SINCE = datetime(2026, 3, 2, 9, 30, 15, 500_000, tzinfo=UTC)


def order(remote_id: int, *, status: str = "processing", taken: int = 1, modified: str = "2026-03-02T09:31:00") -> dict:
    meta = [{"id": 1, "key": "_reduced_stock", "value": str(taken)}]
    line = {
        "id": remote_id * 10,
        "product_id": 11,
        "variation_id": 0,
        "quantity": 1,
        "sku": "A",
        "name": "Mat",
        "meta_data": meta,
    }
    times = {"date_created_gmt": "2026-03-02T09:00:00", "date_modified_gmt": modified}
    return {"id": remote_id, "number": str(remote_id), "status": status, "currency": "EUR", "line_items": [line]} | times


class OrderBook:
    """A scripted shop that pages its orders; `orders` may be changed by a test while it is read."""

    def __init__(self, orders: list[dict]) -> None:
        self.orders = orders
        self.app = Scripted(self.answer)
        self.before = lambda _request: None

    def answer(self, request: Request) -> Answer:
        self.before(request)
        trash = request.query["status"] == "trash"
        rows = sorted((row for row in self.orders if (row["status"] == "trash") is trash), key=lambda row: row["id"])
        size, page = int(request.query["per_page"]), int(request.query["page"])
        return listing(rows[(page - 1) * size : page * size], total=len(rows))

    def read(self, since: datetime = SINCE, **settings: object):
        with serve(self.app) as server:
            return store_on(server.url, [], key="ck_1", secret="cs_1", **settings).read_orders(modified_after=since)


def test_the_shop_is_asked_in_its_own_way_of_telling_time():
    book = OrderBook([order(1)])
    book.read(order_overlap_seconds=60)
    asked = sorted(
        (
            {name: value for name, value in request.query.items() if name != FRESH and not name.startswith("oauth")}
            for request in book.app.requests
        ),
        key=lambda query: query["status"],
    )
    shared = {
        "modified_after": "2026-03-02T09:29:15",
        "dates_are_gmt": "true",
        "orderby": "id",
        "order": "asc",
        "per_page": "100",
    }
    fields = {"_fields": "id,number,status,currency,date_created_gmt,date_modified_gmt,line_items", "page": "1"}
    assert asked == [{**shared, **fields, "status": "any"}, {**shared, **fields, "status": "trash"}]


def test_a_moment_in_another_time_zone_is_the_same_moment():
    book = OrderBook([])
    book.read(SINCE.astimezone(timezone(timedelta(hours=5))), order_overlap_seconds=60)
    assert book.app.requests[0].query["modified_after"] == "2026-03-02T09:29:15"


def test_orders_in_the_trash_are_read_and_hold_what_they_took():
    book = OrderBook([order(1), order(2, status="trash", taken=3)])
    found = {state.remote_id: state for state in book.read()}
    assert {remote_id: (state.status, state.lines[0].taken) for remote_id, state in found.items()} == {
        1: ("processing", 1),
        2: ("trash", 3),
    }


def test_all_pages_are_read():
    book = OrderBook([order(number) for number in range(1, 231)])
    assert sorted(state.remote_id for state in book.read()) == list(range(1, 231))
    assert len(book.app.requests) == 4


def test_an_order_that_comes_meanwhile_does_no_harm():
    book = OrderBook([order(number) for number in range(1, 201)])

    def arriving(request: Request) -> None:
        if request.query["page"] == "2":
            book.orders.append(order(201))

    book.before = arriving
    assert {state.remote_id for state in book.read()} >= set(range(1, 201))
    assert sum(request.query["page"] == "1" for request in book.app.requests) == 2


def test_an_order_that_slips_between_two_pages_is_found_by_a_second_walk():
    book = OrderBook([order(number) for number in range(1, 202)])
    gone = [book.orders[0]]

    def leaving(request: Request) -> None:
        if request.query["page"] == "2" and gone:
            book.orders.remove(gone.pop())

    book.before = leaving
    assert sorted(state.remote_id for state in book.read()) == list(range(2, 202))


def test_rows_missing_twice_fail_the_whole_reading():
    with serve(Scripted(lambda request: listing([order(1)], total=2 if request.query["status"] == "any" else 1))) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        with pytest.raises(PartialReadError, match="2 orders, but we saw 1"):
            store.read_orders(modified_after=SINCE)


def test_the_newer_state_of_an_order_seen_twice_counts():
    old, new = order(1, taken=2), order(1, status="trash", taken=0, modified="2026-03-02T09:40:00")
    with serve(Scripted(lambda request: listing([new if request.query["status"] == "trash" else old]))) as server:
        (state,) = store_on(server.url, [], key="ck_1", secret="cs_1").read_orders(modified_after=SINCE)
    assert (state.status, state.lines[0].taken) == ("trash", 0)


def test_a_recorded_reply_of_the_trimmed_fields_is_enough():
    (row,) = body("d30b_orders_fields")
    row |= {"currency": "EUR", "date_created_gmt": "2026-11-21T00:01:38"}
    with serve(Scripted(lambda request: listing([row] if request.query["status"] == "any" else []))) as server:
        (state,) = store_on(server.url, [], key="ck_1", secret="cs_1").read_orders(modified_after=SINCE)
    assert [(line.listing_remote_id, line.ordered, line.taken) for line in state.lines] == [(838, 5, 4)]


@pytest.mark.parametrize("page", ["<h1>Log in</h1>", "\ufeff[]", "<b>Notice</b>: x []"])
def test_a_page_instead_of_orders_is_not_no_orders(page):
    with serve(Scripted(Answer(body=page, content_type=HTML, headers={"X-WP-Total": "0"}))) as server:
        store = store_on(server.url, [], key="ck_1", secret="cs_1")
        with pytest.raises(RetryableError):
            store.read_orders(modified_after=SINCE)
