"""Changing many rows at once."""

from collections.abc import Iterable, Sequence

from django.db import connections, models, router


def rows_update(rows: Sequence[models.Model], fields: Iterable[str]) -> None:
    """Store these fields of rows of one model that are there already: one prepared UPDATE, run for each row. `bulk_update` says
    the same in one statement with a CASE per field, and takes twenty times as long to write it down. A row that is gone is
    left gone. As with `bulk_update`, no history is kept and `save` is not called."""
    if not rows:
        return
    model = type(rows[0])
    options = model._meta  # noqa: SLF001 - Django documents it under this name
    connection = connections[router.db_for_write(model)]
    named = {field.name: field for field in options.concrete_fields}
    columns, key = [named[name] for name in fields], named["id"]
    quote = connection.ops.quote_name
    assignments = ", ".join(f"{quote(str(field.column))} = %s" for field in columns)
    statement = f"UPDATE {quote(options.db_table)} SET {assignments} WHERE {quote(str(key.column))} = %s"  # noqa: S608 - names only
    values = [[field.get_db_prep_save(getattr(row, field.attname), connection) for field in (*columns, key)] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
