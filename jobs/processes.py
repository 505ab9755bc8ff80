"""Web, worker and beat under one command, for one shop on one machine (engine.md).

Each child leads a process group of its own and is ended by its group, so that nothing is left running: not after Ctrl-C, not
after SIGTERM, and (on Linux, by the parent-death signal) not after this process was killed. One that ends by itself is started
again, and the others go on: none of them holds anything that counts.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType

from jobs.claims import port_check
from kit.errors import ToldError

LOOK_EVERY = 0.2  # seconds
PATIENCE = 10.0  # seconds for a child to end by itself
LONGEST_PAUSE = 30.0  # seconds until a child is started again that ended again and again
STEADY = 60.0  # seconds: one that lived this long was well
PR_SET_PDEATHSIG = 1
QUIET = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}  # as a container's first user may


@dataclass(frozen=True, slots=True)
class Program:
    """One child: its name for messages, and its command line. `check` raises ToldError while it can't be started. One that
    does not come again holds what would be lost with it: when it ends, all end."""

    name: str
    command: Sequence[str]
    check: Callable[[], object] = lambda: None
    comes_again: bool = True


@dataclass(slots=True)
class _Part:
    """A program, and how it has fared."""

    program: Program
    process: subprocess.Popen[bytes]
    began: float
    ends: int = 0  # in a row
    again_at: float | None = None  # it has ended, and is to be started then


def pause_before(ends: int) -> float:
    """Result: seconds until a child is started again that has ended so often in a row."""
    return min(2.0 ** min(ends - 1, 10), LONGEST_PAUSE)


def code_words(code: int) -> str:
    """Result: how a process ended, as its exit code says."""
    try:
        return f"code {code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"code {code}"


def embedded_programs(*, host: str, port: int) -> list[Program]:
    """Result: what one shop on one machine runs."""
    celery = [sys.executable, "-m", "celery", "-A", "config", "--quiet"]
    web = [sys.executable, "-m", "config.web", "--host", host, "--port", str(port), "--workers", "1", "--log-level", "warning"]
    return [
        Program("web", web, check=partial(port_check, host=host, port=port)),
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
        self._parts: list[_Part] = []

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
        """Start one program. Result: its process, which `end` will end. Raises ToldError where it can't be started."""
        program.check()
        process = self._begin(program, stdout)
        self._parts.append(_Part(program, process, time.monotonic()))
        return process

    def _begin(self, program: Program, stdout: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own programs, no outside words in them
            program.command,
            env=self._environment,
            stdout=stdout,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )

    def keep(self, say: Callable[[str], object]) -> str:
        """Keep them running until Ctrl-C or SIGTERM: one that ends by itself is started again after a pause that grows, and is
        told of. Result: the name of one that ended and does not come again, "" when told to stop."""
        try:
            while True:
                for part in self._parts:
                    if part.again_at is not None:
                        self._try_again(part, say)
                    elif (code := part.process.poll()) is not None:
                        self._kill_group(part)  # what it had started would be in the new one's way
                        if not part.program.comes_again:
                            return part.program.name
                        self._rest(part, f"The {part.program.name} ended by itself ({code_words(code)}).", say)
                time.sleep(LOOK_EVERY)
        except StoppedError:
            return ""

    def _try_again(self, part: _Part, say: Callable[[str], object]) -> None:
        if time.monotonic() < (part.again_at or 0):
            return
        try:
            part.program.check()
            part.process = self._begin(part.program)
        except (ToldError, OSError) as error:  # no memory, no process more
            self._rest(part, f"The {part.program.name} could not be started again. {error}", say)
        else:
            part.began, part.again_at = time.monotonic(), None

    @staticmethod
    def _rest(part: _Part, why: str, say: Callable[[str], object]) -> None:
        now = time.monotonic()
        if part.again_at is None and now - part.began >= STEADY:
            part.ends = 0
        part.ends += 1
        pause = pause_before(part.ends)
        part.again_at = now + pause
        say(f"{why} It is started again in {pause:.0f} s; everything else goes on.")

    @staticmethod
    def _kill_group(part: _Part) -> None:
        with suppress(ProcessLookupError):
            os.killpg(part.process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Ask every child to end, last started first, and its own children through it; then end whoever is left of its group.
        A second Ctrl-C changes nothing."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for part in reversed(self._parts):
            part.process.terminate()
        until = time.monotonic() + PATIENCE
        for part in (part for part in self._parts if part.again_at is None):
            with suppress(subprocess.TimeoutExpired):
                part.process.wait(max(0.1, until - time.monotonic()))
            self._kill_group(part)
            part.process.wait()
        self._parts.clear()
