"""What both halves of the contract are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from connectors.errors import ConnectorError
from connectors.rests import Rest
from connectors.settings.folders import Folders

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.contract.store import StoreReading


class Side(StrEnum):
    """Which end of the shop a system is."""

    POS = "pos"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of system can do beside what each must: the engine asks this, never the kind's name."""

    side: Side
    webhooks: bool = False  # tells us of orders by itself: a `HookedStore`
    files: bool = False  # tells by files that somebody must drop: that none comes is news
    notes: bool = False  # can show its staff a note: a `NotedTill`
    takes_prices: bool = False  # may be told retail prices: a `PricedTill`


class Outcome(StrEnum):
    """What became of one write (ledger.md §6)."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"  # the operation id had taken effect before
    REJECTED = "rejected"  # understood and refused: this item, this reason
    NOT_SENT = "not_sent"  # surely without effect: may be sent again
    UNKNOWN = "unknown"  # no answer tells: look first


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request as the HTTP door logs it. `path` carries no secret; `status` 0 means no reply came; `wait` is how many seconds
    of peace the system asked for."""

    at: datetime
    method: str
    path: str
    status: int
    latency_ms: int
    error: str = ""
    wait: float = 0


Recorder = Callable[[CallRecord], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a connection test, in the owner's words. `next_step` is empty when all is well."""

    ok: bool
    message: str
    next_step: str = ""

    @property
    def tone(self) -> str:
        """`ok`; `warn`: it can be used, and something wants a look; `bad`: it can't be used."""
        return "bad" if not self.ok else "warn" if self.next_step else "ok"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a connection test found. `facts` (version, currency, time zone, …) may be kept with the connection."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write. `reading` is what the system showed right after it, where it said so. `is_of_batch`: the answer
    was to the whole request, so the cause may lie with another write in it."""

    operation_id: UUID
    outcome: Outcome
    reading: "StoreReading | None" = None
    error: ConnectorError | None = None
    is_of_batch: bool = False


class Sort(StrEnum):
    """What kind of thing a system shows."""

    LISTING = "listing"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class SetAside:
    """One thing that a system showed and that can't be read: unknown, which is neither gone nor zero. `remote_id` 0: nor can its
    number. `listings`: the remote ids of the products it names, as far as they can be read."""

    sort: Sort
    remote_id: int
    name: str  # as people know it: an order's number, a product's SKU or name
    cause: ConnectorError
    listings: tuple[int, ...] = ()


Aside = Callable[[SetAside], None]


def refuse(thing: SetAside) -> None:
    """For a caller who needs every thing: one that can't be read is an error. Raises ConnectorError."""
    raise thing.cause


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector gets to work with; tests hand in their own clock and recorder."""

    settings: Any  # an instance of the kind's settings model
    credentials: Any  # an instance of the kind's credentials model
    record: Recorder
    now: Callable[[], datetime]
    folders: Folders = field(default_factory=Folders)  # which files of this machine it may touch; by itself none
    rest: Rest | None = None  # ask it nothing before then (connectors/rests.py)
    zone: tzinfo = UTC  # of the people it belongs to: times in messages are theirs
    allow_private: bool = False  # may an address be a private or loopback one? (reliability.md, case 41)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connection. The registry imports the module that defines it only when it is asked for."""

    name: str
    label: str
    capabilities: Capabilities
    settings: "type[BaseModel]"
    credentials: "type[BaseModel]"
    build: Callable[[Context], Any]  # a Store or a Till, by `capabilities.side`
