"""What the schedule did, and whether it lives. When a job runs is edited under Periodic tasks."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from jobs.models import Heartbeat, JobSlot
from jobs.process import process_machine
from kit.admin.parts import ReadOnlyAdmin, badge, duration, moment

SLOT_TONES = {
    JobSlot.State.QUEUED: "info",
    JobSlot.State.RUNNING: "info",
    JobSlot.State.DONE: "ok",
    JobSlot.State.FAILED: "bad",
    JobSlot.State.SET_ASIDE: "bad",
    JobSlot.State.SKIPPED: "mute",
}


@admin.register(JobSlot)
class JobSlotAdmin(ReadOnlyAdmin):
    """Newest first. Done ones are forgotten after a day, troubles after thirty."""

    list_display = ("job", "due", "state_badge", "took", "attempts", "message")
    list_filter = ("state", "task", "slot")
    search_fields = ("job",)
    fieldsets = (
        (None, {"fields": ("job", "state_badge", "message", "attempts")}),
        ("When", {"fields": ("slot", "queued_at", "sent_at", "started_at", "finished_at", "until")}),
        ("Where", {"fields": ("task", "machine")}),
    )

    @admin.display(description="due", ordering="slot")
    def due(self, slot: JobSlot) -> SafeString | str:
        return moment(slot.slot)

    @admin.display(description="state", ordering="state")
    def state_badge(self, slot: JobSlot) -> SafeString:
        state = JobSlot.State(slot.state)
        return badge(state.label.split(":")[0], SLOT_TONES[state])

    @admin.display(description="took")
    def took(self, slot: JobSlot) -> str:
        return duration(slot.started_at, slot.finished_at)

    @admin.display(description="machine")
    def machine(self, slot: JobSlot) -> str:
        return process_machine(slot.worker)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """One line for each part that nobody would miss at once."""

    list_display = ("__str__", "state_badge", "last", "machine")
    fields = ("name", "state_badge", "at", "silent_since", "noticed_at", "machine")

    @admin.display(description="state", ordering="silent_since")
    def state_badge(self, beat: Heartbeat) -> SafeString:
        return badge("Silent", "bad") if beat.silent_since else badge("Alive", "ok")

    @admin.display(description="last sign of life", ordering="at")
    def last(self, beat: Heartbeat) -> SafeString | str:
        return moment(beat.at)

    @admin.display(description="machine")
    def machine(self, beat: Any) -> str:
        return process_machine(beat.process)
