"""Text that every database keeps. Pure."""

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")  # Postgres takes no NUL, and nobody can encode half a character


def storable(text: str) -> str:
    """Result: the text, with a mark of replacement for each character that can't be kept."""
    return _UNSTORABLE.sub("\ufffd", text)
