"""Web, worker and beat under one command, for one shop on one machine (design.md §5).

Each child leads a process group of its own and is ended by its group, so that nothing is left running: not after Ctrl-C, not
after SIGTERM, and (on Linux, by the parent-death signal) not after this process was killed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

PATIENCE = 10.0  # seconds for a child to end by itself
PR_SET_PDEATHSIG = 1
QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}  # as a container's first user may


@dataclass(frozen=True, slots=True)
class Program:
    """One child: its name for messages, and its command line."""

    name: str
    command: Sequence[str]


def embedded_programs(*, host: str, port: int) -> list[Program]:
    """Result: what one shop on one machine runs."""
    celery = [sys.executable, "-m", "celery", "-A", "config", "--quiet"]
    web = [sys.executable, "-m", "config.web", "--host", host, "--port", str(port), "--workers", "1", "--log-level", "warning"]
    return [
        Program("web", web),
        Program(
            "worker", [*celery, "worker", "--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        ),
        Program("beat", [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]),
    ]


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class StoppedError(SystemExit):
    """Ctrl-C or SIGTERM came."""


class Children:
    """Running programs. Use as a context manager: leaving it ends them all, and so do Ctrl-C and SIGTERM."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = {**os.environ, **QUIET, **(environment or {})}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Children":
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @staticmethod
    def _stop(number: int, _frame: FrameType | None) -> None:
        raise StoppedError(128 + number)

    def start(self, program: Program, *, stdout: int | None = None) -> subprocess.Popen[bytes]:
        """Start one program. Result: its process, which `end` will end."""
        process = subprocess.Popen(  # noqa: S603 - our own programs, no outside words in them
            program.command,
            env=self._environment,
            stdout=stdout,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self._running[program.name] = process
        return process

    def wait(self) -> str:
        """Wait for Ctrl-C, SIGTERM, or the end of any child. Result: the name of the child that ended, "" when told to stop."""
        try:
            while True:
                for name, process in self._running.items():
                    if process.poll() is not None:
                        return name
                time.sleep(0.2)
        except StoppedError:
            return ""

    def end(self) -> None:
        """Ask every child to end, last started first, and its own children through it; then end whoever is left of its group.
        A second Ctrl-C changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in reversed(self._running.values()):
            process.terminate()
        until = time.monotonic() + PATIENCE
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, until - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.clear()
