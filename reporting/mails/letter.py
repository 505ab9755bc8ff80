"""A report as a mail: text, HTML that mail programs draw, and the table file attached."""

from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.http import QueryDict
from django.template.loader import render_to_string

from alerts.channels.email import mail_headers
from alerts.channels.message import one_line
from alerts.selectors.messages import page_link
from reporting.core.report import Report, Table
from reporting.reports.rendering import Format, report_bytes, report_head, sections_shown

PAGE = "admin:reporting_dailymetric_report"
WIDEST = 40  # characters of a column in the text part


def report_as_mail(report: Report, *, to: str, key: UUID) -> EmailMultiAlternatives:
    """Result: the mail. Mail programs leave drawings out, so charts are on the report's page, to which it links where Evenstock's
    address is known."""
    period, made = report_head(report)
    shown = {"report": report, "period": period, "made": made, "sections": sections_shown(report), "link": report_link(report)}
    about = ", ".join(report.about[:3]) + (" and more" if len(report.about) > 3 else "")
    mail = EmailMultiAlternatives(
        subject=one_line(f"[Evenstock] {report.title}, {report.period.rpartition(' (')[0]}: {about or 'no shop'}"),
        body=report_text(report),
        to=[to],
        headers=mail_headers(key),
    )
    mail.attach_alternative(render_to_string("reports/mail.html", shown), "text/html")
    mail.attach(f"{report.file_name}.csv", report_bytes(report, Format.CSV), "text/csv")
    return mail


def report_link(report: Report) -> str:
    """Result: the address of the report's page; "" where nobody has said how Evenstock is reached."""
    query = QueryDict(mutable=True)
    query.update({"period": report.span.every.value, "until": report.span.last.isoformat()})
    page = page_link(PAGE)
    return f"{page}?{query.urlencode()}" if page else ""


def report_text(report: Report) -> str:
    """Result: the report for programs that show no HTML."""
    lines = [report.title.upper(), *report_head(report)]
    if link := report_link(report):
        lines.append(f"With charts: {link}")
    for section in report.sections:
        lines += ["", section.title.upper(), *map(_line, section.sentences)]
        if section.table:
            lines += ["", *_table(section.table)]
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    rows = [tuple(one_line(cell, WIDEST) for cell in row) for row in (table.header, *table.rows)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.header))]
    return [
        "  ".join(
            cell.rjust(width) if place in table.numbers else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _line(text: str) -> str:
    return " ".join(text.split())
