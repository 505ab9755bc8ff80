"""What the engine and a till's connector say to each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from connectors.contract.shared import CheckReport, Outcome, WriteResult


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
    true_at: datetime  # the moment it counts for, and by which one feed is older than another
    readings: Sequence[TillReading]
    problems: Sequence[RowProblem] = ()
    rows: int = 0  # data rows seen, good or bad
    is_complete: bool = True  # an item that is absent from it is missing at the till (never zero)
    figures: Mapping[str, Any] = field(default_factory=dict)  # JSON; kept, and handed to `feeds` and `guard` the next time
    earliest: datetime | None = None  # where it is not sure when it was true: not before this
    latest: datetime | None = None  # and not after this; None: `true_at`

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The first and the last moment at which it may have been true."""
        return self.earliest or self.true_at, self.latest or self.true_at


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


@dataclass(frozen=True, slots=True)
class TillPriceWrite:
    """A retail price the till must take. Absolute: taking it twice is taking it once."""

    operation_id: UUID
    sku: str
    price: Decimal
    decimals: int
    currency: str
    reason: str


@dataclass(frozen=True, slots=True)
class TillNote:
    """A few plain lines for whoever stands at the till. Told once under `operation_id`, however often it is sent."""

    operation_id: UUID
    title: str
    lines: Sequence[str]


class Till(Protocol):
    """A till or an ERP that knows the shelf."""

    patience: timedelta  # from a sending on, how long it may still book what we got no answer to

    def check(self) -> CheckReport: ...

    def feeds(self, *, claim: bool = True, since: Mapping[str, Any] | None = None) -> Iterator[Feed]:
        """Claim what is new, oldest truth first; with `claim` False only look, and change nothing. `since`: the figures of the
        newest feed in use (with DEFERRED_FROM, where it left something open), for a till that tells changes; None: there is
        none. A feed that can't be read at all raises FeedError when reached (it has been filed away); iteration may be
        started again for the others."""
        ...

    def has_news(self, *, since: Mapping[str, Any] | None) -> bool:
        """Would `feeds` offer anything? Cheap enough to be asked every minute, and changes nothing. Raises ConnectorError."""
        ...

    def guard(self, feed: Feed, previous: Mapping[str, Any] | None) -> Sequence[str]:
        """Why a person should look before this feed is used, given the figures of the last one used; empty: go on."""
        ...

    def settle(self, feed_identity: str, fate: FeedFate, problems: Sequence[RowProblem] = ()) -> None:
        """File a claimed feed away. Calling it again with the same fate changes nothing."""
        ...

    def tidy(self) -> int:
        """Throw away what was filed away so long ago that nobody asks for it. Result: how many files; 0 where it keeps none."""
        ...

    def release(self, feed_identity: str) -> bool:
        """Offer a held feed again with the next `feeds`. Result: it was there."""
        ...

    def send(self, writes: Sequence[TillWrite]) -> Sequence[WriteResult]: ...

    def look_up(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, Outcome]:
        """What is known of these writes now: APPLIED; NOT_SENT where the till knows nothing of it, which only counts once
        `patience` is over; REJECTED where it was refused together with others, so that nobody knows for which; or UNKNOWN while
        nobody can tell."""
        ...

    def acknowledged_at(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, datetime]:
        """When these were booked, or at the latest when they surely had been; left out where the till doesn't say."""
        ...


class NotedTill(Till, Protocol):
    """A till that can show its staff a note."""

    def note(self, note: TillNote) -> None:
        """Show it. Raises ConnectorError where it can't be; told twice by the same operation id, it is shown once."""
        ...


class PricedTill(Till, Protocol):
    """A till that takes retail prices from us. `Capabilities.takes_prices` says which kinds are."""

    def send_prices(self, writes: Sequence[TillPriceWrite]) -> Sequence[WriteResult]:
        """One result per write; never raises for what the till or the network did."""
        ...

    def look_up_prices(self, writes: Sequence[TillPriceWrite]) -> Mapping[UUID, Outcome]:
        """What became of these, as `look_up` says it for adjustments."""
        ...
