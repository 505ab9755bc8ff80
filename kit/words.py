"""How values are written for people."""

from decimal import Decimal


def quantity_text(quantity: Decimal | None) -> str:
    """Result: a quantity in digits, as a file or a row keeps it: 12, -3, 1.5; "" where it is unknown. Zero has no sign."""
    if quantity is None:
        return ""
    return f"{quantity.normalize():f}" if quantity else "0"


def quantity_said(quantity: Decimal | None, *, signed: bool = False, unknown: str = "") -> str:
    """Result: a quantity as people read it: 12, 1.5, −3; with `signed` also +3; `unknown` where it is, never 0."""
    if quantity is None:
        return unknown
    plus = "+" if signed and quantity > 0 else ""
    return plus + quantity_text(quantity).replace("-", "−")


def counted(number: int, one: str, many: str) -> str:
    """Result: a number with its words: “1 number was”, “1,204 numbers were”."""
    return f"{number:,} {one if number == 1 else many}"
