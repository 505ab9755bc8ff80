"""A kept secret goes only where it was typed in for (found/wire.md, I3): the rule, and every way of changing a connection."""

import logging
from datetime import datetime

import pytest
from django.contrib.admin.models import LogEntry

from alerts.channels.settings import WebhookSecrets, WebhookSettings
from connectors.errors import ConfigError
from connectors.models import Connection
from connectors.rest_pos.settings import RestPosCredentials, RestPosSettings
from connectors.services import connection_check, connection_save, connection_settings_change
from connectors.settings.origins import Fields
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from sandbox.server import serve
from sandbox.till import TillApp
from tests.conftest import NOW
from tests.sync.shop import stocked

TILL = Fields(RestPosSettings, RestPosCredentials)
STORE = Fields(WooCommerceSettings, WooCommerceCredentials)
CHANNEL = Fields(WebhookSettings, WebhookSecrets)
TOKEN = {"token": "a-token-of-its-own"}


def asked(before: str, after: str) -> bool:
    return bool(TILL.kept(before={"url": before}, secrets=TOKEN, after={"url": after}, typed={}).asked)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://till.example", "https://till.example/"),
        ("https://till.example", "https://TILL.Example"),
        ("https://till.example", "HTTPS://till.example:443"),
        ("http://till.example:80", "http://till.example"),
        ("http://till.example", "https://till.example"),  # the same one, and nobody on the way can read along any more
        ("http://till.example:8080", "https://till.example:8080"),
        ("https://till.example/api", "https://till.example/api/"),
    ],
)
def test_the_same_place_keeps_its_secrets(before, after):
    assert not asked(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("https://till.example", "https://evil.example"),
        ("https://till.example", "https://till.example.evil.example"),
        ("https://till.example", "https://till.example:8443"),
        ("https://till.example", "http://till.example"),  # everybody on the way could read along
        ("https://till.example", "http://till.example:443"),
        ("http://till.example:8080", "https://till.example"),
        ("http://till.example", "https://till.example:8443"),
        ("https://till.example/anna", "https://till.example/mallory"),
        ("https://till.example", "https://till.example\\@evil.example"),
        ("https://till.example", "https://till.example@evil.example"),
        ("https://till.example", "https://till.example:no"),
        ("https://till.example", "till.example"),
        ("https://till.example", ""),
    ],
)
def test_another_place_asks_for_them_again(before, after):
    assert asked(before, after)


@pytest.mark.parametrize(("before", "after"), [("", "ours.pem"), ("ours.pem", ""), ("ours.pem", "theirs.pem")])
def test_another_authority_asks_too_since_it_vouches_for_the_place(before, after):
    url = {"url": "https://till.example"}
    kept = TILL.kept(before={**url, "ca_file": before}, secrets=TOKEN, after={**url, "ca_file": after}, typed={})
    assert (kept.moved, kept.asked) == (("ca_file",), ("token",))


def test_what_says_nothing_about_the_place_asks_for_nothing():
    url = {"url": "https://till.example"}
    kept = TILL.kept(before=url, secrets=TOKEN, after={**url, "ca_file": "", "lanes": 1, "read_timeout": 5}, typed={})
    assert (kept.secrets, kept.moved, kept.asked) == (TOKEN, (), ())


def test_what_was_typed_counts_and_only_the_rest_is_asked_for():
    old = {"consumer_key": "ck_old", "consumer_secret": "cs_old", "webhook_secret": "made-by-ourselves"}
    moves = {"before": {"url": "https://a.example"}, "after": {"url": "https://b.example"}, "secrets": old}
    half = STORE.kept(**moves, typed={"consumer_key": "ck_new"})
    assert half.asked == ("consumer_secret",)
    whole = STORE.kept(**moves, typed={"consumer_key": "ck_new", "consumer_secret": "cs_new"})
    assert whole.asked == ()
    assert whole.secrets == {"consumer_key": "ck_new", "consumer_secret": "cs_new"}  # our own is made anew for the new shop


def test_a_secret_address_that_changes_asks_for_the_secrets_beside_it():
    old = {"url": "https://hooks.example/a", "secret": "s3cret"}
    kept = CHANNEL.kept(before={}, secrets=old, after={}, typed={"url": "https://evil.example/a"})
    assert (kept.moved, kept.asked) == (("url",), ("secret",))
    assert CHANNEL.kept(before={}, secrets=old, after={}, typed={"url": "https://HOOKS.example/a"}).asked == ()
    assert CHANNEL.kept(before={}, secrets=old, after={"ca_file": "x.pem"}, typed={}).asked == ("url", "secret")


# -- a till with a token, and somebody else's server ------------------------------------------------------------------------

