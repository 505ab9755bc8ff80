"""The HTTP door over real HTTP: what it asks again, what it never asks twice, and what it says about a failure."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from requests.auth import HTTPBasicAuth
from urllib3.util import connection

from connectors.contract import CallRecord
from connectors.errors import ConfigError, RetryableError, UnknownOutcomeError
from connectors.http.address import address_check
from connectors.http.door import Ask, HttpDoor, Limits
from connectors.http.pacing import Pacer
from connectors.settings.allowed import folders_allowed
from connectors.settings.folders import Folders
from sandbox.server import RunningServer, serve
from tests.conftest import NOW
from tests.connectors.scripted import HTML, Answer, Scripted

SECRETS = ("ck_secret", "cs_secret")


class Bench:
    """A door, the server behind it, and what the door did."""

    def __init__(self, server: RunningServer, app: Scripted, **options: object) -> None:
        self.url, self.app = server.url, app
        self.calls: list[CallRecord] = []
        self.slept: list[float] = []
        self.pacer = Pacer(lanes=2, batch=100)
        settings: dict = {
            "limits": Limits(connect=2, read=0.5),
            "allow_private": True,
            "folders": folders_allowed(),
            "secrets": SECRETS,
            "sleep": self.slept.append,
        }
        self.door = HttpDoor(record=self.calls.append, pacer=self.pacer, now=lambda: NOW, **(settings | options))

    def read(self, path: str = "/x", **params: str):
        return self.door.read(Ask("GET", self.url + path, params=params))

    def write(self, path: str = "/x", body: bytes = b"{}"):
        return self.door.write(Ask("POST", self.url + path, body=body))


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    servers: list[RunningServer] = []

    def build(*answers: object, tls: bool = False, **options: object) -> Bench:
        app = Scripted(*answers)
        server = serve(app, tls=tls)
        servers.append(server)
        if tls and "ca_file" not in options:
            options["ca_file"] = server.ca_file
        return Bench(server, app, **options)

    yield build
    for server in servers:
        server.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- reading ---------------------------------------------------------------------------------------------------------


def test_numbers_with_a_dot_are_read_exactly(bench):
    reply = bench(Answer(body='{"stock_quantity": 12.10}')).read()
    assert str(reply.json()["stock_quantity"]) == "12.10"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_read_is_asked_again_after_a_passing_failure(bench, status):
    b = bench(Answer(status, "<p>busy</p>", content_type=HTML), Answer(body={"ok": 1}))
    assert b.read().json() == {"ok": 1}
    assert [call.status for call in b.calls] == [status, 200]
    assert len(b.slept) == 1
    assert 0.05 <= b.slept[0] <= 0.4
    assert b.pacer.lanes == 1


def test_a_read_gives_up_after_four_attempts(bench):
    b = bench(Answer(502, "<h1>Bad Gateway</h1>", content_type=HTML))
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert caught.value.code == "http_502"
    assert "Bad Gateway" in caught.value.message
    assert len(b.app.requests) == 4
    assert [call.status for call in b.calls] == [502] * 4


def test_a_fatal_error_is_not_asked_again(bench):
    b = bench(Answer(500, "<p>There has been a critical error on this website.</p>", content_type=HTML))
    with pytest.raises(RetryableError, match="critical error"):
        b.read()
    assert len(b.app.requests) == 1


def test_retry_after_in_seconds_is_waited_for(bench):
    b = bench(Answer(429, "", headers={"Retry-After": "1"}), Answer(body=[]))
    assert b.read().json() == []
    assert b.slept[0] == 1
    assert b.pacer.batch == 50


def test_retry_after_as_a_date_is_waited_for(bench):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)
    b = bench(Answer(429, "", headers={"Retry-After": when}), Answer(body=[]))
    b.read()
    assert 3 < b.slept[0] <= 5


def test_a_long_retry_after_is_handed_to_the_caller_and_kept_by_every_thread(bench):
    b = bench(Answer(429, "", headers={"Retry-After": "600"}), zone=ZoneInfo("Europe/Vienna"))
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert (caught.value.code, caught.value.retry_after, b.slept) == ("rate_limit", 600, [])
    with pytest.raises(RetryableError) as again:
        b.write()
    assert (again.value.code, again.value.retry_after) == ("busy", 600)
    until = (NOW + timedelta(minutes=10)).astimezone(ZoneInfo("Europe/Vienna"))
    assert f"asked to be left alone until {until:%H:%M} CET" in again.value.message
    assert len(b.app.requests) == 1


@pytest.mark.parametrize("named", ["600", "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
@pytest.mark.parametrize(
    "closed", [Answer(503, {"code": "wp_die", "message": "Briefly unavailable"}), Answer(503, "<h1>503</h1>", content_type=HTML)]
)
def test_a_503_is_no_wish_it_is_asked_again_in_a_minute(bench, closed, named):
    b = bench(replace(closed, headers={"Retry-After": named}))
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert (caught.value.retry_after, b.calls[0].wait) == (60, 60)
    with pytest.raises(RetryableError, match="closed"):
        b.read()
    assert len(b.app.requests) == 1


def test_a_date_is_reckoned_by_the_clock_that_named_it(bench):
    dated = {"Date": "Mon, 02 Mar 2026 01:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 01:00:25 GMT"}
    with pytest.raises(RetryableError) as caught:
        bench(Answer(429, "", headers=dated)).read()
    assert caught.value.retry_after == 25


@pytest.mark.parametrize("named", ["-600", "0.5e9", "soon", "٦٠٠", "Mon, 99 Foo 2026", ""])
def test_a_retry_after_that_nobody_can_read_is_none(bench, named):
    b = bench(Answer(429, "", headers={"Retry-After": named.encode().decode("latin-1")}), Answer(body=[]))
    assert b.read().json() == []
    assert b.calls[0].wait == 0


def test_an_absurd_retry_after_is_capped_at_an_hour(bench):
    for named in ("999999999", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"):
        with pytest.raises(RetryableError) as caught:
            bench(Answer(429, "", headers={"Retry-After": named})).read()
        assert caught.value.retry_after == 3600


def test_an_unreadable_retry_after_is_no_error(bench):
    b = bench(Answer(429, "", headers={"Retry-After": "soon"}), Answer(body=[]))
    assert b.read().status == 200


@pytest.mark.parametrize("drop", [ConnectionAbortedError, ConnectionResetError])
def test_a_lost_connection_is_asked_again_when_reading(bench, drop):
    b = bench(Answer(drop=drop), Answer(body=[1]))
    assert b.read().json() == [1]
    assert [(call.status, call.error) for call in b.calls] == [
        (0, "The connection broke off before the answer was complete."),
        (200, ""),
    ]


def test_half_a_body_is_a_failed_call(bench):
    b = bench(Answer(body=[1, 2, 3, 4], cut=5), limits=Limits(retries=0))
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert caught.value.code == "cut_off"


def test_a_refused_connection_is_retried_and_named(bench):
    b = bench(Answer())
    with pytest.raises(RetryableError) as caught:
        b.door.read(Ask("GET", f"http://127.0.0.1:{free_port()}/"))
    assert caught.value.code == "unreachable"
    assert len(b.calls) == 4
    assert {call.status for call in b.calls} == {0}


def test_an_unknown_host_is_an_error_that_may_pass(bench, monkeypatch):
    def unknown(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(RetryableError) as caught:
        bench(Answer()).door.read(Ask("GET", "http://nowhere.example/"))
    assert caught.value.code == "dns"


def test_a_silent_server_is_not_asked_again(bench):
    b = bench(lambda _request: time.sleep(1.2) or Answer())
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert caught.value.code == "timeout"
    assert len(b.calls) == 1
    assert 450 <= b.calls[0].latency_ms < 1100
    assert b.pacer.lanes == 1


def test_an_endless_answer_is_cut_off(bench):
    b = bench(Answer(body=b"x" * 3_000_000), limits=Limits(bytes=1_000_000))
    with pytest.raises(RetryableError) as caught:
        b.read()
    assert caught.value.code == "too_large"
    assert len(b.app.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html><head><title>x</title></head><body><h1>Log in</h1></body></html>",
        b"\xef\xbb\xbf[1]",
        b"<br />\n<b>Notice</b>: Undefined index in <b>/srv/plugin.php</b><br />\n[1]",
        b'[{"id": 1}, {"id"',
        b"[NaN]",
        b"\xff\xfe[1]",
        b"",
    ],
)
def test_anything_but_clean_json_is_an_error_and_nothing_is_used(bench, body):
    b = bench(Answer(body=body))
    with pytest.raises(RetryableError) as read:
        b.read().json()
    assert read.value.code == "not_json"
    with pytest.raises(UnknownOutcomeError) as wrote:
        b.write().json()
    assert wrote.value.code == "not_json"


def test_a_snippet_is_short_text_without_tags_and_secrets(bench):
    page = (
        f"<style>p {{}}</style><p>Hello &amp; <b>bye</b> cs_secret consumer_key=ck_other</p><script>evil()</script>{'x ' * 400}"
    )
    reply = bench(Answer(body=page, content_type=HTML)).read()
    assert reply.snippet().startswith("Hello & bye *** consumer_key=*** x x")
    assert len(reply.snippet()) == 120


# -- writing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        Answer(drop=ConnectionResetError),
        Answer(drop=ConnectionAbortedError),
        Answer(500, "<p>fatal</p>", content_type=HTML),
        Answer(502, "", content_type=HTML),
        Answer(503, "<h1>Error 503 Backend fetch failed</h1>", headers={"Retry-After": "5"}, content_type=HTML),
        Answer(504, "", content_type=HTML),
        Answer(body={"update": []}, cut=4),
    ],
    ids=["reset", "closed", "500", "502", "503 of a proxy", "504", "half a body"],
)
def test_a_write_that_may_have_arrived_is_unknown_and_sent_once(bench, answer):
    b = bench(answer)
    with pytest.raises(UnknownOutcomeError):
        b.write()
    assert len(b.app.requests) == 1
    assert len(b.calls) == 1
    assert b.slept == []


def test_a_write_without_an_answer_in_time_is_unknown(bench):
    b = bench(lambda _request: time.sleep(1.2) or Answer())
    with pytest.raises(UnknownOutcomeError) as caught:
        b.write()
    assert caught.value.code == "timeout"
    assert len(b.app.requests) == 1


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        (Answer(429, "", headers={"Retry-After": "7"}), "rate_limit", 7),
        (Answer(503, {"code": "wp_die", "message": "…"}, headers={"Retry-After": "600"}), "maintenance", 60),
        (Answer(503, "<h1>Down for maintenance</h1>", content_type=HTML), "maintenance", None),
    ],
)
def test_a_write_that_was_turned_away_surely_had_no_effect(bench, answer, code, wait):
    b = bench(answer)
    with pytest.raises(RetryableError) as caught:
        b.write()
    assert (caught.value.code, caught.value.retry_after) == (code, wait)
    assert len(b.app.requests) == 1


def test_a_write_that_found_no_connection_surely_had_no_effect(bench):
    b = bench(Answer())
    with pytest.raises(RetryableError) as caught:
        b.door.write(Ask("POST", f"http://127.0.0.1:{free_port()}/", body=b"{}"))
    assert caught.value.code == "unreachable"
    assert len(b.calls) == 1


def test_a_write_is_never_redirected(bench):
    elsewhere = bench(Answer(body={}))
    b = bench(Answer(307, "", headers={"Location": f"{elsewhere.url}/x"}))
    with pytest.raises(ConfigError):
        b.write()
    assert elsewhere.app.requests == []


def test_a_write_on_a_connection_the_server_has_closed_meanwhile_goes_out_once_on_a_new_one(bench):
    b = bench(Answer(body={}, headers={"Connection": "close"}), Answer(body={"n": 2}))
    b.read()
    time.sleep(0.05)
    assert b.write().json() == {"n": 2}
    assert len(b.app.requests) == 2


# -- addresses -------------------------------------------------------------------------------------------------------


def test_a_redirect_on_the_same_host_is_followed_when_reading(bench):
    b = bench(Answer(301, "", headers={"Location": "/y?a=1"}), Answer(body={"y": 1}))
    assert b.read("/x", a="1").json() == {"y": 1}
    assert [(request.path, request.query) for request in b.app.requests] == [("/x", {"a": "1"}), ("/y", {"a": "1"})]


def test_a_redirect_to_another_host_is_not_followed(bench):
    other = bench(Answer(body={}))
    b = bench(Answer(302, "", headers={"Location": f"{other.url}/x"}))
    with pytest.raises(ConfigError) as caught:
        b.door.read(Ask("GET", f"{b.url}/x", auth=HTTPBasicAuth(*SECRETS)))
    assert caught.value.code == "redirect"
    assert other.app.requests == []


def test_a_redirect_to_https_says_use_https(bench):
    b = bench(lambda request: Answer(301, "", headers={"Location": f"https://{request.headers['Host']}/x"}))
    with pytest.raises(ConfigError) as caught:
        b.read()
    assert caught.value.code == "redirect_https"
    assert caught.value.next_step == f"Use {b.url.replace('http', 'https')} as the shop's address."


def test_a_circle_of_redirects_ends(bench):
    b = bench(Answer(302, "", headers={"Location": "/x"}))
    with pytest.raises(ConfigError, match="circle"):
        b.read()
    assert len(b.app.requests) == 3


def test_a_certificate_is_verified_against_the_given_authority(bench):
    assert bench(Answer(body=[]), tls=True).read().json() == []


def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(bench):
    b = bench(Answer(body=[]), tls=True, ca_file="")
    with pytest.raises(RetryableError) as read:
        b.read()
    assert read.value.code == "tls"
    assert "CA file" in read.value.next_step
    with pytest.raises(RetryableError):
        b.write()
    assert b.app.requests == []


def test_https_on_a_server_that_speaks_http_is_explained(bench):
    b = bench(Answer())
    with pytest.raises(RetryableError, match="does not speak https"):
        b.door.read(Ask("GET", b.url.replace("http:", "https:")))


def test_a_missing_authority_file_is_a_setting_to_correct(bench, tmp_path):
    with pytest.raises(ConfigError) as caught:
        bench(Answer(), ca_file=str(tmp_path / "nowhere.pem")).read()
    assert caught.value.code == "ca_file"


def test_an_authority_file_that_the_operator_has_not_opened_is_not_read(bench):
    b = bench(Answer(), tls=True, folders=Folders())
    with pytest.raises(ConfigError) as caught:
        b.read()
    assert caught.value.code == "folder_not_open"
    assert "Open are: none." in caught.value.message
    assert b.app.requests == []


def test_an_inner_address_is_not_reached_unless_the_operator_allows_it(bench):
    b = bench(Answer(body=[]), allow_private=False)
    with pytest.raises(ConfigError) as caught:
        b.read()
    assert caught.value.code == "address"
    assert b.app.requests == []


def test_a_name_that_turns_inward_after_the_check_is_not_dialled(bench, monkeypatch):
    b = bench(Answer(body=[]), allow_private=False)
    port = int(b.url.rsplit(":", 1)[1])
    answers = ["93.184.216.34", "127.0.0.1"]

    def rebinding(host: str, asked: int, *_args: object, **_kwargs: object) -> list:
        number = answers.pop(0) if host == "shop.example" else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, asked))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    address_check(f"http://shop.example:{port}", allow_private=False)
    with pytest.raises(ConfigError) as caught:
        b.door.read(Ask("GET", f"http://shop.example:{port}/x"))
    assert caught.value.code == "address"
    assert b.app.requests == []


METADATA = ["169.254.169.254", "[fe80::a9fe:a9fe]"]
INNER = "127.0.0.1 10.1.2.3 192.168.0.9 169.254.169.254 100.64.0.1 0.0.0.0 2130706433 [::1] [fd00:ec2::254]"
DISGUISED = "[::ffff:10.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::]"


@pytest.mark.parametrize("host", f"{INNER} {DISGUISED}".split())
def test_loopback_private_and_metadata_addresses_are_refused(host):
    with pytest.raises(ConfigError):
        address_check(f"http://{host}/", allow_private=False)


@pytest.mark.parametrize("host", [*METADATA, "[fe80::1]"])
def test_a_metadata_address_is_refused_even_where_private_ones_are_allowed(host):
    with pytest.raises(ConfigError):
        address_check(f"http://{host}/", allow_private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.0.9"])
def test_a_private_address_is_allowed_by_the_operator(host):
    address_check(f"http://{host}/", allow_private=True)


def test_a_public_address_is_allowed():
    address_check("https://93.184.216.34", allow_private=False)


# -- the log, the sessions -------------------------------------------------------------------------------------------


def test_every_attempt_is_logged_without_secrets(bench):
    b = bench(Answer(502, "no cs_secret here", content_type=HTML), Answer(404, {"code": "x", "message": "gone"}))
    b.read("/wp-json", page="2", consumer_key="ck_secret", consumer_secret="cs_secret", oauth_signature="abc", _fields="id,sku")
    assert [(call.method, call.path, call.status) for call in b.calls] == [
        ("GET", "/wp-json?page=2&_fields=id,sku", 502),
        ("GET", "/wp-json?page=2&_fields=id,sku", 404),
    ]
    assert [call.at for call in b.calls] == [NOW, NOW]
    assert all("secret" not in call.error for call in b.calls)
    assert "***" in b.calls[0].error


def test_the_next_request_finds_the_connection_open_whichever_thread_makes_it(bench, monkeypatch):
    dialled: list[tuple[str, int]] = []
    dial = connection.create_connection

    def counting(address, *args, **kwargs):
        dialled.append(address)
        return dial(address, *args, **kwargs)

    monkeypatch.setattr(connection, "create_connection", counting)
    b = bench(Answer(body=[]))
    for _ in range(3):
        thread = Thread(target=b.read)
        thread.start()
        thread.join()
    assert len(dialled) == 1
    assert len(b.app.requests) == 3


def test_a_netrc_file_and_a_proxy_of_the_machine_change_nothing(bench, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    b = bench(Answer(body=[]))
    b.read()
    assert "Authorization" not in b.app.requests[0].headers


# -- http and https mixed up -------------------------------------------------------------------------------------------


def raw_server(reply: bytes) -> str:
    """An address where each request gets these bytes."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listening:
            for _ in range(4):
                caller, _ = listening.accept()
                with caller:
                    caller.recv(65_536)
                    caller.sendall(reply)
                    caller.shutdown(socket.SHUT_WR)
                    while caller.recv(65_536):  # closed with a body unread, the reply would be lost to a reset
                        pass

    Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/"


