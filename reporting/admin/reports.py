"""Reports in the admin: choose a period, read it, take it along, have it sent."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from connectors.errors import ConfigError
from kit.admin.parts import person
from reporting.core.report import DAY, Every, Report, Span, last_over, span_ending
from reporting.mails.send import report_mail_now
from reporting.models import ReportMail
from reporting.reports.found import Scope, scope_of
from reporting.reports.make import Part, report_make
from reporting.reports.rendering import TYPES, Format, report_bytes, sections_shown

NAME, MAIL = "reporting_dailymetric_report", "reporting_dailymetric_mail"
PERIODS = ((Every.DAILY, "Day"), (Every.WEEKLY, "Week"), (Every.MONTHLY, "Month"))
PARTS = ((Part.WHOLE, "Everything"), (Part.RECONCILIATION, "Reconciliation: shop against till"))
FORMATS = ((Format.MD, "markdown"), (Format.HTML, "a page to print"), (Format.CSV, "a table, CSV"))


class PeriodForm(forms.Form):
    """Which period, by its last day, and how much of it."""

    period = forms.ChoiceField(choices=PERIODS)
    until = forms.DateField(label="Up to and including", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    part = forms.ChoiceField(label="What", choices=PARTS, required=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader wants, once the form is right."""

    span: Span
    part: Part

    def query(self, last: date | None = None, **more: str) -> str:
        """Result: the address' question for the same report of this or another period."""
        query = QueryDict(mutable=True)
        query.update({"period": self.span.every.value, "until": (last or self.span.last).isoformat()})
        query.update({"part": self.part.value} if self.part is not Part.WHOLE else {})
        query.update(more)
        return query.urlencode()

    def before(self) -> date:
        """Result: the last day of the period before."""
        return self.span.first - DAY

    def after(self, now: datetime) -> date | None:
        """Result: the last day of the period after; None where it has not begun."""
        if self.span.until > now:
            return None
        days = {Every.DAILY: 1, Every.WEEKLY: 7}.get(self.span.every)
        last = self.span.last + days * DAY if days else _month_after(self.span.last)
        return last if span_ending(self.span.every, last, self.span.zone).since <= now else None


def _month_after(last: date) -> date:
    """Result: the end of the next month, for a month's end; else the same day of the next month, or the last it has."""
    first = (last.replace(day=1) + 32 * DAY).replace(day=1)
    end = (first + 32 * DAY).replace(day=1) - DAY
    return end if (last + DAY).day == 1 else first.replace(day=min(last.day, end.day))


class ReportPage:
    """The page, hung below the daily figures: who may see these may see reports."""

    def __init__(self, model_admin: "ModelAdmin[Any]") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        view = self.admin.admin_site.admin_view
        return [path("report/", view(self.show), name=NAME), path("report/mail/", view(self.mail), name=MAIL)]

    def show(self, request: HttpRequest) -> HttpResponse:
        """The report, or with `format` its file. Without a period: the last day that is over."""
        self._may_look(request)
        now, scope = timezone.now(), scope_of()
        form = PeriodForm(request.GET if "period" in request.GET else {"period": Every.DAILY})
        asked = _asked(form, scope, now)
        report = _report(form, asked, scope, now) if asked else None
        wanted = request.GET.get("format", "")
        if report and wanted in set(Format):
            answer = HttpResponse(report_bytes(report, Format(wanted)), content_type=f"{TYPES[Format(wanted)]}; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="{report.file_name}.{wanted}"'
            return answer
        context = {
            **self.admin.admin_site.each_context(request),
            "opts": self.admin.opts,
            "title": "Reports",
            "form": form,
            "report": report,
            "sections": sections_shown(report) if report else [],
            "may_choose_mails": request.user.has_perm("reporting.add_reportmail"),
            "has_mails": ReportMail.objects.filter(is_active=True).exists(),
            **(_links(asked, now) if asked and report else {}),
        }
        return TemplateResponse(request, "admin/reporting/dailymetric/report.html", context)

    def mail(self, request: HttpRequest) -> HttpResponse:
        """Send the reader the report that is shown, to his own address."""
        self._may_look(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        now, user = timezone.now(), person(request)
        asked = _asked(PeriodForm(request.POST), scope_of(), now)
        page = reverse(f"admin:{NAME}")
        if asked is None or asked.span.since > now:
            messages.error(request, "It was not sent. Choose a period that has begun.")
            return HttpResponseRedirect(page)
        error = report_mail_now(user=user, span=asked.span, now=now)
        if error is None:
            messages.success(request, f"The report was sent to {user.email}.")
        else:
            messages.error(request, f"It was not sent. {error}")
        return HttpResponseRedirect(f"{page}?{asked.query()}")

    def _may_look(self, request: HttpRequest) -> None:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied


def _asked(form: PeriodForm, scope: Scope, now: datetime) -> Asked | None:
    """Result: what the form asks for; None where it is not right, and says so."""
    if not form.is_valid():
        return None
    every = Every(form.cleaned_data["period"])
    until: date = form.cleaned_data["until"] or last_over(every, now, scope.zone)
    try:
        return Asked(span_ending(every, until, scope.zone), Part(form.cleaned_data["part"] or Part.WHOLE))
    except (OverflowError, ValueError):
        form.add_error("until", "No such day.")
        return None


def _report(form: PeriodForm, asked: Asked, scope: Scope, now: datetime) -> Report | None:
    try:
        return report_make(scope=scope, span=asked.span, now=now, part=asked.part)
    except ConfigError as error:
        form.add_error("until", f"{error.message} {error.next_step}")
    except (OverflowError, ValueError):
        form.add_error("until", "No such day.")
    return None


def _links(asked: Asked, now: datetime) -> dict[str, Any]:
    after = asked.after(now)
    return {
        "files": [(name, asked.query(format=form.value)) for form, name in FORMATS],
        "before": asked.query(asked.before()),
        "after": asked.query(after) if after else "",
        "period": asked.span.every.value,
        "until": asked.span.last.isoformat(),
        "is_whole": asked.part is Part.WHOLE,
    }