FORM = {
    "name": "counter", "mode": "observe", "is_active": "on", "time_zone": "UTC", "currency": "", "guard_zero_percent": "10",
    "guard_shrink_percent": "20", "credential__token": "",
}  # fmt: skip


@pytest.fixture
def thief():
    app = TillApp()
    stocked(app, {"A": 1})
    server = serve(app)
    app.url = server.url
    yield app
    server.stop()


@pytest.fixture
def till(db) -> Connection:
    url = {"url": "https://till.example"}
    return connection_save(name="counter", kind="rest_pos", settings_given=url, credentials=TOKEN, mode="observe")


def change_of(till: Connection) -> str:
    return f"/admin/connectors/connection/{till.pk}/change/"


def test_a_form_with_another_address_and_no_token_is_refused_and_the_token_goes_nowhere(till, thief, admin_client):
    page = admin_client.post(change_of(till), {**FORM, "setting__url": thief.url}).content.decode()
    assert "Type it again: “Till&#x27;s address” changed, and what is kept is never sent" in page
    assert TOKEN["token"] not in page
    admin_client.post(f"/admin/connectors/connection/{till.pk}/test/")
    admin_client.post(f"/admin/setup/{till.pk}/")
    till.refresh_from_db()
    assert (till.settings, till.credentials) == ({"url": "https://till.example"}, TOKEN)
    assert thief.requests == []


def test_a_form_with_both_is_saved_and_says_who_it_was(till, thief, admin_client, caplog):
    with caplog.at_level(logging.WARNING, logger="evenstock.audit"):
        answer = admin_client.post(change_of(till), {**FORM, "setting__url": thief.url, "credential__token": "a-new-one"})
    assert answer.status_code == 302
    till.refresh_from_db()
    assert (till.settings, till.credentials) == ({"url": thief.url}, {"token": "a-new-one"})
    assert till.history.first().history_user.username == "admin"
    assert [one.settings for one in till.history.all()] == [{"url": thief.url}, {"url": "https://till.example"}]
    assert LogEntry.objects.get().get_change_message().startswith("Changed Till's address, Token")
    said = "Secrets of “counter” go elsewhere from now on: “Till's address” changed, by admin"
    assert [line.getMessage() for line in caplog.records if line.name == "evenstock.audit"] == [said]


def test_a_form_that_leaves_the_address_keeps_the_token_and_says_nothing(till, admin_client, caplog):
    same = {**FORM, "setting__url": "https://TILL.example/", "setting__lanes": "1"}
    with caplog.at_level(logging.WARNING, logger="evenstock.audit"):
        assert admin_client.post(change_of(till), same).status_code == 302
    till.refresh_from_db()
    assert (till.credentials, till.settings["lanes"]) == (TOKEN, 1)
    assert [line for line in caplog.records if line.name == "evenstock.audit"] == []


def test_the_service_behind_commands_refuses_it_and_saves_nothing(till):
    with pytest.raises(ConfigError) as refused:
        connection_save(name="counter", kind="rest_pos", settings_given={"url": "https://evil.example"}, credentials={}, mode="")
    assert refused.value.code == "type_again"
    assert refused.value.next_step == "Give these again: Token."
    till.refresh_from_db()
    assert till.settings == {"url": "https://till.example"}


def test_a_change_of_settings_alone_refuses_it_and_saves_nothing(till):
    with pytest.raises(ConfigError, match="Nothing was saved"):
        connection_settings_change(connection=till, changes={"url": "https://evil.example", "lanes": 1})
    assert (till.settings, till.credentials) == ({"url": "https://till.example"}, TOKEN)
    till.refresh_from_db()
    assert (till.settings, till.credentials) == ({"url": "https://till.example"}, TOKEN)
    connection_settings_change(connection=till, changes={"lanes": 1})
    till.refresh_from_db()
    assert (till.settings, till.credentials) == ({"url": "https://till.example", "lanes": 1}, TOKEN)


def test_a_test_that_ends_after_the_address_was_changed_does_not_bring_the_old_one_back(till, thief):
    """A slow server under test must not get, with the next sync, what was typed for another."""
    given = {"name": "counter", "kind": "rest_pos", "mode": ""}
    connection_save(**given, settings_given={"url": thief.url}, credentials={"token": thief.token})
    tested = Connection.objects.get(pk=till.pk)

    def now() -> datetime:
        if not Connection.objects.filter(settings__url="https://new.example").exists():
            connection_save(**given, settings_given={"url": "https://new.example"}, credentials={"token": "typed"})
        return NOW

    assert connection_check(connection=tested, now=now).facts == {"locations": "Main"}
    till.refresh_from_db()
    assert (till.settings, till.credentials) == ({"url": "https://new.example"}, {"token": "typed"})
    assert till.facts == {}
    assert not till.check_made.is_of_now
