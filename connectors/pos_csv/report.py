"""The note that lies beside every file we have dealt with."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from connectors.contract import FeedFate, RowProblem

_RESULTS = {
    FeedFate.APPLIED: "used",
    FeedFate.REFUSED: "not used",
    FeedFate.DUPLICATE: "not used: the same content was dealt with before",
    FeedFate.HELD: "waits for a person's decision",
}


def report_text(
    *, name: str, identity: str, fate: FeedFate, true_at: datetime | None, rows: int, used: int, problems: Sequence[RowProblem]
) -> str:
    """Result: what became of the file and each of its rows that could not be used, to be read by people."""
    lines = [f"File:    {name}", f"Result:  {_RESULTS[fate]}", f"SHA-256: {identity}"]
    if true_at is not None:
        lines.append(f"True at: {true_at:%Y-%m-%d %H:%M:%S} UTC")
    if rows:
        lines.append(f"Rows:    {rows}, readings {used}")
    lines += ["", *_problem_lines(problems)]
    return "\n".join(lines) + "\n"


def _problem_lines(problems: Iterable[RowProblem]) -> Iterable[str]:
    serious = [problem for problem in problems if problem.serious]
    notes = [problem for problem in problems if not problem.serious]
    for title, group in (("Problems", serious), ("Notes", notes)):
        yield f"{title}: {len(group) or 'none'}"
        for problem in group:
            where = f"line {problem.line}" if problem.line else "whole file"
            yield f"- {where} [{problem.code}] {problem.message}"
            if problem.next_step:
                yield f"    {problem.next_step}"


def merged(first: Sequence[RowProblem], second: Sequence[RowProblem]) -> list[RowProblem]:
    """Result: both, each once, in order."""
    return list(dict.fromkeys([*first, *second]))
