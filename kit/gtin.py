"""Barcodes by their number: UPC, EAN, GTIN and the ISBN of a book (GS1 General Specifications 7.9, ISO 2108)."""

import re
import unicodedata

from stdnum import ean, isbn

_LENGTHS = frozenset({8, 12, 13, 14})
_LOST_ZEROS = frozenset({10, 11})  # a UPC whose one or two leading zeros a spreadsheet took away


def gtin_valid(code: str) -> bool:
    """Result: is it a GTIN-8, -12, -13 or -14 as it should be written: digits alone, the last one right, not all zeros?"""
    return code.isascii() and code.isdigit() and len(code) in _LENGTHS and bool(code.strip("0")) and ean.is_valid(code)


def gtin_key(raw: str) -> str | None:
    """Result: the UPC, EAN or GTIN as 14 digits, so that lost leading zeros and `.0` tails don't matter; None where the
    text is no such number: wrong length, wrong check digit, or digits a spreadsheet rounded away (`6.12E+11`)."""
    digits = code_compact(raw)
    key = digits.zfill(14)
    return key if len(digits) in _LENGTHS | _LOST_ZEROS and gtin_valid(key) else None


def gtin_text(key: str) -> str:
    """Result: a barcode's key as people know it: the 13 digits of an EAN (a UPC gets one leading zero), else all 14."""
    return key.removeprefix("0")


def isbn10_key(raw: str) -> str | None:
    """Result: the key of the EAN, 978…, of a book's ten digits, also without their leading zero; None where it is no ISBN-10."""
    code = code_compact(raw)
    return isbn.to_isbn13(code).zfill(14) if isbn.isbn_type(code) == "ISBN10" else None


def code_compact(raw: str) -> str:
    """Result: a code's cell without spaces, dashes and the `.0` that a spreadsheet adds."""
    return re.sub(r"\.0+$", "", re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", raw)))
