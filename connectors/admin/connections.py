"""Connections: set up, tested, and how they fare."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.views.decorators.debug import sensitive_post_parameters

from connectors.admin.forms import KindFormAdmin, field_names, form_for
from connectors.contract import CheckReport, Finding
from connectors.errors import ConfigError, ConnectorError
from connectors.leases import TTL
from connectors.models import Connection, Mode
from connectors.registry import LABELS
from connectors.services import connection_check, connection_set_mode
from kit.admin.parts import AskedActionsAdmin, HistoryAdmin, badge, moment

SHOWN = ("health", "last_ok_at", "working", "facts_shown")
COMMON = ("mode", "is_active", "time_zone", "currency")


class HealthFilter(admin.SimpleListFilter):
    """By what the list says about a connection's health."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failing", "Failing"), ("answers", "Answers"), ("new", "Not asked yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "failing":
                return queryset.filter(failures_in_row__gt=0)
            case "answers":
                return queryset.filter(failures_in_row=0, last_ok_at__isnull=False)
            case "new":
                return queryset.filter(failures_in_row=0, last_ok_at=None)
        return queryset


@admin.register(Connection)
class ConnectionAdmin(KindFormAdmin, AskedActionsAdmin, HistoryAdmin):
    """Secrets are typed in and never shown again. Going live takes a permission of its own."""

    list_display = ("name", "kind", "mode_badge", "is_active", "fares", "answered")
    list_filter = ("kind", "mode", "is_active", HealthFilter)
    search_fields = ("name",)
    change_form_template = "admin/connectors/connection/change_form.html"
    actions = ("go_live", "observe")

    # -- the form --------------------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Adding takes two steps: the kind comes first, since it decides which fields there are."""
        if object_id is None and request.GET.get("kind") not in LABELS:
            if not self.has_add_permission(request):
                raise PermissionDenied
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "Connect a till or a shop"}
            return TemplateResponse(
                request, "admin/connectors/connection/choose_kind.html", {**context, "kinds": sorted(LABELS.items())}
            )
        page: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return page

    def get_form(self, request: HttpRequest, obj: Connection | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        kind = self._kind(request, obj)
        if kind and self._may_edit(request, obj):
            kwargs["form"] = form_for(kind, connection=obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        kind = self._kind(request, obj)
        guards = ("guard_zero_percent", "guard_shrink_percent")
        if not kind or not self._may_edit(request, obj):
            return [
                (None, {"fields": ("name", "kind_shown", *COMMON)}),
                ("How it fares", {"fields": SHOWN}),
                ("Settings", {"fields": ("settings_shown", "credentials_shown")}),
                ("Guards", {"fields": guards}),
            ]
        needed, others, secrets = field_names(kind)
        sets: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": ("name", "kind_shown", *needed, *COMMON)})]
        if secrets:
            sets.append(("Credentials", {"fields": secrets, "description": "Stored encrypted; never shown again."}))
        if obj:
            sets.append(("How it fares", {"fields": SHOWN}))
        sets.append(("Guards", {"fields": guards}))
        sets.append(("Details: good as they are, for most", {"fields": others, "classes": ("collapse",)}))
        return sets

    def get_readonly_fields(self, request: HttpRequest, obj: Connection | None = None) -> list[str]:
        fixed = ["kind_shown", *SHOWN, "settings_shown", "credentials_shown"]
        return fixed if request.user.has_perm("connectors.go_live") else ["mode", *fixed]

    def _may_edit(self, request: HttpRequest, obj: Connection | None) -> bool:
        allowed = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return bool(allowed)

    def _kind(self, request: HttpRequest, obj: Connection | None) -> str:
        kind = obj.kind if obj else request.GET.get("kind", "")
        return kind if kind in LABELS else ""

    # -- testing it ------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        test = path("<path:object_id>/test/", self.admin_site.admin_view(self.test_view), name="connectors_connection_test")
        return [test, *super().get_urls()]

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the other end, changing nothing there, and say what was found."""
        connection = self.get_object(request, unquote(object_id))
        if connection is None:
            raise Http404
        if not self.has_change_permission(request, connection):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            report = connection_check(connection=connection, now=timezone.now)
        except ConnectorError as error:
            report = CheckReport(findings=(Finding(ok=False, message=error.message, next_step=error.next_step),))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": connection,
            "title": f"Test of {connection}",
            "report": report,
        }
        return TemplateResponse(request, "admin/connectors/connection/test.html", context)

    # -- live or not, for who may not see to the rest --------------------------------------------------------------

    def has_go_live_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return request.user.has_perm("connectors.go_live")

    @admin.action(description="Set live…", permissions=["go_live"])
    def go_live(self, request: HttpRequest, chosen: QuerySet[Connection]) -> HttpResponse | None:
        return self._set_mode(request, chosen, Mode.LIVE, "go_live")

    @admin.action(description="Only observe…", permissions=["go_live"])
    def observe(self, request: HttpRequest, chosen: QuerySet[Connection]) -> HttpResponse | None:
        return self._set_mode(request, chosen, Mode.OBSERVE, "observe")

    def _set_mode(self, request: HttpRequest, chosen: QuerySet[Connection], mode: Mode, action: str) -> HttpResponse | None:
        """Ask first, with what follows; then do it, with the person's name in the history."""
        others = list(chosen.exclude(mode=mode))
        if not others:
            self.message_user(request, "None of these would change.", messages.WARNING)
            return None
        if request.POST.get("sure"):
            for connection in others:
                connection_set_mode(connection=connection, mode=mode)
                self.log_change(request, connection, f"Set to {mode.label.split(':')[0].lower()}.")
            self.message_user(request, f"{len(others)} set to {mode.label.split(':')[0].lower()}.", messages.SUCCESS)
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Set live?" if mode == Mode.LIVE else "Only observe?",
            "connections": others,
            "is_live": mode == Mode.LIVE,
            "action": action,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/connectors/connection/mode.html", context)

    # -- columns ---------------------------------------------------------------------------------------------------

    @admin.display(description="mode", ordering="mode")
    def mode_badge(self, connection: Connection) -> SafeString:
        return badge("Live", "ok") if connection.mode == Mode.LIVE else badge("Observe", "info")

    @admin.display(description="health")
    def health(self, connection: Connection) -> SafeString:
        if not connection.is_active:
            return badge("Not in use", "mute")
        if rest := connection.rest(timezone.now()):
            until = date_format(timezone.localtime(rest.until), "H:i")
            asked = "It asked us to wait. Nobody asks it before, a person neither." if rest.is_wish else ""
            why = asked or connection.last_error.split("\n")[0][:160] or "It is closed for a moment."
            return format_html('{} <span class="sub">{}</span>', badge(f"Left alone until {until}", "warn"), why)
        if connection.failures_in_row:
            times = "once" if connection.failures_in_row == 1 else f"{connection.failures_in_row} times in a row"
            return format_html(
                '{} <span class="sub">{}</span>', badge(f"Failed {times}", "bad"), connection.last_error.split("\n")[0][:160]
            )
        return badge("Answers", "ok") if connection.last_ok_at else badge("Not asked yet", "mute")

    @admin.display(description="how it fares")
    def fares(self, connection: Connection) -> SafeString:
        busy = self.working(connection) if connection.lease_owner else ""
        return format_html('{} <span class="sub">{}</span>', self.health(connection), busy)

    @admin.display(description="last answered", ordering="last_ok_at")
    def answered(self, connection: Connection) -> SafeString | str:
        return moment(connection.last_ok_at)

    @admin.display(description="at work")
    def working(self, connection: Connection) -> SafeString | str:
        return _working(connection, timezone.now())

    @admin.display(description="kind")
    def kind_shown(self, connection: Connection) -> str:
        return LABELS.get(connection.kind, connection.kind)

    @admin.display(description="what it told of itself")
    def facts_shown(self, connection: Connection) -> SafeString | str:
        return _table(connection.facts)

    @admin.display(description="settings")
    def settings_shown(self, connection: Connection) -> SafeString | str:
        return _table(connection.settings)

    @admin.display(description="credentials")
    def credentials_shown(self, connection: Connection) -> str:
        try:
            kept = connection.credentials_parsed().model_dump()
            given = [name.replace("_", " ") for name, secret in kept.items() if secret]
        except ConfigError as error:
            return error.message
        return f"Kept: {', '.join(given)}." if given else "None needed."


def _working(connection: Connection, now: datetime) -> SafeString | str:
    """Result: whether a run has its turn on this connection. A turn begins unnoted; what is known is its last sign of life."""
    if not connection.lease_owner or connection.lease_until is None:
        return "–"
    seen = timesince(connection.lease_until - TTL, now)
    if connection.lease_until > now:
        return badge(f"Working now, seen {seen} ago", "info")
    return badge(f"Broke off {seen} ago; the next run takes over", "warn")


def _table(values: dict[str, Any]) -> SafeString | str:
    rows = ((name.replace("_", " "), value) for name, value in sorted(values.items()))
    return format_html('<dl class="facts">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", rows)) if values else "–"
