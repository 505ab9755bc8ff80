"""The wire: signatures, what goes out once, and what a refusal means."""

import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, urlsplit

import pytest
from oauthlib.oauth1.rfc5849 import signature as rfc5849

from connectors.errors import ConfigError, ConnectorError, RejectedError, RetryableError
from connectors.http.cache import FRESH
from connectors.http.door import HttpDoor, Limits
from connectors.http.pacing import Pacer
from connectors.settings.allowed import folders_allowed
from connectors.woocommerce.client import Client, NoRouteError
from sandbox.server import serve
from tests.conftest import NOW
from tests.connectors.scripted import HTML, Answer, Scripted, listing
from tests.connectors.woocommerce.recorded import recording

KEY, SECRET = "ck_key", "cs_secret"


@pytest.fixture
def shop():
    """A client and the scripted shop it talks to."""
    servers = []

    def build(*answers, tls=False):
        app = Scripted(*answers)
        server = serve(app, tls=tls)
        servers.append(server)
        calls = []
        door = HttpDoor(
            record=calls.append,
            pacer=Pacer(),
            now=lambda: NOW,
            limits=Limits(connect=2, read=2),
            allow_private=True,
            ca_file=server.ca_file or "",
            folders=folders_allowed(),
            secrets=(KEY, SECRET),
            sleep=lambda _seconds: None,
        )
        client = Client(server.url, KEY, SECRET, door=door, now=lambda: NOW)
        app.url, app.calls = server.url, calls
        return client, app

    yield build
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"_fields": "id,sku,type", "per_page": "100"},
        {"sku": "A/B 1+2=3&4%20~é✓", "search": "100% wool"},
        {"status": "any", "modified_after": "2026-03-02T09:30:00", "dates_are_gmt": "true"},
        {"b": "2", "a1": "3", "a": "x y", "Z": "~"},
    ],
)
def test_a_signature_over_http_is_right_by_another_implementation(shop, params):
    client, app = shop(listing([]))
    given = dict(params)
    client.page("products", given)
    assert given == params
    request = app.requests[0]
    pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    sent = dict(pairs)
    assert len(pairs) == len(sent)
    assert sent.pop(FRESH)
    assert {name: value for name, value in sent.items() if not name.startswith("oauth_")} == params
    signed = [(name, value) for name, value in pairs if name != "oauth_signature"]
    base = rfc5849.signature_base_string(
        "GET", rfc5849.base_string_uri(f"{app.url}{request.path}"), rfc5849.normalize_parameters(signed)
    )
    expected = base64.b64encode(hmac.new(f"{SECRET}&".encode(), base.encode(), hashlib.sha256).digest()).decode()
    assert sent["oauth_signature"] == expected
    assert sent["oauth_signature_method"] == "HMAC-SHA256"
    assert "Authorization" not in request.headers
    assert SECRET not in request.raw_query


def test_every_attempt_has_a_nonce_of_its_own(shop):
    client, app = shop(Answer(502, ""), listing([]))
    client.page("products", {"page": "1"})
    assert len({request.query["oauth_nonce"] for request in app.requests}) == 2
    assert len({request.query[FRESH] for request in app.requests}) == 2
    assert [request.query["page"] for request in app.requests] == ["1", "1"]


def test_a_redirect_is_signed_anew(shop):
    client, app = shop(
        lambda request: Answer(301, "", headers={"Location": f"/shop{request.path}?{request.raw_query}"}), listing([])
    )
    client.page("products", {"page": "1"})
    first, second = app.requests
    assert second.path == "/shop/wp-json/wc/v3/products"
    assert second.raw_query.count("oauth_nonce") == 1
    assert first.query["oauth_nonce"] != second.query["oauth_nonce"]
    assert (second.raw_query.count(FRESH), second.query[FRESH]) == (1, first.query[FRESH])


def test_a_write_over_http_is_signed_and_carries_unicode(shop):
    client, app = shop(Answer(body={"update": []}))
    data = {"update": [{"id": 1, "name": "Grün ✓"}]}
    client.change("products/batch", data, items=1)
    request = app.requests[0]
    assert request.json == data
    assert request.headers["User-Agent"] == "Evenstock"
    assert set(request.query) == {
        "oauth_consumer_key",
        "oauth_timestamp",
        "oauth_nonce",
        "oauth_signature_method",
        "oauth_signature",
    }


def test_over_https_the_key_goes_into_the_header_only(shop):
    client, app = shop(listing([]), tls=True)
    client.page("products", {"_fields": "id,sku"})
    request = app.requests[0]
    assert request.headers["Authorization"].startswith("Basic ")
    assert request.query == {"_fields": "id,sku", FRESH: request.query[FRESH]}
    assert request.headers["Accept"] == "application/json"


def test_the_log_shows_neither_key_nor_signature(shop):
    client, app = shop(listing([]))
    client.page("products", {"_fields": "id,sku", "page": "2"})
    assert [call.path for call in app.calls] == ["/wp-json/wc/v3/products?_fields=id,sku&page=2"]
    assert urlsplit(app.calls[0].path).path == "/wp-json/wc/v3/products"


def test_a_list_that_is_no_list_is_not_used(shop):
    client, _ = shop(Answer(body={"id": 1}, headers={"X-WP-Total": "1"}))
    with pytest.raises(RetryableError) as caught:
        client.page("products", {})
    assert caught.value.code == "not_json"


def test_a_list_without_its_total_is_not_used(shop):
    client, _ = shop(Answer(body=[]))
    with pytest.raises(ConfigError) as caught:
        client.page("products", {})
    assert caught.value.code == "no_total"


