"""A report as markdown, as a page of its own, and for a spreadsheet. What came from outside is escaped in each."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from kit.files.cells import cell_safe
from reporting.core.charts import Chart, bar_svg, line_svg
from reporting.core.report import Report, Section, Table
from reporting.metrics.figures import CONFLICTS

_MARKS = re.compile(r"([\\`*_\[\]|~#])")


class Format(StrEnum):
    MD = "md"
    HTML = "html"
    CSV = "csv"


TYPES = {Format.MD: "text/markdown", Format.HTML: "text/html", Format.CSV: "text/csv"}


def report_render(report: Report, form: Format) -> str:
    """Result: the report's text in that format."""
    return {Format.MD: report_markdown, Format.HTML: report_html, Format.CSV: report_csv}[form](report)


def report_bytes(report: Report, form: Format) -> bytes:
    """Result: the file's content. A spreadsheet learns by the mark at the front that it is UTF-8."""
    return report_render(report, form).encode("utf-8-sig" if form is Format.CSV else "utf-8")


def report_head(report: Report) -> tuple[str, str]:
    shops = f"Shops: {', '.join(report.about)}." if report.about else "No shop is connected yet."
    made = report.made_at.astimezone(report.span.zone)
    return report.period, f"{shops} Made {made:%Y-%m-%d %H:%M} {report.span.zone.key}."


def report_markdown(report: Report) -> str:
    lines = [f"# {_plain(report.title)}", *(_plain(said) for said in report_head(report))]
    for section in report.sections:
        lines += [f"## {_plain(section.title)}", *(_plain(sentence) for sentence in section.sentences)]
        if section.table:
            lines.append("\n".join(_table_lines(section.table)))
    return "\n\n".join(lines) + "\n"


def _table_lines(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(_plain, table.header))} |"
    yield f"|{'|'.join('---:' if place in table.numbers else '---' for place in range(len(table.header)))}|"
    for row in table.rows:
        yield f"| {' | '.join(map(_plain, row))} |"


def _plain(text: str) -> str:
    """Result: the text in one line, so that markdown takes none of it for a mark or for HTML."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(r"\\\1", line)


def report_csv(report: Report) -> str:
    """Result: the sections below each other, an empty line between; no cell is a formula to a spreadsheet."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerows([cell_safe(said)] for said in (report.title, *report_head(report)))
    for section in report.sections:
        writer.writerow([])
        writer.writerows([cell_safe(said)] for said in (section.title, *section.sentences))
        if section.table:
            rows = (section.table.header, *section.table.rows)
            writer.writerows([cell_safe(cell) for cell in row] for row in rows)
    return lines.getvalue()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its name."""

    title: str
    said: str
    svg: SafeString


@dataclass(frozen=True, slots=True)
class Shown:
    """A section as a page draws it: each cell with the class of its column."""

    section: Section
    header: tuple[tuple[str, str], ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    charts: tuple[Drawn, ...]


def sections_shown(report: Report) -> list[Shown]:
    """Result: what the template draws; it escapes all of it but the charts, which escape themselves."""
    return [_shown(section) for section in report.sections]


def _shown(section: Section) -> Shown:
    table = section.table or Table((), ())
    css = ["num" if place in table.numbers else "" for place in range(len(table.header))]
    rows = tuple(tuple(zip(row, css, strict=True)) for row in table.rows)
    return Shown(section, tuple(zip(table.header, css, strict=True)), rows, tuple(map(_drawn, section.charts)))


def _drawn(chart: Chart) -> Drawn:
    draw = bar_svg if chart.code.endswith(CONFLICTS.code) else line_svg
    return Drawn(chart.title, chart.description, mark_safe(draw(chart)))  # noqa: S308 - the charts escape what they are given


def report_html(report: Report) -> str:
    """Result: a page that needs no other file."""
    period, made = report_head(report)
    shown = {"report": report, "period": period, "made": made, "sections": sections_shown(report)}
    return render_to_string("reports/report.html", shown)
