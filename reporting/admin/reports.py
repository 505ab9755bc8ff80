"""Reports in the admin: choose a period, read it, take it along."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from connectors.errors import ConfigError
from reporting.core.report import Every, last_over, span_ending
from reporting.reports.found import scope_of
from reporting.reports.make import report_make
from reporting.reports.rendering import TYPES, Format, report_bytes, sections_shown

NAME = "reporting_dailymetric_report"
PERIODS = ((Every.DAILY, "Day"), (Every.WEEKLY, "Week"), (Every.MONTHLY, "Month"))


class PeriodForm(forms.Form):
    """Which period, by its last day."""

    period = forms.ChoiceField(choices=PERIODS)
    until = forms.DateField(label="Up to and including", required=False, widget=forms.DateInput(attrs={"type": "date"}))


class ReportPage:
    """The page, hung below the daily figures: who may see these may see reports."""

    def __init__(self, model_admin: "ModelAdmin[Any]") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        return [path("report/", self.admin.admin_site.admin_view(self.show), name=NAME)]

    def show(self, request: HttpRequest) -> HttpResponse:
        """The report, or with `format` its file. Without a period: the last day that is over."""
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        now, scope = timezone.now(), scope_of()
        form = PeriodForm(request.GET if "period" in request.GET else {"period": Every.DAILY})
        report = None
        if form.is_valid():
            every = Every(form.cleaned_data["period"])
            until: date = form.cleaned_data["until"] or last_over(every, now, scope.zone)
            try:
                report = report_make(scope=scope, span=span_ending(every, until, scope.zone), now=now)
            except (ConfigError, OverflowError) as error:
                form.add_error(
                    "until", f"{error.message} {error.next_step}" if isinstance(error, ConfigError) else "No such day."
                )
        wanted = request.GET.get("format", "")
        if report and wanted in set(Format):
            answer = HttpResponse(report_bytes(report, Format(wanted)), content_type=f"{TYPES[Format(wanted)]}; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{report.file_name}.{wanted}"'
            return answer
        files = [(one.value, _query(report.span.every, report.span.last, one)) for one in Format] if report else []
        context = {
            **self.admin.admin_site.each_context(request),
            "opts": self.admin.opts,
            "title": "Reports",
            "form": form,
            "report": report,
            "sections": sections_shown(report) if report else [],
            "files": files,
        }
        return TemplateResponse(request, "admin/reporting/dailymetric/report.html", context)


def _query(every: Every, until: date, form: Format) -> str:
    query = QueryDict(mutable=True)
    query.update({"period": every.value, "until": until.isoformat(), "format": form.value})
    return query.urlencode()
