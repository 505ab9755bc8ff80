"""What a row or a file can have wrong with it, and which of these are only notes."""

import re
from collections.abc import Sequence
from dataclasses import replace

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

    def unquoted(self) -> "FileRefusedError":
        """Result: the same without what stands in the file."""
        return FileRefusedError(
            _unquoted(self.message),
            code=self.code,
            next_step=_unquoted(self.next_step),
            problems=[unquoted(one) for one in self.problems],
            file_name=self.file_name,
            identity=self.identity,
        )


def note(line: int, sku: str, code: str, message: str, next_step: str = "") -> RowProblem:
    """Result: something worth knowing by which nothing was lost. It never makes a file refused."""
    return RowProblem(line, sku, code, message, next_step, serious=False)


def rejects_row(problem: RowProblem) -> bool:
    """Result: the row's quantity was not used."""
    return problem.serious and problem.code not in PARTIAL_CODES


def unquoted(problem: RowProblem) -> RowProblem:
    """Result: the same without what stands in the file. Its SKU stays: by it an item is known not to be missing."""
    return replace(problem, message=_unquoted(problem.message), next_step=_unquoted(problem.next_step))


def _unquoted(text: str) -> str:
    """What messages quote stands between the first mark and the last, whatever marks are in it."""
    return re.sub(r"“.*”", "“…”", text, flags=re.DOTALL)
