"""Many rows at once, in statements of bounded size."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
CHUNK = 1000  # rows a transaction holds: large enough for speed, small enough that a web page's write waits under a second
UPDATE_CHUNK = 100  # an update looks each row up in a list as long as this


def chunks(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Result: the rows in lists of at most `size`, in order."""
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def reason_text(reason: str) -> str:
    """Result: a reason as long as the history keeps it."""
    return reason[:100]
