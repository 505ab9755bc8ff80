"""What was asked of the outside systems."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connectors.models import ApiCall
from kit.admin.parts import ReadOnlyAdmin, badge


class ReplyFilter(admin.SimpleListFilter):
    """By what came back: a class of status, no reply, or anything that went wrong."""

    title = "reply"
    parameter_name = "reply"
    CLASSES = {"2": "2xx: done", "3": "3xx: elsewhere", "4": "4xx: refused", "5": "5xx: broke down"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("errors", "Errors only"), ("0", "No reply"), *self.CLASSES.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        wanted = self.value()
        if wanted == "errors":
            return queryset.exclude(status__range=(200, 399))
        if wanted == "0":
            return queryset.filter(status=0)
        if wanted in self.CLASSES:
            return queryset.filter(status__range=(int(wanted) * 100, int(wanted) * 100 + 99))
        return queryset


@admin.register(ApiCall)
class ApiCallAdmin(ReadOnlyAdmin):
    """Newest first. Paths carry no secrets: the HTTP door leaves them out."""

    list_display = ("at", "connection", "method", "path", "reply", "latency_ms")
    list_filter = ("connection", ReplyFilter, "method", "at")
    list_select_related = ("connection",)
    search_fields = ("path", "error")
    fields = ("connection", "at", "method", "path", "reply", "latency_ms", "error")

    @admin.display(description="reply", ordering="status")
    def reply(self, call: ApiCall) -> SafeString:
        if not call.status:
            return badge("No reply", "bad")
        return badge(call.status, "ok" if call.status < 300 else "info" if call.status < 400 else "bad")
