"""What a row or a file can have wrong with it, and which of these are only notes."""

from collections.abc import Sequence

from connectors.contract import RowProblem
from connectors.errors import FeedError

# The row's quantity is used; only its price or cost is unknown.
PARTIAL_CODES = frozenset({"bad_price", "bad_cost"})


class FileRefusedError(FeedError):
    """One file can't be used as a whole. It lies in `refused/`, with a report beside it."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        next_step: str = "",
        problems: Sequence[RowProblem] = (),
        file_name: str = "",
        identity: str = "",
    ) -> None:
        super().__init__(message, next_step=next_step, code=code)
        self.problems = tuple(problems)
        self.file_name = file_name
        self.identity = identity


def note(line: int, sku: str, code: str, message: str, next_step: str = "") -> RowProblem:
    """Result: something worth knowing by which nothing was lost. It never makes a file refused."""
    return RowProblem(line, sku, code, message, next_step, serious=False)


def rejects_row(problem: RowProblem) -> bool:
    """Result: the row's quantity was not used."""
    return problem.serious and problem.code not in PARTIAL_CODES
