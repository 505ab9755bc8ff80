"""Cases 39 and 40: every address there is, as a stranger, as the least of the staff, and with markup in every row."""

import re

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.test import Client

from tests import factories as make
from tests.admin_pages import EVIL
from tests.reliability.addresses import every_address
from tests.reliability.rows import every_row

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
# Open to anybody, and why: each says only what a stranger may know.
OPEN = {
    "/": "leads to the admin",
    "/healthz": "tells that it answers",
    LOGIN: "the way in",
    "/admin/logout/": "the way out",
    "/admin/nowhere": "leads to the login",
}
INLINE = re.compile(r"<script(?![^>]*(?:\ssrc=|application/json))[^>]*>")
THEIRS = {'<script id="periodic-task-overrides">'}  # of django-celery-beat's form, which works without it
SIGNED = {"/webhook/order/", "/webhooks/woocommerce/shop/"}  # let nobody in without a signature
# Open to whoever is logged in.
OWN = {*OPEN, "/admin/", "/admin/password_change/", "/admin/password_change/done/", "/admin/jsi18n/"}


@pytest.fixture
def rows(db):
    return every_row()


@pytest.fixture
def addresses(rows) -> list[str]:
    found = every_address(rows)
    assert len(found) > 150
    assert {"/admin/connectors/connection/add/", "/healthz", *SIGNED} <= set(found)
    return found


def everything() -> dict[str, list[tuple]]:
    """All rows of all tables but sessions: what must not have changed."""
    return {
        model._meta.label: sorted(map(repr, model._default_manager.values_list()))
        for model in apps.get_models(include_auto_created=True)
        if model is not Session
    }


def asked(client: Client, address: str) -> list[tuple[int, str]]:
    """(status, where to) of a look and of a post with what forms and actions send."""
    posted = {"post": "yes", "action": "delete_selected", "_selected_action": "1", "name": "taken", "reason": "because"}
    answers = [client.get(address), client.post(address, posted)]
    return [(answer.status_code, answer.get("Location", "").split("?")[0]) for answer in answers]


def test_a_stranger_gets_no_further_than_the_login_and_changes_nothing(addresses):
    before = everything()
    for address in addresses:
        client = Client(raise_request_exception=False)
        if address in OPEN:
            continue
        for status, to in asked(client, address):
            if address in SIGNED:
                assert status in (401, 405, 415), (address, status)
            else:
                assert status in (401, 403) or (status, to) == (302, LOGIN), (address, status, to)
    assert everything() == before


def test_staff_without_any_permission_sees_nothing_and_changes_nothing(addresses):
    client = Client(raise_request_exception=False)
    client.force_login(make.person("newcomer"))
    before = everything()
    let_in = set()
    for address in addresses:
        if address in OWN | SIGNED:
            continue
        for verb, (status, to) in zip(("GET", "POST"), asked(client, address), strict=True):
            # 302 within the admin: a row's bare address leads to its page; 405: only the other verb is answered.
            if status not in (401, 403, 404, 405) and not (status == 302 and to.startswith("/admin/")):
                let_in.add((verb, address, status))
    assert let_in == set()
    after = everything()
    refusals = set(after.pop("admin.LogEntry")) - set(before.pop("admin.LogEntry"))
    assert after == before
    assert len(refusals) > 50  # each post that was refused left its line


def test_whatever_stands_in_a_row_is_text_on_every_page(addresses, admin_client):
    escaped = 0
    for address in addresses:
        answer = admin_client.get(address, follow=True)
        if "text/html" not in answer.get("Content-Type", ""):
            continue
        html = answer.content.decode()
        assert answer.status_code in (200, 403, 404, 405), (address, answer.status_code)
        assert EVIL not in html, address
        assert set(INLINE.findall(html)) <= THEIRS, address
        escaped += "&lt;script&gt;" in html
    assert escaped > 50


def test_every_page_carries_the_policy_that_blocks_what_slips_through(addresses, admin_client):
    for client in (Client(), admin_client):
        for address in addresses:
            answer = client.get(address)
            policy = answer.get("Content-Security-Policy", "")
            assert "default-src 'self'" in policy, address
            assert "unsafe" not in policy, address
            assert answer["X-Frame-Options"] == "DENY", address
            assert answer["X-Content-Type-Options"] == "nosniff", address
