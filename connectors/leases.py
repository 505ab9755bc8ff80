"""One run at a time per connection, and no write from a run that lost its turn (design.md §5, reliability.md case 27)."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.db.models import F, Q

from connectors.models import Connection

TTL = timedelta(minutes=5)  # longer than the longest silence of a live run: a read with its retries


class LeaseHeldError(Exception):
    """Another run works on this connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        until = f"{connection.lease_until:%H:%M:%S} UTC" if connection.lease_until else "it ends"
        super().__init__(
            f"Another sync of “{connection.name}” is running ({connection.lease_owner.rsplit(':', 1)[0]}). "
            f"Wait for it, or try again after {until}, when its claim ends unless it is renewed."
        )


class LeaseLostError(Exception):
    """This run lost its turn to a newer one: it must stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A run's turn on one connection. `epoch` rises with every turn; compare it at each claim of a write."""

    connection_id: int
    owner: str
    epoch: int

    def beat(self, *, now: datetime) -> None:
        """Prolong the turn. Raises LeaseLostError when a newer run has taken over. Inside a transaction it also locks the
        connection's row, so that what follows is decided with the turn in hand."""
        mine = Connection.objects.filter(pk=self.connection_id, lease_owner=self.owner, lease_epoch=self.epoch)
        if mine.update(lease_until=now + TTL) != 1:
            raise LeaseLostError("A newer run has taken over this connection. This one stops and writes nothing more.")

    def release(self) -> None:
        """Give the turn back. A turn that was lost already stays with its new holder. Where the database can't be told, the next
        one of this process that asks for a turn takes it: nobody need wait until its claim ends."""
        _held.discard(self.owner)
        mine = Connection.objects.filter(pk=self.connection_id, lease_owner=self.owner, lease_epoch=self.epoch)
        mine.update(lease_owner="", lease_until=None)


# The turns this very process holds. One in its name that is not among them could not be given back: its database was away.
_held: set[str] = set()


def _is_left_over(owner: str) -> bool:
    return owner.startswith(f"{process_name()}-") and owner not in _held


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


def lease_acquire(*, connection: Connection, now: datetime) -> Lease:
    """Result: the turn on this connection, with an epoch above every earlier one. Raises LeaseHeldError."""
    owner = f"{process_name()}-{uuid4().hex[:8]}"
    current = Connection.objects.get(pk=connection.pk)
    free = Q(lease_owner="") | Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if current.lease_owner and (process_is_gone(current.lease_owner) or _is_left_over(current.lease_owner)):
        free |= Q(lease_owner=current.lease_owner, lease_epoch=current.lease_epoch)
    _held.add(owner)  # before anybody can see it: another thread of this process would take it for left over
    try:
        taken = (
            Connection.objects.filter(free, pk=connection.pk)
            .update(lease_owner=owner, lease_epoch=F("lease_epoch") + 1, lease_until=now + TTL)
        )  # fmt: skip
        current.refresh_from_db(fields=["lease_owner", "lease_epoch", "lease_until"])
        if taken != 1:
            raise LeaseHeldError(current)
    except BaseException:
        _held.discard(owner)
        raise
    return Lease(connection_id=connection.pk, owner=owner, epoch=current.lease_epoch)
