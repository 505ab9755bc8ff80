"""Cells for a spreadsheet, which runs what looks like a formula (reliability.md 38), and back."""

_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def cell_safe(text: str) -> str:
    """Result: the text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_SIGNS) or text.lstrip().startswith(_SIGNS) else text


def cell_plain(raw: str) -> str:
    """Result: a cell's text without outer spaces and without the apostrophe of `cell_safe`."""
    text = raw.strip()
    return text[1:].strip() if text.startswith("'") and text[1:].lstrip().startswith(_SIGNS) else text
