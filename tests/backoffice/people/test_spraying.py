"""Case 42: many names tried from one address, and many tries at once."""

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from tests import factories as make
from tests.admin_pages import page

LOGIN, ATTEMPTS = "/admin/login/", "/admin/axes/accessattempt/"
WRONG = "not-the-passw0rd"


@pytest.fixture(autouse=True)
def people(db) -> None:
    make.person("ada")
    make.person("mallory")


def log_in(name: str = "ada", password: str = WRONG, **headers: str) -> int:
    return Client().post(LOGIN, {"username": name, "password": password}, **headers).status_code


def spray(names: int, **headers: str) -> list[int]:
    return [log_in(f"name-{n}", **headers) for n in range(names)]


def counted() -> dict[str, int]:
    return dict(AccessAttempt.objects.values_list("username", "failures_since_start"))


def test_the_twentieth_wrong_password_from_an_address_makes_it_rest_whatever_the_names():
    assert spray(25) == [200] * 19 + [429] * 6
    assert sum(counted().values()) == 20
    assert log_in(password="pw") == 429
    assert log_in(password="pw", REMOTE_ADDR="203.0.113.9") == 302


def test_mixed_patterns_get_no_further():
    answers = [log_in(f"name-{n}") for n in range(9) for _ in range(4)]
    assert answers.count(200) == 19
    assert sum(counted().values()) == 20


def test_a_network_of_ipv6_is_one_address_and_the_next_one_is_another():
    answers = [log_in(f"name-{n}", REMOTE_ADDR=f"2001:db8:1:2::{n:x}") for n in range(25)]
    assert answers == [200] * 19 + [429] * 6
    assert log_in(password="pw", REMOTE_ADDR="2001:db8:1:2:ffff:ffff:ffff:ffff") == 429
    assert log_in(password="pw", REMOTE_ADDR="2001:db8:1:3::1") == 302
    assert [log_in("mallory", REMOTE_ADDR=f"2001:db8:9::{n:x}") for n in range(6)] == [200] * 4 + [429] * 2


def test_one_who_types_wrongly_keeps_no_colleague_out_however_long():
    answers = [log_in("mallory", HTTP_USER_AGENT=f"browser {n % 7}") for n in range(60)]
    assert answers == [200] * 4 + [429] * 56
    assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 5
    assert log_in(password="pw") == 302


def test_a_login_of_ones_own_resets_nobody_elses_count():
    answers = []
    for n in range(25):
        answers.append(log_in(f"name-{n}"))
        answers.append(log_in("mallory", "pw"))
    assert answers == [200, 302] * 19 + [429, 429] * 6
    assert "mallory" not in counted()


def test_an_address_that_waited_may_try_again_and_the_lock_is_no_longer_than_told(clock):
    spray(20)
    clock.shift(timedelta(minutes=14))
    assert log_in(password="pw") == 429
    clock.shift(timedelta(minutes=1, seconds=1))
    assert log_in(password="pw") == 302


def test_whoever_waits_for_the_address_is_told_so_and_whoever_waits_for_a_name_that():
    spray(20)
    answer = Client().post(LOGIN, {"username": "ada", "password": "pw"})
    html = answer.content.decode()
    assert answer.status_code == 429
    assert "There were 20 wrong passwords from your address, for several names. Wait a quarter of an hour" in html
    assert "wrong passwords for this name" not in html
    assert re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)", html) == []
    for _ in range(5):
        log_in("mallory", REMOTE_ADDR="203.0.113.9")
    told = Client().post(LOGIN, {"username": "mallory", "password": "pw"}, REMOTE_ADDR="203.0.113.9").content.decode()
    assert "There were 5 wrong passwords for this name." in told
    assert "from your address" not in told


