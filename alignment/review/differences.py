"""Two things side by side, with what differs marked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from re import findall

from alignment.matching.parts.words import folded

Marked = tuple[str, bool]  # a piece of text, and whether the other side lacks it


@dataclass(frozen=True, slots=True)
class Line:
    """One property of both sides. `is_same`: None where a side doesn't say."""

    label: str
    at_till: Sequence[Marked]
    in_store: Sequence[Marked]
    is_same: bool | None


def line(label: str, at_till: str, in_store: str) -> Line:
    """Result: both texts, word by word; case, accents and marks such as ™ are no difference."""
    here, there = _words(at_till), _words(in_store)
    same = None if not here or not there else _keys(here) == _keys(there)
    return Line(label, _marked(at_till, _keys(there)), _marked(in_store, _keys(here)), same)


def price_line(label: str, at_till: Decimal | None, in_store: Decimal | None) -> Line:
    """Result: two amounts; the same amount may be written in two ways."""
    same = None if at_till is None or in_store is None else at_till == in_store
    cells = [[(_amount(amount), same is False)] if amount is not None else [] for amount in (at_till, in_store)]
    return Line(label, cells[0], cells[1], same)


def _amount(amount: Decimal) -> str:
    """Result: 12, 27.60 or 0.125: what has cents has two places."""
    plain = f"{amount.normalize():f}"
    return f"{amount:.2f}" if plain[-2:-1] == "." else plain


def _words(text: str) -> list[str]:
    return findall(r"\w+", text)


def _keys(words: Sequence[str]) -> set[str]:
    return {folded(word) for word in words}


def _marked(text: str, others: set[str]) -> list[Marked]:
    """Result: the whole text in pieces; a word that the other side lacks is marked, where the other side says anything."""
    return [(piece, bool(others) and piece[0].isalnum() and folded(piece) not in others) for piece in findall(r"\w+|\W+", text)]
