from inventory.models.item import Item, Location
from inventory.models.ledger import Movement, StockLevel, Voucher
from inventory.models.listing import Listing

__all__ = ["Item", "Listing", "Location", "Movement", "StockLevel", "Voucher"]
