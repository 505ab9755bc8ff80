"""Programs that may be killed, stopped and started again, each leader of a process group of its own; none outlives the test."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], object], *, seconds: float, what: str, every: float = 0.1) -> float:
    """Wait until it is so. Result: seconds it took; fails after `seconds`."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(every)
    return time.monotonic() - began


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Programs:
    """Running programs by name. Leaving the context kills every process group that was ever begun."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, dict(environment)
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._groups: list[subprocess.Popen[bytes]] = []
        self.kills = 0

    def __enter__(self) -> "Programs":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leaves this context, too
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self._groups:
            process.wait(10)
            if process.stdout:
                process.stdout.close()

    def start(self, name: str, *command: str, read: bool = False, **more: str) -> subprocess.Popen[bytes]:
        """Start a program, or one that was killed once more. What it says is in NAME.log; with `read`, on its stdout."""
        words = list(command) or self._commands[name]
        self._commands[name] = words
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                words,
                cwd=ROOT,
                env={**self.environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if read else log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._running[name] = process
        self._groups.append(process)
        return process

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def kill(self, name: str) -> None:
        """kill -9, for the program and all its children at once."""
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        self.kills += 1

    def kill_child(self, name: str) -> bool:
        """kill -9 for a child of the program only, such as a worker's: its parent lives. Result: there was one."""
        parent = self.pid(name)
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in children[:1]:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
                self.kills += 1
        return bool(children)

    def dead(self) -> list[str]:
        """Result: the programs that ended by themselves."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def is_running(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def words(self, name: str, characters: int = 3000) -> str:
        """The last words of a program."""
        return (self.folder / f"{name}.log").read_text(errors="replace")[-characters:]

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """SIGSTOP: it is there and answers nothing."""
        os.kill(self.pid(name), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid(name), signal.SIGCONT)