@pytest.mark.parametrize(
    ("name", "error", "advice"),
    [
        ("f01_bad_key", ConfigError, "key was deleted or mistyped"),
        ("f01b_bad_secret", ConfigError, "consumer secret is wrong"),
        ("f01c_no_auth", ConfigError, "drops the Authorization header"),
        ("f01d_basic_over_http", ConfigError, "does not notice that it is called by https"),
        ("f02b_oauth1_bad_signature", ConfigError, "use https, or the address WordPress has"),
        ("f02c_oauth1_stale_timestamp", ConfigError, "clocks differ"),
        ("f03_read_only_key_write", ConfigError, "may only read: give it Read/Write"),
        ("f03d_write_only_key_read", ConfigError, "may only write: give it Read/Write"),
        ("f04_not_found", RejectedError, "Align the item anew"),
        ("f04c_no_route", NoRouteError, "Update WooCommerce"),
        ("f06_invalid_param", RejectedError, "Look at the product"),
        ("b02_batch_101_error", RejectedError, "raise the limit"),
    ],
)
def test_a_recorded_refusal_says_what_to_do(shop, name, error, advice):
    response = recording(name)["response"]
    client, _ = shop(Answer(response["status"], response["body"]))
    with pytest.raises(ConnectorError) as caught:
        client.change("products/batch", {}, items=1)
    assert type(caught.value) is error
    assert advice in caught.value.next_step


def test_a_page_of_a_firewall_is_not_taken_for_the_shop(shop):
    client, _ = shop(Answer(403, "<h1>Access denied</h1>", content_type=HTML))
    with pytest.raises(ConfigError, match="Access denied") as caught:
        client.page("products", {})
    assert caught.value.code == "blocked"


def test_a_page_of_another_site_is_not_a_shop(shop):
    client, _ = shop(Answer(404, "<h1>Not found</h1>", content_type=HTML))
    with pytest.raises(ConfigError) as caught:
        client.page("products", {})
    assert caught.value.code == "not_wordpress"


# -- caches in front of the shop ---------------------------------------------------------------------------------------


def answered(**headers: str) -> Answer:
    return Answer(body=[], headers={"X-WP-Total": "0", **{name.replace("_", "-"): value for name, value in headers.items()}})


OLD = {
    "Age": ["6", "300", "86400"],
    "X-Cache": ["HIT", "Hit from cloudfront", "TCP_HIT from a23-1.deploy", "TCP_MEM_HIT", "MISS, HIT", "HIT, MISS", "STALE"],
    "CF-Cache-Status": ["HIT", "STALE", "UPDATING"],
    "X-LiteSpeed-Cache": ["hit", "hit,private"],
    "X-Varnish": ["32770 3"],
    "X-Varnish-Cache": ["HIT"],
    "X-Proxy-Cache": ["HIT"],
    "X-Kinsta-Cache": ["HIT"],
    "X-WP-CF-Super-Cache": ["HIT"],
    "X-Sucuri-Cache": ["HIT"],
    "X-FastCGI-Cache": ["HIT"],
    "X-SRCache-Fetch-Status": ["HIT"],
    "X-Cache-Hits": ["3", "0, 1"],
    "X-Nginx-Cache-Status": ["HIT", "UPDATING"],
    "CDN-Cache": ["HIT"],
    "Cache-Status": ["ExampleCache; hit", '"Nginx"; hit; ttl=60, Edge; fwd=miss'],
}
NEW = {
    "Age": ["0", "2", "soon", ""],
    "X-Cache": ["MISS", "Miss from cloudfront", "TCP_MISS", "MISS, MISS", "BYPASS", "Error from cloudfront"],
    "CF-Cache-Status": ["DYNAMIC", "MISS", "BYPASS", "EXPIRED", "NONE", "REVALIDATED"],
    "X-LiteSpeed-Cache": ["miss", "no-cache"],
    "X-Varnish": ["32770", "32770 "],
    "X-WP-CF-Super-Cache": ["no-cache", "cache"],
    "X-Cache-Hits": ["0", "0, 0"],
    "Cache-Status": ["Edge; fwd=miss; stored", "Edge; fwd=stale"],
    "Cache-Control": ["no-cache, stale-while-revalidate=30"],
    "X-Cache-Key": ["/shop/hit/parade"],
    "X-Cache-Enabled": ["True"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in OLD.items() for value in values])
def test_an_answer_that_says_it_is_old_is_refused(shop, name, value):
    client, app = shop(answered(**{name: value}))
    for ask in (lambda: client.page("products", {}), lambda: client.rows("webhooks", {}), lambda: client.one("x"), client.about):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert caught.value.code == "cached"
        assert f"{name}: {value}".lower() in caught.value.message.lower()
        assert "/wp-json/" in caught.value.next_step
    assert len(app.requests) == 4


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NEW.items() for value in values])
def test_an_answer_that_only_passed_through_a_cache_is_used(shop, name, value):
    client, _ = shop(answered(**{name: value}))
    assert client.page("products", {}).rows == []


def test_every_read_goes_to_an_address_no_cache_knows_and_asks_it_to_look(shop):
    client, app = shop(answered())
    for _ in range(2):
        client.page("products", {"page": "1"})
        client.about()
    assert len({request.query[FRESH] for request in app.requests}) == 4
    assert {request.headers["Cache-Control"] for request in app.requests} == {"no-cache"}


def test_links_that_name_another_request_tell_of_a_cache_that_keeps_silent(shop):
    link = f'<https://shop.example/wp-json/wc/v3/products?page=2&{FRESH}=5eed>; rel="next"'
    client, _ = shop(answered(Link=link))
    with pytest.raises(ConfigError) as caught:
        client.page("products", {})
    assert caught.value.code == "cached"
    for link in ('<https://shop.example/wp-json/>; rel="https://api.w.org/"', "<", "no link at all", ""):
        client, _ = shop(answered(Link=link))
        assert client.page("products", {}).rows == []
