"""A report as markdown, as a page of its own, and for a spreadsheet. What came from outside is escaped in each."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from kit.files.cells import cell_safe
from kit.files.markdown import markdown_plain
from reporting.core.charts import Chart, bar_svg, line_svg
from reporting.core.report import Report, Section, Table
from reporting.metrics.figures import CONFLICTS


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
    lines = [f"# {markdown_plain(report.title)}", *(markdown_plain(said) for said in report_head(report))]
    for section in report.sections:
        lines += [f"## {markdown_plain(section.title)}", *(markdown_plain(sentence) for sentence in section.sentences)]
        if section.table:
            lines.append("\n".join(_table_lines(section.table)))
    return "\n\n".join(lines) + "\n"


def _table_lines(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(markdown_plain, table.header))} |"
    yield f"|{'|'.join('---:' if place in table.numbers else '---' for place in range(len(table.header)))}|"
    for row in table.rows:
        yield f"| {' | '.join(map(markdown_plain, row))} |"


def report_csv(report: Report) -> str:
    """Result: the sections below each other, an empty line between; no cell is a formula to a spreadsheet."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    report = _disarmed(report)
    writer.writerows([said] for said in (report.title, *report_head(report)))
    for section in report.sections:
        writer.writerow([])
        writer.writerows([said] for said in (section.title, *section.sentences))
        if section.table:
            writer.writerows((section.table.header, *section.table.rows))
    return lines.getvalue()


def _disarmed(report: Report) -> Report:
    """Result: the report for a file that a spreadsheet may open: no text of it is a formula. What it says of period and shops
    begins with words of ours."""
    return replace(report, title=cell_safe(report.title), sections=tuple(map(_section_disarmed, report.sections)))


def _section_disarmed(section: Section) -> Section:
    table = section.table and replace(
        section.table, header=_safe(section.table.header), rows=tuple(map(_safe, section.table.rows))
    )
    return replace(section, title=cell_safe(section.title), sentences=_safe(section.sentences), table=table)


def _safe(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(cell_safe, texts))


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
    """Result: a page that needs no other file. A spreadsheet opens such a page, too."""
    report = _disarmed(report)
    period, made = report_head(report)
    shown = {"report": report, "period": period, "made": made, "sections": sections_shown(report)}
    return render_to_string("reports/report.html", shown)
