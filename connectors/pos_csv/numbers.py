"""Numbers as shops write them, into exact `Decimal`s. The format is configured per source and never guessed per cell:
`1,234` alone is a thousand here and one-and-a-bit there.
"""

import re
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
    """The text is not a number in the configured format. Its message is the reason, for a shop owner."""


_MARKS = {
    NumberFormat.COMMA_POINT: (",", "."),
    NumberFormat.POINT_COMMA: (".", ","),
    NumberFormat.SPACE_COMMA: (" \u00a0\u202f", ","),
    NumberFormat.APOSTROPHE_POINT: ("'’", "."),
}
_LONGEST = 40  # no stock figure is longer; a regex never has to look at more
_SIGN = "+\u2212-"
_ANY_DIGIT = str.maketrans("123456789", "000000000")
_EXPONENT = re.compile(r"[0-9]e[+-]?[0-9]", re.IGNORECASE)
_CURRENCY = r"(?:[A-Z]{0,2}[$¢-¥₠-⃀]|[A-Z]{3}|Kč|kr\.?|zł|Fr\.?|Ft|lei|лв\.?)"
_PRICED = re.compile(
    rf"(?P<lead>[-+(\u2212]?)\s*(?P<before>{_CURRENCY})?\s*(?P<rest>.*?)\s*(?P<after>{_CURRENCY})?(?P<trail>\)?)"
)


@cache
def _pattern(number_format: NumberFormat) -> re.Pattern[str]:
    group, mark = _MARKS[number_format]
    whole = rf"[0-9]{{1,3}}(?:(?P<g>[{group}])[0-9]{{3}})(?:(?P=g)[0-9]{{3}})*|[0-9]+"
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


@lru_cache(maxsize=4096)
def _formats_that_read(shape: str) -> frozenset[NumberFormat]:
    return frozenset(candidate for candidate in NumberFormat if _reads(shape, candidate))


def _reads(text: str, number_format: NumberFormat) -> bool:
    try:
        parse_price(text, number_format)
    except NumberError:
        return False
    return True


def formats_that_read(text: str) -> frozenset[NumberFormat]:
    """Result: every format in which the text is a number or a price; used to notice a file in another format."""
    # Which digits they are changes nothing, and a file has few shapes.
    return _formats_that_read(text.strip().translate(_ANY_DIGIT)) if len(text) <= _LONGEST else frozenset()


def decimal_mark(number_format: NumberFormat) -> str:
    """Result: the character between whole and fraction in that format."""
    return _MARKS[number_format][1]


class FormatEvidence:
    """What a whole file's spellings say about its number format. One cell proves nothing; the file may.

    A spelling is for the configured format if no format with the other decimal mark could read it, against it if only
    another format can read it, and open if both can, with different results.
    """

    def __init__(self, configured: NumberFormat) -> None:
        self._configured = configured
        self.supporting = 0
        self.contradicting = 0
        self.ambiguous = 0
        self.better: NumberFormat | None = None
        self.first_contradiction: tuple[int, str] | None = None
        self.first_open: tuple[int, str] | None = None

    def hear(self, line: int, text: str) -> None:
        """Count one distinct spelling that has something other than digits in it."""
        fitting = formats_that_read(text)
        mark = decimal_mark(self._configured)
        if self._configured not in fitting:
            if fitting:
                self.contradicting += 1
                self.better = self.better or min(fitting, key=list(NumberFormat).index)
                self.first_contradiction = self.first_contradiction or (line, text.strip())
        elif any(decimal_mark(other) != mark for other in fitting):
            self.ambiguous += 1
            if mark in text:
                self.first_open = self.first_open or (line, text.strip())
        elif mark in text:
            self.supporting += 1

    @property
    def contradicts(self) -> bool:
        """The file's own spellings speak against the configured format more than for it. One or two such cells are only
        bad rows, unless there are others that the wrong format would silently read as something else."""
        return self.contradicting > self.supporting and (self.contradicting >= 3 or self.ambiguous > 0)
