"""One row a day for each connection."""

from django.contrib import admin
from django.urls import URLPattern

from kit.admin.parts import UNKNOWN, ReadOnlyAdmin
from reporting.admin.reports import ReportPage
from reporting.core.words import value_said
from reporting.metrics.figures import ACCURACY, COVERAGE, LATENCY, SUCCESS, Headline
from reporting.models import DailyMetric


def _shown(row: DailyMetric, headline: Headline) -> str:
    return value_said(headline, row.figures.value(headline))


@admin.register(DailyMetric)
class DailyMetricAdmin(ReadOnlyAdmin):
    """Newest day first; shares are worked out from the counts."""

    list_display = ("day", "connection", "latency", "coverage", "conflicts", "success", "accuracy", "writes_applied", "answers")
    list_filter = ("connection", "day")
    list_select_related = ("connection",)

    def get_urls(self) -> list[URLPattern]:
        return [*ReportPage(self).urls(), *super().get_urls()]

    @admin.display(description="sync latency, p95", ordering="latency_p95")
    def latency(self, row: DailyMetric) -> str:
        return _shown(row, LATENCY)

    @admin.display(description="coverage")
    def coverage(self, row: DailyMetric) -> str:
        return _shown(row, COVERAGE)

    @admin.display(description="sync success")
    def success(self, row: DailyMetric) -> str:
        return _shown(row, SUCCESS)

    @admin.display(description="accuracy")
    def accuracy(self, row: DailyMetric) -> str:
        return _shown(row, ACCURACY)

    @admin.display(description="answers in, p95", ordering="call_p95")
    def answers(self, row: DailyMetric) -> str:
        return UNKNOWN if row.call_p95 is None else f"{row.call_p95:.0f} ms"
