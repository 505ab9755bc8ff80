"""The till keeps the promise of docs/pos-api.yaml: every documented answer is provoked over HTTP and held against its schema."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import jsonschema
import pytest
import requests
import yaml
from openapi_spec_validator import validate

from sandbox.server import serve
from sandbox.till import TillApp

SPEC = yaml.safe_load((Path(__file__).parents[2] / "docs" / "pos-api.yaml").read_text(encoding="utf-8"))
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OP, OTHER_OP = str(UUID(int=1)), str(UUID(int=2))
TOKEN = "secret-token"

ADJUSTMENT = {"operation_id": OP, "sku": "GEN-000001", "delta": "-2", "reason": "Web order", "reference": "512"}
NOTE = {"operation_id": OP, "title": "Below zero", "lines": ["Mug: −2"]}
SALE = {"sku": "GEN-000001", "quantity": "1"}

# (method, documented path, status): (path as called, body)
CASES = {
    ("get", "/v1/locations", 200): ("/v1/locations", None),
    ("get", "/v1/locations", 401): ("/v1/locations", None),
    ("get", "/v1/locations", 429): ("/v1/locations", None),
    ("get", "/v1/items", 200): ("/v1/items?after=0&limit=2", None),
    ("get", "/v1/items", 401): ("/v1/items", None),
    ("get", "/v1/items", 422): ("/v1/items?limit=1001", None),
    ("get", "/v1/items", 429): ("/v1/items", None),
    ("get", "/v1/items/{sku}", 200): ("/v1/items/GEN-000002", None),
    ("get", "/v1/items/{sku}", 401): ("/v1/items/GEN-000002", None),
    ("get", "/v1/items/{sku}", 404): ("/v1/items/NOPE", None),
    ("get", "/v1/items/{sku}", 429): ("/v1/items/GEN-000002", None),
    ("patch", "/v1/items/{sku}/price", 200): ("/v1/items/GEN-000002/price", {"price": "12.50"}),
    ("patch", "/v1/items/{sku}/price", 401): ("/v1/items/GEN-000002/price", {"price": "12.50"}),
    ("patch", "/v1/items/{sku}/price", 404): ("/v1/items/NOPE/price", {"price": "12.50"}),
    ("patch", "/v1/items/{sku}/price", 422): ("/v1/items/GEN-000002/price", {"price": 12.5}),
    ("patch", "/v1/items/{sku}/price", 429): ("/v1/items/GEN-000002/price", {"price": "12.50"}),
    ("get", "/v1/levels", 200): ("/v1/levels?limit=2", None),
    ("get", "/v1/levels", 401): ("/v1/levels", None),
    ("get", "/v1/levels", 422): ("/v1/levels?after=-1", None),
    ("get", "/v1/levels", 429): ("/v1/levels", None),
    ("post", "/v1/adjustments", 201): ("/v1/adjustments", ADJUSTMENT | {"operation_id": OTHER_OP}),
    ("post", "/v1/adjustments", 200): ("/v1/adjustments", ADJUSTMENT),
    ("post", "/v1/adjustments", 401): ("/v1/adjustments", ADJUSTMENT),
    ("post", "/v1/adjustments", 409): ("/v1/adjustments", ADJUSTMENT | {"delta": "-3"}),
    ("post", "/v1/adjustments", 422): ("/v1/adjustments", ADJUSTMENT | {"operation_id": OTHER_OP, "sku": "NOPE"}),
    ("post", "/v1/adjustments", 429): ("/v1/adjustments", ADJUSTMENT),
    ("get", "/v1/adjustments/{operation_id}", 200): (f"/v1/adjustments/{OP}", None),
    ("get", "/v1/adjustments/{operation_id}", 401): (f"/v1/adjustments/{OP}", None),
    ("get", "/v1/adjustments/{operation_id}", 404): (f"/v1/adjustments/{OTHER_OP}", None),
    ("get", "/v1/adjustments/{operation_id}", 422): ("/v1/adjustments/7", None),
    ("get", "/v1/adjustments/{operation_id}", 429): (f"/v1/adjustments/{OP}", None),
    ("get", "/v1/sales", 200): ("/v1/sales?after=0", None),
    ("get", "/v1/sales", 401): ("/v1/sales", None),
    ("get", "/v1/sales", 422): ("/v1/sales?limit=x", None),
    ("get", "/v1/sales", 429): ("/v1/sales", None),
    ("post", "/v1/sales", 201): ("/v1/sales", SALE),
    ("post", "/v1/sales", 401): ("/v1/sales", SALE),
    ("post", "/v1/sales", 422): ("/v1/sales", SALE | {"quantity": "0"}),
    ("post", "/v1/sales", 429): ("/v1/sales", SALE),
    ("post", "/v1/notes", 201): ("/v1/notes", NOTE | {"operation_id": OTHER_OP}),
    ("post", "/v1/notes", 200): ("/v1/notes", NOTE),
    ("post", "/v1/notes", 401): ("/v1/notes", NOTE),
    ("post", "/v1/notes", 422): ("/v1/notes", NOTE | {"title": ""}),
    ("post", "/v1/notes", 429): ("/v1/notes", NOTE),
}


@pytest.fixture
def till():
    till = TillApp(token=TOKEN, locations=("Main", "Depot"), clock=lambda: NOON)
    till.generate(3)
    till.count("GEN-000001", 10)
    return till


@pytest.fixture
def call(till):
    """Talk to the till over HTTP."""
    with serve(till) as running, requests.Session() as session:

        def call(method, path, body=None, token=TOKEN):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return session.request(method, running.url + path, json=body, headers=headers, timeout=5)

        yield call


def answer_spec(method, path, status):
    spec = SPEC["paths"][path][method]["responses"][str(status)]
    return SPEC["components"]["responses"][spec["$ref"].rpartition("/")[2]] if "$ref" in spec else spec


def assert_valid(body, schema):
    formats = jsonschema.FormatChecker()
    formats.checks("date-time", raises=ValueError)(lambda text: datetime.fromisoformat(text).utcoffset() == timedelta(0))
    root = {**schema, "components": SPEC["components"]}
    jsonschema.Draft202012Validator(root, format_checker=formats).validate(body)


def test_the_specification_is_valid_openapi():
    validate(SPEC)


def test_every_documented_answer_has_a_case():
    documented = {
        (method, path, int(status))
        for path, methods in SPEC["paths"].items()
        for method, operation in methods.items()
        for status in operation["responses"]
    }
    assert set(CASES) == documented


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(map(str, case)))
def test_the_till_answers_as_documented(till, call, case):
    (method, documented, status), (path, body) = case, CASES[case]
    call("post", "/v1/adjustments", ADJUSTMENT)
    call("post", "/v1/notes", NOTE)
    till.sell("GEN-000003", 1)
    moved = list(till.happenings)
    if status == 429:
        till.faults.arm("rate_limit", retry_after="7")
    answer = call(method, path, body, token="wrong" if status == 401 else TOKEN)
    spec = answer_spec(method, documented, status)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert_valid(answer.json(), spec["content"]["application/json"]["schema"])
    for header, about in spec.get("headers", {}).items():
        assert_valid(int(answer.headers[header]), about["schema"])
    if status >= 400:
        assert till.happenings == moved


def test_a_reply_lost_after_the_booking_is_found_by_looking_up(till, call):
    till.faults.arm("close", path="adjustments", applied=True)
    with pytest.raises(requests.ConnectionError):
        call("post", "/v1/adjustments", ADJUSTMENT)
    assert call("get", f"/v1/adjustments/{OP}").json()["on_hand"] == "8"
    assert call("post", "/v1/adjustments", ADJUSTMENT).status_code == 200
    assert till.on_hand("GEN-000001") == 8


def test_a_request_lost_before_the_booking_leaves_nothing(till, call):
    till.faults.arm("close", path="adjustments")
    with pytest.raises(requests.ConnectionError):
        call("post", "/v1/adjustments", ADJUSTMENT)
    assert call("get", f"/v1/adjustments/{OP}").status_code == 404
    assert till.on_hand("GEN-000001") == 10


@pytest.mark.ticking  # `elapsed` is by the clock
def test_rows_and_bookings_take_the_time_they_are_set_to(till, call):
    till.settings.set(row_cost=0.03, item_cost=0.05)
    assert call("get", "/v1/items?limit=3").elapsed.total_seconds() >= 0.09
    assert call("post", "/v1/adjustments", ADJUSTMENT).elapsed.total_seconds() >= 0.05


def test_a_level_page_says_what_lay_there_and_when(till, call):
    start = till.levels_after(0, 100).next_after
    till.receive("GEN-000001", Decimal("0.5"), "Depot")
    assert call("get", f"/v1/levels?after={start}").json() == {
        "data": [
            {
                "sku": "GEN-000001",
                "location": "Depot",
                "on_hand": "0.5",
                "version": start + 1,
                "as_of": "2026-11-20T12:00:00Z",
            }
        ],
        "next_after": start + 1,
        "has_more": False,
        "as_of": "2026-11-20T12:00:00Z",
    }


def test_the_pages_of_a_walk_join_without_gap_or_double(till, call):
    till.generate(25, seed=2)
    skus, after, more = [], 0, True
    while more:
        page = call("get", f"/v1/items?after={after}&limit=10").json()
        assert len(page["data"]) <= 10
        skus += [item["sku"] for item in page["data"]]
        after, more = page["next_after"], page["has_more"]
    assert sorted(skus) == sorted(till.skus())


def test_the_same_adjustment_sent_twice_is_booked_once_and_answered_alike(till, call):
    first, again = call("post", "/v1/adjustments", ADJUSTMENT), call("post", "/v1/adjustments", ADJUSTMENT)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json() == {
        **ADJUSTMENT,
        "location": "Main",
        "on_hand": "8",
        "version": first.json()["version"],
        "booked_at": "2026-11-20T12:00:00Z",
    }
    assert call("get", f"/v1/adjustments/{OP}").json() == first.json()
    assert till.on_hand("GEN-000001") == 8


def test_a_sale_over_http_is_a_sale_at_the_till(till, call):
    sold = call("post", "/v1/sales", {"sku": "GEN-000001", "quantity": "2.5", "location": "Depot"}).json()
    assert (sold["on_hand"], sold["quantity"]) == ("-2.5", "2.5")
    till.sell("GEN-000002", 1)
    assert [(sale["sku"], sale["quantity"]) for sale in call("get", "/v1/sales").json()["data"]] == [
        ("GEN-000001", "2.5"),
        ("GEN-000002", "1"),
    ]
    assert [sale["sku"] for sale in call("get", f"/v1/sales?after={sold['version']}").json()["data"]] == ["GEN-000002"]


@pytest.mark.parametrize(
    "body",
    [
        ADJUSTMENT | {"delta": -2},
        ADJUSTMENT | {"delta": "-2e3"},
        ADJUSTMENT | {"delta": "NaN"},
        ADJUSTMENT | {"delta": "0"},
        ADJUSTMENT | {"delta": "٣"},
        ADJUSTMENT | {"location": "Moon"},
        ADJUSTMENT | {"surprise": 1},
        ADJUSTMENT | {"reason": "x" * 201},
        {"operation_id": OP},
        [],
        None,
    ],
)
def test_a_body_that_is_not_exactly_an_adjustment_is_refused_and_moves_nothing(till, call, body):
    moved = list(till.happenings)
    answer = call("post", "/v1/adjustments", body)
    assert answer.status_code == 422
    assert_valid(answer.json(), {"$ref": "#/components/schemas/Error"})
    assert till.happenings == moved


def test_a_sku_may_hold_a_slash(till, call):
    till.generate(1)
    row = till.snapshot()[1][0]
    till.stock([type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"sku": "A/B 1"})])
    assert call("patch", "/v1/items/A%2FB%201/price", {"price": "3"}).json()["price"] == "3"


@pytest.mark.parametrize(("method", "path", "status"), [("get", "/v1/nothing", 404), ("delete", "/v1/items", 405)])
def test_what_is_not_in_the_specification_is_refused_in_the_same_shape(till, call, method, path, status):
    answer = call(method, path)
    assert answer.status_code == status
    assert_valid(answer.json(), {"$ref": "#/components/schemas/Error"})


def test_without_a_token_nothing_is_shown(till, call):
    answer = call("get", "/v1/items", token=None)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


def test_another_process_can_play_shop_life_at_the_till(till, call):
    assert call("post", "/__sandbox/sell", {"sku": "GEN-000001", "n": 3}, token=None).json()["on_hand"] == "7"
    assert call("post", "/__sandbox/receive", {"sku": "GEN-000001", "n": "0.1"}, token=None).json() == {"on_hand": "7.1"}
    assert call("post", "/__sandbox/count", {"sku": "GEN-000001", "n": 5}, token=None).json() == {"changed": True}
    assert call("post", "/__sandbox/reprice", {"sku": "GEN-000001", "price": "1.5"}, token=None).json()["price"] == "1.5"
    assert call("post", "/__sandbox/sell", {"sku": "NOPE", "n": 1}, token=None).status_code == 400
    assert call("post", "/__sandbox/sell", {"sku": "GEN-000001", "n": "x"}, token=None).status_code == 400
    assert (till.on_hand("GEN-000001"), till.item("GEN-000001").price) == (5, Decimal("1.5"))
