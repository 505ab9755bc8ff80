"""How values are written for people."""

from decimal import Decimal


def quantity_text(quantity: Decimal | None) -> str:
    """Result: a quantity as people write it: 12, −3, 1.5; "" where it is unknown."""
    return "" if quantity is None else f"{quantity.normalize():f}"


def counted(number: int, one: str, many: str) -> str:
    """Result: a number with its words: “1 number was”, “1,204 numbers were”."""
    return f"{number:,} {one if number == 1 else many}"
