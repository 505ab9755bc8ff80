"""One run at a time per connection, and no write from a run that lost its turn (engine.md, reliability.md case 27)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import F, Q

from connectors.models import Connection
from jobs.process import process_is_gone, process_name

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
