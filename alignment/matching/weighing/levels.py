"""What evidence can say about an item and a listing: each kind as a small level, in no order but that of the weights. Pure."""

from collections.abc import Mapping
from enum import IntEnum

KINDS = ("barcode", "sku", "name", "shared", "brand", "category", "price")
NOTED = (*KINDS, "size", "numbers")  # the last two weigh as a part of the name: all of a name agrees, or it doesn't


class Barcode(IntEnum):
    UNKNOWN = 0
    SAME = 1
    SAME_SHARED = 2  # more than one item or listing has it
    DIFFERS = 3
    SAME_UNCHECKED = 4  # the same number, but no valid barcode
    ELSEWHERE = 5  # the barcode of one is on another counterpart


class Sku(IntEnum):
    UNKNOWN = 0
    SAME = 1
    SAME_SHORT = 2  # a short one, or a number: equal by chance, too
    OTHER_KIND = 3  # a number against a name
    NEAR_SAME = 4
    NEAR = 5
    ALIKE = 6
    UNLIKE = 7
    OTHER_NUMBERS = 8  # alike but for its numbers
    BOTH_NUMBERS = 9  # two different numbers
    SAME_SHARED = 10
    ELSEWHERE = 11  # the SKU of one is that of another counterpart


class Numbers(IntEnum):
    NONE = 0
    SAME = 1
    ITEM_HAS_MORE = 2
    LISTING_HAS_MORE = 3
    DIFFER = 4


class Brand(IntEnum):
    UNKNOWN = 0
    SAME = 1
    PARTLY = 2
    NOT_SAID = 3
    OTHER = 4


class Category(IntEnum):
    UNKNOWN = 0
    SAME = 1
    SELDOM = 2
    UNSEEN = 3


class Price(IntEnum):
    UNKNOWN = 0
    SAME = 1
    NEAR = 2
    APART = 3
    FAR = 4
    WORLDS = 5


UNSAID_STEPS = (0.08, 0.35, 0.75, 1.3)
SHARED_STEPS = (0.5, 1.1, 1.8, 2.6)
PRICE_STEPS = (0.006, 0.12, 0.35, 0.7)
LEVELS: Mapping[str, int] = {
    "barcode": len(Barcode),
    "sku": len(Sku),
    "name": 3 * (len(UNSAID_STEPS) + 1) ** 2 + 1,
    "shared": len(SHARED_STEPS) + 2,
    "brand": len(Brand),
    "category": len(Category),
    "price": len(Price),
}
NO_NAME, NOTHING_SHARED_IN_NO_NAME = LEVELS["name"] - 1, LEVELS["shared"] - 1
