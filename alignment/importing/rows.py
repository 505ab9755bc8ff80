"""An alignment file's rows, as text."""

from dataclasses import dataclass

from kit.files.table import ENCODINGS, MAX_ROWS, Encoding, table_parse

__all__ = ["ENCODINGS", "MAX_ROWS", "AlignmentRow", "Encoding", "alignment_parse"]

POS_SKU, STORE_SKU, MATCH_TYPE, CONFIDENCE = "POS SKU", "WooCommerce SKU", "Match Type", "Confidence"
COLUMNS = (POS_SKU, STORE_SKU, MATCH_TYPE, CONFIDENCE)
UNITS = "Units"  # how many of the till's units one of the store's is; may be left out
STATUS = "Status"  # only our own exports have it


@dataclass(frozen=True, slots=True)
class AlignmentRow:
    """One data row as text. `line` counts from 1, the header included. `is_short`: a cell is missing."""

    line: int
    pos_sku: str
    store_sku: str
    match_type: str
    confidence: str
    status: str = ""
    is_short: bool = False
    units: str = ""


def alignment_parse(content: bytes, *, encoding: str = "utf-8", limit: int) -> list[AlignmentRow]:
    """Result: the rows of an alignment file, blank ones left out. Raises FileError (see `table_parse`)."""
    return [
        AlignmentRow(
            line=row.line,
            pos_sku=row.cells[POS_SKU],
            store_sku=row.cells[STORE_SKU],
            match_type=row.cells[MATCH_TYPE],
            confidence=row.cells[CONFIDENCE],
            status=row.cells.get(STATUS, "").casefold(),
            is_short=row.is_short,
            units=row.cells.get(UNITS, ""),
        )
        for row in table_parse(content, encoding=encoding, limit=limit, columns=COLUMNS, others=[UNITS, STATUS])
    ]
