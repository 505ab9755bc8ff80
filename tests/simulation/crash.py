"""A worker that dies or stalls: at its k-th statement to the database, its k-th commit, or its k-th rename of a file.

Between two requests to an outside system there is always one of these: so every place where a crash could matter is met. A dead
worker does nothing more; what a transaction had not committed is undone, as the database would for a process that is gone. A
stalled one (a machine that was put to sleep) wakes later and goes on where it was, while others have been at work.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.transaction import Atomic

UNDOING = ("ROLLBACK", "RELEASE", "COMMIT", "SAVEPOINT", "BEGIN")


class WorkerDiedError(BaseException):
    """Not an Exception: nothing in the engine may catch it, as nothing catches a kill."""


@dataclass
class _Life:
    """One worker's: how many steps it has left (None: no end), and after how many it stalls."""

    left: int | None = None
    until_stall: int | None = None
    meanwhile: Callable[[], None] = lambda: None
    is_dead: bool = False


class Mortal:
    """Counts what a worker does, while armed."""

    def __init__(self) -> None:
        self._life: _Life | None = None
        self._thread = threading.get_ident()
        sys.addaudithook(self._renames)

    @contextmanager
    def living(
        self, steps: int | None = None, *, stall: int | None = None, meanwhile: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """The worker lives for so many steps; after `stall` of them it stops for a while, in which `meanwhile` happens."""
        outer, self._life = self._life, _Life(steps, stall, meanwhile)
        if outer is not None:  # another worker, while that one is stalled: everything is in place
            try:
                yield
            finally:
                self._life = outer
            return
        leave = Atomic.__exit__

        def committed(atomic: Atomic, kind: Any, error: Any, trace: Any) -> None:
            leave(atomic, kind, error, trace)
            if kind is None and not connection.in_atomic_block:
                self._step()

        with connection.execute_wrapper(self._statement), patch.object(Atomic, "__exit__", committed):
            try:
                yield
            finally:
                self._life = None

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(UNDOING):
            self._step()
        return execute(sql, params, many, context)

    def _renames(self, event: str, _arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and threading.get_ident() == self._thread:
            self._step()

    def _step(self) -> None:
        life = self._life
        if life is None:
            return
        if life.is_dead:
            raise WorkerDiedError
        if life.until_stall is not None:
            life.until_stall -= 1
            if life.until_stall < 0 and not connection.in_atomic_block:  # a transaction that is open too long is another matter
                life.until_stall = None
                life.meanwhile()
        if life.left is not None:
            life.left -= 1
            if life.left < 0:
                life.is_dead = True
                raise WorkerDiedError
