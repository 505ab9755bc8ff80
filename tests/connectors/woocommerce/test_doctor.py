"""The connection test, in the owner's words. It must change nothing."""

import socket
from collections.abc import Callable

import pytest

from connectors.contract import CheckReport, Side
from connectors.registry import kind_get
from connectors.woocommerce.kind import KIND
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from sandbox.server import serve
from tests.connectors.scripted import HTML, Answer, Request, Scripted, listing
from tests.connectors.woocommerce.conftest import store_on
from tests.connectors.woocommerce.recorded import body, recording

ABOUT = {"name": "Hydro", "timezone_string": "Europe/Amsterdam", "gmt_offset": "1", "namespaces": ["wp/v2", "wc/v3"]}
STATUS = {"environment": {"version": "10.2.4", "wp_version": "6.8.5"}, "settings": {"currency": "EUR"}}


def refused(name: str) -> Answer:
    response = recording(name)["response"]
    return Answer(response["status"], response["body"])


class Site:
    """A scripted site that is well; a test spoils what it wants."""

    def __init__(self, **spoiled: Answer) -> None:
        self.answers: dict[str, Answer] = {
            "about": Answer(body=ABOUT),
            "products": listing([{"id": 1}], total=3050),
            "status": Answer(body=STATUS),
            "setting": Answer(body=body("g04_woocommerce_manage_stock")),
            "batch": Answer(body=[]),
            "general": Answer(
                body=[{"id": "woocommerce_calc_taxes", "value": "yes"}, {"id": "woocommerce_price_num_decimals", "value": "2"}]
            ),
            "tax": Answer(body=[{"id": "woocommerce_prices_include_tax", "value": "yes"}]),
            "hooks": listing(
                [{"id": 1, "topic": "order.created", "delivery_url": "https://a.example", "status": "active"}], total=1
            ),
            **spoiled,
        }
        self.app = Scripted(self.answer)

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix("/wp-json/")
        places: dict[str, Callable[[], bool]] = {
            "about": lambda: path == "",
            "batch": lambda: path.endswith("/batch"),
            "products": lambda: path == "wc/v3/products",
            "status": lambda: path.endswith("system_status"),
            "general": lambda: path.endswith("settings/general"),
            "tax": lambda: path.endswith("settings/tax"),
            "hooks": lambda: path.endswith("webhooks"),
            "setting": lambda: "settings" in path,
        }
        return next(self.answers[name] for name, here in places.items() if here())

    def check(self, *, tls: bool = True, url: str = "{}") -> CheckReport:
        with serve(self.app, tls=tls) as server:
            return store_on(url.format(server.url), [], key="ck_1", secret="cs_1", ca_file=server.ca_file or "").check()


def advice(report: CheckReport) -> str:
    """The next step of the one finding that is bad."""
    (bad,) = [finding for finding in report.findings if not finding.ok]
    return f"{bad.message} {bad.next_step}"


def test_a_healthy_shop():
    site = Site()
    report = site.check()
    assert report.ok
    assert [finding.message for finding in report.findings][:-1] == [
        "The shop answers over https.",
        "The key may read: the shop has 3050 products.",
        "WooCommerce 10.2.4, prices in EUR.",
        "Stock management is switched on. The shop counts whole units: what the till sells by weight is rounded down.",
        "Prices are typed in with 2 decimals; tax is in them.",
        "The key may see to webhooks, by which the shop tells of orders at once; 1 is set up, of anybody's.",
        "The key may write.",
    ]
    assert "The shop's clock" in report.findings[-1].message
    assert report.facts == {
        "name": "Hydro",
        "time_zone": "Europe/Amsterdam",
        "products": "3050",
        "version": "10.2.4",
        "wordpress": "6.8.5",
        "currency": "EUR",
        "manage_stock": "yes",
        "tax": "tax is in them",
        "webhooks": "1",
    }
    assert [request.json for request in site.app.requests if request.method != "GET"] == [{"update": []}]


def test_plain_http_is_mentioned():
    report = Site().check(tls=False)
    assert report.ok
    assert "anybody on the way can read" in report.findings[0].message


def test_a_time_zone_without_a_name():
    site = Site(about=Answer(body=ABOUT | {"timezone_string": "", "gmt_offset": "-3.5"}))
    assert site.check().facts["time_zone"] == "UTC-3.5"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("f01_bad_key", "key was deleted or mistyped"),
        ("f01b_bad_secret", "consumer secret is wrong"),
        ("f01d_basic_over_http", "called by https"),
        ("f02c_oauth1_stale_timestamp", "clocks differ"),
        ("f03d_write_only_key_read", "may only write"),
    ],
)
def test_a_key_that_may_not_read_is_explained_and_nothing_else_is_asked(name, said):
    site = Site(products=refused(name))
    assert said in advice(site.check())
    assert len(site.app.requests) == 2


