"""What waits for a person, what was settled, and the rules that settle."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.admin.parts import (
    UNKNOWN,
    AskedActionsAdmin,
    HistoryAdmin,
    ReadOnlyAdmin,
    badge,
    moment,
    named,
    number,
)
from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError
from sync.models import SyncConflict, SyncPolicy
from sync.services.conflicts import NOTED, POS, WOO, Winner, conflict_resolve, outcome_of, winner_parse, winners_of

Type = SyncConflict.Type
CLASS_TONES = {
    SyncConflict.Class.MINOR: "mute",
    SyncConflict.Class.MAJOR: "warn",
    SyncConflict.Class.CRITICAL: "bad",
}


class OpenFilter(admin.SimpleListFilter):
    """Open ones first: the list shows nothing else unless asked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("rule", "Settled by rule, or gone by itself"), ("person", "Settled by a person"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Django's first choice is "All"; here it is what is open."""
        for place, choice in enumerate(super().choices(changelist)):
            yield choice if place else {**choice, "display": "Open"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> QuerySet[SyncConflict]:
        by_person = ("count", "noted")
        match self.value():
            case "rule":
                return queryset.filter(resolved_at__isnull=False, resolved_by=None).exclude(resolution__in=by_person)
            case "person":
                return queryset.exclude(resolved_by=None) | queryset.filter(resolution__in=by_person)
            case "all":
                return queryset
        return queryset.filter(resolved_at=None)


@admin.register(SyncConflict)
class SyncConflictAdmin(ReadOnlyAdmin, HistoryAdmin):
    """Both sides, how far apart, since when and why; settled with a reason, one or many at a time."""

    list_display = ("product", "kind", "till", "off_by", "shop", "size", "why", "since", "outcome", "store")
    list_display_links = ("product",)
    list_filter = (OpenFilter, "conflict_type", "drift_class", "store", "detected_at")
    list_select_related = ("store", "alignment__item", "alignment__listing", "listing", "order")
    search_fields = (
        "alignment__item__sku", "alignment__item__name", "alignment__listing__sku", "alignment__listing__name", "listing__sku",
        "listing__name", "subject",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("product", "kind", "size", "till", "off_by", "shop", "why")}),
        ("What became of it", {"fields": ("outcome", "reason", "resolved_by", "resolved_at")}),
        ("Where", {"fields": ("store", "alignment", "listing", "order", "detected_at")}),
    )
    readonly_fields = (
        "product", "kind", "size", "till", "off_by", "shop", "why", "outcome", "reason", "resolved_by", "resolved_at", "store",
        "alignment", "listing", "order", "detected_at",
    )  # fmt: skip
    history_list_display = ("outcome", "reason")
    actions = ("till_wins", "shop_wins", "note")
    change_form_template = "admin/sync/syncconflict/change_form.html"

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return request.user.has_perm("sync.resolve_conflict")

    def get_urls(self) -> list[URLPattern]:
        settle = path("<path:object_id>/settle/", self.admin_site.admin_view(self.settle_view), name="sync_syncconflict_settle")
        return [settle, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        conflict = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_resolve_permission(request) and conflict is not None
        context = {**(extra_context or {}), "winners": winners_of(conflict) if may and conflict else []}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return page

    def settle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the reason, then settle one."""
        conflict = self.get_object(request, unquote(object_id))
        if conflict is None:
            raise Http404
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        back = reverse("admin:sync_syncconflict_change", args=[conflict.pk])
        asked = request.POST or request.GET
        words = asked.get("count", "") if asked.get("winner") == "count" else asked.get("winner", "")
        try:
            winner = _winner(words)
            outcome_of(conflict, winner)
        except ConfigError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(back)
        reason = request.POST.get("reason", "").strip()
        if request.method == "POST" and reason:
            self._settle(request, [conflict], winner, reason)
            return HttpResponseRedirect(back)
        return self._ask(request, [conflict], winner, back=back, hidden={"winner": words})

    @admin.action(description="Till wins…", permissions=["resolve"])
    def till_wins(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, POS, "till_wins")

    @admin.action(description="Shop wins…", permissions=["resolve"])
    def shop_wins(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, WOO, "shop_wins")

    @admin.action(description="Note and close…", permissions=["resolve"])
    def note(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, NOTED, "note")

    def _many(self, request: HttpRequest, chosen: QuerySet[SyncConflict], winner: str, action: str) -> HttpResponse | None:
        conflicts = [conflict for conflict in chosen.select_related(*self.list_select_related) if winner in winners_of(conflict)]
        if not conflicts:
            self.message_user(request, "None of these can be settled so.", messages.WARNING)
            return None
        reason = request.POST.get("reason", "").strip()
        if reason:
            self._settle(request, conflicts, winner, reason)
            return None
        back = reverse("admin:sync_syncconflict_changelist")
        return self._ask(request, conflicts, winner, back=back, hidden={"action": action})

    def _settle(self, request: HttpRequest, conflicts: list[SyncConflict], winner: Winner, reason: str) -> None:
        settled = 0
        for conflict in conflicts:
            try:
                conflict_resolve(conflict=conflict, winner=winner, by=request.user, reason=reason, now=timezone.now)  # type: ignore[arg-type] # admin pages know only users who signed in
            except (ConfigError, LeaseHeldError) as error:
                self.message_user(request, f"{conflict}: {error}", messages.ERROR)
                continue
            self.log_change(request, conflict, f"Settled: {reason[:200]}")
            settled += 1
        if settled:
            self.message_user(request, f"{settled} settled. What follows is told with the next sync.", messages.SUCCESS)

    def _ask(
        self, request: HttpRequest, conflicts: list[SyncConflict], winner: Winner, *, back: str, hidden: dict[str, str]
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Settle conflicts",
            "rows": [(conflict, self.product(conflict), outcome_of(conflict, winner)) for conflict in conflicts],
            "asked_before": "reason" in request.POST,
            "checkbox": ACTION_CHECKBOX_NAME,
            "hidden": hidden.items(),
            "back": back,
        }
        return TemplateResponse(request, "admin/sync/syncconflict/settle.html", context)

    @admin.display(description="product", ordering="alignment__item__sku")
    def product(self, conflict: SyncConflict) -> SafeString:
        pair = conflict.alignment
        if pair:
            return named(pair.item.name or pair.listing.name, pair.item.sku, pair.listing.sku)
        return named(conflict.listing.name, str(conflict.listing)) if conflict.listing else named("", conflict.subject)

    @admin.display(description="kind", ordering="conflict_type")
    def kind(self, conflict: SyncConflict) -> str:
        return conflict.get_conflict_type_display()

    @admin.display(description="till")
    def till(self, conflict: SyncConflict) -> str:
        return _in_packs(conflict, conflict.pos_value, Type.QUANTITY)

    @admin.display(description="shop")
    def shop(self, conflict: SyncConflict) -> str:
        return _in_packs(conflict, conflict.woo_value, Type.QUANTITY, Type.SIMULTANEOUS_SALE, Type.UNSETTLED)

    @admin.display(description="off by", ordering="difference")
    def off_by(self, conflict: SyncConflict) -> str:
        return number(conflict.difference, signed=True)

    @admin.display(description="class", ordering="drift_class")
    def size(self, conflict: SyncConflict) -> SafeString:
        return badge(conflict.get_drift_class_display(), CLASS_TONES[SyncConflict.Class(conflict.drift_class)])

    @admin.display(description="since", ordering="detected_at")
    def since(self, conflict: SyncConflict) -> SafeString | str:
        return moment(conflict.detected_at)

    @admin.display(description="state", ordering="resolved_at")
    def outcome(self, conflict: SyncConflict) -> SafeString:
        return badge(conflict.get_resolution_display(), "ok") if conflict.resolved_at else badge("Open", "warn")


def _in_packs(conflict: SyncConflict, value: str, *types: SyncConflict.Type) -> str:
    """Result: what a side said; with what it counts, where that is packs and it said a number."""
    pack = conflict.alignment.pack if conflict.alignment and conflict.conflict_type in types else ""
    return f"{value} {pack}".strip() if value else UNKNOWN


def _winner(words: str) -> Winner:
    return NOTED if words == NOTED else winner_parse(words)


@admin.register(SyncPolicy)
class SyncPolicyAdmin(AskedActionsAdmin, HistoryAdmin):
    """Which rule settles a difference, and how far it may go alone."""

    list_display = ("__str__", "policy", "minor_to", "major_to", "review_major")
    list_filter = ("policy", "connection")
    list_select_related = ("connection", "item")
    search_fields = ("category", "item__sku", "item__name")
    raw_id_fields = ("item",)
    fieldsets = (
        ("For what", {"fields": ("connection", "category", "item")}),
        ("Rule", {"fields": ("policy", "minor_to", "major_to", "review_major")}),
    )
