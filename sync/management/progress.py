"""Showing that a long command is getting on: a bar for a person, a line a phase for a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from sync.models import SyncRun
from sync.turns.context import Progress, silent


@contextmanager
def shown_progress(out: Any, *, quiet: bool = False) -> Iterator[Progress]:
    """Result: a `Progress` that draws a bar where a person looks on, and writes a line a phase elsewhere."""
    if quiet:
        yield silent
        return
    if not sys.stderr.isatty():
        yield _Lines(out)
        return
    columns = (TextColumn("{task.description:<30}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True)) as bar:
        yield _Bars(bar)


class _Lines:
    def __init__(self, out: Any) -> None:
        self._out, self._phase = out, ""

    def __call__(self, phase: SyncRun.Phase, done: int, total: int) -> None:
        if phase != self._phase:
            self._phase = phase
            self._out.write(f"… {phase.label}")


class _Bars:
    def __init__(self, bar: Bar) -> None:
        self._bar, self._phase = bar, ""
        self._task: Any = None

    def __call__(self, phase: SyncRun.Phase, done: int, total: int) -> None:
        if phase != self._phase:
            self._phase = phase
            self._task = self._bar.add_task(phase.label, total=None)
        self._bar.update(self._task, completed=done, total=total or None)
