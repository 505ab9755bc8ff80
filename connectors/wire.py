"""The gate for what comes over the wire. Pure.

Each function takes one value as JSON had it, and gives back what the rest of the program may use without a further look: it fits
its column, costs no memory, and every database keeps it. What does not pass raises OddValueError; `Thing` says of which thing and
which field, and what to do about it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from connectors.errors import UnreadableError
from kit.storable import is_storable, storable

T = TypeVar("T")
MOST_WHOLE: Final = 2**63 - 1  # what a column for whole numbers holds
MOST_UNITS: Final = Decimal(10) ** 11
FINEST: Final = Decimal("0.001")  # what the ledger can keep
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)  # before it lie zero dates: 0000-00-00, 1970-01-01
MOST_ODD: Final = 10
_NOISE: Final = Decimal("1e-9")  # 0.1 + 0.2 is 0.30000000000000004 in PHP
_LONGEST_WHOLE: Final = 20  # characters
_LONGEST_NUMBER: Final = 40
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_PLACES: Final = re.compile(r"[0-9]{1,9}")


class OddValueError(ValueError):
    """A value that can't be used. Its message is the reason, for a shop owner, as “it is no number”."""


def json_parse(body: bytes, *, dotted: Callable[[str], Any] | None = None) -> Any:
    """Result: what `body` says; numbers with a dot as Decimal, or as `dotted` makes them. A number that is too long to be one
    stays text, so that it stands in the way of its own field only. Raises ValueError for anything but clean JSON, also for what
    is nested too deep."""
    try:
        return json.loads(body.decode(), parse_float=dotted or _dotted, parse_int=_whole, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def whole(said: Any) -> int:
    """Result: a whole number from 0 on that a column holds."""
    if isinstance(said, bool) or not isinstance(said, int):
        raise OddValueError("it is no whole number")
    if not 0 <= said <= MOST_WHOLE:
        raise OddValueError("it is too large, or below zero")
    return said


def identity(said: Any) -> int:
    """Result: the number by which a system knows a thing; 0 is none."""
    number = whole(said)
    if not number:
        raise OddValueError("it is no number of anything")
    return number


def decimal(said: Any) -> Decimal:
    """Result: the exact number, small enough to be reckoned with and written out."""
    if isinstance(said, bool) or not isinstance(said, int | Decimal | str):
        raise OddValueError("it is no number")
    if isinstance(said, int) and abs(said) >= 10**_LONGEST_NUMBER:
        raise OddValueError("it is too large")
    text = str(said).strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise OddValueError("it is no number that can be true")
    return Decimal(text)


def quantity(said: Any) -> Decimal:
    """Result: units, as exact as the ledger keeps them."""
    number = decimal(said)
    if abs(number) >= MOST_UNITS:
        raise OddValueError("it is too large to be true")
    rounded = number.quantize(FINEST)
    if abs(rounded - number) > _NOISE:
        raise OddValueError("it is finer than a thousandth")
    return rounded if rounded != number else number


def code(said: Any, *, most: int) -> str:
    """Result: text that tells one thing from another, as it was said: a SKU, a status. None is "". It is never cut or mended: it
    would be another one."""
    if said is None:
        return ""
    if not isinstance(said, str) and not _is_number(said):
        raise OddValueError("it is no text")
    text = str(said)
    if not is_storable(text):
        raise OddValueError("it holds a character that no text has")
    if len(text) > most:
        raise OddValueError(f"it is longer than {most} characters")
    return text


def label(said: Any, *, most: int) -> str:
    """Result: text for people: a name. Mended and cut where it must be; what is no text is ""."""
    return storable(said)[:most] if isinstance(said, str) else str(said)[:most] if _is_number(said) else ""


def evidence(said: Any, *, most: int) -> str:
    """Result: text that is worth something only as a whole, and nothing hangs on: a barcode. "" for what is none."""
    try:
        return code(said, most=most)
    except OddValueError:
        return ""


def moment(said: Any) -> datetime:
    """Result: a moment in UTC, as which a time without a zone is taken."""
    try:
        found = datetime.fromisoformat(said if isinstance(said, str) else "")
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise OddValueError("it is no date") from error
    if found < EARLIEST:
        raise OddValueError("it is too long ago to be true")
    return found


def listed(said: Any) -> list[Any]:
    """Result: a list's entries, whatever they are. PHP writes a list from which something was taken out as an object with
    numbers for names."""
    if isinstance(said, dict) and all(_PLACES.fullmatch(name) for name in said):
        return list(said.values())
    if not isinstance(said, list):
        raise OddValueError("it is no list")
    return said


def objects(said: Any) -> list[dict[str, Any]]:
    """Result: those entries of a list that are objects."""
    return [entry for entry in listed(said) if isinstance(entry, dict)]


def scalar(said: Any) -> Any:
    """Result: one value that every database keeps and that costs little to keep; what is odd stays odd. A list or an object is
    an empty one."""
    if isinstance(said, str):
        return storable(said[:1000])
    return type(said)() if isinstance(said, list | dict) else said


def shown(said: Any) -> str:
    """Result: a value for a message."""
    if said is None:
        return "nothing"
    if isinstance(said, bool):
        return f"“{said}”".lower()
    return f"“{label(said, most=_LONGEST_NUMBER)}”" if isinstance(said, str) or _is_number(said) else _what(said)


def is_systems_fault(*, odd: int, of: int) -> bool:
    """Is it hardly the things' own fault that so many of a list can't be read? More than one in ten, and than a handful: then
    something changes what the API says. To name each would bury that, and a system that shows nothing must not count as read."""
    return odd > MOST_ODD and odd * 10 > of


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a system's reply, whose fields pass the gate one by one."""

    row: Mapping[str, Any]
    system: str  # who says it: shop, till
    kind: str  # what it is: product, order
    next_step: str

    def get(self, field: str, read: Callable[[Any], T]) -> T:
        """Result: the field, through a function of this module. Raises UnreadableError where it is missing or odd."""
        if field not in self.row:
            raise UnreadableError(
                f"The {self.system} leaves out “{field}” of {self.name}.", next_step=self.next_step, code="field_missing"
            )
        try:
            return read(self.row[field])
        except OddValueError as error:
            raise self.odd(field, str(error)) from error

    def odd(self, field: str, why: str) -> UnreadableError:
        """Result: the error for a field that can't be used."""
        return UnreadableError(
            f"The {self.system} says {shown(self.row.get(field))} for “{field}” of {self.name}, which can't be used: {why}.",
            next_step=self.next_step,
            code="field_odd",
        )

    @property
    def name(self) -> str:
        """What it is and its number, for a message."""
        number = label(self.row.get("id"), most=_LONGEST_NUMBER)
        return f"{self.kind} number {number}" if number else f"{self.kind} without a number"

    @property
    def remote_id(self) -> int:
        """Its number in the system's books; 0 where it has none that can be used."""
        try:
            return identity(self.row.get("id"))
        except OddValueError:
            return 0


def _is_number(said: Any) -> bool:
    """Is it a number that can be written out?"""
    if isinstance(said, bool) or not isinstance(said, int | Decimal):
        return False
    return isinstance(said, Decimal) or abs(said) < 10**_LONGEST_NUMBER


def _what(said: Any) -> str:
    return "a list" if isinstance(said, list) else "an object" if isinstance(said, dict) else "something"


def _dotted(text: str) -> Decimal | str:
    return Decimal(text) if len(text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(text) else text


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_WHOLE else text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
