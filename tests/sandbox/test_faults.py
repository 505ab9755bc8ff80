"""Faults and load: what a caller sees, and what the shop has done all the same."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from sandbox.faults import Faults


def _set_stock(call, quantity=3, **more):
    return call("PUT", "products/11", json={"stock_quantity": quantity}, **more)


@pytest.mark.parametrize(("applied", "left"), [(True, 3), (False, 10)])
def test_a_hang_gives_no_reply_whether_or_not_the_write_was_made(call, applied, left):
    call.store.faults.arm("hang", method="PUT", applied=applied, seconds=20)
    with pytest.raises(requests.exceptions.ReadTimeout):
        _set_stock(call, timeout=0.3)
    assert call.store.quantity(11) == left
    assert call.store.writes[-1].status == 0


@pytest.mark.parametrize("kind", ["close", "reset"])
@pytest.mark.parametrize(("applied", "left"), [(True, 3), (False, 10)])
def test_a_connection_that_ends_gives_no_reply_whether_or_not_the_write_was_made(call, kind, applied, left):
    call.store.faults.arm(kind, method="PUT", applied=applied)
    with pytest.raises(requests.exceptions.ConnectionError):
        _set_stock(call)
    assert call.store.quantity(11) == left
    assert _set_stock(call, 4).status_code == 200


def test_a_reset_is_told_apart_from_an_end(call):
    call.store.faults.arm("reset")
    call.store.faults.arm("close")
    for wanted in (b"", None):
        with socket.create_connection((call.server.host, call.server.port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            if wanted == b"":
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)
            else:
                assert connection.recv(1) == b""


def test_a_rate_limit_tells_when_to_come_back_in_seconds_or_as_a_date(call):
    call.store.faults.arm("rate_limit", retry_after="7")
    call.store.faults.arm("rate_limit", retry_after="date:60")
    first, second, third = (_set_stock(call) for _ in range(3))
    assert (first.status_code, first.headers["Retry-After"]) == (429, "7")
    until = parsedate_to_datetime(second.headers["Retry-After"])
    assert timedelta(seconds=50) < until - datetime.now(UTC) < timedelta(seconds=70)
    assert third.status_code == 200


@pytest.mark.parametrize(
    ("kind", "options", "status", "left"),
    [
        ("gateway", {"applied": True}, 504, 3),
        ("gateway", {"status": 502}, 502, 10),
        ("fatal", {"applied": True}, 500, 3),
        ("maintenance", {}, 503, 10),
        ("forbidden", {}, 403, 10),
        ("html", {}, 200, 3),
    ],
)
def test_error_pages_are_html_and_say_nothing_about_what_was_done(call, kind, options, status, left):
    call.store.faults.arm(kind, **options)
    reply = _set_stock(call, headers={"Accept": "text/html"})
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert call.store.quantity(11) == left


def test_json_can_come_spoiled(call):
    for kind in ("bom", "notice", "half_json"):
        call.store.faults.arm(kind)
    bom, notice, half, whole = (call("GET", "products/11").content for _ in range(4))
    assert bom == b"\xef\xbb\xbf" + whole
    assert notice.startswith(b"<br />")
    assert notice.endswith(whole)
    assert half == whole[: len(whole) // 2]


def test_a_body_can_be_cut_off(call):
    call.store.faults.arm("cut_off")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        call("GET", "products/11")


def test_a_list_can_be_empty_or_lack_a_row_with_its_total_unchanged(call):
    call.store.faults.arm("empty_list")
    call.store.faults.arm("missing_row", at=2)
    query = {"orderby": "id", "order": "asc", "_fields": "id"}
    empty, short, whole = (call("GET", "products", params=query) for _ in range(3))
    assert empty.json() == []
    assert [row["id"] for row in short.json()] == [11, 13, 20]
    assert [row["id"] for row in whole.json()] == [11, 12, 13, 20]
    assert {reply.headers["X-WP-Total"] for reply in (empty, short, whole)} == {"4"}


def test_a_batch_dies_in_the_middle_as_html_too(call):
    call.store.faults.arm("die_at", at=1)
    reply = call("POST", "products/batch", json={"update": [{"id": 11, "stock_quantity": 1}, {"id": 12, "stock_quantity": 1}]})
    assert reply.status_code == 500
    assert reply.headers["Content-Type"].startswith("text/html")
    assert (call.store.quantity(11), call.store.quantity(12)) == (1, 5)


def test_a_fault_strikes_the_method_and_path_it_names_as_often_as_it_says(call):
    fault = call.store.faults.arm("forbidden", method="GET", path=r"products/12$", skip=1, count=2)
    statuses = [call("GET", "products/12").status_code for _ in range(4)]
    assert statuses == [200, 403, 403, 200]
    assert call("GET", "products/11").status_code == 200
    assert fault.hits == 2


def test_chances_are_the_same_for_the_same_seed():
    runs = []
    for _ in range(2):
        faults = Faults(seed=7)
        faults.arm("fatal", probability=0.3, count=None)
        runs.append([faults.take("GET", "/") is not None for _ in range(200)])
    assert runs[0] == runs[1]
    assert 30 < sum(runs[0]) < 90


def test_an_unknown_fault_is_refused(call):
    with pytest.raises(ValueError, match="There is no fault"):
        call.store.faults.arm("gremlins")
    assert call.control("POST", "faults", {"kind": "gremlins"}).status_code == 400
    assert call.control("POST", "faults", {"kind": "fatal", "colour": "red"}).status_code == 400
    assert call.store.faults.armed == []


def test_another_process_can_arm_look_and_clear(call):
    assert call.control("POST", "faults", [{"kind": "forbidden"}, {"kind": "fatal", "count": None}]).status_code == 200
    assert call("GET", "products/11").status_code == 403
    assert [fault["kind"] for fault in call.control("GET", "state").json()["faults"]] == ["fatal"]
    call.control("DELETE", "faults")
    assert call("GET", "products/11").status_code == 200
    call.control("POST", "settings", {"latency": 0.05, "concurrency": 1})
    assert call.control("GET", "state").json()["settings"]["latency"] == 0.05
    logged = call.control("GET", "requests").json()
    assert [(one["method"], one["path"], one["status"]) for one in logged] == [
        ("GET", "/wp-json/wc/v3/products/11", 403),
        ("GET", "/wp-json/wc/v3/products/11", 200),
    ]


def test_the_log_keeps_what_was_sent(call):
    call("PUT", "products/11", json={"stock_quantity": 3}, params={"_fields": "id"})
    [entry] = call.store.writes
    assert (entry.method, entry.query, entry.body, entry.status) == ("PUT", {"_fields": "id"}, {"stock_quantity": 3}, 200)
    call.store.forget_requests()
    assert call.store.requests == []


def test_requests_beyond_the_limit_wait_their_turn(call):
    call.store.settings.set(latency=0.1, concurrency=2)
    before = time.perf_counter()
    with ThreadPoolExecutor(max_workers=4) as pool:
        url = f"{call.server.url}/wp-json/wc/v3/products/11"
        statuses = list(pool.map(lambda _: requests.get(url, auth=call.session.auth, timeout=5).status_code, range(4)))
    assert statuses == [200] * 4
    assert time.perf_counter() - before >= 0.2


@pytest.mark.ticking  # `elapsed` is by the clock
def test_pages_rows_and_items_cost_what_is_set(call):
    call.store.settings.set(page_cost=0.1, row_cost=0.02, item_cost=0.05)
    assert call("GET", "products").elapsed.total_seconds() >= 0.1 + 4 * 0.02
    body = {"update": [{"id": 11, "stock_quantity": 1}, {"id": 12, "stock_quantity": 1}]}
    assert call("POST", "products/batch", json=body).elapsed.total_seconds() >= 0.1
