"""Numbers as shops write them, into exact `Decimal`s: what a text means in each way of writing. Which way a file follows is set,
or told by the file as a whole (spellings.py), never guessed per cell: `1,234` alone is a thousand here and one-and-a-bit there.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache


class NumberFormat(StrEnum):
    """How a file writes thousands and decimals; the value is the example a person picks from."""

    COMMA_POINT = "1,234.50"
    POINT_COMMA = "1.234,50"
    SPACE_COMMA = "1 234,50"
    APOSTROPHE_POINT = "1'234.50"


class NumberError(ValueError):
    """The text is not a number in that format. Its message is the reason, for a shop owner; `next_step`: what to set, if that is
    the way out."""

    def __init__(self, reason: str, *, next_step: str = "") -> None:
        super().__init__(reason)
        self.next_step = next_step


_MARKS = {
    NumberFormat.COMMA_POINT: (",", "."),
    NumberFormat.POINT_COMMA: (".", ","),
    NumberFormat.SPACE_COMMA: (" \u00a0\u2009\u202f", ","),
    NumberFormat.APOSTROPHE_POINT: ("'’", "."),
}
_LONGEST = 40  # no stock figure is longer; a regex never has to look at more
_SIGN = "+\u2212-"
_SHAPE = str.maketrans("23456789", "11111111")
_EXPONENT = re.compile(r"[0-9]e[+-]?[0-9]", re.IGNORECASE)
_CURRENCY = r"(?:[A-Z]{0,2}[$¢-¥₠-⃀]|[A-Z]{3}|Kč|kr\.?|zł|Fr\.?|Ft|lei|лв\.?)"
_PRICED = re.compile(
    rf"(?P<lead>[-+(\u2212]?)\s*(?P<before>{_CURRENCY})?\s*(?P<rest>.*?)\s*(?P<after>{_CURRENCY})?(?P<trail>\)?)"
)


@cache
def _pattern(number_format: NumberFormat) -> re.Pattern[str]:
    group, mark = _MARKS[number_format]
    # Nobody writes thousands after a leading zero: 0,750 is three quarters or nothing.
    whole = rf"[1-9][0-9]{{0,2}}(?:(?P<g>[{group}])[0-9]{{3}})(?:(?P=g)[0-9]{{3}})*|[0-9]+"
    number = rf"(?P<whole>{whole})(?:{re.escape(mark)}(?P<part>[0-9]+))?|{re.escape(mark)}(?P<only>[0-9]+)"
    return re.compile(rf"(?P<open>\()?\s*(?P<sign>[{_SIGN}])?\s*(?:{number})\s*(?P<trail>[{_SIGN}])?\s*(?P<close>\))?")


def parse_number(text: str, number_format: NumberFormat) -> Decimal:
    """Result: the exact number, `-3`, `3-` and `(3)` all being minus three. Raises NumberError with the reason otherwise."""
    text = text.strip()
    if len(text) <= _LONGEST and text.isascii():
        whole, mark, part = text.partition(_MARKS[number_format][1])
        if whole.isdigit() and (part.isdigit() or not mark):  # by far the most cells: no sign, no thousands
            return Decimal(f"{whole}.{part}" if mark else whole)
    if not text:
        raise NumberError("it is empty")
    if len(text) > _LONGEST:
        raise NumberError("it is far too long for a number")
    if _EXPONENT.search(text):
        raise NumberError("a spreadsheet turned it into scientific notation, so digits are lost")
    match = _pattern(number_format).fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        raise NumberError(f"it is not a number written like {number_format.value}")
    signs = [mark for mark in (match["sign"], match["trail"], match["open"]) if mark]
    if len(signs) > 1:
        raise NumberError("it has two signs")
    whole = re.sub(r"[^0-9]", "", match["whole"] or "0")
    number = Decimal(f"{whole}.{match['part'] or match['only']}" if match["part"] or match["only"] else whole)
    return -number if signs and signs[0] != "+" and number else number


def parse_price(text: str, number_format: NumberFormat) -> tuple[Decimal, str]:
    """Result: the amount, and the currency mark beside it ("" where there is none). Raises NumberError like `parse_number`."""
    match = _PRICED.fullmatch(text.strip())
    if match is None or not (match["before"] or match["after"]):
        return parse_number(text, number_format), ""
    amount = parse_number(f"{match['lead']}{match['rest']}{match['trail']}", number_format)
    return amount, match["before"] or match["after"]


@dataclass(frozen=True, slots=True, eq=False)  # one for each shape: which it is tells them apart, at no cost
class Told:
    """What a text may be. `formats`: in which it is a number or a price. `marks`: what may stand between whole and fraction then:
    `12,50` tells “,”; `1,234` leaves it open, so both; `12` and `1 234` don't care: none."""

    formats: tuple[NumberFormat, ...]
    marks: frozenset[str]


_NOTHING = Told((), frozenset())


def told_by(text: str) -> Told:
    """Result: in which formats the text is a number, by its shape alone."""
    # Which digit it is changes nothing, but for a leading zero; and a file has few shapes.
    return _told_by(text.strip().translate(_SHAPE)) if len(text) <= _LONGEST else _NOTHING


@lru_cache(maxsize=4096)
def _told_by(shape: str) -> Told:
    formats = tuple(candidate for candidate in NumberFormat if _reads(shape, candidate))
    cares = "," in shape or "." in shape
    return Told(formats, frozenset(decimal_mark(one) for one in formats) if cares else frozenset())


def _reads(text: str, number_format: NumberFormat) -> bool:
    try:
        parse_price(text, number_format)
    except NumberError:
        return False
    return True


def decimal_mark(number_format: NumberFormat) -> str:
    """Result: the character between whole and fraction in that format."""
    return _MARKS[number_format][1]
