"""Case 42: a thousand wrong passwords lead nowhere, and nobody else is kept out by them."""

import logging
import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from backoffice.people.access import client_address
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page

pytestmark = pytest.mark.django_db
LOGIN, ATTEMPTS = "/admin/login/", "/admin/axes/accessattempt/"
WRONG = "not-the-passw0rd"


@pytest.fixture(autouse=True)
def ada() -> User:
    return make.person("ada", "connectors.view_connection")


def log_in(name: str = "ada", password: str = WRONG, *, client: Client | None = None, **headers: str):
    return (client or Client()).post(LOGIN, {"username": name, "password": password}, **headers)


def is_in(answer) -> bool:
    return answer.status_code == 302


def test_a_thousand_wrong_passwords_lock_the_name_out_at_that_address():
    assert [log_in().status_code for _ in range(10)] == [200] * 4 + [429] * 6
    request = RequestFactory().post(LOGIN)  # a page for each would take ten seconds
    assert [authenticate(request, username="ada", password=f"{WRONG}{n}") for n in range(989)] == [None] * 989
    assert authenticate(request, username="ada", password="pw") is None
    assert log_in(password="pw").status_code == 429
    assert AccessAttempt.objects.count() == 1


def test_a_person_locked_out_is_told_what_to_do():
    for _ in range(5):
        answer = log_in()
    html = answer.content.decode()
    assert answer.status_code == 429
    assert "There were 5 wrong passwords for this name. Wait a quarter of an hour, then try again." in html
    assert "Content-Security-Policy" in answer
    assert WRONG not in html
    assert re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", html) == []


def test_the_lock_opens_by_itself_after_a_quarter_of_an_hour_however_often_somebody_tried_meanwhile(clock):
    for _ in range(5):
        log_in()
    clock.shift(timedelta(minutes=14))
    assert log_in(password="pw").status_code == 429
    clock.shift(timedelta(minutes=1, seconds=1))
    assert is_in(log_in(password="pw"))


def test_a_stranger_elsewhere_locks_neither_the_manager_nor_a_colleague_out():
    for _ in range(10):
        log_in(REMOTE_ADDR="203.0.113.9")
    make.person("bob")
    assert is_in(log_in(password="pw"))
    assert is_in(log_in("bob", "pw", REMOTE_ADDR="203.0.113.9"))


def test_the_right_password_makes_earlier_mistakes_forgotten():
    for _ in range(3):
        for _ in range(4):
            assert log_in().status_code == 200
        assert is_in(log_in(password="pw"))


def test_a_name_nobody_has_is_answered_like_one_somebody_has():
    known, unknown = ([log_in(name).status_code for _ in range(6)] for name in ("ada", "nobody"))
    assert known == unknown


def test_an_administrator_lets_somebody_in_again_at_once(admin_client):
    for _ in range(5):
        log_in()
    assert "Locked out" in page(admin_client, ATTEMPTS)
    row = AccessAttempt.objects.get()
    page(admin_client, f"{ATTEMPTS}{row.pk}/change/")
    assert admin_client.post(f"{ATTEMPTS}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert is_in(log_in(password="pw"))


def test_who_may_only_look_unlocks_nobody(client):
    for _ in range(5):
        log_in()
    row = AccessAttempt.objects.get()
    client.force_login(make.person("viewer", "axes.view_accessattempt"))
    page(client, ATTEMPTS)
    assert client.post(f"{ATTEMPTS}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(ATTEMPTS, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}).status_code == 403
    assert log_in(password="pw").status_code == 429


def test_neither_table_nor_log_keeps_the_password_that_was_tried(caplog):
    with caplog.at_level(logging.DEBUG):
        for _ in range(6):
            log_in()
        log_in("bob", "pw-of-bob-Secret1", headers={"User-Agent": EVIL})
    told = str(list(AccessAttempt.objects.values())) + caplog.text
    assert "ada" in told
    assert WRONG not in told
    assert "pw-of-bob-Secret1" not in told


def test_what_an_attacker_typed_is_shown_as_text(admin_client):
    log_in(EVIL, headers={"User-Agent": EVIL})
    html = page(admin_client, ATTEMPTS)
    assert "&lt;script&gt;" in html
    for link in filter_links(html):
        page(admin_client, ATTEMPTS + link.replace("&amp;", "&"))
    page(admin_client, f"{ATTEMPTS}{AccessAttempt.objects.get().pk}/change/")


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9, 10.0.0.8", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),
    ],
)
def test_the_address_is_what_our_own_proxies_wrote_down_and_not_what_a_client_claims(settings, proxies, header, address):
    settings.EVENSTOCK_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    assert client_address(request) == address


def test_a_made_up_header_does_not_open_the_lock(settings):
    settings.EVENSTOCK_PROXIES = 1
    for n in range(8):
        answer = log_in(HTTP_X_FORWARDED_FOR=f"198.51.100.{n}, 203.0.113.9")
    assert answer.status_code == 429
