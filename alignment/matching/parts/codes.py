"""Barcodes as evidence: what is trusted, what is damaged, and numbers that only look like barcodes. Pure."""

import re

from kit.gtin import code_compact, gtin_key, isbn10_key

# A spreadsheet shows six digits of a long number, and writes zeros for the rest.
_ROUNDED = re.compile(r"\d{3,9}0{5,}")
_SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?e\+?\d+", re.IGNORECASE)


def barcode_keys(raw: str) -> tuple[str, ...]:
    """Result: the 14-digit keys that a barcode cell may mean: one, or two where ten digits are both an ISBN-10 and a UPC that
    lost two zeros; none for a damaged, rounded or misread one. Damaged codes are never trusted."""
    digits = _digits(raw)
    if not digits or _is_rounded(digits):
        return ()
    return tuple(dict.fromkeys(key for key in (gtin_key(digits), isbn10_key(digits)) if key))


def is_damaged(raw: str) -> bool:
    """Result: a spreadsheet has destroyed this code: `6.12E+11`, or zeros for its last digits."""
    text = re.sub(r"\s", "", raw)
    return bool(_SCIENTIFIC.fullmatch(text)) or _is_rounded(_digits(raw))


def is_unchecked_code(raw: str) -> bool:
    """Result: a whole number as long as a barcode whose check digit is wrong: in-house, mistyped, or no barcode at all."""
    digits = _digits(raw)
    return digits.isdigit() and 8 <= len(digits) <= 14 and not _is_rounded(digits) and not barcode_keys(raw)


def unchecked_key(raw: str) -> str:
    return _digits(raw).lstrip("0")


def _digits(raw: str) -> str:
    text = code_compact(raw).removeprefix("'")
    return text if re.fullmatch(r"[0-9]+[xX]?", text) else ""


def _is_rounded(digits: str) -> bool:
    return bool(_ROUNDED.fullmatch(digits)) and len(digits) >= 10
