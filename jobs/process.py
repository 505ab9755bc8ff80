"""Which process of which machine something is, and whether it is still there."""

import os
import socket
from pathlib import Path


def process_name() -> str:
    """Result: which process this is: machine, number, and when it began. A container that is started again gives out the same
    numbers anew."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"


def process_machine(name: str) -> str:
    """Result: the machine of a process, and its number there, for people."""
    return ", process ".join(filter(None, name.split(":")[:2]))


def process_is_gone(name: str) -> bool:
    """Was that a process of this very machine, and has it ended? False also where nobody here can tell."""
    host, _, rest = name.partition(":")
    pid, _, mark = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    began, now_began = mark.partition("-")[0], _began(int(pid))
    return began.startswith("t") and bool(now_began) and began != now_began


def _began(pid: int) -> str:
    """Result: when a process began, in the kernel's own count; "" where the system doesn't say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "ended" if fields[0] == "Z" else f"t{fields[19]}"
