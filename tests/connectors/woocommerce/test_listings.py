"""Walking and reading a shop's products over HTTP."""

import pytest

from connectors.contract import StockManagement
from connectors.errors import ConfigError, PartialReadError, RetryableError
from sandbox.server import serve
from tests.connectors.scripted import Scripted, listing
from tests.connectors.woocommerce.conftest import ROWS, store_on

VERSIONS = pytest.mark.parametrize("version", ["10.2", "10.5"])


def simple(count: int) -> list[dict]:
    return [
        {"id": 100 + n, "type": "simple", "sku": f"S{n}", "regular_price": "1", "manage_stock": True, "stock_quantity": n}
        for n in range(count)
    ]


def ids(pages) -> list[int]:
    return [reading.remote_id for page in pages for reading in page]


@VERSIONS
@pytest.mark.parametrize("tls", [True, False])
def test_a_walk_sees_everything_once_by_ascending_id(shop, version, tls):
    s = shop(version, tls=tls)
    pages = list(s.store.walk_listings())
    assert ids(pages) == [row["id"] for row in ROWS]
    found = {reading.remote_id: reading for page in pages for reading in page}
    assert (found[11].quantity, str(found[11].price), found[11].kind, found[11].parent_remote_id) == (10, "12.50", "simple", 0)
    assert (found[13].stock_management, found[13].quantity) == (StockManagement.NONE, None)
    assert (found[20].kind, found[20].quantity) == ("variable", None)
    assert (found[21].kind, found[21].parent_remote_id, found[21].quantity) == ("variation", 20, 6)
    assert (found[30].stock_management, found[30].quantity) == (StockManagement.OWN, 40)
    assert (found[31].stock_management, found[31].quantity) == (StockManagement.PARENT, 40)
    assert s.app.writes == []


def test_a_recent_shop_is_walked_with_no_request_too_many(shop):
    s = shop(asked_for_caches=True, rows=simple(250) + ROWS)
    pages = list(s.store.walk_listings())
    assert [len(page) for page in pages] == [100, 100, 58]
    assert sorted(s.asked()) == ["GET products", "GET products", "GET products", "GET variations"]
    assert sorted(entry.query["page"] for entry in s.app.requests if entry.path.endswith("products")) == ["1", "2", "3"]


def test_an_older_shop_is_asked_once_whether_it_lists_all_variations(shop):
    s = shop("10.2", asked_for_caches=True, rows=simple(150) + ROWS)
    assert len(ids(s.store.walk_listings())) == 158
    pages = ["GET products", "GET products"]
    variations = ["GET products/20/variations", "GET products/30/variations"]
    assert sorted(s.asked()) == [*pages, *variations, "GET variations"]
    s.app.forget_requests()
    assert len(ids(s.store.walk_listings())) == 158
    assert sorted(s.asked()) == [*pages, *variations]


def test_a_known_old_version_is_never_asked(shop):
    s = shop("10.2", version="10.2.4")
    assert ids(s.store.walk_listings()) == [row["id"] for row in ROWS]
    assert "GET variations" not in s.asked()


def test_a_variable_product_of_more_variations_than_a_page(shop):
    many = [
        {"id": 1000 + n, "parent_id": 999, "sku": f"V{n}", "regular_price": "1", "manage_stock": True, "stock_quantity": n}
        for n in range(230)
    ]
    s = shop("10.2", rows=[{"id": 999, "type": "variable", "sku": "V", "manage_stock": False}, *many])
    assert len(ids(s.store.walk_listings())) == 231
    assert s.asked().count("GET products/999/variations") == 3


@VERSIONS
def test_a_shop_of_variations_only_in_the_last_page_is_read_whole(shop, version):
    rows = simple(100) + [
        row | {"id": row["id"] + 500, **({"parent_id": row["parent_id"] + 500} if "parent_id" in row else {})} for row in ROWS
    ]
    s = shop(version, rows=rows)
    assert len(ids(s.store.walk_listings())) == 108


def test_an_empty_shop_is_an_empty_walk(shop):
    assert list(shop(rows=[]).store.walk_listings()) == []


@pytest.mark.parametrize("fault", ["missing_row", "empty_list"])
def test_a_row_missing_from_one_walk_is_found_by_the_second(shop, fault):
    s = shop(asked_for_caches=True, rows=simple(250))
    s.app.faults.arm(fault, path="products$", skip=1)
    assert len(ids(s.store.walk_listings())) == 250
    assert s.asked().count("GET products") == 6


@pytest.mark.parametrize("fault", ["missing_row", "empty_list"])
def test_a_walk_that_misses_rows_twice_fails_whole_and_names_both_numbers(shop, fault):
    s = shop(asked_for_caches=True, rows=simple(250))
    s.app.faults.arm(fault, path="products$", skip=1)
    s.app.faults.arm(fault, path="products$", skip=3)
    seen = []
    with pytest.raises(PartialReadError, match=r"250 products, but we saw (249|150|200)"):
        seen.extend(s.store.walk_listings())
    assert seen == []


