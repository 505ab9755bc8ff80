"""The report of a period: daily, weekly, monthly. docs/reports.md says to managers what its figures are."""

from datetime import datetime
from enum import StrEnum

from connectors.errors import ConfigError
from reporting.core.report import Every, Report, Section, Span
from reporting.reports.found import SHOWN, Found, Scope
from reporting.reports.rows import report_find
from reporting.sections import happened, longer
from reporting.sections.figures import metrics_section
from reporting.sections.reconciliation import reconciled_sections

TITLES = {Every.DAILY: "Daily report", Every.WEEKLY: "Weekly report", Every.MONTHLY: "Monthly report"}
RECONCILED = 1000  # rows of a table, where nothing else is told


class Part(StrEnum):
    """How much of a report is wanted."""

    WHOLE = "whole"
    RECONCILIATION = "reconciliation"


def report_make(*, scope: Scope, span: Span, now: datetime, part: Part = Part.WHOLE) -> Report:
    """Result: the report of that period for these shops. Raises ConfigError for a period that has not begun."""
    if span.since > now:
        raise ConfigError("That period has not begun yet.", next_step="Name a day that has come.")
    about = tuple(store.name for store in scope.stores)
    if part is Part.RECONCILIATION:
        found = report_find(scope=scope, span=span, now=now, most=RECONCILED)
        sections = [happened.as_of_section(span, now), *reconciled_sections(found)]
        return Report("Reconciliation", span, about, now, tuple(sections), name="reconciliation")
    found = report_find(scope=scope, span=span, now=now, most=SHOWN)
    return Report(TITLES[span.every], span, about, now, tuple(_whole(found, span, now)))


def _whole(found: Found, span: Span, now: datetime) -> list[Section]:
    sections = [
        happened.short_section(found, span, now),
        happened.syncs_section(found),
        happened.values_section(found),
        happened.errors_section(found),
        happened.stock_section(found),
        happened.issues_section(found),
        happened.actions_section(found),
        *reconciled_sections(found),
        metrics_section(found, span),
    ]
    if span.every is Every.DAILY:
        return sections
    numbers = found.numbers
    return [
        *sections,
        longer.often_section(found),
        longer.fixes_section(numbers),
        longer.alone_section(found),
        longer.settled_section(numbers),
    ]
