"""What the engine and a connector say to each other.

A connector turns one outside system into these dataclasses and back. It parses each reply once, at the wire; quantities and
prices are `Decimal`, times are aware UTC datetimes, and what a system does not say is `None`: unknown, never zero.
Connectors hold no Django model and decide nothing about stock.
"""

from connectors.contract.shared import (
    CallRecord,
    Capabilities,
    CheckReport,
    Context,
    Finding,
    Kind,
    Outcome,
    Recorder,
    Side,
    WriteResult,
)
from connectors.contract.store import (
    Hook,
    HookedStore,
    OrderLine,
    OrderState,
    PriceFacts,
    StockManagement,
    Store,
    StoreReading,
    StoreWrite,
    Told,
    WriteBatch,
    untold,
)
from connectors.contract.till import (
    DEFERRED_FROM,
    Feed,
    FeedFate,
    NotedTill,
    PricedTill,
    RowProblem,
    Till,
    TillNote,
    TillPriceWrite,
    TillReading,
    TillWrite,
)

__all__ = [
    "DEFERRED_FROM",
    "CallRecord",
    "Capabilities",
    "CheckReport",
    "Context",
    "Feed",
    "FeedFate",
    "Finding",
    "Hook",
    "HookedStore",
    "Kind",
    "NotedTill",
    "OrderLine",
    "OrderState",
    "Outcome",
    "PriceFacts",
    "PricedTill",
    "Recorder",
    "RowProblem",
    "Side",
    "StockManagement",
    "Store",
    "StoreReading",
    "StoreWrite",
    "Till",
    "TillNote",
    "TillPriceWrite",
    "TillReading",
    "TillWrite",
    "Told",
    "WriteBatch",
    "WriteResult",
    "untold",
]
