"""Cells for a spreadsheet, which runs what looks like a formula (reliability.md 38), and back."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

# Each sign in its three widths: a spreadsheet set to Chinese or Japanese takes all of them.
_SIGNS: Final = frozenset("=+-@＝＋－＠﹦﹢﹣﹫")
_BREAKS: Final = ("\t", "\r", "\n")  # at the front of a cell, some programs begin the next one with what follows
_NUMBER: Final = re.compile(r"[+-][0-9]+(?:[.,][0-9]+)*(?: ?%)?")


def cell_safe(text: str) -> str:
    """Result: the text, with an apostrophe before it where a spreadsheet would take it for a formula. A number with a sign
    is none."""
    shown = text.strip()
    is_formula = bool(shown) and (text.startswith(_BREAKS) or (_begins_with_a_sign(shown) and not _NUMBER.fullmatch(shown)))
    return f"'{text}" if is_formula else text


def cell_plain(raw: str) -> str:
    """Result: a cell's text without outer spaces and without the apostrophe of `cell_safe`, or of whoever put one before a
    number."""
    text = raw.strip()
    guarded = text.removeprefix("'")
    return guarded.strip() if guarded != text and (guarded.startswith(_BREAKS) or _begins_with_a_sign(guarded)) else text


def _begins_with_a_sign(text: str) -> bool:
    """Is the first thing to be seen of it a formula's? What can't be seen before it (a space of any kind, a mark of byte order,
    a control character) does not always keep a program from reading on."""
    if text[:1].isalnum():  # nearly every cell
        return False
    return next((char for char in text if char.isprintable() and char != " "), "") in _SIGNS


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Result: the lines of a CSV file, one at a time, its cells as they are given; the first begins with the mark by which
    a spreadsheet knows that it is UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield from (writer.writerow(row) for row in rows)
