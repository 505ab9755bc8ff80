"""What two installations on one machine must not share: a data folder and a port. Both are asked for before
anything is touched."""

import errno
import os
import socket
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from kit.errors import ToldError

LOCK = "evenstock.lock"


def folder_claim(folder: Path) -> int:
    """Have a data folder to oneself for as long as this process lives, however it ends. Result: the open file that holds the
    claim. Raises ToldError where another one has it."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
        os.close(lock)
        raise ToldError(
            f"Evenstock already runs in this folder{f' (process {holder})' if holder else ''}: {folder}",
            next_step="Use that one, or end it. For another one beside it, set EVENSTOCK_DATA_DIR to a folder of its own and "
            "--port to a port of its own.",
        ) from None
    except OSError as error:
        raise ToldError(
            f"The data folder {folder} can't be locked: {error.strerror}.",
            next_step="Set EVENSTOCK_DATA_DIR to a folder on a disk of this machine that Evenstock may write to.",
        ) from error
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    except OSError:  # a full disk: whoever is refused is not told by whom
        pass
    return lock


def port_check(*, host: str, port: int) -> str:
    """Look whether the web server could listen there. Result: the host as the number that the server takes. Raises
    ToldError."""
    if not 0 < port < 65536:
        raise ToldError(f"{port} is no port.", next_step="Use one from 1024 to 65535, such as --port 8001.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ToldError(f"“{host}” is no address of this machine.", next_step="Leave --host out, or use 127.0.0.1.") from error
    family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    with socket.socket(family, kind, protocol) as probe:
        # What is left of connections that were closed is in nobody's way. The server itself would share a port with any other
        # that shares it (SO_REUSEPORT), and each would get half of what comes in.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise _refusal(error, host, port) from error
    return str(address[0])


def _refusal(error: OSError, host: str, port: int) -> ToldError:
    other = port + 1 if port < 65535 else 8001
    if error.errno == errno.EADDRINUSE:
        return ToldError(
            f"Another program already listens on port {port}, perhaps another Evenstock.",
            next_step=f"Choose another port: --port {other}, or with make: PORT={other}.",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return ToldError(
            f"Evenstock may not listen on port {port}: those below 1024 are the system's.",
            next_step="Choose another port, such as --port 8000.",
        )
    return ToldError(
        f"Evenstock can't listen on {host}, port {port}: {error.strerror}.", next_step="Leave --host out, or use 127.0.0.1."
    )
