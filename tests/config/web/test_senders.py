"""found/wire.md S4: who may send how much. Before login nobody uploads anything, also where no proxy stands before us."""

import pytest
from django.conf import settings
from django.test import Client

from config.web.body import Bounds
from config.web.senders import may_send

WEBHOOK, UPLOAD = 2 * 1024 * 1024, 21 * 1024 * 1024


def asked(path: str, cookie: str = "") -> int:
    return may_send({"PATH_INFO": path, "HTTP_COOKIE": cookie})


@pytest.fixture
def logged_in(admin_user) -> str:
    """Result: the cookie of somebody who is logged in."""
    client = Client()
    client.force_login(admin_user)
    return f"csrftoken=x; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "sessionid=",
        "sessionid=made-up",
        "sessionid=madeup0123456789",
        'sessionid="aaaaaaaa\\000"',
        "sessionid=\x00\xff",
        "garbage;;=;",
    ],
)
def test_a_stranger_may_send_nothing_above_what_anyone_may(cookie):
    assert asked("/admin/login/", cookie) == 0
    assert Bounds().anyone == 65_536


@pytest.mark.django_db
def test_a_session_in_which_nobody_is_logged_in_may_send_nothing():
    session = Client().session
    session["visited"] = True
    session.save()
    assert asked("/admin/login/", f"sessionid={session.session_key}") == 0


def test_who_is_logged_in_may_upload(logged_in):
    assert asked("/admin/alignment/alignment/import/", logged_in) == UPLOAD
    Client().logout()


def test_a_login_that_has_ended_uploads_nothing(logged_in):
    key = logged_in.rpartition("=")[2]
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    client.logout()
    assert asked("/admin/alignment/alignment/import/", logged_in) == 0


@pytest.mark.parametrize("path", ["/webhooks/woocommerce/store/", "/webhook/order", "/webhook/order/"])
def test_a_webhook_needs_no_login(path):
    assert asked(path) == WEBHOOK


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/webhooked", "/admin/webhook/order", "//webhook/order", "/webhook"])
def test_what_only_looks_like_a_webhook_does(path):
    assert asked(path) == 0
