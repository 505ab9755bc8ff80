"""Prices as text between systems: digits and a dot, nothing else. A real shop made 1250 of “12,50” (woocommerce_answers.md 9).
Pure."""

import re
from decimal import Decimal
from typing import Final

# ISO 4217: currencies that have not two decimals.
_DECIMALS: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_PLAIN: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
MOST: Final = Decimal(10) ** 10  # what the books hold


class PriceError(ValueError):
    """The text or number is no price that can be used. Its message is the reason, for a shop owner."""


def decimals_of(currency: str) -> int:
    """Result: how many decimals prices in that currency have (ISO 4217)."""
    return _DECIMALS.get(currency, 2)


def price_text(price: Decimal, *, decimals: int) -> str:
    """Result: the price as it goes out: `12.50`, `1250` where the currency has no decimals. Raises PriceError for what is no
    price in that currency: below zero, not a number, or finer than its decimals. Nothing is rounded here."""
    if not price.is_finite():
        raise PriceError("it is not a number")
    if price < 0:
        raise PriceError("it is below zero")
    if price >= MOST:
        raise PriceError("it is too large for a price")
    exact = price.quantize(Decimal(1).scaleb(-decimals))
    if exact != price:
        raise PriceError(f"it has more than {decimals} decimals")
    return f"{abs(exact):f}"  # abs: zero may carry a sign


def price_parse(text: str) -> Decimal:
    """Result: the exact price. Raises PriceError for everything but digits and at most one dot: `12,50` is no price."""
    if not _PLAIN.fullmatch(text):
        raise PriceError("it is not written as digits with a dot")
    price = Decimal(text)
    if price >= MOST:
        raise PriceError("it is too large for a price")
    return price
