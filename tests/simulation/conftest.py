"""The simulation runs on SQLite: what only Postgres can prove (locks) has tests of its own, and its worlds take minutes there."""

import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def on_sqlite() -> None:
    """Skip on Postgres, and say so."""
    if connection.vendor != "sqlite":
        pytest.skip("the simulation's worlds are timed for SQLite: run make test, or make simulate")
