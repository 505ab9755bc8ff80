"""A shop's rows as an older version left them, and how a database comes to hold them."""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Model

Row = dict[str, Any]
HERE = Path(__file__).parent
MADE = HERE / "made_by_0208330.json.gz"
TWO_TILLS = HERE / "two_tills_by_0208330.json.gz"


@dataclass(frozen=True)
class Old:
    """A database in plain values: numbers that are exact and moments are text, as `make_fixture.py` wrote them."""

    heads: list[tuple[str, str]]
    tables: dict[str, list[Row]]

    @classmethod
    @cache
    def read(cls, path: Path = MADE) -> Self:
        said = json.loads(gzip.decompress(path.read_bytes()))
        tables = {
            name: [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
            for name, table in said["tables"].items()
        }
        return cls([tuple(head) for head in said["heads"]], tables)

    def rows(self, table: str) -> list[Row]:
        return self.tables.get(table, [])

    def named(self, table: str, column: str) -> dict[int, Any]:
        """Result: one column by key."""
        return {row["id"]: row[column] for row in self.rows(table)}

    def migrate(self) -> Apps:
        """Migrate the database of today's connection as far as it was then. Result: the models of then."""
        return MigrationExecutor(connection).migrate(self.heads).apps

    def restore(self) -> None:
        """Make the database of today's connection what it was then: migrated so far, and with these rows and no others."""
        models = _models_by_table(self.migrate())
        assert self.tables.keys() <= models.keys(), self.tables.keys() - models.keys()
        with transaction.atomic():
            for model in models.values():  # migrations made rows of their own
                model._base_manager.all()._raw_delete(connection.alias)
            for table, rows in self.tables.items():
                _insert(models[table], rows)
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(models.values())):
                cursor.execute(statement)


def _models_by_table(apps: Apps) -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}


def _insert(model: type[Model], rows: list[Row]) -> None:
    fields = {field.column: field for field in model._meta.concrete_fields}
    for field in fields.values():
        field.auto_now = field.auto_now_add = False  # the moments are those of then
    model._base_manager.bulk_create(
        [model(**{fields[name].attname: _value(fields[name], value) for name, value in row.items()}) for row in rows],
        batch_size=500,
    )


def _value(field: Any, plain: Any) -> Any:
    return plain if plain is None or isinstance(plain, dict | list) else field.to_python(plain)


def plain(value: Any) -> Any:
    """Result: a value of today as the file would say it."""
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