def test_an_administrator_sees_which_address_rests_and_lets_it_in_again(admin_client):
    spray(20, REMOTE_ADDR="2001:db8:1:2::1")
    log_in(REMOTE_ADDR="203.0.113.9")
    html = page(admin_client, ATTEMPTS)
    assert html.count("Address locked out") == 20
    assert html.count("May try again") == 1
    assert "2001:db8:1:2::/64" in html
    for row in AccessAttempt.objects.filter(username__in=["name-0", "name-1"]):
        page(admin_client, f"{ATTEMPTS}{row.pk}/change/")
        assert admin_client.post(f"{ATTEMPTS}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert log_in(password="pw", REMOTE_ADDR="2001:db8:1:2::9") == 302
    assert "Address locked out" not in page(admin_client, ATTEMPTS)


def test_the_state_of_a_name_is_over_all_its_browsers(admin_client):
    for n in range(5):
        log_in(HTTP_USER_AGENT=f"browser {n}")
    assert page(admin_client, ATTEMPTS).count("Locked out") == 5


# -- at once -------------------------------------------------------------------------------------------------------


def begun(name: str = "ada") -> bool:
    """A try whose password is still being looked at: may it be?"""
    return AxesProxyHandler.is_allowed(RequestFactory().post(LOGIN), {"username": name, "password": WRONG})


def test_of_thirty_tries_at_once_no_more_are_let_through_than_one_after_another():
    assert [begun() for _ in range(30)] == [True] * 5 + [False] * 25
    assert counted() == {"ada": 5}


def test_of_thirty_names_at_once_no_more_are_let_through_than_one_after_another():
    assert [begun(f"name-{n}") for n in range(30)] == [True] * 20 + [False] * 10
    assert sum(counted().values()) == 20


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_thirty_browsers_that_send_a_password_at_the_same_moment_get_no_more_than_five_tries():
    ready, answers = Barrier(30), []

    def send() -> None:
        ready.wait(30)
        try:
            answers.append(log_in())
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 30
    assert answers.count(200) <= 4  # the fifth is told to wait
    assert 1 <= sum(counted().values()) <= 5


# -- what a right password leaves ------------------------------------------------------------------------------------


def test_a_right_password_leaves_nothing_counted_even_where_it_logs_nobody_in():
    make.person("no-staff")
    User.objects.filter(username="no-staff").update(is_staff=False)
    assert [log_in("no-staff", "pw") for _ in range(8)] == [200] * 8
    assert counted() == {}
    log_in("no-staff")
    assert [log_in("no-staff", "pw") for _ in range(8)] == [200] * 8
    assert counted() == {"no-staff": 1}


def test_an_old_mistake_is_not_added_to_a_new_one(clock):
    for _ in range(4):
        log_in()
    clock.shift(timedelta(minutes=16))
    assert [log_in() for _ in range(4)] == [200] * 4
    assert counted() == {"ada": 4}


def test_a_try_that_an_error_cut_off_stays_counted(monkeypatch):
    monkeypatch.setattr("django.contrib.auth.models.User.check_password", lambda *_: 1 / 0)
    client = Client(raise_request_exception=False)
    assert [client.post(LOGIN, {"username": "ada", "password": "x"}).status_code for _ in range(6)] == [500] * 5 + [429]


def test_a_wrong_password_leaves_a_line_with_who_and_from_where(caplog):
    log_in("ada\nforged", REMOTE_ADDR="2001:db8::9")
    said = [record.getMessage() for record in caplog.records if record.name == "evenstock.audit"]
    assert said == [r"A wrong password: for 'ada\nforged', from 2001:db8::9"]
    assert WRONG not in caplog.text


def test_asking_again_with_the_same_request_is_answered_the_same():
    request = RequestFactory().post(LOGIN)
    assert [authenticate(request, username="ada", password=WRONG) for _ in range(30)] == [None] * 30
    assert authenticate(request, username="ada", password="pw") is None
    assert counted() == {"ada": 5}
    assert AccessAttempt.objects.get().attempt_time == timezone.now()
