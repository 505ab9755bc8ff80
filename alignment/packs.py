"""How many units of an item one of its listing may stand for. Pure."""

MOST_UNITS = 100_000  # beyond it lie barcodes that were typed into the wrong field
