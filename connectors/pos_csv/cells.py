"""Cells into numbers and codes. Spellings repeat down a column, so each is worked out once."""

import re
from decimal import Decimal

from connectors.pos_csv.numbers import FormatEvidence, NumberError, parse_number, parse_price
from connectors.pos_csv.presets import NO_PRICE, PRESETS
from connectors.pos_csv.settings import PosCsvSettings

MOST_QUANTITY = Decimal(10_000_000)  # the shortest barcode has eight digits: a quantity never looks like one
DAMAGED = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
_FORMULA_TEXT = re.compile(r'="(.*)"', re.DOTALL)

Cell = Decimal | str | None  # the number, why it can't be used, or nothing said


class Cells:
    """Reads the cells of one file, and listens to how its numbers are written."""

    def __init__(self, settings: PosCsvSettings) -> None:
        untracked = PRESETS[settings.preset].untracked if settings.untracked is None else settings.untracked
        self._untracked = frozenset(_marker(mark) for mark in untracked)
        self._format = settings.number_format
        self._quantities: dict[str, Cell] = {}
        self._prices: dict[str, Cell] = {}
        self.evidence = FormatEvidence(settings.number_format)
        self.currencies: set[str] = set()
        self.damaged_barcodes: list[tuple[int, str]] = []

    def quantity(self, text: str, line: int) -> Cell:
        """Result: the number, None for “not counted” (never zero), or the reason why it is neither."""
        if text not in self._quantities:
            self._quantities[text] = self._parsed_quantity(text, line)
        return self._quantities[text]

    def price(self, text: str, line: int) -> Cell:
        """Result: the amount, None where the cell names none, or the reason why it can't be used."""
        if text not in self._prices:
            self._prices[text] = self._parsed_price(text, line)
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

    def _parsed_quantity(self, text: str, line: int) -> Cell:
        if _marker(text) in self._untracked:
            return None
        self._hear(line, text)
        try:
            quantity = parse_number(text, self._format)
        except NumberError as error:
            return str(error)
        if abs(quantity) >= MOST_QUANTITY:
            return "it is too large for a quantity and looks like a barcode"
        return quantity

    def _parsed_price(self, text: str, line: int) -> Cell:
        if not text.strip() or _marker(text) in NO_PRICE:
            return None
        self._hear(line, text)
        try:
            amount, currency = parse_price(text, self._format)
        except NumberError as error:
            return str(error)
        if currency:
            self.currencies.add(currency)
        return "it is below zero" if amount < 0 else amount

    def _hear(self, line: int, text: str) -> None:
        if not text.strip().isdigit():
            self.evidence.hear(line, text)


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
