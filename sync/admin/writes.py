"""The outbox: what was, or is to be, told to the shop and the till."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from kit.admin.parts import ReadOnlyAdmin, moment, named, number
from kit.admin.search import ProductSearchAdmin
from sync.admin.parts import RunFilter, write_badge, write_change
from sync.models import OutboundWrite
from sync.turns.decisions import write_is_held, writes_retry


@admin.register(OutboundWrite)
class OutboundWriteAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """Newest first. What was refused, or failed again and again, can be tried again, with a reason."""

    list_display = ("product", "connection", "change", "state_badge", "error", "made", "run_number")
    list_filter = (RunFilter, "state", "connection", "is_released")
    list_select_related = ("connection", "listing", "level__item", "level__location", "price")
    search_fields = ("listing__sku", "listing__name", "level__item__sku", "level__item__name")
    fieldsets = (
        (None, {"fields": ("state_badge", "product", "connection", "change", "reason")}),
        ("What came back", {"fields": ("error_code", "error", "failures", "at_most", "is_released")}),
        ("When", {"fields": ("created_at", "sent_at", "answered_at", "attempts", "next_attempt_at")}),
        ("For support", {"fields": ("run", "operation_id", "epoch")}),
    )
    actions = ("try_again",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the action below."""
        return request.user.has_perm("sync.retry_write")

    @admin.action(description="Try again…", permissions=["retry"])
    def try_again(self, request: HttpRequest, writes: QuerySet[OutboundWrite]) -> HttpResponse | None:
        """Ask for the reason first; then let the next run send them."""
        held = [write for write in writes.select_related(*self.list_select_related) if write_is_held(write)]
        if not held:
            words = "Only what was refused, or failed again and again, can be tried again. None of these was."
            self.message_user(request, words, messages.WARNING)
            return None
        reason = request.POST.get("reason", "").strip()
        if not reason:
            return self._ask(request, held, asked_before="reason" in request.POST)
        count = writes_retry(writes=held)
        for row in held:
            self.log_change(request, row, f"Tried again: {reason[:200]}")
        self.message_user(request, f"{count} will be tried again with the next sync.", messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, held: list[OutboundWrite], *, asked_before: bool) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Try again what was refused or failed",
            "rows": [(write, self.product(write), self.change(write)) for write in held],
            "asked_before": asked_before,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/sync/outboundwrite/try_again.html", context)

    @admin.display(description="product", ordering="listing__sku")
    def product(self, write: OutboundWrite) -> SafeString:
        if write.level:
            return named(write.level.item.name, write.level.item.sku, str(write.level.location))
        return named(write.listing.name, str(write.listing)) if write.listing else named("")

    @admin.display(description="change")
    def change(self, write: OutboundWrite) -> str:
        if not write.carries_number or getattr(write, "price", None):
            return write_change(write)
        difference = number(write.planned_to - write.planned_from, signed=True)
        return f"{number(write.planned_from)} → {number(write.planned_to)} ({difference})"

    @admin.display(description="state", ordering="state")
    def state_badge(self, write: OutboundWrite) -> SafeString:
        return write_badge(write)

    @admin.display(description="made", ordering="created_at")
    def made(self, write: OutboundWrite) -> SafeString | str:
        return moment(write.created_at)

    @admin.display(description="run", ordering="run")
    def run_number(self, write: OutboundWrite) -> str:
        return str(write.run_id or "between runs")
