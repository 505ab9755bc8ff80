"""SKUs as keys: equal for spellings that people use for the same thing. Pure."""

import re
import unicodedata

KEY_LENGTH = 190  # of the columns that hold it

_SEPARATORS = r"\s_\-‐‒–—―−"
# A whole run of separators and dots, wherever it stands.
_RUN = re.compile(rf"[{_SEPARATORS}.]+")
_SEPARATOR = re.compile(rf"[{_SEPARATORS}]+")


def sku_key(sku: str) -> str:
    """Result: the SKU without what people vary when they retype it; "" for a blank one.

    Case, width and accent composition are folded; spaces, dashes and underscores are dropped. Between two digits they
    become a dot, as a dot itself stays, because there they carry meaning: `X-1-5L` = `X-1.5L` ≠ `X-15L`. Leading zeros count.
    """
    # A dropped space may have kept a letter and an accent apart.
    return unicodedata.normalize("NFC", _RUN.sub(_between, _folded(sku)))[:KEY_LENGTH]


def sku_spelling(sku: str) -> str:
    """Result: the SKU in one case, width and accent composition, as `sku_key` has them, without outer spaces and with inner ones
    as one. Dashes count: within one list `A-1` and `A1` are two items."""
    return " ".join((sku.casefold() if sku.isascii() else _folded(sku)).split())


def _folded(sku: str) -> str:
    """Result: case, width and accent composition as one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sku).casefold())
    # Folding once more settles the few letters whose composed form can be folded again.
    return unicodedata.normalize("NFKC", folded.casefold())


def _between(run: re.Match[str]) -> str:
    text, start, end = run.string, run.start(), run.end()
    if start > 0 and end < len(text) and text[start - 1].isdigit() and text[end].isdigit():
        return "."
    return _SEPARATOR.sub("", run.group())
