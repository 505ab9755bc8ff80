"""What stores told us by webhook, and whether they still do."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from kit.admin.parts import ReadOnlyAdmin, badge, moment
from sync.models import HookHealth, InboundEvent
from sync.orders.inbox import events_retry
from sync.orders.wake import inbox_wake

EVENT_TONES = {
    InboundEvent.State.NEW: "info",
    InboundEvent.State.DONE: "ok",
    InboundEvent.State.IGNORED: "mute",
    InboundEvent.State.FAILED: "bad",
}
HEALTH_TONES = {
    HookHealth.State.OFF: "mute",
    HookHealth.State.WORKING: "ok",
    HookHealth.State.RENEWED: "warn",
    HookHealth.State.LOSING: "bad",
    HookHealth.State.FAILING: "bad",
}


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    """Newest first. What failed can be processed again, once its cause is mended."""

    list_display = ("resource_id", "topic", "connection", "state_badge", "note", "received")
    list_filter = ("state", "connection", "topic")
    list_select_related = ("connection",)
    search_fields = ("=resource_id",)
    fieldsets = (
        (None, {"fields": ("state_badge", "resource_id", "topic", "connection", "note")}),
        ("When", {"fields": ("received_at", "done_at", "attempts", "next_attempt_at")}),
        ("What we kept of it", {"fields": ("payload", "body_hash")}),
    )
    actions = ("process_again",)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the action below."""
        return request.user.has_perm("sync.retry_event")

    @admin.action(description="Process again", permissions=["retry"])
    def process_again(self, request: HttpRequest, events: QuerySet[InboundEvent]) -> None:
        """Whatever became of them. An order that is known as it is changes nothing."""
        rows: list[Any] = list(events)
        count = events_retry(events=InboundEvent.objects.filter(pk__in=[row.pk for row in rows]))
        for row in rows:
            self.log_change(request, row, "Processed again.")
        for store_id in {row.connection_id for row in rows}:
            inbox_wake(store_id=store_id, now=timezone.now())
        if count < len(rows):
            skipped = len(rows) - count
            self.message_user(request, f"{skipped} have no readable body, or are to be done anyway.", messages.WARNING)
        self.message_user(request, f"{count} will be processed again within a minute.", messages.SUCCESS)

    @admin.display(description="state", ordering="state")
    def state_badge(self, event: InboundEvent) -> SafeString:
        state = InboundEvent.State(event.state)
        return badge(state.label.split(":")[0], EVENT_TONES[state])

    @admin.display(description="received", ordering="received_at")
    def received(self, event: InboundEvent) -> SafeString | str:
        return moment(event.received_at)


@admin.register(HookHealth)
class HookHealthAdmin(ReadOnlyAdmin):
    """One line for each store: are its webhooks in place, and do they arrive?"""

    list_display = ("connection", "state_badge", "message", "missed", "missed_in_all", "renewals", "checked")
    list_select_related = ("connection",)
    fields = (
        "connection",
        "state_badge",
        "message",
        "address",
        "missed",
        "missed_in_all",
        "renewals",
        "registered_at",
        "checked_at",
    )

    @admin.display(description="state", ordering="state")
    def state_badge(self, health: HookHealth) -> SafeString:
        state = HookHealth.State(health.state)
        return badge(state.label.split(":")[0], HEALTH_TONES[state])

    @admin.display(description="checked", ordering="checked_at")
    def checked(self, health: HookHealth) -> SafeString | str:
        return moment(health.checked_at)
