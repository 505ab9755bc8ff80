"""The database is the one asked for, and set up the way that the ledger counts on."""

import os
import socket

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.utils import ConnectionHandler

from tests.conftest import OutsideNetworkError

needs_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="proves something only on SQLite")


@pytest.mark.django_db
def test_the_suite_runs_on_the_database_it_was_given():
    asked_for = "postgresql" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "sqlite"
    assert connection.vendor == asked_for
    with connection.cursor() as cursor:
        cursor.execute("SELECT 6 * 7")
        assert cursor.fetchone() == (42,)


@pytest.fixture
def shop_file(tmp_path, django_db_blocker):
    """Two connections to one SQLite file with the product's options (the suite's own database is in memory)."""
    options = {**settings.DATABASES["default"]["OPTIONS"], "timeout": 0.05}
    database = {**settings.DATABASES["default"], "NAME": tmp_path / "shop.sqlite3", "OPTIONS": options}
    handler = ConnectionHandler({"default": database, "other": database})
    with django_db_blocker.unblock():
        with handler["default"].cursor() as cursor:
            cursor.execute("CREATE TABLE shelf (units integer)")
        yield handler
        handler.close_all()


@needs_sqlite
def test_sqlite_keeps_a_write_ahead_log(shop_file):
    with shop_file["default"].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (1,)


@needs_sqlite
def test_sqlite_takes_the_write_lock_when_a_transaction_begins(shop_file):
    first, second = shop_file["default"], shop_file["other"]
    first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        with second.cursor() as cursor, pytest.raises(OperationalError, match="database is locked"):
            cursor.execute("INSERT INTO shelf VALUES (1)")
    finally:
        first.rollback()
        first.set_autocommit(True)
    with second.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shelf")
        assert cursor.fetchone() == (0,)


@needs_sqlite
def test_sqlite_lets_readers_read_while_somebody_writes(shop_file):
    writer, reader = shop_file["default"], shop_file["other"]
    writer.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    with writer.cursor() as cursor:
        cursor.execute("INSERT INTO shelf VALUES (1)")
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shelf")
        assert cursor.fetchone() == (0,)
    writer.commit()
    writer.set_autocommit(True)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shelf")
        assert cursor.fetchone() == (1,)


@pytest.mark.postgres
@pytest.mark.django_db
def test_postgres_can_pass_over_locked_rows():
    assert connection.features.has_select_for_update_skip_locked
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int >= 170000")
        assert cursor.fetchone() == (True,)


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("203.0.113.9", 443)])
def test_tests_cannot_reach_another_machine(address):
    with socket.socket() as door:
        door.settimeout(0.1)
        with pytest.raises(OutsideNetworkError, match=address[0]):
            door.connect(address)
        with pytest.raises(OutsideNetworkError, match=address[0]):
            door.connect_ex(address)


def test_tests_can_reach_this_machine():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), timeout=1) as door:
        assert door.getpeername() == server.getsockname()
