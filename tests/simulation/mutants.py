"""Each rule of ledger.md, broken in the product's own code. A rule that no world notices is not tested.

A mutant names a function and a piece of its source; when that piece is no longer there, the list has to be brought up to date.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from django.db import IntegrityError

from connectors import leases
from sync.core import orders as core_orders
from sync.core import readings
from sync.orders import apply as orders
from sync.outbox import claim as claims
from sync.outbox import send as deliver
from sync.outbox import settle
from sync.stores import read as store_pull
from sync.tills import read as till_pull
from tests.simulation.bench import Bench
from tests.simulation.runner import STEPS, live

TRIES = 12
SCENE_STEPS = 14


@dataclass(frozen=True)
class Mutant:
    """`edits`: what to find in the function's source, and what to put there. `seed`: a world that is known to notice. `scene`:
    what happens in it again and again, where that is too rare by itself."""

    name: str
    function: Callable[..., Any]
    edits: Mapping[str, str]
    seed: int = 0
    is_crowded: bool | None = None  # where one event must pass for another
    scene: str = ""
    is_rare: bool = False  # too rare, or not possible, in a world of the product: tried on paper alone


UNANSWERED = """if write.answered_at is None:
            return Deferred("a write to the till is unanswered")"""
NEAR = """elif write.answered_at > latest - skew:"""
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
        seed=2,
    ),
    Mutant("answers near the export are ignored", readings.till_reading_judge, {NEAR: "elif False:"}),
    Mutant(
        "old exports are used",
        till_pull._feed_take,
        {"if last and feed.true_at < last.true_at:": "if False:"},
        scene="read_exports_out_of_order",
    ),
    Mutant(
        "late order messages are used",
        orders._Orders.apply,
        {"elif order_is_older(ctx=self.ctx, order=order, state=state):": "elif False:"},
    ),
    Mutant("unanswered writes to a store are sent again", settle._decide, {RECEIPT: "if False:"}),
    Mutant("unanswered writes to a store are taken as done", settle._decide, {RECEIPT: "if True:"}, scene="lose_an_answer"),
    Mutant("unanswered writes to the till are sent again", settle.till_settle, {LOOKED_UP: "outcome=Outcome.NOT_SENT"}),
    Mutant("unanswered writes to the till are taken as done", settle.till_settle, {LOOKED_UP: "outcome=Outcome.APPLIED"}),
    Mutant(
        "unanswered writes are looked up too soon",
        settle.settled_by,
        {
            "return row.next_attempt_at": "return row.sent_at",
            "return row.sent_at + ctx.store.store.settle if": "return row.sent_at if",
        },
        scene="lose_an_answer",
    ),
    Mutant(
        "drift at first sight",
        readings.store_reading_judge,
        {FIRST_SIGHT: "suspected_at = suspected_at or read_at - settle"},
        is_crowded=True,
    ),
    Mutant(
        "news does not reset a suspect",
        orders._Orders._line,
        {
            "listing.news_at, listing.suspect, listing.suspected_at = news, None, None": "listing.news_at = news",
        },
        scene="sell_the_same_twice",
    ),
    Mutant(
        "the second look comes too soon",
        readings.store_reading_judge,
        {"return TooSoon() if read_at < suspected_at + settle else Drift(residual)": "return Drift(residual)"},
        scene="read_before_the_order",
    ),
    Mutant(
        "orders are not read with the numbers",
        store_pull.orders_read,
        {"return ctx.store.store.read_orders(": "return [] and ctx.store.store.read_orders("},
    ),
    Mutant(
        "orders during the reading are ignored",
        readings.store_reading_judge,
        {"if news_at is not None and news_at >= read_at - skew:": "if False:"},
        scene="sell_while_opening",
    ),
    Mutant(
        "readings during a write are used",
        readings.store_reading_judge,
        {STORE_BUSY: "if any(write.answered_at is not None and write.answered_at >= read_at for write in writes):"},
        scene="read_before_the_answer",
    ),
    Mutant(
        "writes during the reading are ignored",
        readings.store_reading_judge,
        {STORE_BUSY: "if any(write.answered_at is None for write in writes):"},
        is_rare=True,
    ),
    Mutant(
        "later writes are not taken out",
        readings.till_reading_judge,
        {"residual = shows - (baseline - later)": "residual = shows - baseline"},
        scene="read_an_export_from_before_a_write",
    ),
    Mutant(
        "a store's baseline does not follow its orders",
        core_orders.line_effect,
        {"return LineEffect(baseline=-change, on_hand=-change,": "return LineEffect(baseline=ZERO, on_hand=-change,"},
    ),
    Mutant(
        "a lost turn is not noticed",
        leases.Lease.beat,
        {"if mine.update(lease_until=now + TTL) != 1:": "if mine.update(lease_until=now + TTL) > 1:"},
        scene="stand_still",
    ),
    Mutant(
        "a claim is sent at any age",
        claims.send_claimed,
        {"if ctx.now() <= claimed_at + limits().claim_lasts:": "if True:"},
        scene="stand_still",
    ),
    Mutant(
        "coming back explains what it shows",
        store_pull._Chunk._judge,
        {"listing.suspect = listing.suspected_at = None\n        return": "listing.baseline = None\n        return"},
        scene="stop_counting_and_sell",
    ),
    Mutant(
        "a write that landed opens a closed account",
        deliver.write_landed,
        {
            "if listing.baseline is not None:  #": "if True:  #",
            "listing.baseline += row.delta or ZERO": "listing.baseline = (listing.baseline or ZERO) + (row.delta or ZERO)",
        },
        scene="stop_counting_and_sell",
    ),
]

IN_WORLDS = [mutant for mutant in MUTANTS if not mutant.is_rare]
# Decisions of the pure core. The lease keeps the product from writing to a store while it reads it, and the other rare ones are
# met in three worlds of six hundred: a world on paper is a thousand times as quick.
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


def is_noticed(made: Bench, mutant: Mutant) -> bool:
    """Does a world go wrong where the product breaks that rule? As a rule the first one that is tried does: the others are there
    for when a change in the product reshuffles what happens in it."""
    with broken(mutant):
        for seed in range(mutant.seed, mutant.seed + TRIES):
            steps = SCENE_STEPS if mutant.scene else STEPS
            try:
                life = live(made, seed, steps=steps, to_the_end=False, is_crowded=mutant.is_crowded, scene=mutant.scene)
            except IntegrityError:  # the database did
                return True
            if not life.is_well:
                return True
    return False
