"""Databases of a test's own, beside the suite's: one that is made once, and copies of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from django.db import connections
from django.db.utils import load_backend


class Databases:
    """`folder`: where files of SQLite lie. On Postgres they are on the suite's own server. All are gone in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_postgres = connections["default"].vendor == "postgresql"
        self.made: list[str] = []

    def make(self, *, like: str = "") -> str:
        """Result: the name of a new database, empty or with all that the one it is `like` holds. Nobody may use that one."""
        name = f"upgrade_{uuid4().hex}"
        if self.is_postgres:
            self._on_the_server(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        else:
            name = str(self.folder / f"{name}.sqlite3")
            if like:
                shutil.copyfile(like, name)
        self.made.append(name)
        return name

    def close(self) -> None:
        for name in self.made if self.is_postgres else ():
            self._on_the_server(f"DROP DATABASE {name}")

    @contextmanager
    def using(self, name: str) -> Iterator[None]:
        """Within, this is the database. The suite's own keeps its connection: one in memory would be gone without."""
        before = connections["default"]
        settings = {**before.settings_dict, "NAME": name}
        connections["default"] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "default")
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"] = before

    def url(self, name: str) -> str:
        """Result: what a process needs as its DATABASE_URL."""
        if not self.is_postgres:
            return f"sqlite:///{name}"
        return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))

    @staticmethod
    def _on_the_server(statement: str) -> None:
        with connections["default"]._nodb_cursor() as cursor:
            cursor.execute(statement)
