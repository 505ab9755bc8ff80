"""The ledger told to people: what moved, by kind, and row by row with the balance (ledger.md §1)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from itertools import groupby

from sync.core.why.steps import ZERO, Link, Run, Step, Tone, amount, listed

EACH = 60  # so many movements are shown one by one; of more, a day's of one kind and place are one row


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of movement in words: in a list of them, and in a sentence, gained or lost (`{}` is the number)."""

    name: str
    gained: str
    lost: str


KINDS = {  # verbs that fit one and many
    "opening": Kind("First counted", "{} lay there when it was first counted", "{} lay there when it was first counted"),
    "till": Kind("At the till: sales, counts, receipts", "{} came in at the till", "{} left at the till"),
    "count": Kind("Counted by a person", "a person counted {} more", "a person counted {} fewer"),
    "online": Kind("Online orders, less what came back", "{} came back from online orders", "{} went to online orders"),
    "store": Kind("Accepted from the shop", "{} came by accepting the shop's number", "{} went by accepting the shop's number"),
}


def kind_of(name: str, label: str = "") -> Kind:
    """Result: the words of a kind; of one that has none here, its own label."""
    label = label or name
    return KINDS.get(name) or Kind(label, f"{{}} came by “{label}”", f"{{}} went by “{label}”")


@dataclass(frozen=True, slots=True)
class Total:
    """What movements of one kind add up to at one place."""

    place: str
    kind: str
    label: str
    quantity: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement. `at`: when it was written down; `true_at`: when it was true there."""

    key: int
    place: str
    kind: str
    label: str
    quantity: Decimal
    at: datetime
    true_at: datetime
    what: str = ""
    links: Sequence[Link] = ()
    note: str = ""


def on_hand_of(totals: Iterable[Total]) -> Decimal:
    """Result: what the ledger says lies there."""
    return sum((total.quantity for total in totals), ZERO)


def account_steps(totals: Sequence[Total]) -> list[Step]:
    """Result: from nothing to on hand, a step for each kind, then the sum. What was first counted comes first."""
    by_kind: dict[str, list[Total]] = {}
    for total in sorted(totals, key=lambda one: (_rank(one.kind), one.kind)):
        by_kind.setdefault(total.kind, []).append(total)
    run = Run()
    for kind, some in by_kind.items():
        count = sum(total.count for total in some)
        note = "" if kind == "opening" else f"{count:,} {'movement' if count == 1 else 'movements'}"
        run.add(kind_of(kind, some[0].label).name, on_hand_of(some), note=note)
    run.total("On hand", note=places_note(totals))
    return run.steps


def _rank(kind: str) -> int:
    return list(KINDS).index(kind) if kind in KINDS else len(KINDS)


def places_note(totals: Sequence[Total]) -> str:
    """Result: how it lies over the places, where there are several; "" for one."""
    places: dict[str, Decimal] = {}
    for total in totals:
        places[total.place] = places.get(total.place, ZERO) + total.quantity
    return ", ".join(f"{place} {amount(number)}" for place, number in places.items()) if len(places) > 1 else ""


def account_sentence(totals: Sequence[Total], *, was: bool = False) -> str:
    """Result: why so many lie on the shelf, in a sentence."""
    sums: dict[str, Decimal] = {}
    words: dict[str, Kind] = {}
    for total in sorted(totals, key=lambda one: _rank(one.kind)):
        sums[total.kind] = sums.get(total.kind, ZERO) + total.quantity
        words[total.kind] = kind_of(total.kind, total.label)
    parts = [
        (words[kind].lost if number < 0 and kind != "opening" else words[kind].gained).format(
            amount(number if kind == "opening" else abs(number))
        )
        for kind, number in sums.items()
        if number or kind == "opening"
    ]
    lay = "lay" if was else "lie" if on_hand_of(totals) != 1 else "lies"
    return f"{amount(on_hand_of(totals))} {lay} on the shelf because {listed(parts)}."


def movement_steps(moves: Sequence[Moved], *, carried: Decimal, zone: tzinfo, each: bool, has_older: bool) -> list[Step]:
    """Result: the movements, oldest first, each with what was left after it, over all places; before them what was `carried`
    from older ones, after them the sum. Not `each`: those of one day, kind and place are one row, which leads to that day."""
    run = Run(carried)
    if has_older:
        run.total("Carried from older movements")
    for day, of_day in groupby(moves, key=lambda moved: moved.at.astimezone(zone).date()):
        some = list(of_day)
        if each:
            for moved in some:
                _one(run, moved)
        else:
            _day(run, day, some)
    run.total("On hand then" if not moves else f"On hand after {'it' if len(moves) == 1 else 'these'}")
    return run.steps


def _one(run: Run, moved: Moved) -> None:
    what = moved.what or kind_of(moved.kind, moved.label).name
    run.left += moved.quantity  # a movement is shown even where nothing moved: somebody may look for it
    run.steps.append(Step(what, moved.quantity, run.left, Tone.MOVED, moved.at, moved.links, moved.note))


def _day(run: Run, day: date, some: Sequence[Moved]) -> None:
    groups: dict[tuple[str, str], list[Moved]] = {}
    for moved in some:
        groups.setdefault((moved.kind, moved.place), []).append(moved)
    for (kind, _place), of_kind in groups.items():
        if len(of_kind) == 1:
            _one(run, of_kind[0])
            continue
        run.left += (change := sum((moved.quantity for moved in of_kind), ZERO))
        link = Link("day", day.isoformat(), f"{len(of_kind):,} movements")
        words = kind_of(kind, of_kind[0].label).name
        run.steps.append(Step(words, change, run.left, Tone.MOVED, of_kind[-1].at, [link], of_kind[0].note))
