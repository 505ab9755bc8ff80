"""Text from outside in a markdown file."""

import re
from typing import Final

_MARKS: Final = re.compile(r"([\\`*_\[\]|~#])")


def markdown_plain(text: str) -> str:
    """Result: the text in one line, so that markdown takes none of it for a mark or for HTML."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(r"\\\1", line)
