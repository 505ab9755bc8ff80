"""Orders are state, not events (ledger.md §4). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

ZERO = Decimal(0)
MOST = Decimal(10_000_000)  # units of one line; beyond it lie barcodes that were typed into the wrong field
LEAST = Decimal("0.001")  # what the ledger can keep


@dataclass(frozen=True, slots=True)
class LineBooked:
    """What is known of an order line: what it held of the store's number (`taken`) and what the ledger has booked of it."""

    taken: Decimal
    booked: Decimal


@dataclass(frozen=True, slots=True)
class LineEffect:
    """What a newer state of a line changes.

    `baseline` goes to the listing (the store has already moved its own number), `on_hand` to the shelf.
    """

    baseline: Decimal
    on_hand: Decimal
    booked: Decimal


def line_problem(*, ordered: Decimal, taken: Decimal) -> str:
    """Result: why a line's quantities can't be booked; "" where they can. Less than nothing can: a plugin writes what comes back
    so, and the store's own number rises by it."""
    for quantity in (taken, ordered):
        if not quantity.is_finite() or abs(quantity) >= MOST:
            return f"The shop says {quantity:.3E} units, which can't be true."
        if quantity != quantity.quantize(LEAST):
            return f"The shop says {quantity.normalize():f} units, finer than a thousandth."
    return ""


def line_effect(
    *,
    known: LineBooked | None,
    taken: Decimal,
    order_created_at: datetime,
    opened_at: datetime | None,
    unseen: timedelta = timedelta(0),
    waits: bool = False,
) -> LineEffect:
    """Result: what changes when a line now holds `taken` units, against what is `known` of it (None: never seen).

    `opened_at`: when the listing's account was opened by a first reading; None while it isn't open, or not aligned. A line of
    an order older than that was in the opening numbers of both sides: its first sight moves nothing, later changes do.
    `unseen`: how long an order may be there, by its store's clock, before it can be seen by ours. One that the opening could not
    see counts as new; if the opening number had moved already, that shows as drift, and no sale is lost.
    `waits`: it was sold while its product belonged to no item. The opening number shows it, and the shelf does not yet.
    """
    if opened_at is None:
        return LineEffect(baseline=ZERO, on_hand=ZERO, booked=known.booked if known else ZERO)
    if known is None:
        if order_created_at < opened_at - unseen:
            return LineEffect(baseline=ZERO, on_hand=ZERO, booked=ZERO)
        known = LineBooked(taken=ZERO, booked=ZERO)
    change = taken - known.taken
    if waits:
        return LineEffect(baseline=-change, on_hand=known.booked - taken, booked=taken)
    return LineEffect(baseline=-change, on_hand=-change, booked=known.booked + change)
