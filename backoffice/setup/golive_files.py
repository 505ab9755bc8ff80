"""The go-live report to take along: every change for a spreadsheet, and the report as markdown. What came from outside is
disarmed in both."""

from collections.abc import Iterable, Iterator, Sequence

from backoffice.setup.golive import GoLive, Line, Tally
from kit.admin.parts import number
from kit.files.cells import cell_safe, csv_lines
from kit.files.markdown import markdown_plain
from kit.words import quantity_text

HEADER = ("What", "Till SKU", "Till item", "Shop SKU", "Shop product", "Shows now", "Would show", "Difference")


def golive_csv(lines: Iterable[Line]) -> Iterator[bytes]:
    """Result: the file, a row at a time. Texts that a spreadsheet would run are disarmed; numbers are numbers."""
    yield from (line.encode() for line in csv_lines([HEADER, *map(_cells, lines)]))


def _cells(line: Line) -> list[str]:
    texts = (line.field, line.sku, line.name, line.woo_sku, line.woo_name)
    numbers = (line.shows, line.target, line.difference)
    return [*map(cell_safe, texts), *map(quantity_text, numbers)]


def golive_markdown(report: GoLive) -> str:
    """Result: the report as a person reads it, with the largest changes."""
    lines = [
        f"# Go-live report of {markdown_plain(report.store.name)}",
        f"By {markdown_plain(str(report.run))}, {report.made_at:%Y-%m-%d %H:%M} UTC.",
    ]
    if not report.is_whole:
        lines.append("The run was held before it could compare the pairs, so what it would write is not known.")
    if report.unread:
        lines.append(f"{report.unread:,} pairs were aligned since; nothing is known of them yet.")
    lines += ["## What holds it", *(f"- {markdown_plain(reason)}" for reason in report.guards or ["Nothing."])]
    lines += ["## What it would write", _counts(report.writes)]
    lines += ["## The largest changes of numbers", _table(report.largest)] if report.largest else []
    lines += ["## The largest changes of prices", _table(report.largest_prices)] if report.largest_prices else []
    lines += ["## What it would leave alone", _counts(report.left_alone)]
    lines += ["## What waits for a person", _counts(report.decisions)]
    lines += ["## What the tills would be told", _counts(report.for_tills)]
    return "\n\n".join(lines) + "\n"


def _counts(tallies: Sequence[Tally]) -> str:
    return "\n".join(map(_count, tallies)) or "Nothing."


def _count(tally: Tally) -> str:
    what_to_do = f". {markdown_plain(tally.what_to_do)}" if tally.what_to_do else ""
    return f"- {markdown_plain(tally.words)}: {tally.count:,}{what_to_do}"


def _table(lines: Sequence[Line]) -> str:
    rows = ["| Till item | Shop product | Shows now | Would show | Difference |", "|---|---|---:|---:|---:|"]
    for line in lines:
        names = (f"{line.name} {line.sku}", f"{line.woo_name} {line.woo_sku}")
        figures = (number(line.shows), number(line.target), number(line.difference, signed=True))
        rows.append(f"| {' | '.join([*map(markdown_plain, names), *figures])} |")
    return "\n".join(rows)
