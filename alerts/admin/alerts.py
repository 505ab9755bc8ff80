"""What waits for a person, what is put off, and what is over."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alerts.admin.handle import AssignForm, ReopenForm, ResolveForm, SnoozeForm
from alerts.admin.parts import alert_links, severity_badge, state_badge
from alerts.models import Alert
from alerts.services.alerts import OPEN, alerts_assign, alerts_reopen, alerts_resolve, alerts_snooze
from kit.admin.parts import HistoryAdmin, ReadOnlyAdmin, moment
from kit.admin.search import ProductSearchAdmin

FORMS: dict[str, tuple[str, str, type[forms.Form]]] = {
    "snooze": ("Snooze", "snoozed", SnoozeForm),
    "assign": ("Assign", "assigned", AssignForm),
    "resolve": ("Resolve", "resolved", ResolveForm),
    "reopen": ("Open again", "opened again", ReopenForm),
}
STATES = {"open": "Open", "snoozed": "Snoozed", "over": "Resolved or gone", "all": "All"}


class StateFilter(admin.SimpleListFilter):
    """Open ones first: the list shows nothing else unless asked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, words) for value, words in STATES.items() if value != "open"]

    def choices(self, changelist: Any) -> Any:
        """Django's first choice is "All"; here it is what is open."""
        for place, choice in enumerate(super().choices(changelist)):
            yield choice if place else {**choice, "display": "Open"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        match self.value():
            case "snoozed":
                return queryset.filter(state=Alert.State.SNOOZED)
            case "over":
                return queryset.filter(state__in=[Alert.State.RESOLVED, Alert.State.GONE])
            case "all":
                return queryset
        return queryset.filter(state=Alert.State.OPEN)


class MineFilter(admin.SimpleListFilter):
    """By who looks after it."""

    title = "assigned"
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "To me"), ("nobody", "To nobody")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Alert]) -> QuerySet[Alert]:
        match self.value():
            case "me":
                return queryset.filter(assigned_to=request.user.pk)
            case "nobody":
                return queryset.filter(assigned_to=None)
        return queryset


