"""SKUs and barcodes as keys: equal for spellings that people use for the same thing. Pure."""

import re
import unicodedata

KEY_LENGTH = 190  # of the columns that hold it

_SEPARATORS = r"\s_\-‐‒–—―−"
# A whole run of separators and dots, wherever it stands.
_RUN = re.compile(rf"[{_SEPARATORS}.]+")
_SEPARATOR = re.compile(rf"[{_SEPARATORS}]+")

# GTIN-8, -12 (UPC), -13 (EAN), -14, and a UPC that lost one or two leading zeros in a spreadsheet.
_BARCODE_LENGTHS = frozenset({8, 10, 11, 12, 13, 14})


def sku_key(sku: str) -> str:
    """Result: the SKU without what people vary when they retype it; "" for a blank one.

    Case, width and accent composition are folded; spaces, dashes and underscores are dropped. Between two digits they
    become a dot, as a dot itself stays, because there they carry meaning: `X-1-5L` = `X-1.5L` ≠ `X-15L`. Leading zeros count.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())
    # Folding once more settles the few letters whose composed form can be folded again.
    folded = unicodedata.normalize("NFKC", folded.casefold())
    # A dropped space may have kept a letter and an accent apart.
    return unicodedata.normalize("NFC", _RUN.sub(_between, folded))[:KEY_LENGTH]


def _between(run: re.Match[str]) -> str:
    text, start, end = run.string, run.start(), run.end()
    if start > 0 and end < len(text) and text[start - 1].isdigit() and text[end].isdigit():
        return "."
    return _SEPARATOR.sub("", run.group())


def barcode_key(raw: str) -> str | None:
    """Result: the UPC, EAN or GTIN as 14 digits, so that lost leading zeros and `.0` tails don't matter; None where the
    text is no such number: wrong length, wrong check digit, or digits a spreadsheet rounded away (`6.12E+11`)."""
    text = unicodedata.normalize("NFKC", raw).strip()
    digits = re.sub(r"\.0+$", "", re.sub(r"[\s\-]", "", text))
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in _BARCODE_LENGTHS:
        return None
    key = digits.zfill(14)
    return key if _check_digit_holds(key) and key.strip("0") else None


def _check_digit_holds(key: str) -> bool:
    """GS1 General Specifications, 7.9: weights 3 and 1 in turn; the sum with the check digit is a multiple of ten."""
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(key)) % 10 == 0


def barcode_text(key: str) -> str:
    """Result: a barcode's key as people know it: the 13 digits of an EAN (a UPC gets one leading zero), else all 14."""
    return key.removeprefix("0")
