"""How one file writes its numbers, as far as it tells: every spelling of it is heard before a single one is read.

A number that could be read in two ways (`12,000`) is read only where the format is set, or other numbers of the file decide, and
where no number of its own kind speaks against that. Else it is unknown: a person is asked.
"""

from collections import Counter
from decimal import Decimal
from functools import cached_property
from typing import Literal

from connectors.pos_csv.reading.numbers import (
    NumberError,
    NumberFormat,
    Told,
    decimal_mark,
    parse_number,
    parse_price,
    told_by,
)
from kit.words import quantity_text

Sort = Literal["quantity", "money"]


class UnclearNumberError(NumberError):
    """The text is a number, and nothing tells which."""


class Spellings:
    """Hear them all, then read them. `configured`: the format that a person has set; None: the file decides."""

    def __init__(self, configured: NumberFormat | None = None) -> None:
        self._configured = configured
        self._first: dict[tuple[Sort, str], tuple[int, str]] = {}  # by sort and decimal mark: the first that tells it
        self._telling: Counter[str] = Counter()  # by decimal mark, how many spellings tell it
        self._formats: Counter[NumberFormat] = Counter()
        self._open = 0
        self._first_open: tuple[int, str] | None = None
        self._others: list[tuple[int, str]] = []  # spellings that only another format than the configured one can read
        self._chosen: dict[tuple[Sort, Told], NumberFormat] = {}

    def hear(self, sort: Sort, line: int, text: str) -> None:
        """Take note of a spelling, and of where it was seen first."""
        told = told_by(text)
        self._formats.update(told.formats if told.marks else ())
        if len(told.marks) == 1:
            (mark,) = told.marks
            self._telling[mark] += 1
            self._first.setdefault((sort, mark), (line, text.strip()))
        elif told.marks:
            self._open += 1
            self._first_open = self._first_open or (line, text.strip())
        if self._configured and told.formats and self._configured not in told.formats:
            self._others.append((line, text.strip()))

    @cached_property
    def number_format(self) -> NumberFormat | None:
        """The format that is set, or that the file's numbers tell; None where they tell none, or as much for each."""
        if self._configured:
            return self._configured
        point, comma = self._telling["."], self._telling[","]
        if point == comma:
            return None
        mark = "." if point > comma else ","
        return max((one for one in NumberFormat if decimal_mark(one) == mark), key=lambda one: self._formats[one])

    def contradiction(self) -> tuple[int, str, NumberFormat] | None:
        """Result: where the file's numbers speak more against the configured format than for it: the first such number's line and
        text, and the format that they tell. A few such cells are only bad rows, unless there are others that could be misread."""
        if self._configured is None or not self._others:
            return None
        supporting = self._telling[decimal_mark(self._configured)]
        against = len(self._others)
        if against <= supporting or not (against >= 3 or self._open):
            return None
        line, text = self._others[0]
        return line, text, told_by(text).formats[0]

    def unproved(self) -> tuple[int, str] | None:
        """Result: line and text of the first number that is read as configured and could be read otherwise, where no number of
        the file tells that this is right."""
        if self._configured is None or self._telling[decimal_mark(self._configured)]:
            return None
        return self._first_open

    def quantity(self, text: str) -> Decimal:
        """Result: the number. Raises NumberError, or UnclearNumberError where nobody can tell which it is."""
        return parse_number(text, self._format_for(text, "quantity"))

    def price(self, text: str) -> tuple[Decimal, str]:
        """Result: the amount and its currency mark. Raises as `quantity` does."""
        return parse_price(text, self._format_for(text, "money"))

    def _format_for(self, text: str, sort: Sort) -> NumberFormat:
        key = sort, told_by(text)
        if key not in self._chosen:
            self._chosen[key] = self._choose(text, *key)
        return self._chosen[key]

    def _choose(self, text: str, sort: Sort, told: Told) -> NumberFormat:
        found = self.number_format
        if len(told.marks) > 1 and (found is None or self._against(sort, decimal_mark(found))):
            raise self._unclear(text, sort, found)
        if found is None:
            if len(told.marks) == 1 and (against := min(self._tellers(_other(*told.marks)), default=None)):
                raise self._mixed(*against)
            return told.formats[0] if told.formats else NumberFormat.COMMA_POINT
        if found in told.formats or not told.formats:
            return found
        if self._configured is None:
            alike = [one for one in told.formats if not told.marks or decimal_mark(one) == decimal_mark(found)]
            if alike:
                return alike[0]
        raise NumberError(
            f"it is not a number written like {found.value}",
            next_step="Correct it at the till; if the till writes all its numbers so, set number_format to "
            f"{told.formats[0].value}.",
        )

    def _against(self, sort: Sort, mark: str) -> tuple[int, str] | None:
        """Result: line and text of a number of that sort that can only be read with the other decimal mark."""
        return self._first.get((sort, _other(mark)))

    def _unclear(self, text: str, sort: Sort, found: NumberFormat | None) -> UnclearNumberError:
        usual = {decimal_mark(one): one for one in reversed(told_by(text).formats)}
        (less, one), (more, other) = sorted((parse_price(text, each)[0], each) for each in usual.values())
        against = self._against(sort, decimal_mark(found)) if found else None
        why = f"and “{against[1]}” on line {against[0]} is written otherwise" if against else "and no number of the file tells"
        return UnclearNumberError(
            f"it could be {quantity_text(less)} or {quantity_text(more)}, {why}",
            next_step=f"Set number_format to {one.value} if it is {quantity_text(less)}, or to {other.value} if it is "
            f"{quantity_text(more)}.",
        )

    def _tellers(self, mark: str) -> list[tuple[int, str]]:
        return [at for (_, told), at in self._first.items() if told == mark]

    def _mixed(self, line: int, other: str) -> UnclearNumberError:
        return UnclearNumberError(
            f"“{other}” on line {line} is written otherwise, and nothing tells which is right",
            next_step="Set number_format to how the till writes its numbers, and correct the others there.",
        )


def _other(mark: str) -> str:
    return "," if mark == "." else "."
