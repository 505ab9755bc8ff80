"""Cells into numbers and codes. Spellings repeat down a column, so each is worked out once."""

import re
from dataclasses import dataclass
from decimal import Decimal

from connectors.pos_csv.reading.numbers import NumberError
from connectors.pos_csv.reading.presets import NO_PRICE, PRESETS
from connectors.pos_csv.reading.spellings import Spellings, UnclearNumberError
from connectors.pos_csv.settings import PosCsvSettings

MOST_QUANTITY = Decimal(10_000_000)  # the shortest barcode has eight digits: a quantity never looks like one
DAMAGED = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_FORMULA_TEXT = re.compile(r'="(.*)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a cell can't be used. `is_unclear`: it is a number, and nothing tells which."""

    why: str
    next_step: str = ""
    is_unclear: bool = False


Cell = Decimal | Unusable | None  # None: nothing said


class Cells:
    """Reads the cells of one file, whose spellings have all been heard."""

    def __init__(self, settings: PosCsvSettings, spellings: Spellings) -> None:
        untracked = PRESETS[settings.preset].untracked if settings.untracked is None else settings.untracked
        self._untracked = frozenset(_marker(mark) for mark in untracked)
        self._spellings = spellings
        self._quantities: dict[str, Cell] = {}
        self._prices: dict[str, Cell] = {}
        self.currencies: set[str] = set()
        self.damaged_barcodes: list[tuple[int, str]] = []

    def quantity(self, text: str) -> Cell:
        """Result: the number, None for “not counted” (never zero), or the reason why it is neither."""
        if text not in self._quantities:
            self._quantities[text] = self._parsed_quantity(text)
        return self._quantities[text]

    def price(self, text: str) -> Cell:
        """Result: the amount, None where the cell names none, or the reason why it can't be used."""
        if text not in self._prices:
            self._prices[text] = self._parsed_price(text)
        return self._prices[text]

    def barcode(self, text: str, line: int) -> str:
        """A barcode is only evidence for matching: a damaged one is dropped, and counted, without touching the row."""
        code = unwrapped(text).strip()
        if code.endswith(".0") and code[:-2].isdigit():
            return code[:-2]
        if DAMAGED.fullmatch(code):
            self.damaged_barcodes.append((line, code))
            return ""
        return code

    def _parsed_quantity(self, text: str) -> Cell:
        if _marker(text) in self._untracked:
            return None
        try:
            quantity = self._spellings.quantity(text)
        except NumberError as error:
            return _unusable(error)
        if abs(quantity) >= MOST_QUANTITY:
            return Unusable("it is too large for a quantity and looks like a barcode")
        return quantity

    def _parsed_price(self, text: str) -> Cell:
        if not text.strip() or _marker(text) in NO_PRICE:
            return None
        try:
            amount, currency = self._spellings.price(text)
        except NumberError as error:
            return _unusable(error)
        if currency:
            self.currencies.add(currency)
        return Unusable("it is below zero") if amount < 0 else amount


def _unusable(error: NumberError) -> Unusable:
    return Unusable(str(error), error.next_step, is_unclear=isinstance(error, UnclearNumberError))


def unwrapped(text: str) -> str:
    """Result: the code without the wrapping that keeps spreadsheets from changing it: `="00123"` and a leading `'`."""
    if text[:1] == "'" and len(text) > 1:
        return text[1:]
    if text[:2] == '="':
        match = _FORMULA_TEXT.fullmatch(text)
        return match[1] if match else text
    return text


def _marker(text: str) -> str:
    return text.strip().casefold()