APACHE = b"<p>Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />Instead use the HTTPS scheme</p>"
NGINX = b"<center>The plain HTTP request was sent to HTTPS port</center>"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + APACHE,
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + NGINX,
        b"\x15\x03\x01\x00\x02\x02\x46",
    ],
    ids=["Apache", "nginx", "an alert of TLS"],
)
def test_http_at_a_port_that_speaks_https_is_explained_and_nothing_was_sent(bench, reply):
    url = raw_server(reply)
    b = bench(Answer())
    with pytest.raises(RetryableError) as read:
        b.door.read(Ask("GET", url))
    assert (read.value.code, read.value.next_step) == (
        "wants_https",
        "Write https:// in front of the address, and keep the port.",
    )
    assert len(b.calls) == 1
    with pytest.raises(RetryableError) as wrote:
        b.door.write(Ask("POST", url, body=b"{}"))
    assert wrote.value.code == "wants_https"


def test_http_at_a_port_that_only_hangs_up_gets_the_hint_too(bench):
    tls = bench(Answer(), tls=True)
    with pytest.raises(RetryableError) as caught:
        tls.door.read(Ask("GET", tls.url.replace("https:", "http:")))
    assert caught.value.next_step == "If it stays, try https:// in front of the address."


def test_an_expired_certificate_is_refused_named_and_never_passed_over(bench, monkeypatch):
    from sandbox import tls

    monkeypatch.setattr(tls, "VALID_UNTIL", datetime(2021, 1, 1, tzinfo=UTC))
    b = bench(Answer(body=[]), tls=True)
    for ask in (b.door.read, b.door.write):
        with pytest.raises(RetryableError) as caught:
            ask(Ask("GET", b.url))
        assert caught.value.code == "tls"
    assert caught.value.next_step == "The shop's certificate has run out: renew it."
    assert b.app.requests == []
