"""`connect` on a shop that works: it tests before it saves, and changes only what it was asked to (found/wire.md, I7, I3)."""

import pytest

from connectors.models import ApiCall, Connection, ConnectionCheck
from connectors.services import connection_save
from sandbox.server import serve
from sandbox.till import TillApp
from tests.clock import dated
from tests.sync.shop import csv_bytes, stocked
from tests.sync.test_sync_commands import command

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "exports"
    made.mkdir()
    export = made / "stock.csv"
    export.write_bytes(csv_bytes([("A", "Pot", 5)]))
    dated(export)
    return made


@pytest.fixture
def till(folder) -> Connection:
    code, said = command("connect", "pos_csv", "--folder", folder, "--set", "stable_seconds=0")
    assert code == 0, said
    return Connection.objects.get()


def kept(connection: Connection) -> dict:
    return Connection.objects.filter(pk=connection.pk).values().get()


def test_a_second_till_with_the_default_name_does_not_overwrite_the_first(till, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    before, history = kept(till), till.history.count()
    for words in (("--folder", other), ("--folder", tmp_path / "nowhere"), ()):
        code, said = command("connect", "pos_csv", *words)
        assert code == 1
        assert "“till” is connected already (Till by CSV files). Nothing was changed." in said
        assert "add --replace" in said
        assert "To connect another till, name it: --name NAME." in said
    assert (kept(till), till.history.count()) == (before, history)
    assert command("connect", "pos_csv", "--name", "till-2", "--folder", other)[0] == 0
    assert kept(till) == before


def test_a_mistyped_folder_is_not_saved_over_a_till_that_works(till, tmp_path):
    before, check, history = kept(till), ConnectionCheck.objects.values().get(), till.history.count()
    code, said = command("connect", "pos_csv", "--replace", "--folder", tmp_path / "nowhere")
    assert code == 1
    assert "✗ There is no folder" in said
    assert "“till”: it does not work like this: nothing was saved, and nothing changed." in said
    assert "Saved" not in said
    assert (kept(till), ConnectionCheck.objects.values().get(), till.history.count()) == (before, check, history)


def test_replace_changes_what_is_named_and_keeps_the_rest(till, folder):
    code, said = command("connect", "pos_csv", "--replace", "--set", "keep_days=30", "--currency", "EUR")
    assert code == 0, said
    assert "Saved “till” (Till by CSV files, live)." in said
    till.refresh_from_db()
    assert till.settings == {"folder": str(folder), "stable_seconds": "0", "keep_days": "30"}
    assert (till.mode, till.currency) == ("live", "EUR")
    assert till.check_made.is_of_now


def test_replace_makes_what_is_not_there_yet(folder, db):
    code, said = command("connect", "pos_csv", "--replace", "--folder", folder)
    assert code == 0, said
    assert Connection.objects.get().name == "till"


def test_a_run_that_has_its_turn_meanwhile_keeps_it(till, monkeypatch):
    """Saving a change must not write back the lease as it was before the test."""
    from connectors import services

    asked = services.connection_open

    def slow(**given):
        Connection.objects.filter(pk=till.pk).update(lease_owner="worker-1", lease_epoch=7)
        return asked(**given)

    monkeypatch.setattr(services, "connection_open", slow)
    assert command("connect", "pos_csv", "--replace", "--set", "keep_days=30", "--no-read")[0] == 0
    till.refresh_from_db()
    assert (till.lease_owner, till.lease_epoch, till.settings["keep_days"]) == ("worker-1", 7, "30")


def test_going_live_waits_for_a_good_test_and_stopping_does_not(till, folder):
    folder.rename(folder.with_name("unplugged"))
    code, said = command("connect", "pos_csv", "--replace", "--mode", "observe")
    assert code == 1
    assert "Saved “till” (Till by CSV files, observe)." in said
    assert "“till”: it does not work now." in said
    assert kept(till)["mode"] == "observe"
    code, said = command("connect", "pos_csv", "--replace", "--mode", "live")
    assert code == 1
    assert "nothing was saved" in said
    assert kept(till)["mode"] == "observe"


# -- another address asks for the token again -------------------------------------------------------------------------------


@pytest.fixture
def thief():
    app = TillApp(token="the-thief-takes-any")
    stocked(app, {"A": 1})
    server = serve(app)
    app.url = server.url
    yield app
    server.stop()


def test_another_address_without_the_token_is_refused_and_nobody_is_asked(thief):
    url = {"url": "https://till.example"}
    counter = connection_save(name="counter", kind="rest_pos", settings_given=url, credentials={"token": "ours"}, mode="live")
    before = kept(counter)
    code, said = command("connect", "rest_pos", "--name", "counter", "--replace", "--url", thief.url)
    assert code == 1
    assert "“Till's address” changed, and what is kept is never sent to a place that it was not typed in for." in said
    assert "Give these again: Token." in said
    assert kept(counter) == before
    assert thief.requests == []
    assert ApiCall.objects.count() == 0


def test_another_address_with_its_token_is_saved_with_who_it_was(thief, caplog, monkeypatch):
    url = {"url": "https://till.example"}
    counter = connection_save(name="counter", kind="rest_pos", settings_given=url, credentials={"token": "ours"}, mode="live")
    monkeypatch.setattr("backoffice.management.commands.connect.getuser", lambda: "anna")
    words = ("--url", thief.url, "--secret", thief.token)
    code, said = command("connect", "rest_pos", "--name", "counter", "--replace", *words, "--no-read")
    assert code == 0, said
    counter.refresh_from_db()
    assert (counter.settings, counter.credentials) == ({"url": thief.url}, {"token": thief.token})
    assert "“Till's address” changed, by the connect command, run by anna" in caplog.text


def test_requests_of_a_test_that_failed_are_noted_where_they_went_to_the_same_till(thief):
    """It may have asked for peace. Those to another system are not among what this one was asked."""
    counter = connection_save(
        name="counter", kind="rest_pos", settings_given={"url": thief.url}, credentials={"token": thief.token}, mode="live"
    )
    before = kept(counter)
    words = ("connect", "rest_pos", "--name", "counter", "--replace")
    assert command(*words, "--secret", "wrong")[0] == 1
    assert [(call.connection, call.status) for call in ApiCall.objects.all()] == [(counter, 401)]
    assert command(*words, "--secret", "wrong", "--url", thief.url.replace("127.0.0.1", "localhost"))[0] == 1
    assert ApiCall.objects.count() == 1
    assert kept(counter) == before
