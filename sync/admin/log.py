"""What changed, and what could not be done."""

from django.contrib import admin
from django.utils.safestring import SafeString

from kit.admin.parts import ReadOnlyAdmin, badge, named
from kit.admin.search import ProductSearchAdmin
from sync.admin.parts import RunFilter
from sync.models import RunProblem, SyncLog

SOURCE_TONES = {
    SyncLog.Source.POS: "info",
    SyncLog.Source.WOO: "info",
    SyncLog.Source.MANUAL: "warn",
    SyncLog.Source.ENGINE: "ok",
}


@admin.register(SyncLog)
class SyncLogAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """One row per changed value, newest first."""

    list_display = ("at", "product", "change", "action", "source_badge", "reason", "run_link")
    list_filter = (RunFilter, "source", "action", "at")
    list_select_related = ("alignment__item", "alignment__listing")
    search_fields = ("alignment__item__sku", "alignment__item__name", "alignment__listing__sku", "alignment__listing__name")
    fields = ("at", "product", "source_badge", "action", "old_value", "new_value", "reason", "run", "alignment")

    @admin.display(description="product", ordering="alignment__item__sku")
    def product(self, entry: SyncLog) -> SafeString:
        pair = entry.alignment
        return named(pair.item.name or pair.listing.name, pair.item.sku, pair.listing.sku)

    @admin.display(description="change")
    def change(self, entry: SyncLog) -> str:
        return f"{entry.old_value or '–'} → {entry.new_value or '–'}"

    @admin.display(description="changed by", ordering="source")
    def source_badge(self, entry: SyncLog) -> SafeString:
        return badge(entry.get_source_display(), SOURCE_TONES[SyncLog.Source(entry.source)])

    @admin.display(description="run", ordering="run")
    def run_link(self, entry: SyncLog) -> str:
        return str(entry.run_id or "–")


@admin.register(RunProblem)
class RunProblemAdmin(ReadOnlyAdmin):
    """What single runs could not do, and what to do about it."""

    list_display = ("subject", "line", "message", "next_step", "weight", "connection", "run_number")
    list_filter = (RunFilter, "connection", "fails_run", "code")
    list_select_related = ("connection",)
    search_fields = ("subject", "message")
    ordering = ("-id",)
    fields = ("run", "connection", "subject", "line", "code", "message", "next_step", "fails_run")

    @admin.display(description="weight", ordering="fails_run")
    def weight(self, problem: RunProblem) -> SafeString:
        return badge("Problem", "bad") if problem.fails_run else badge("Note", "mute")

    @admin.display(description="run", ordering="run")
    def run_number(self, problem: RunProblem) -> str:
        return str(problem.run_id)
