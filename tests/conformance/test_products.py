"""Products and variations: read, listed and written as recorded."""

from collections.abc import Callable

import pytest

from tests.conformance.compare import same_headers, same_product
from tests.conformance.recordings import RECORDINGS, Recording, exchanges, is_cut, kept
from tests.conformance.shop import Shop
from tests.conformance.states import as_listed, before_write

# State that neither the recorded reply nor the recorded request tells.
SETUPS: dict[str, Callable[[Shop], None]] = {
    "10.5/v_a13c_variations_of_trashed_parent": lambda shop: setattr(shop.store.product(3070), "status", "trash"),
    "10.5/v_h07_pos_products_only": lambda shop: setattr(shop.store.product(3070), "status", "trash"),
    "10.5/v_a13b_variations_of_draft_parent": lambda shop: setattr(shop.store.product(3065), "status", "draft"),
    "10.5/v_f08c_gtin_duplicate": lambda shop: setattr(shop.store.product(127), "global_unique_id", "8710000000127"),
    "10.5/v_f_old08c_gtin_duplicate": lambda shop: setattr(shop.store.product(485), "global_unique_id", "8710000000485"),
    "10.5/v_f04b_cogs_variation_inherits": lambda shop: setattr(shop.store.product(3155), "cost", 3),
    "10.5/v_f_old04b_cogs_variation_inherits": lambda shop: setattr(shop.store.product(255), "cost", 3),
    "10.5/v_f05b_cogs_variation_additive": lambda shop: setattr(shop.store.product(3155), "cost", 3),
    "10.5/v_f_old05b_cogs_variation_additive": lambda shop: setattr(shop.store.product(255), "cost", 3),
    "10.5/v_f06_cogs_variations_list": lambda shop: setattr(shop.store.product(3155), "cost", 3),
    "10.2/b10b_set_on_inheriting_variation": lambda shop: setattr(shop.store.product(130), "quantity", 100),
    "10.2/g06b_put_stock_while_manage_stock_off": lambda shop: _switch_stock_off(shop),
}
# The recorder left empty parameters out of the request; the links in the reply show them.
UNRECORDED = {"10.2/h05_sku_empty": {"sku": ""}}
NOT_PRODUCTS = {
    "10.2/a22_order_create_for_stock",
    "10.2/a13_url_too_long",
    "10.2/b10c_order_on_inheriting",
    "10.5/v_f07_cogs_order",
    "10.5/v_f_old07_cogs_order",
}


def _switch_stock_off(shop: Shop) -> None:
    shop.store.set_option("products", "woocommerce_manage_stock", "no")
    shop.store.product(673).manage_stock = True


def _names() -> list[str]:
    found = [*exchanges("10.2/a", "10.2/b", "10.2/c", "10.2/h0", "10.2/f11", "10.2/d41b", "10.2/g06b")]
    found += exchanges("10.5/v_a", "10.5/v_b", "10.5/v_m", "10.5/v_f", "10.5/v_g01", "10.5/v_h07")
    skipped = NOT_PRODUCTS | {name for name in found if "a11_variations_key" in name or "no_auth" in name}
    skipped |= {name for name in found if name.startswith(("10.2/h02", "10.5/v_a15"))}
    return [name for name in found if name not in skipped]


NAMES = _names()
READS = [name for name in NAMES if RECORDINGS[name].method == "GET"]
WRITES = [name for name in NAMES if RECORDINGS[name].method != "GET" and "REPLACE" not in name]
REPLAYS = set(READS) | set(WRITES)


def _prepared(recording: Recording) -> Shop:
    shop = Shop(recording)
    if "cost_of_goods_sold" in str(recording.content):
        shop.store.catalogue.cost_enabled = "feature_off" not in recording.name
    return shop


