"""Who was locked out, and who did what."""

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db.models import OuterRef, Subquery, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from backoffice.people.access import NO_ADDRESS, REFUSED
from backoffice.people.logins import failed_since
from kit.admin.parts import ReadOnlyAdmin, badge, moment

ACTIONS = {
    ADDITION: ("Added", "ok"),
    CHANGE: ("Changed", "info"),
    DELETION: ("Deleted", "warn"),
    REFUSED: ("Refused", "bad"),
}


@admin.register(AccessAttempt)
class LoginAttemptAdmin(ReadOnlyAdmin):
    """Failed logins, by name and address. Deleting a row lets that person try again at once; deleting those of an address, all
    who sit there."""

    list_display = ("username", "address", "state", "failures_since_start", "last_tried")
    search_fields = ("username", "ip_address")
    fields = ("username", "address", "state", "failures_since_start", "last_tried", "user_agent")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    def get_queryset(self, request: HttpRequest) -> Any:
        """With each row, what counts for its name at its address, and for its address."""
        counted = failed_since(timezone.now() - settings.AXES_COOLOFF_TIME).order_by().filter(ip_address=OuterRef("ip_address"))
        of_address = counted.values("ip_address").annotate(sum=Sum("failures_since_start")).values("sum")
        of_name = of_address.filter(username=OuterRef("username"))
        return super().get_queryset(request).annotate(of_name=Subquery(of_name), of_address=Subquery(of_address))

    @admin.display(description="address", ordering="ip_address")
    def address(self, attempt: AccessAttempt) -> str:
        address = attempt.ip_address or NO_ADDRESS
        return f"{address}/64" if ":" in address else address

    @admin.display(description="state")
    def state(self, attempt: Any) -> SafeString:
        if attempt.attempt_time + settings.AXES_COOLOFF_TIME < timezone.now():
            return badge("Over", "mute")
        if (attempt.of_name or 0) >= settings.AXES_FAILURE_LIMIT:
            return badge("Locked out", "bad")
        if (attempt.of_address or 0) >= settings.EVENSTOCK_ADDRESS_FAILURE_LIMIT:
            return badge("Address locked out", "bad")
        return badge("May try again", "info")

    @admin.display(description="last tried", ordering="attempt_time")
    def last_tried(self, attempt: AccessAttempt) -> SafeString | str:
        return moment(attempt.attempt_time)


class RefusedFilter(admin.SimpleListFilter):
    """By what became of it. Django's own filter would not know of refusals."""

    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(flag), words) for flag, (words, _) in ACTIONS.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        return queryset.filter(action_flag=wanted) if wanted and wanted.isdigit() else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What people did in the admin, and what they were not allowed to do."""

    list_display = ("action_time", "user", "action", "object_repr", "said")
    list_filter = (RefusedFilter, "user", "content_type", "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__username")
    fields = ("action_time", "user", "action", "content_type", "object_repr", "said")

    @admin.display(description="action", ordering="action_flag")
    def action(self, entry: LogEntry) -> SafeString:
        return badge(*ACTIONS.get(entry.action_flag, (str(entry.action_flag), "mute")))

    @admin.display(description="what exactly")
    def said(self, entry: LogEntry) -> str:
        return str(entry.get_change_message())
