"""What the database knows of its tables. After a load of many rows its old figures make it choose plans that take minutes."""

from django.db import connection, models

MANY = 500  # rows; fewer do not change a plan


def statistics_refresh(*loaded: type[models.Model], rows: int) -> None:
    """Have these tables counted anew, if that many rows came into them in one go. Postgres does so by itself too, but only some
    time later, and what a person opens first after an import is the list of what was imported. SQLite plans without figures."""
    if rows < MANY or connection.vendor != "postgresql":
        return
    names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in loaded)  # noqa: SLF001 - Django documents it
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {names}")
