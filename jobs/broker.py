"""The embedded setup's broker: Celery's transport of files, made whole (engine.md, adr/0003).

A message appears by a rename or not at all, so no full disk and no kill leaves half of one. What can't be read as a message is
dropped with a line in the log: rows are the truth, and what is due is asked for again. Among those that wait, a lower
priority number goes first, as with Redis; the oldest of one priority before the others.
"""

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)
DRAFT = ".draft"  # how the name of what is still being written ends: no reader takes it
DRAFT_KEPT = 3600.0  # seconds; whoever was at it then, is dead
LOOK_EVERY = 0.1  # seconds between two looks into the folder; a look costs some 50 µs
LARGEST = 1_000_000  # bytes; a message of ours has two thousand at most
TOLD_MOST = 1000  # names of what could not be taken away, so that each is said once

Binding = filesystem.exchange_queue_t


class Channel(filesystem.Channel):  # type: ignore[misc] # kombu has no types
    """Messages are files in one folder, named by priority, time and queue; who is bound to an exchange is a file in another."""

    _told: set[str] = set()  # shared: every channel of a process looks into the same folder

    # Messages

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:
        """Have a message wait. Raises ChannelError, and then nothing of it is left in the folder."""
        name = f"{self._get_message_priority(payload)}-{time.time_ns():020d}-{uuid4().hex}.{queue}.msg"
        try:
            _write(Path(self.data_folder_out) / name, payload)
        except OSError as error:
            raise ChannelError(f"The broker's folder took no message: {error}") from error

    def _get(self, queue: str) -> dict[str, Any]:
        """Result: the message that is next, which is nobody else's now. Raises `Empty`."""
        for path in self._waiting(queue):
            payload = self._take(path)
            if payload is not None:
                return payload
        raise Empty

    def _waiting(self, queue: str) -> list[Path]:
        """Result: what waits in that queue, first to be taken first. Sweeps the drafts of the dead by the way."""
        folder = Path(self.data_folder_in)
        try:
            names = sorted(os.listdir(folder))  # noqa: PTH208 - ten times a second: no path for each
        except FileNotFoundError:
            _folder_made_again(folder)
            return []
        except OSError as error:
            self._tell_once(folder, "The broker's folder can't be read, so no work is taken up: %s", error)
            return []
        for name in names:
            if name.endswith(DRAFT):
                _draft_swept(folder / name)
        return [folder / name for name in names if name.partition(".")[2] == f"{queue}.msg"]

    def _take(self, path: Path) -> dict[str, Any] | None:
        """Result: the message, None where another consumer was quicker or where it is none. Whoever removes the file has it."""
        try:
            said, reason = _content(path), ""
        except FileNotFoundError:
            return None
        except OSError as error:
            said, reason = b"", str(error)
        try:
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._tell_once(path, "What lies there is no message and can't be taken away: %s", error)
            return None
        try:
            return self._read(said)
        except Exception as error:  # noqa: BLE001 - whatever lies there, the next message is taken
            logger.warning("Dropped %s, which is no message (%s). What is due is asked for again.", path.name, reason or error)
            return None

    def _read(self, said: bytes) -> dict[str, Any]:
        """Result: a message with all that a consumer relies on. Raises whatever is wrong with it."""
        payload: dict[str, Any] = loads(said.decode())
        message = self.Message(payload, channel=self)
        route = (message.delivery_info["exchange"], message.delivery_info["routing_key"])
        for word in (message.delivery_tag, *route):
            _word(word)
        if not message.body:
            raise ValueError("it says nothing")
        return payload

    def _tell_once(self, path: Path, words: str, error: Exception) -> None:
        if str(path) not in self._told and len(self._told) < TOLD_MOST:
            self._told.add(str(path))
            logger.warning(words, error)

    def _restore(self, message: Any) -> None:
        """Have a message wait again whose worker was killed, marked as one that comes again. What the folder does not take is
        lost: holding on to it would keep this consumer from all others."""
        message.delivery_info["redelivered"] = True
        try:
            super()._restore(message)
        except ChannelError as error:
            logger.warning("A message could not be put back. What is due is asked for again: %s", error)

    # Who is bound to an exchange

    def get_table(self, exchange: str) -> list[Any]:
        """Result: the bindings that any process has declared; its own count even where the file is gone."""
        return list(dict.fromkeys([*self._bindings(self._exchange_file(exchange)), *self._own_bindings(exchange)]))

    def _own_bindings(self, exchange: str) -> Iterator[Any]:
        for key, pattern, queue in self.state.exchanges.get(exchange, {}).get("table", ()):
            yield Binding(key or "", pattern or "", queue or "")

    def _bindings(self, file: Path) -> list[Any]:
        try:
            return [Binding(_word(key), _word(pattern), _word(queue)) for key, pattern, queue in loads(file.read_text())]
        except FileNotFoundError:
            return []
        except Exception as error:  # noqa: BLE001 - whatever it holds: each process declares its own queues again
            self._tell_once(file, "Passed over the broker's list of queues, which can't be read: %s", error)
            return []

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        self._rebind(exchange, add=Binding(routing_key or "", pattern or "", queue or ""))

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: Any, **__: Any) -> None:
        self._purge(queue)
        own = self.state.exchanges.get(exchange, {}).get("table", [])
        own[:] = [row for row in own if row[2] != queue]
        self._rebind(exchange, remove=Binding(routing_key or "", pattern or "", queue or ""))

    def _rebind(self, exchange: str, *, add: Any = None, remove: Any = None) -> None:
        """Change who is bound. Where that can't be written down, the list stays as it was, and this process's own is enough:
        whoever sends a task declares the queue it is for."""
        file = self._exchange_file(exchange)
        try:
            with _locked(self.control_folder):
                before = self._bindings(file)
                after = [row for row in dict.fromkeys([*before, add]) if row is not None and row != remove]
                if after != before:
                    _write(file, after)
        except OSError as error:
            self._tell_once(file, "The broker's list of queues can't be written, and each process goes by its own: %s", error)

    # What waits

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        return sum(_removed(path) for path in self._waiting(queue))


class Transport(filesystem.Transport):  # type: ignore[misc] # kombu has no types
    """Celery's transport of files with the channel above. It looks often: between two looks it takes one message."""

    Channel = Channel
    polling_interval = LOOK_EVERY


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no word")
    return value


def _content(path: Path) -> bytes:
    """Result: what a file says; nothing where it is none, as a pipe that nobody writes to. Raises OSError."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(LARGEST)


def _write(path: Path, value: Any) -> None:
    """Write a file whole or not at all. Raises OSError."""
    draft = path.with_name(f".{path.name}{DRAFT}")
    try:
        draft.write_text(dumps(value))
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _folder_made_again(folder: Path) -> None:
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)


def _draft_swept(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > DRAFT_KEPT:
            path.unlink()


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
