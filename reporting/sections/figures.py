"""The figures with goals, over the days of the period that were measured, and as charts."""

from collections.abc import Sequence
from decimal import Decimal

from kit.words import counted, quantity_text
from reporting.core.charts import Chart, Point
from reporting.core.report import Section, Span, section_of
from reporting.core.words import goal_said, value_said
from reporting.metrics.figures import ACCURACY, CONFLICTS, COVERAGE, HEADLINES, Figures, Headline, figures_sum
from reporting.reports.found import Found
from reporting.reports.words import UNKNOWN


def metrics_section(found: Found, span: Span) -> Section:
    """Result: the figures with goals, over the measured days of the period; and 30 days of each as a chart."""
    days = [found.days[day] for day in span.days if day in found.days]
    rows = [_metric(headline, days, len(span.days)) for headline in HEADLINES]
    first = min(span.first, min(found.days, default=span.first))
    charts = tuple(_chart(headline, found, Span(span.every, first, span.last, span.zone)) for headline in HEADLINES)
    header = ("Figure", "Goal", "Value", "Days that met it", "Measured")
    none = () if days else ("No day of this period was measured, so no figure is known.",)
    table = section_of("metrics", "Figures against goals", header=header, rows=rows, empty="", sentences=none)
    return Section(table.code, table.title, table.sentences, table.table, charts if found.days else ())


def _metric(headline: Headline, days: Sequence[Figures], all_days: int) -> tuple[str, ...]:
    values = [value for one in days if (value := one.value(headline)) is not None]
    met = sum(bool(headline.meets(value)) for value in values)
    return (
        headline.title,
        goal_said(headline).removeprefix("goal ").capitalize(),
        _metric_said(headline, days),
        f"{met} of {len(values)}" if values else UNKNOWN,
        f"{counted(len(values), 'day', 'days')} of {all_days}",
    )


def _metric_said(headline: Headline, days: Sequence[Figures]) -> str:
    """Result: what a period's figure is: shares that stand are the last measured day's, conflicts are a day's mean, success is
    of all syncs, latency is the slowest day's."""
    if headline in (COVERAGE, ACCURACY):
        known = [value for one in days if (value := one.value(headline)) is not None]
        return value_said(headline, known[-1]) if known else UNKNOWN
    if headline is CONFLICTS:
        mean = Decimal(sum(one.conflicts for one in days)) / len(days) if days else None
        return UNKNOWN if mean is None else quantity_text(mean.quantize(Decimal("0.1")))
    value = figures_sum(days).value(headline)
    return UNKNOWN if value is None else value_said(headline, value)


def _chart(headline: Headline, found: Found, shown: Span) -> Chart:
    values = [(day, found.days[day].value(headline) if day in found.days else None) for day in shown.days]
    points = [Point(f"{day.day} {day:%B}", value, value_said(headline, value)) for day, value in values]
    known = [point for point in points if point.value is not None]
    ends = f"from {known[0].said} on {known[0].label} to {known[-1].said} on {known[-1].label}" if known else "nothing measured"
    is_share = headline.unit == "%"
    return Chart(
        code=f"report-{headline.code}",
        title=f"{headline.title} by day",
        description=f"{ends}, {goal_said(headline)}",
        points=points,
        goal=headline.goal,
        floor=None if is_share else Decimal(0),
        ceiling=Decimal(100) if is_share else None,
    )
