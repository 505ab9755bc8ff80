"""The migrated, empty database that a run of tests begins with: made once for these migrations, then copied."""

import fcntl
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[1]


def _mark() -> str:
    """Result: changes with any migration, model, setting, or version of Django."""
    said = hashlib.sha256(django.__version__.encode())
    apps = [folder for folder in sorted(ROOT.iterdir()) if (folder / "__init__.py").is_file()]
    for path in (path for app in apps for path in sorted(app.rglob("*.py"))):
        if "migrations" in path.parts or "models" in path.parts or path.stem in {"models", "roles", "base", "apps"}:
            said.update(path.read_bytes())
    return said.hexdigest()[:20]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process at a time."""
    with Path(tempfile.gettempdir(), f"{name}.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def database_made() -> Iterator[None]:
    """A test database for as long as this lasts. Its name is taken from the settings, as Django does."""
    name = connection.settings_dict["NAME"]
    make = _sqlite if connection.vendor == "sqlite" else _postgres
    make(f"evenstock-migrated-{os.getuid()}-{_mark()}")
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _migrate() -> None:
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)


def _use(test_name: str) -> Any:
    """Have Django use a database that is there already."""
    connection.close()
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = test_name
    connection.ensure_connection()
    return connection.connection


def _sqlite(mark: str) -> None:
    kept = Path(tempfile.gettempdir(), f"{mark}.sqlite3")
    with _alone(mark):
        if not kept.exists():
            _migrate()
            fresh = kept.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            connection.ensure_connection()
            with sqlite3.connect(fresh) as copy:
                connection.connection.backup(copy)
            fresh.rename(kept)
            return
    with sqlite3.connect(kept) as source:
        source.backup(_use(connection.creation._create_test_db(verbosity=0, autoclobber=True)))


def _postgres(mark: str) -> None:
    template, name = mark.replace("-", "_"), connection.creation._get_test_db_name()
    quote = connection.ops.quote_name
    with _alone(mark), connection.creation._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if cursor.fetchone() is None:
            _migrate()
            connection.close()
            cursor.execute(f"CREATE DATABASE {quote(template)} TEMPLATE {quote(name)}")
        else:
            cursor.execute(f"DROP DATABASE IF EXISTS {quote(name)}")
            cursor.execute(f"CREATE DATABASE {quote(name)} TEMPLATE {quote(template)}")
    _use(name)