@pytest.mark.parametrize("name", READS)
def test_a_read_is_answered_as_recorded(name):
    recording = RECORDINGS[name]
    shop = _prepared(recording)
    if recording.response["status"] == 200:
        as_listed(recording, shop)
    SETUPS.get(name, lambda _shop: None)(shop)
    response = shop.send("GET", recording.path, query=UNRECORDED.get(name, {}) | recording.request["query"])
    assert response.status_code == recording.response["status"]
    same_headers(recording, response)
    if recording.response["status"] != 200:
        assert response.json == recording.body
    elif isinstance(recording.body, dict):
        same_product(recording.body, response.json)
    else:
        _same_list(shop, recording, response.json)


def _same_list(shop, recording, rows):
    recorded = kept(recording.body)
    if not is_cut(recording.body):
        assert len(rows) == len(recorded)
    else:
        assert len(rows) == min(int(recording.request["query"].get("per_page", 10)), int(recording.headers["X-WP-Total"]))
    # Before 10.3 rows of one second come in any order.
    if recording.request["query"].get("orderby") in (("id",) if recording.version == "10.2" else ("id", "modified")):
        assert [row["id"] for row in rows[: len(recorded)]] == [row["id"] for row in recorded]
    found = {row["id"]: row for row in rows}
    for row in recorded:  # rows of one second come in any order: a row on another page is asked for by its id
        same_product(row, found.get(row["id"]) or _alone(shop, recording, row["id"]))


def _alone(shop, recording, number):
    query = recording.request["query"] | {"include": str(number), "page": "1", "per_page": "1"}
    [row] = shop.send("GET", recording.path, query=query).json
    return row


@pytest.mark.parametrize("name", WRITES)
def test_a_write_is_answered_as_recorded(name):
    recording = RECORDINGS[name]
    shop = _prepared(recording)
    if recording.response["status"] == 200:
        before_write(recording, shop)
    SETUPS.get(name, lambda _shop: None)(shop)
    response = shop.send(recording.method, recording.path, query=recording.request["query"], body=_sent(recording))
    assert response.status_code == recording.response["status"]
    same_headers(recording, response)
    if recording.response["status"] != 200:
        assert response.json == recording.body
    elif "id" in recording.body:
        same_product(recording.body, response.json)
    else:
        _same_batch(recording, response.json)


def _sent(recording):
    """The recorded body; of a batch that the recording cut, as many items as there were."""
    body = recording.request["body"]
    if body is None:
        return {"update": [{"id": 362 + number, "stock_quantity": 50} for number in range(100)]}
    if not is_cut(body.get("update")):
        return body
    items = kept(body["update"])
    missing = 101 - len(items) if recording.response["status"] == 413 else 100 - len(items)
    return {"update": items + [{"id": 2000 + number, "stock_quantity": 50} for number in range(missing)]}


def _same_batch(recording, got):
    assert list(got) == list(recording.body)
    for name, rows in recording.body.items():
        recorded = kept(rows)
        if not is_cut(rows):
            assert len(got[name]) == len(recorded)
        for row, mine in zip(recorded, got[name], strict=False):
            if "error" in row:
                assert mine == row
            else:
                same_product(row, mine)


@pytest.mark.parametrize("family", ["", "old"])
def test_a_receipt_is_one_row_that_is_replaced_and_readable_on_every_list(family):
    names = [f"10.5/v_m_{family}0{number}" if family else f"10.5/v_m0{number}" for number in (1, 2, 3)]
    chain = [RECORDINGS[exchanges(name)[0]] for name in names]
    shop = Shop(chain[0])
    before_write(chain[0], shop)
    ids = set()
    for recording in chain:
        reply = shop.replay(recording).json
        [row] = (reply["update"][0] if "update" in reply else reply)["meta_data"]
        ids.add(row["id"])
        [recorded] = (recording.body["update"][0] if "update" in recording.body else recording.body)["meta_data"]
        assert (row["key"], row["value"]) == (recorded["key"], recorded["value"])
    assert len(ids) == 1
