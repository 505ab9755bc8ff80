"""What was so at a past moment, as far as it was kept. What was not kept is said to be unknown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sync.core.why.facts import Moment
from sync.core.why.steps import Link, amount, listed, moment_said

NOT_KEPT = "unknown: it was not kept"


@dataclass(frozen=True, slots=True)
class Noted:
    """What our list of pairs said last before that moment."""

    at: datetime
    till_says: Decimal | None
    shop_shows: Decimal | None
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """A write of then. `answered_at` None: it has no answer yet."""

    key: int
    system: str
    change: Decimal
    to: Decimal
    sent_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ThenFacts:
    """One listing at a past moment. `per` is None where it was no partner of the item then."""

    store: str
    till: str
    per: int | None
    noted: Noted | None
    told: Told | None  # the last number it took, or was sent
    conflicts: Sequence[tuple[Link, datetime]]
    rule: str
    writes_from: datetime | None = None  # older writes may be archived


@dataclass(frozen=True, slots=True)
class Known:
    """One line of it: what, and what is known."""

    what: str
    said: str
    links: Sequence[Link] = ()


def then_sentence(facts: ThenFacts, when: Moment) -> str:
    """Result: what the shop showed then, in a sentence."""
    if facts.noted is None:
        return f"What {facts.store} showed then is unknown: no reading of that time was kept."
    noted = moment_said(facts.noted.at, when.zone, when.now)
    stood = facts.noted.status.lower()
    if facts.noted.shop_shows is None:
        return f"What {facts.store} showed was unknown, as last noted {noted} ({stood})."
    return f"{facts.store} showed {amount(facts.noted.shop_shows)}, as last noted {noted} ({stood})."


def then_known(facts: ThenFacts, at: datetime, when: Moment) -> list[Known]:
    """Result: line by line, what is known of it."""
    return list(_lines(facts, at, when))


def _lines(facts: ThenFacts, at: datetime, when: Moment) -> Iterator[Known]:
    def said(moment: datetime) -> str:
        return moment_said(moment, when.zone, when.now)

    noted = facts.noted
    if noted:
        since = f", noted {said(noted.at)}"
        yield Known(f"{facts.till} said", f"{amount(noted.till_says)}{since}")
        yield Known(f"{facts.store} showed", f"{amount(noted.shop_shows)}{since}")
        yield Known("It stood", f"{noted.status.lower()}. {noted.reason}".strip())
    else:
        yield Known(f"{facts.store} showed", NOT_KEPT)
    if facts.told:
        told = facts.told
        flying = told.answered_at is None or told.answered_at > at
        answer = "not answered by then" if flying else "taken"
        words = f"{amount(told.change, signed=True)} to make it {amount(told.to)}, sent {said(told.sent_at)}, {answer}"
        yield Known("Last told to the shop", words, [Link("write", told.key, "the write")])
    elif facts.writes_from and at < facts.writes_from:
        yield Known("Last told to the shop", "unknown: writes of that time are archived")
    else:
        yield Known("Last told to the shop", "nothing by then")
    open_then = listed([f"found {said(found)}" for _, found in facts.conflicts])
    yield Known("Open conflicts", open_then or "none", [link for link, _ in facts.conflicts])
    if facts.per is not None and facts.per > 1:
        yield Known("Pack", f"one of the shop was {facts.per} of the till's units")
    yield Known("Rule for differences", facts.rule)
    yield Known("Reserved, and the buffer", f"{NOT_KEPT}, so what the shop should have shown is unknown, too")
