"""A worker that dies: at its k-th statement to the database or its k-th rename of a file, and does nothing more from then on.

Between two requests to an outside system, and between two commits, there is always a statement: so every place where a crash
could matter is met. What a transaction had not committed is undone, as the database would for a process that is gone.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

UNDOING = ("ROLLBACK", "RELEASE", "COMMIT", "SAVEPOINT", "BEGIN")


class WorkerDiedError(BaseException):
    """Not an Exception: nothing in the engine may catch it, as nothing catches a kill."""


class Mortal:
    """Counts what the worker does, while armed."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_dead = False
        self._thread = threading.get_ident()
        sys.addaudithook(self._renames)

    @contextmanager
    def living(self, steps: int | None) -> Iterator[None]:
        """The worker lives for so many steps; None: for ever."""
        self.left, self.is_dead = steps, False
        with connection.execute_wrapper(self._statement):
            try:
                yield
            finally:
                self.left, self.is_dead = None, False

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(UNDOING):
            self._step()
        return execute(sql, params, many, context)

    def _renames(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and self.left is not None and threading.get_ident() == self._thread:
            self._step()

    def _step(self) -> None:
        if self.is_dead:
            raise WorkerDiedError
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.is_dead = True
            raise WorkerDiedError