@admin.register(Alert)
class AlertAdmin(ProductSearchAdmin, ReadOnlyAdmin, HistoryAdmin):
    """The most serious first. People snooze, assign and resolve; everything else follows the cause."""

    list_display = ("level", "about", "message", "age", "state_shown", "assigned_to")
    list_display_links = ("about",)
    list_filter = (StateFilter, "severity", MineFilter, "rule", "connection", "opened_at")
    list_select_related = ("connection", "assigned_to")
    list_per_page = 50
    search_fields = ("title", "words", "notes", "item__sku", "item__name")
    search_help_text = "Product, SKU, words or notes"
    fields = (
        *("level", "state_shown", "assigned_to", "rule", "title", "since", "opened_at", "seen", "snoozed_until", "escalated_at"),
        *("cause_gone_at", "notes", "resolved_by", "resolved_at", "connection", "item", "listing", "run"),
    )
    readonly_fields = ("level", "state_shown", "seen")
    history_list_display = ("state", "severity", "assigned_to", "notes")
    actions = ("snooze", "assign", "resolve", "reopen")
    change_form_template = "admin/alerts/alert/change_form.html"

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return request.user.has_perm("alerts.handle_alert")

    def get_urls(self) -> list[URLPattern]:
        guarded = self.admin_site.admin_view(self.handle_view)
        handle = path("<path:object_id>/handle/<str:verb>/", guarded, name="alerts_alert_handle")
        return [handle, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Alert | None = None) -> Any:
        """What there is to say: an empty line says nothing."""
        return [name for name in self.fields if obj is None or getattr(obj, name, True) not in (None, "")]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        alert = self.get_object(request, unquote(object_id)) if object_id else None
        context = dict(extra_context or {})
        if alert is not None:
            told = alert.notifications.select_related("channel").order_by("-id")[:20]
            context |= {
                "title": str(alert),
                "subtitle": None,
                "level": severity_badge(alert.severity),
                "state": state_badge(alert),
                "tone": "bad" if alert.severity >= Alert.Level.HIGH else "warn",
                "links": alert_links(alert),
                "verbs": self._verbs(alert) if self.has_handle_permission(request) else [],
                "told": told,
            }
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return page

    def _verbs(self, alert: Alert) -> list[tuple[str, str]]:
        """Result: what a person can do with it now."""
        if alert.state in OPEN:
            verbs = ["resolve", "assign", "snooze", *(["reopen"] if alert.state == Alert.State.SNOOZED else [])]
        else:
            verbs = ["reopen"] if alert.state == Alert.State.RESOLVED and alert.cause_gone_at is None else []
        return [(verb, FORMS[verb][0]) for verb in verbs]

    # -- handling ----------------------------------------------------------------------------------------------------

    def handle_view(self, request: HttpRequest, object_id: str, verb: str) -> HttpResponse:
        """Ask, then do it to one."""
        alert = self.get_object(request, unquote(object_id))
        if alert is None or verb not in FORMS:
            raise Http404
        if not self.has_handle_permission(request):
            raise PermissionDenied
        back = reverse("admin:alerts_alert_change", args=[alert.pk])
        return self._handle(request, [alert], verb, back=back) or HttpResponseRedirect(back)

    @admin.action(description="Snooze…", permissions=["handle"])
    def snooze(self, request: HttpRequest, alerts: QuerySet[Alert]) -> HttpResponse | None:
        return self._many(request, alerts, "snooze")

    @admin.action(description="Assign…", permissions=["handle"])
    def assign(self, request: HttpRequest, alerts: QuerySet[Alert]) -> HttpResponse | None:
        return self._many(request, alerts, "assign")

    @admin.action(description="Resolve…", permissions=["handle"])
    def resolve(self, request: HttpRequest, alerts: QuerySet[Alert]) -> HttpResponse | None:
        return self._many(request, alerts, "resolve")

    @admin.action(description="Open again…", permissions=["handle"])
    def reopen(self, request: HttpRequest, alerts: QuerySet[Alert]) -> HttpResponse | None:
        return self._many(request, alerts, "reopen")

    def _many(self, request: HttpRequest, chosen: QuerySet[Alert], verb: str) -> HttpResponse | None:
        alerts = list(chosen.select_related(*self.list_select_related))
        return self._handle(request, alerts, verb, back=reverse("admin:alerts_alert_changelist"))

    def _handle(self, request: HttpRequest, alerts: Sequence[Alert], verb: str, *, back: str) -> HttpResponse | None:
        """Result: the page that asks; None once it is done."""
        words, done, form_class = FORMS[verb]
        asked = request.method == "POST" and "said" in request.POST
        form = form_class(request.POST) if asked else form_class()
        if asked and form.is_valid():
            count = self._do(request, alerts, verb, form)
            if count:
                self.message_user(request, f"{count} {done}.", messages.SUCCESS)
            else:
                self.message_user(request, "None of these could be: they are over already.", messages.WARNING)
            return None
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{words}: {len(alerts)} alert{'' if len(alerts) == 1 else 's'}",
            "words": words,
            "rows": [(alert, severity_badge(alert.severity)) for alert in alerts[:100]],
            "more": max(0, len(alerts) - 100),
            "alerts": alerts,
            "form": form,
            "action": verb if request.POST.get("action") else "",
            "checkbox": ACTION_CHECKBOX_NAME,
            "back": back,
        }
        return TemplateResponse(request, "admin/alerts/alert/handle.html", context)

    def _do(self, request: HttpRequest, alerts: Sequence[Alert], verb: str, form: forms.Form) -> int:
        by, now = request.user, timezone.now()
        assert isinstance(by, User)  # admin pages know only users who signed in
        match form:
            case SnoozeForm():
                count = alerts_snooze(alerts=alerts, until=form.until(now), by=by, now=now)
            case AssignForm():
                count = alerts_assign(alerts=alerts, to=form.cleaned_data["to"], by=by)
            case ResolveForm():
                count = alerts_resolve(alerts=alerts, notes=form.cleaned_data["notes"], by=by, now=now)
            case _:
                count = alerts_reopen(alerts=alerts, by=by)
        for alert in alerts:
            self.log_change(request, alert, FORMS[verb][0])
        return count

    # -- columns -----------------------------------------------------------------------------------------------------

    @admin.display(description="severity", ordering="severity")
    def level(self, alert: Alert) -> SafeString:
        return severity_badge(alert.severity)

    @admin.display(description="about", ordering="title")
    def about(self, alert: Alert) -> SafeString:
        where = f"{alert.get_rule_display()} · {alert.connection}" if alert.connection else alert.get_rule_display()
        return format_html('<span class="what">{}</span><br><span class="sub">{}</span>', alert.title, where)

    @admin.display(description="what happened")
    def message(self, alert: Alert) -> SafeString:
        return format_html('{} <span class="sub">{}</span>', alert.words, alert.next_step)

    @admin.display(description="since", ordering="since")
    def age(self, alert: Alert) -> SafeString | str:
        return moment(alert.since)

    @admin.display(description="state", ordering="state")
    def state_shown(self, alert: Alert) -> SafeString:
        return state_badge(alert)

    @admin.display(description="seen")
    def seen(self, alert: Alert) -> str:
        times = "once" if alert.times_seen == 1 else f"{alert.times_seen} times"
        back = f"; came back {alert.came_back} time{'' if alert.came_back == 1 else 's'}" if alert.came_back else ""
        last = timezone.localtime(alert.last_seen_at)
        return f"{times}, the last time {last:%Y-%m-%d %H:%M}{back}"
