"""What the engine and a connector say to each other.

A connector turns one outside system into these dataclasses and back. It parses each reply once, at the wire; quantities and
prices are `Decimal`, times are aware UTC datetimes, and what a system does not say is `None`: unknown, never zero.
Connectors hold no Django model and decide nothing about stock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from connectors.errors import ConnectorError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from connectors.pacing import Pacer


class Side(StrEnum):
    """Which end of the shop a system is."""

    POS = "pos"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of system can do; the engine asks this, never the kind's name."""

    side: Side
    relative_writes: bool  # takes "+3" as well as "17": sales between our read and our write survive
    receipts: bool  # after an unknown outcome the system can say whether an operation id took effect
    idempotent_writes: bool  # the same operation id sent twice takes effect once
    reads_orders: bool = False
    webhooks: bool = False  # tells us of orders by itself: a `HookedStore`
    complete_readings: bool = True  # one reading shows every item, so that an absent one is known to be missing


class Outcome(StrEnum):
    """What became of one write (design.md §3.6)."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"  # the operation id had taken effect before
    STALE = "stale"  # compare-and-set lost: read again, then decide again
    REJECTED = "rejected"  # understood and refused: this item, this reason
    NOT_SENT = "not_sent"  # surely without effect: may be sent again
    UNKNOWN = "unknown"  # no answer tells: look first


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One request as the HTTP door logs it. `path` carries no secret; `status` 0 means no reply came."""

    at: datetime
    method: str
    path: str
    status: int
    latency_ms: int
    error: str = ""


