"""The go-live report to take along: every change for a spreadsheet, and the report as markdown. What came from outside is
disarmed in both."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from backoffice.setup.golive import GoLive, Line, Tally
from kit.admin.parts import number
from kit.files.cells import cell_safe

HEADER = ("What", "Till SKU", "Till item", "Shop SKU", "Shop product", "Shows now", "Would show", "Difference")
_MARKS = re.compile(r"([\\`*_\[\]|~#])")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def golive_csv(lines: Iterable[Line]) -> Iterator[bytes]:
    """Result: the file, a row at a time. Texts that a spreadsheet would run are disarmed; numbers are numbers."""
    writer = csv.writer(_Echo())
    yield "\ufeff".encode()  # by this a spreadsheet knows that it is UTF-8
    yield _row(writer.writerow(HEADER))
    for line in lines:
        texts = (line.field, line.sku, line.name, line.woo_sku, line.woo_name)
        numbers = (line.shows, line.target, line.difference)
        yield _row(writer.writerow([*map(cell_safe, texts), *map(_figure, numbers)]))


def _row(text: object) -> bytes:
    return str(text).encode()


def _figure(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def golive_markdown(report: GoLive) -> str:
    """Result: the report as a person reads it, with the largest changes."""
    lines = [
        f"# Go-live report of {_plain(report.store.name)}",
        f"By {_plain(str(report.run))}, {report.made_at:%Y-%m-%d %H:%M} UTC.",
    ]
    if not report.is_whole:
        lines.append("The run was held before it could compare the pairs, so what it would write is not known.")
    if report.unread:
        lines.append(f"{report.unread:,} pairs were aligned since; nothing is known of them yet.")
    lines += ["## What holds it", *(f"- {_plain(reason)}" for reason in report.guards or ["Nothing."])]
    lines += ["## What it would write", _counts(report.writes)]
    lines += ["## The largest changes of numbers", _table(report.largest)] if report.largest else []
    lines += ["## The largest changes of prices", _table(report.largest_prices)] if report.largest_prices else []
    lines += ["## What it would leave alone", _counts(report.left_alone)]
    lines += ["## What waits for a person", _counts(report.decisions)]
    lines += ["## What the tills would be told", _counts(report.for_tills)]
    return "\n\n".join(lines) + "\n"


def _counts(tallies: Sequence[Tally]) -> str:
    said = [f"- {_plain(one.words)}: {one.count:,}{f'. {_plain(one.what_to_do)}' if one.what_to_do else ''}" for one in tallies]
    return "\n".join(said or ["Nothing."])


def _table(lines: Sequence[Line]) -> str:
    rows = ["| Till item | Shop product | Shows now | Would show | Difference |", "|---|---|---:|---:|---:|"]
    for line in lines:
        names = (f"{line.name} {line.sku}", f"{line.woo_name} {line.woo_sku}")
        figures = (number(line.shows), number(line.target), number(line.difference, signed=True))
        rows.append(f"| {' | '.join([*map(_plain, names), *figures])} |")
    return "\n".join(rows)


def _plain(text: str) -> str:
    """Result: the text in one line, so that markdown takes none of it for a mark or for HTML."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(r"\\\1", line)
