"""After a load of many rows Postgres is told, so that what a person opens next does not take minutes."""

import pytest
from django.db import connection

from inventory.models import Item
from kit.statistics import MANY, statistics_refresh
from tests import factories


def known_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [Item._meta.db_table])
        return int(cursor.fetchone()[0])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite plans without figures: run `make test-postgres`")
@pytest.mark.django_db
def test_tables_are_counted_anew_after_a_load_and_not_after_a_few_rows():
    factories.items(factories.pos_connection(), [(f"S{n}", f"Thing {n}", "") for n in range(MANY)])
    before = known_rows()
    statistics_refresh(Item, rows=MANY - 1)
    assert known_rows() == before != MANY
    statistics_refresh(Item, rows=MANY)
    assert known_rows() == MANY


@pytest.mark.skipif(connection.vendor == "postgresql", reason="SQLite's half: run `make test`")
@pytest.mark.django_db
def test_sqlite_is_left_alone(django_assert_num_queries):
    with django_assert_num_queries(0):
        statistics_refresh(Item, rows=MANY)
