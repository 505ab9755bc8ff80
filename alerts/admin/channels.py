"""Where alerts go, and what became of each message."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from alerts.admin.forms import channel_field_names, channel_form_for
from alerts.admin.parts import MESSAGE_TONES, severity_badge
from alerts.models import Channel, Notification
from alerts.services.send import channel_test, notifications_retry
from connectors.admin.forms import KindFormAdmin
from kit.admin.parts import UNKNOWN, AskedActionsAdmin, HistoryAdmin, ReadOnlyAdmin, badge, moment

TAKES = ("min_severity", "is_for_lead", "rules", "connections")
QUIET = ("quiet_from", "quiet_to", "critical_passes", "time_zone")
HINTS = {
    Channel.Kind.EMAIL: "To one address or many, at once or as a summary.",
    Channel.Kind.WEBHOOK: "To Slack, Mattermost or a program of your own, signed.",
    Channel.Kind.TILL_NOTE: "To whoever stands at the till, where the till can show it.",
}


@admin.register(Channel)
class ChannelAdmin(KindFormAdmin, AskedActionsAdmin, HistoryAdmin):
    """Who is told what, and when. Secrets are typed in and never shown again."""

    list_display = ("name", "kind", "is_active", "pace", "takes", "fares", "last_ok")
    list_filter = ("kind", "pace", "is_active", "is_for_lead")
    search_fields = ("name",)
    change_form_template = "admin/alerts/channel/change_form.html"

    def has_test_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.test_channel")

    # -- the form --------------------------------------------------------------------------------------------------

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Adding takes two steps: the kind comes first, since it decides which fields there are."""
        if object_id is None and request.GET.get("kind") not in Channel.Kind.values:
            if not self.has_add_permission(request):
                raise PermissionDenied
            kinds = [(kind.value, kind.label, HINTS[kind]) for kind in Channel.Kind]
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": "How should people be told?"}
            return TemplateResponse(request, "admin/alerts/channel/choose_kind.html", {**context, "kinds": kinds})
        context = {**(extra_context or {}), "may_test": self.has_test_permission(request)}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return page

    def get_form(self, request: HttpRequest, obj: Channel | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        kind = self._kind(request, obj)
        if kind and self._may_edit(request, obj):
            kwargs["form"] = channel_form_for(kind, channel=obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Channel | None = None) -> Any:
        kind = self._kind(request, obj)
        if not kind or not self._may_edit(request, obj):
            shown = ("name", "kind_shown", "is_active", "pace", "send_at")
            return [(None, {"fields": shown}), ("Takes", {"fields": TAKES}), ("Quiet hours", {"fields": QUIET})]
        settings, secrets = channel_field_names(kind)
        secret = [("Secrets", {"fields": secrets, "description": "Stored encrypted; never shown again."})] if secrets else []
        return [
            (None, {"fields": ("name", "kind_shown", *settings, "is_active", "pace", "send_at")}),
            *secret,
            ("Takes", {"fields": TAKES}),
            ("Quiet hours", {"fields": QUIET}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Channel | None = None) -> list[str]:
        return ["kind_shown"]

    def _may_edit(self, request: HttpRequest, obj: Channel | None) -> bool:
        return bool(self.has_change_permission(request, obj) if obj else self.has_add_permission(request))

    def _kind(self, request: HttpRequest, obj: Channel | None) -> str:
        kind = obj.kind if obj else request.GET.get("kind", "")
        return kind if kind in Channel.Kind.values else ""

    # -- testing it ------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        test = path("<path:object_id>/test/", self.admin_site.admin_view(self.test_view), name="alerts_channel_test")
        return [test, *super().get_urls()]

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send a test now, and say what became of it."""
        channel = self.get_object(request, unquote(object_id))
        if channel is None:
            raise Http404
        if not self.has_test_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        assert isinstance(request.user, User)  # admin pages know only users who signed in
        error = channel_test(channel=channel, by=request.user, now=timezone.now())
        if error is None:
            self.message_user(request, "The test was sent. Look whether it arrived.", messages.SUCCESS)
        else:
            self.message_user(request, f"The test did not go out. {error}", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:alerts_channel_change", args=[channel.pk]))

    # -- columns ---------------------------------------------------------------------------------------------------

    @admin.display(description="kind")
    def kind_shown(self, channel: Channel) -> str:
        return channel.get_kind_display()

    @admin.display(description="takes", ordering="min_severity")
    def takes(self, channel: Channel) -> SafeString:
        if channel.is_for_lead:
            return format_html("what lasts, for the lead")
        only = f"{len(channel.rules)} rule{'' if len(channel.rules) == 1 else 's'} only" if channel.rules else ""
        return format_html('{} <span class="sub">and worse {}</span>', severity_badge(channel.min_severity), only)

    @admin.display(description="how it fares")
    def fares(self, channel: Channel) -> SafeString:
        if not channel.is_active:
            return badge("Not in use", "mute")
        if channel.last_error:
            return format_html('{} <span class="sub">{}</span>', badge("Failed", "bad"), channel.last_error[:160])
        return badge("Delivers", "ok") if channel.last_ok_at else badge("Never used", "mute")

    @admin.display(description="last delivered", ordering="last_ok_at")
    def last_ok(self, channel: Channel) -> SafeString | str:
        return moment(channel.last_ok_at)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Each thing that each channel was to tell. What failed three times waits here."""

    list_display = ("what", "channel", "occasion", "state_badge", "error", "made", "sent")
    list_filter = ("state", "occasion", "channel")
    list_select_related = ("channel", "alert")
    search_fields = ("alert__title",)
    fields = (
        *("what", "channel", "occasion", "state_badge", "error", "attempts", "created_at", "next_attempt_at", "sent_at"),
        *("alert", "delivery"),
    )
    readonly_fields = ("what", "state_badge")
    actions = ("send_again",)

    def has_test_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the action below."""
        return request.user.has_perm("alerts.test_channel")

    @admin.action(description="Send again", permissions=["test"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Notification]) -> None:
        count = notifications_retry(notifications=list(rows), now=timezone.now())
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{count} go out within a minute." if count else "None of these is held.", level)

    @admin.display(description="what")
    def what(self, row: Notification) -> SafeString:
        if row.alert is None:
            return format_html('<span class="what">{}</span>', row.get_occasion_display())
        return format_html('<span class="what">{}</span> {}', row.alert.title, severity_badge(row.severity))

    @admin.display(description="state", ordering="state")
    def state_badge(self, row: Notification) -> SafeString:
        state = Notification.State(row.state)
        return badge(state.label.split(":")[0], MESSAGE_TONES[state])

    @admin.display(description="made", ordering="created_at")
    def made(self, row: Notification) -> SafeString | str:
        return moment(row.created_at)

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, row: Notification) -> SafeString | str:
        return moment(row.sent_at) if row.sent_at else UNKNOWN
