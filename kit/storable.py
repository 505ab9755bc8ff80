"""Text that every database keeps. Pure."""

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # Postgres takes no NUL, and nobody can encode half a character


def is_storable(text: str) -> bool:
    """Can the text be kept as it is?"""
    return not _UNSTORABLE.search(text)


def storable(text: str) -> str:
    """Result: the text, with a mark of replacement for each character that can't be kept."""
    return _UNSTORABLE.sub("\ufffd", text)
