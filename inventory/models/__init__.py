from inventory.models.item import Item, Location
from inventory.models.ledger import Movement, StockLevel

__all__ = ["Item", "Location", "Movement", "StockLevel"]
