"""Case 42: what a client writes into a proxy's headers counts for nothing."""

import json
import logging

import pytest
from axes.models import AccessAttempt
from django.test import Client, RequestFactory

from backoffice.people.access import NO_ADDRESS, client_address, counted_address
from tests import factories as make
from tests.test_settings import run_in_production

PEER = "10.0.0.1"
NOT_LOGGED_IN = {"username": "ada", "password": "wrong"}


def asked_from(header: str | None = None, *, peer: str = PEER):
    return RequestFactory().get("/", REMOTE_ADDR=peer, **({} if header is None else {"HTTP_X_FORWARDED_FOR": header}))


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        (" 203.0.113.9\t", "203.0.113.9"),
        ("203.0.113.9:567", "203.0.113.9"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:80", "fe80::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::FFFF:cb00:7109]:80", "203.0.113.9"),
        ("::1", "::1"),
    ],
)
def test_an_address_has_one_spelling_however_a_proxy_writes_it(settings, said, address):
    settings.EVENSTOCK_PROXIES = 1
    assert client_address(asked_from(said)) == address
    assert client_address(asked_from(peer=said)) == address


@pytest.mark.parametrize(
    "said",
    [
        "", " ", "unknown", "unix:", "_hidden", "203.0.113", "203.0.113.009", "203.0.113.9.9", "203.0.113.256", "3405803785",
        "203.0.113.9:", "203.0.113.9:port", ":80", "[203.0.113.9", "[]", "[]:80", "[[::1]]", "[::1]80", "2001:db8::g", "0x7f.1",
        "%eth0", "203.0.113.9 10.0.0.8", "203.0.113.9;x", "'; drop table", "\x00", "٢٠٣.0.113.9", "9" * 100_000, ":" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_address_leaves_whoever_is_connected_to_us(settings, said):
    settings.EVENSTOCK_PROXIES = 1
    assert client_address(asked_from(said)) == PEER
    assert client_address(asked_from(f"198.51.100.7, {said}")) == PEER  # not the part before it, which a client wrote
    assert client_address(asked_from(peer=said)) == NO_ADDRESS


@pytest.mark.parametrize(
    ("proxies", "said"), [(0, "203.0.113.9"), (-1, "203.0.113.9"), (1, None), (2, "203.0.113.9"), (9, "1.1.1.1, 2.2.2.2")]
)
def test_with_fewer_parts_than_proxies_it_is_whoever_is_connected_to_us(settings, proxies, said):
    settings.EVENSTOCK_PROXIES = proxies
    assert client_address(asked_from(said)) == PEER


def test_parts_are_counted_from_the_end_empty_ones_too(settings):
    settings.EVENSTOCK_PROXIES = 2
    assert client_address(asked_from("6.6.6.6, 203.0.113.9, 10.0.0.8")) == "203.0.113.9"
    assert client_address(asked_from("6.6.6.6, , 10.0.0.8")) == PEER
    assert client_address(asked_from("6.6.6.6, 203.0.113.9,")) == "203.0.113.9"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("", NO_ADDRESS),
    ],
)
def test_wrong_passwords_are_counted_by_the_network_that_one_person_has(address, counted):
    assert counted_address(asked_from(peer=address)) == counted


@pytest.mark.django_db
def test_any_header_at_all_lets_a_wrong_password_be_kept(settings, client):
    settings.EVENSTOCK_PROXIES = 1
    for said in ("unix:", "fe80::1%eth0", "9" * 5_000, "203.0.113.9:1", "[::1]:2", "::ffff:203.0.113.9"):
        assert client.post("/admin/login/", NOT_LOGGED_IN, HTTP_X_FORWARDED_FOR=said, HTTP_USER_AGENT=said[:9]).status_code == 200
    kept = set(AccessAttempt.objects.values_list("ip_address", flat=True))
    assert kept == {"127.0.0.1", "fe80::", "203.0.113.9", "::"}


@pytest.mark.django_db
def test_the_audit_names_whoever_really_asked(settings, client, caplog):
    settings.EVENSTOCK_PROXIES = 0
    client.force_login(make.person("viewer", "connectors.view_connection"))
    with caplog.at_level(logging.WARNING, "evenstock.audit"):
        client.get("/admin/auth/user/", HTTP_X_FORWARDED_FOR="6.6.6.6", REMOTE_ADDR="203.0.113.9")
    assert [record.getMessage() for record in caplog.records if record.name == "evenstock.audit"] == [
        "Refused: GET /admin/auth/user/, by viewer, from 203.0.113.9"
    ]


@pytest.mark.parametrize(
    ("proxies", "said", "is_https"),
    [
        (0, "https", False),
        (0, None, False),
        (1, "https", True),
        (1, " HTTPS ", True),
        (1, "http", False),
        (1, "", False),
        (1, None, False),
        (1, "https, http", False),
        (1, "http, https", True),
        (1, "https,", False),
        (2, "https, http", True),
        (2, "https", True),
        (2, "https, http, http", False),
        (2, "http, https, http", True),
    ],
)
def test_the_protocol_is_what_our_own_proxies_wrote_down(settings, proxies, said, is_https):
    settings.EVENSTOCK_PROXIES = proxies
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/healthz", **({} if said is None else {"HTTP_X_FORWARDED_PROTO": said}))
    assert (answer.status_code == 301) is not is_https
    if not is_https:
        assert answer["Location"] == "https://testserver/healthz"


@pytest.mark.parametrize("proxies", [0, 1])
def test_the_name_we_are_reached_under_is_never_a_forwarded_one(settings, proxies):
    settings.EVENSTOCK_PROXIES = proxies
    answer = Client().get("/", HTTP_X_FORWARDED_HOST="evil.example", HTTP_FORWARDED="host=evil.example;proto=https")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/", HTTP_X_FORWARDED_HOST="evil.example")["Location"] == "https://testserver/"


@pytest.mark.parametrize(("proxies", "expected"), [("0", None), ("1", ["HTTP_X_FORWARDED_PROTO", "https"])])
def test_in_production_the_protocol_header_counts_only_behind_a_proxy(proxies, expected):
    script = "import json; from django.conf import settings; print(json.dumps(settings.SECURE_PROXY_SSL_HEADER))"
    result = run_in_production("-c", script, EVENSTOCK_PROXIES=proxies)
    assert json.loads(result.stdout) == expected, result.stderr