def test_a_product_added_during_the_walk_starts_it_again(shop, monkeypatch):
    s = shop(rows=simple(250))
    answer, state = s.app._answer, {"left": 1}

    def adding(request):
        if request.args.get("page") == "2" and state["left"]:
            state["left"] -= 1
            s.app.load([{"id": 5000, "type": "simple", "sku": "NEW", "regular_price": "1", "manage_stock": False}])
        return answer(request)

    monkeypatch.setattr(s.app, "_answer", adding)
    assert len(ids(s.store.walk_listings())) == 251


def test_a_shop_that_changes_during_both_walks_is_not_used(shop, monkeypatch):
    s = shop(rows=simple(250))
    answer, number = s.app._answer, iter(range(5000, 6000))

    def adding(request):
        if request.args.get("page") == "2":
            s.app.load([{"id": next(number), "type": "simple", "regular_price": "1", "manage_stock": False}])
        return answer(request)

    monkeypatch.setattr(s.app, "_answer", adding)
    with pytest.raises(PartialReadError):
        list(s.store.walk_listings())


@pytest.mark.parametrize(
    ("fault", "code"), [("html", "not_json"), ("bom", "not_json"), ("notice", "not_json"), ("half_json", "not_json")]
)
def test_a_spoiled_page_fails_the_whole_walk(shop, fault, code):
    s = shop(rows=simple(250))
    s.app.faults.arm(fault, path="products$", skip=1)
    with pytest.raises(RetryableError) as caught:
        list(s.store.walk_listings())
    assert caught.value.code == code


def test_a_page_cut_off_is_asked_again(shop):
    s = shop(rows=simple(250))
    s.app.faults.arm("cut_off", path="products$", skip=1)
    assert len(ids(s.store.walk_listings())) == 250
    assert [call.status for call in s.calls].count(0) == 1


def test_a_shop_in_maintenance_is_not_an_empty_shop(shop):
    s = shop()
    s.app.faults.arm("maintenance", count=None)
    with pytest.raises(RetryableError) as caught:
        list(s.store.walk_listings())
    assert (caught.value.code, caught.value.retry_after) == ("maintenance", 60)


@pytest.mark.parametrize("retry_after", ["1", "date:2"])
def test_a_shop_that_asks_for_a_pause_gets_it(shop, retry_after):
    s = shop()
    s.app.faults.arm("rate_limit", path="products$", retry_after=retry_after)
    assert ids(s.store.walk_listings()) == [row["id"] for row in ROWS]
    assert 429 in [call.status for call in s.calls]


@pytest.mark.parametrize(
    ("key", "secret", "advice"), [("ck_other", "", "deleted or mistyped"), ("", "cs_other", "secret is wrong")]
)
def test_a_wrong_key_is_named_over_https(shop, key, secret, advice):
    s = shop(tls=True, key=key, secret=secret)
    with pytest.raises(ConfigError) as caught:
        list(s.store.walk_listings())
    assert advice in caught.value.next_step


def test_a_wrong_secret_is_named_over_http(shop):
    with pytest.raises(ConfigError) as caught:
        list(shop(secret="cs_other").store.walk_listings())
    assert "secret" in caught.value.next_step


# -- some, with receipts ---------------------------------------------------------------------------------------------


@VERSIONS
def test_some_listings_are_read_with_their_receipts(shop, version):
    s = shop(version)
    for remote_id in (11, 21):
        s.app.catalogue.set_meta(s.app.product(remote_id), "_evenstock_op", f"op-{remote_id}")
    found = {reading.remote_id: reading for reading in s.store.read_listings([(11, 0), (12, 0), (21, 20), (31, 30)])}
    assert {remote_id: reading.receipt for remote_id, reading in found.items()} == {11: "op-11", 12: "", 21: "op-21", 31: ""}
    assert found[21].parent_remote_id == 20


@VERSIONS
def test_a_listing_that_is_gone_is_left_out(shop, version):
    s = shop(version)
    found = s.store.read_listings([(11, 0), (9999, 0), (21, 20), (29, 20), (71, 70)])
    assert sorted(reading.remote_id for reading in found) == [11, 21]


@VERSIONS
def test_reading_nothing_asks_nothing(shop, version):
    s = shop(version)
    assert s.store.read_listings([]) == []
    assert s.app.requests == []


def test_only_products_asks_for_products_only(shop):
    s = shop(asked_for_caches=True)
    s.store.read_listings([(12, 0), (11, 0), (11, 0)])
    assert s.asked() == ["GET products"]
    assert s.app.requests[0].query["include"] == "11,12"


def test_many_listings_are_read_in_even_shares(shop):
    s = shop(asked_for_caches=True, rows=simple(160))
    assert len(s.store.read_listings([(100 + n, 0) for n in range(160)])) == 160
    assert sorted(len(entry.query["include"].split(",")) for entry in s.app.requests) == [80, 80]


def test_a_shop_that_ignores_the_list_is_not_used():
    row = {"id": 99, "parent_id": 0, "type": "simple", "sku": "", "status": "publish", "manage_stock": False}
    prices = {"stock_quantity": None, "backorders": "no", "regular_price": "", "sale_price": ""}
    with serve(Scripted(listing([row | prices]))) as server, pytest.raises(ConfigError) as caught:
        store_on(server.url, [], key="ck_1", secret="cs_1").read_listings([(11, 0)])
    assert caught.value.code == "include_ignored"
