"""What the engine and a store's connector say to each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from connectors.contract.shared import Aside, CheckReport, WriteResult, refuse

if TYPE_CHECKING:
    from connectors.http.pacing import Pacer


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
    cost: Decimal | None = None  # None also where the store keeps no costs


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """How the store writes its prices, by its own settings; "" and None where it doesn't say."""

    currency: str = ""
    decimals: int | None = None
    adds_tax: bool | None = None  # False: what a price says is what a customer pays
    includes_tax: bool | None = None
    keeps_costs: bool | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What one order line holds of the store's own number now. `taken` follows refunds and cancels by itself. `problem`: why it
    can't be used; its quantities are 0 then and mean nothing. At most one line of an order has `remote_id` 0 and a problem: there
    are lines that can't be told apart."""

    remote_id: int
    listing_remote_id: int  # the variation where there is one, else the product; 0: no product
    sku: str
    name: str
    ordered: Decimal
    taken: Decimal
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as it is now, whatever happened before (ledger.md §4). Its times are what the store says, however far ahead."""

    remote_id: int
    number: str
    status: str
    currency: str
    created_at: datetime
    modified_at: datetime
    lines: Sequence[OrderLine]


@dataclass(frozen=True, slots=True)
class StoreWrite:
    """A write to one listing. `delta`: so many more, or fewer; what is None or "" stays as it is. `decimals`: those of the prices
    here. `ends_sale`: the sale price goes."""

    operation_id: UUID
    remote_id: int
    parent_remote_id: int
    delta: int | None = None
    price: Decimal | None = None
    decimals: int = 2
    ends_sale: bool = False
    barcode: str = ""
    cost: Decimal | None = None

    @property
    def carries_number(self) -> bool:
        return self.delta is not None


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """Writes that go out in one request."""

    parent_remote_id: int
    writes: Sequence[StoreWrite]


Told = Callable[[int, int], None]


def untold(done: int, total: int) -> None:
    """For a caller who need not be told how far a reading has come."""


class Store(Protocol):
    """A web store. Methods raise `ConnectorError`s; none of them writes unless it is called `send`.

    One row that can't be read does not stop the others: `aside` hears of it, in the caller's thread, once the reading is known to
    be complete. It counts as seen. Where so many can't be read that it is hardly their own fault, the reading fails."""

    pacer: "Pacer"
    settle: timedelta  # how long the store can go on working after we gave up waiting

    @property
    def clock_ahead(self) -> timedelta:
        """How far its clock is ahead of ours, by its last answer; negative: behind; zero while nobody knows."""
        ...

    def check(self) -> CheckReport: ...

    def walk_listings(self, *, told: Told = untold, aside: Aside = refuse) -> Iterator[Sequence[StoreReading]]:
        """Every product and variation, page by page, by ascending id. Raises PartialReadError at the end when rows
        were missed: use nothing before the iterator is exhausted. `told` hears, in the caller's thread, how many rows have
        been read and how many there seem to be."""
        ...

    def read_listings(self, listings: Sequence[tuple[int, int]], *, aside: Aside = refuse) -> Sequence[StoreReading]:
        """These (remote id, parent remote id) with their receipts. A listing that is gone is left out, and `aside` hears nothing
        of it."""
        ...

    def read_orders(self, *, modified_after: datetime, aside: Aside = refuse) -> Sequence[OrderState]:
        """Every order modified after then, trashed ones too, in no particular order; count-checked. Reads some way further
        back than asked: two clocks differ, and a second has many changes (woocommerce_answers.md 2)."""
        ...

    def read_orders_by_id(self, remote_ids: Iterable[int], *, aside: Aside = refuse) -> Sequence[OrderState]:
        """These orders as they are now, trashed ones too. An order that is gone is left out."""
        ...

    def price_facts(self) -> PriceFacts:
        """How its prices are written. What a key may not ask is left open."""
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
        """What a webhook's body says; None where it carries no state. Raises UnreadableError for a body that can't be used."""
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