Recorder = Callable[[CallRecord], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a connection test, in the owner's words. `next_step` is empty when all is well."""

    ok: bool
    message: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a connection test found. `facts` (version, currency, time zone, …) may be kept with the connection."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings)


# -- the till ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TillReading:
    """One item at one location as the till showed it. `on_hand` None: the till does not count this item."""

    sku: str
    location: str  # the till's own name of the outlet; "" where the till has only one
    on_hand: Decimal | None
    name: str = ""
    barcode: str = ""
    category: str = ""
    vendor: str = ""
    cost: Decimal | None = None
    price: Decimal | None = None
    line: int = 0  # in the file, for messages
    version: int = 0  # the till's own rising number of the quantity's last change; 0: it numbers none
    describes_item: bool = True  # False: only the quantity is said; name, barcode, cost and so on stay as they were


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One row that could not be used, and why. `line` counts from 1, the header included; 0: the whole feed."""

    line: int
    sku: str
    code: str
    message: str
    next_step: str = ""
    serious: bool = True  # False: worth knowing, but nothing was lost (a row repeated word for word)


# The engine's own entry in a feed's kept figures: the lowest `version` among the readings it could not use yet, because a write
# of ours was under way. A till that tells only changes must tell everything from that version on once more.
DEFERRED_FROM = "deferred_from"


@dataclass(frozen=True, slots=True)
class Feed:
    """One complete statement of the till: everything it showed at `true_at`.

    `identity` is equal for the same statement (the content's SHA-256, and the time where the file itself says it), so it is
    applied once. At most 100 characters.
    """

    identity: str
    name: str
    true_at: datetime
    readings: Sequence[TillReading]
    problems: Sequence[RowProblem] = ()
    rows: int = 0  # data rows seen, good or bad
    is_complete: bool = True  # an item that is absent from it is missing at the till (never zero)
    figures: Mapping[str, Any] = field(default_factory=dict)  # JSON; kept, and handed to `feeds` and `guard` the next time


class FeedFate(StrEnum):
    """What the engine did with a feed; the connector files it away accordingly."""

    APPLIED = "applied"
    REFUSED = "refused"  # older than the last one applied, or unusable
    DUPLICATE = "duplicate"
    HELD = "held"  # a guard wants a person to look; it stays claimed until released


@dataclass(frozen=True, slots=True)
class TillWrite:
    """A relative adjustment the till must book, once, under `operation_id`."""

    operation_id: UUID
    sku: str
    location: str
    delta: Decimal
    reason: str
    reference: str = ""  # the order number, for the till's own records


# -- the store -----------------------------------------------------------------------------------------------------


class StockManagement(StrEnum):
    """Who counts a listing's stock: itself, its parent product, or nobody (then writes would be ignored)."""

    OWN = "own"
    PARENT = "parent"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StoreReading:
    """One product or variation as the store showed it.

    `quantity` is None when the store doesn't count it: unknown, not zero. `receipt` is the operation id of our last
    write that took effect, read only where asked for.
    """

    remote_id: int
    parent_remote_id: int  # 0 for a product
    kind: str  # simple, variable, variation, grouped, external, …
    sku: str
    name: str
    barcode: str
    status: str
    stock_management: StockManagement
    quantity: Decimal | None
    price: Decimal | None  # the regular price
    sale_price: Decimal | None
    backorders: bool = False  # the store may sell it below zero
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What one order line holds of the store's own number now. `taken` follows refunds and cancels by itself."""

    remote_id: int
    listing_remote_id: int  # the variation where there is one, else the product; 0: no product
    sku: str
    name: str
    ordered: Decimal
    taken: Decimal


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as it is now, whatever happened before (design.md §3.4)."""

    remote_id: int
    number: str
    status: str
    currency: str
    created_at: datetime
    modified_at: datetime
    lines: Sequence[OrderLine]


@dataclass(frozen=True, slots=True)
class StoreWrite:
    """A write to one listing. Exactly one of `delta` (relative) and `quantity` (absolute), or neither for a price."""

    operation_id: UUID
    remote_id: int
    parent_remote_id: int
    delta: int | None = None
    quantity: int | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write. `reading` is what the system showed right after it, where it said so."""

    operation_id: UUID
    outcome: Outcome
    reading: StoreReading | None = None
    error: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """Writes that go out in one request."""

    parent_remote_id: int
    writes: Sequence[StoreWrite]


Told = Callable[[int, int], None]


def untold(done: int, total: int) -> None:
    """For a caller who need not be told how far a reading has come."""


class Store(Protocol):
    """A web store. Methods raise `ConnectorError`s; none of them writes unless it is called `send`."""

    pacer: "Pacer"
    settle: timedelta  # how long the store can go on working after we gave up waiting

    def check(self) -> CheckReport: ...

    def walk_listings(self, *, told: Told = untold) -> Iterator[Sequence[StoreReading]]:
        """Every product and variation, page by page, by ascending id. Raises PartialReadError at the end when rows
        were missed: use nothing before the iterator is exhausted. `told` hears, in the caller's thread, how many rows have
        been read and how many there seem to be."""
        ...

    def read_listings(self, listings: Sequence[tuple[int, int]]) -> Sequence[StoreReading]:
        """These (remote id, parent remote id) with their receipts. A listing that is gone is left out."""
        ...

    def read_orders(self, *, modified_after: datetime) -> Sequence[OrderState]:
        """Every order modified after then, trashed ones too, in no particular order; count-checked. Reads some way further
        back than asked: two clocks differ, and a second has many changes (woocommerce.md 2)."""
        ...

    def plan_batches(self, writes: Sequence[StoreWrite]) -> Iterator[WriteBatch]:
        """Cut writes into requests: grouped by parent, sized by what the store stands. Lazy: sizes follow the pace."""
        ...

    def send(self, batch: WriteBatch) -> Sequence[WriteResult]:
        """One request; one result per write, in any order. Never raises for what the store or the network did."""
        ...


@dataclass(frozen=True, slots=True)
class Hook:
    """One subscription at a store: what it tells of, to which address, and whether it still does."""

    remote_id: int
    topic: str
    address: str
    is_active: bool


class HookedStore(Store, Protocol):
    """A store that tells of its orders by webhook. What it tells is a hint: it may be late, doubled, or never come."""

    topics: Sequence[str]  # what we want to be told of

    def order_told(self, *, topic: str, payload: Mapping[str, Any]) -> OrderState | None:
        """What a webhook's body says; None where it carries no state. Raises ConfigError for a body that can't be used."""
        ...

    def read_orders_by_id(self, remote_ids: Iterable[int]) -> Sequence[OrderState]:
        """These orders as they are now, trashed ones too. An order that is gone is left out."""
        ...

    def hooks(self) -> Sequence[Hook]:
        """Every subscription the store has, anybody's."""
        ...

    def hook_create(self, *, topic: str, address: str) -> Hook:
        """Subscribe, with the connection's own secret."""
        ...

    def hook_delete(self, remote_id: int) -> None:
        """Unsubscribe. One that is gone already is no error."""
        ...


class Till(Protocol):
    """A till or an ERP that knows the shelf."""

    def check(self) -> CheckReport: ...

    def feeds(self, *, claim: bool = True, since: Mapping[str, Any] | None = None) -> Iterator[Feed]:
        """Claim what is new, oldest truth first; with `claim` False only look, and change nothing. `since`: the figures of the
        newest feed in use (with DEFERRED_FROM, where it left something open), for a till that tells changes; None: there is
        none. A feed that can't be read at all raises FeedError when reached (it has been filed away); iteration may be
        started again for the others."""
        ...

    def guard(self, feed: Feed, previous: Mapping[str, Any] | None) -> Sequence[str]:
        """Why a person should look before this feed is used, given the figures of the last one used; empty: go on."""
        ...

    def settle(self, feed_identity: str, fate: FeedFate, problems: Sequence[RowProblem] = ()) -> None:
        """File a claimed feed away. Calling it again with the same fate changes nothing."""
        ...

    def release(self, feed_identity: str) -> bool:
        """Offer a held feed again with the next `feeds`. Result: it was there."""
        ...

    def send(self, writes: Sequence[TillWrite]) -> Sequence[WriteResult]: ...

    def look_up(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, Outcome]:
        """What became of these writes: APPLIED, NOT_SENT, or UNKNOWN while nobody can tell yet."""
        ...

    def acknowledged_at(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
        """When these were booked, or at the latest when they surely had been; left out where the till doesn't say."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a connector gets to work with; tests hand in their own clock and recorder."""

    settings: Any  # an instance of the kind's settings model
    credentials: Any  # an instance of the kind's credentials model
    record: Recorder
    now: Callable[[], datetime]
    data_dir: Path  # where a relative folder setting is rooted
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