def test_a_key_that_may_not_write_is_explained():
    report = Site(batch=refused("f03b_read_only_key_batch")).check()
    assert "may only read: give it Read/Write" in advice(report)


def test_stock_management_switched_off_in_the_whole_shop():
    report = Site(setting=Answer(body=body("g06_manage_stock_off"))).check()
    assert "Switch it on in WooCommerce → Settings → Products → Inventory" in advice(report)


def test_what_the_key_may_not_look_at_is_no_obstacle():
    denied = Answer(
        403, {"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot view this resource.", "data": {"status": 403}}
    )
    report = Site(status=denied, setting=denied).check()
    assert report.ok
    assert "version" not in report.facts
    assert [finding.next_step for finding in report.findings][2:4] == ["It works without."] * 2


def test_a_site_that_hides_its_index_is_examined_all_the_same():
    hidden = Answer(401, {"code": "rest_cannot_access", "message": "Only authenticated users.", "data": {"status": 401}})
    assert Site(about=hidden).check().ok


def test_a_wordpress_without_woocommerce():
    assert "Install and activate WooCommerce" in advice(Site(about=Answer(body=ABOUT | {"namespaces": ["wp/v2"]})).check())


def test_a_site_that_is_no_wordpress():
    report = Site(about=Answer(404, "<h1>Not Found</h1>", content_type=HTML)).check()
    assert "no WordPress at this address" in advice(report)
    assert "Permalinks" in advice(report)


def test_a_shop_in_maintenance():
    response = recording("f09b_maintenance_503_accept_json")["response"]
    report = Site(about=Answer(503, response["body"], headers={"Retry-After": "600"})).check()
    assert "being updated" in advice(report)


def test_a_firewall_in_front():
    assert "firewall" in advice(Site(about=Answer(403, "<h1>Blocked</h1>", content_type=HTML)).check())


def test_an_address_that_sends_us_to_https():
    to_https = Answer(301, "", headers={"Location": "https://shop.example/wp-json/"})
    assert "Use https://shop.example as the shop's address." in advice(Site(about=to_https).check(tls=False))


def test_a_page_instead_of_an_answer():
    assert "not in its own language" in advice(Site(about=Answer(body="<h1>Hello</h1>", content_type=HTML)).check())


def test_nobody_there():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    report = store_on(url, [], key="ck_1", secret="cs_1").check()
    assert "refuses the connection" in advice(report)


# -- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("shop.example", "with https:// in front"),
        ("ftp://shop.example", "with https:// in front"),
        ("https://", "with https:// in front"),
        ("https://shop.example/wp-json/wc/v3", "Write only the shop's address: https://shop.example"),
        ("https://shop.example/wp-admin", "Write only the shop's address"),
        ("https://me:pw@shop.example", "Leave name and password out"),
        ("https://shop.example/?lang=de", r"Leave out everything from \?"),
    ],
)
def test_an_address_that_can_not_work_is_explained(url, said):
    with pytest.raises(ValueError, match=said):
        WooCommerceSettings(url=url)


def test_an_address_is_tidied():
    assert WooCommerceSettings(url=" https://shop.example/store/ ").url == "https://shop.example/store"


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ("cs_1", "cs_1", "starts with ck_"),
        ("ck_1", "ck_1", "starts with cs_"),
        ("ck_1 2", "cs_1", "ck_"),
        ("ck_é", "cs_1", "ck_"),
    ],
)
def test_a_key_that_can_not_be_one_is_explained(key, secret, said):
    with pytest.raises(ValueError, match=said):
        WooCommerceCredentials(consumer_key=key, consumer_secret=secret)


def test_a_credential_is_trimmed_and_never_printed():
    credentials = WooCommerceCredentials(consumer_key=" ck_abc\n", consumer_secret="cs_def")
    assert credentials.consumer_key.get_secret_value() == "ck_abc"
    assert "abc" not in repr(credentials)
    assert "def" not in str(credentials)


def test_a_wrong_credential_is_not_repeated_in_the_message():
    with pytest.raises(ValueError, match="starts with ck_") as caught:
        WooCommerceCredentials(consumer_key="topsecret", consumer_secret="cs_def")
    assert "topsecret" not in str(caught.value)


def test_the_registry_finds_the_kind():
    assert kind_get("woocommerce") is KIND
    assert KIND.capabilities.side is Side.STORE
    assert KIND.capabilities.webhooks
