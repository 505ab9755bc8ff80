"""How values are written in the log."""

from decimal import Decimal


def quantity_text(quantity: Decimal | None) -> str:
    """Result: a quantity as people write it: 12, −3, 1.5; "" where it is unknown."""
    return "" if quantity is None else f"{quantity.normalize():f}"
