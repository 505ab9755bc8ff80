"""Each rule of design.md §3, broken in the product's own code. A rule that no world notices is not tested.

A mutant names a function and a piece of its source; when that piece is no longer there, the list has to be brought up to date.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from sync.core import orders as core_orders
from sync.core import readings
from sync.services import orders, settle, store_pull, till_pull


@dataclass(frozen=True)
class Mutant:
    """`edits`: what to find in the function's source, and what to put there. `seed`: a world that is known to notice."""

    name: str
    function: Callable[..., Any]
    edits: Mapping[str, str]
    seed: int = 0
    is_crowded: bool | None = None  # where one event must pass for another


UNANSWERED = """if write.answered_at is None:
            return Deferred("a write to the till is unanswered")"""
NEAR = """elif write.answered_at > true_at - skew:"""
RECEIPT = "if found is not None and found.receipt == str(row.operation_id):"
LOOKED_UP = "outcome=outcomes.get(row.operation_id, Outcome.UNKNOWN)"
STORE_BUSY = "if any(write.answered_at is None or write.answered_at >= read_at for write in writes):"
FIRST_SIGHT = """if residual != suspect or suspected_at is None:
        return Suspect(residual)"""

MUTANTS = [
    Mutant(
        "fuzzy exports are used",
        readings.till_reading_judge,
        {UNANSWERED: "if write.answered_at is None:\n            continue", NEAR: "elif False:"},
    ),
    Mutant(
        "writes in flight are ignored by exports",
        readings.till_reading_judge,
        {UNANSWERED: "if write.answered_at is None:\n            continue"},
    ),
    Mutant("answers near the export are ignored", readings.till_reading_judge, {NEAR: "elif False:"}),
    Mutant("old exports are used", till_pull._feed_take, {"if last and feed.true_at < last.true_at:": "if False:"}),
    Mutant(
        "late order messages are used",
        orders._Orders.apply,
        {"elif state.modified_at < order.modified_at or order_says_same(order, state):": "elif order_says_same(order, state):"},
    ),
    Mutant("unanswered writes to a store are sent again", settle._decide, {RECEIPT: "if False:"}),
    Mutant("unanswered writes to a store are taken as done", settle._decide, {RECEIPT: "if True:"}),
    Mutant("unanswered writes to the till are sent again", settle.till_settle, {LOOKED_UP: "outcome=Outcome.NOT_SENT"}),
    Mutant("unanswered writes to the till are taken as done", settle.till_settle, {LOOKED_UP: "outcome=Outcome.APPLIED"}),
    Mutant(
        "unanswered writes are looked up too soon",
        settle.store_settle,
        {"settle = ctx.store.store.settle": "settle = ctx.store.store.settle * 0"},
    ),
    Mutant(
        "drift at first sight",
        readings.store_reading_judge,
        {FIRST_SIGHT: "suspected_at = suspected_at or read_at - settle"},
    ),
    Mutant(
        "news does not reset a suspect",
        orders._Orders._line,
        {
            "listing.news_at, listing.suspect, listing.suspected_at = news, None, None": "listing.news_at = news",
            "news_at=news, suspect=None, suspected_at=None, baseline": "news_at=news, baseline",
        },
    ),
    Mutant(
        "the second look comes too soon",
        readings.store_reading_judge,
        {"return TooSoon() if read_at < suspected_at + settle else Drift(residual)": "return Drift(residual)"},
    ),
    Mutant(
        "orders are read before the numbers",
        store_pull.snapshot_take,
        {
            "readings: list[StoreReading] = []": "readings, orders = [], orders_read(ctx=ctx, began=began)",
            "Snapshot(readings, orders_read(ctx=ctx, began=began), began": "Snapshot(readings, orders, began",
        },
    ),
    Mutant(
        "orders during the reading are ignored",
        readings.store_reading_judge,
        {"if news_at is not None and news_at >= read_at - skew:": "if False:"},
    ),
    Mutant(
        "readings during a write are used",
        readings.store_reading_judge,
        {STORE_BUSY: "if any(write.answered_at is not None and write.answered_at >= read_at for write in writes):"},
    ),
    Mutant(
        "writes during the reading are ignored",
        readings.store_reading_judge,
        {STORE_BUSY: "if any(write.answered_at is None for write in writes):"},
    ),
    Mutant(
        "later writes are not taken out",
        readings.till_reading_judge,
        {"residual = shows - (baseline - later)": "residual = shows - baseline"},
    ),
    Mutant(
        "a store's baseline does not follow its orders",
        core_orders.line_effect,
        {"baseline=-change,": "baseline=ZERO,"},
    ),
]

# The lease keeps the product from writing to a store while it reads it, so no world of the product can notice these alone.
ON_PAPER = [mutant for mutant in MUTANTS if mutant.function.__module__.startswith("sync.core")]


@contextmanager
def broken(mutant: Mutant) -> Iterator[None]:
    """While inside, the product breaks that rule: everybody who calls the function, by whatever name, gets the broken one."""
    function = inspect.unwrap(mutant.function)
    assert isinstance(function, FunctionType)
    source = textwrap.dedent(inspect.getsource(function))
    for there, instead in mutant.edits.items():
        there = textwrap.dedent(there)
        assert source.count(there) == 1, f"{mutant.name}: {there!r} is not in {function.__qualname__} any more"
        source = source.replace(there, instead)
    lines = source.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("def "))
    made: dict[str, Any] = {}
    exec(compile("\n".join(lines[start:]), f"<{mutant.name}>", "exec"), function.__globals__, made)  # noqa: S102 - our own source
    whole, function.__code__ = function.__code__, made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = whole
