"""What waits for a person, and what was settled."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from kit.admin.parts import HistoryAdmin, ReadOnlyAdmin, badge, moment, number, person
from kit.admin.search import ProductSearchAdmin
from sync.admin.conflicts.parts import (
    CLASS_TONES,
    align_url,
    mends_of,
    pack_of,
    product_of,
    rule_of,
    sides_of,
    signed,
    way_rows,
)
from sync.admin.conflicts.settle import settle_one
from sync.admin.conflicts.settle_many import MOST, ask_many, settle_many
from sync.admin.conflicts.timeline import timeline_of
from sync.conflicts.effects import INSTEAD, WITH, Outlook
from sync.core.settling import Way
from sync.models import SyncConflict

PERSONS = ("count", "noted", "higher", "merge", "ignored")  # resolutions that only a person gives


class OpenFilter(admin.SimpleListFilter):
    """Open ones first: the list shows nothing else unless asked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("rule", "Settled by rule, or gone by itself"),
            ("person", "Settled by a person"),
            ("left", "Left as it is, and still so"),
            ("all", "All"),
        ]

    def choices(self, changelist: Any) -> Any:
        """Django's first choice is "All"; here it is what is open."""
        for place, choice in enumerate(super().choices(changelist)):
            yield choice if place else {**choice, "display": "Open"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[SyncConflict]) -> QuerySet[SyncConflict]:
        match self.value():
            case "rule":
                return queryset.filter(resolved_at__isnull=False, resolved_by=None).exclude(resolution__in=PERSONS)
            case "person":
                return queryset.exclude(resolved_by=None) | queryset.filter(resolution__in=PERSONS)
            case "left":
                return queryset.filter(is_left=True)
            case "all":
                return queryset
        return queryset.filter(resolved_at=None)


class _WithEffects(ChangeList):
    """A page of conflicts, each with what settling it would write."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows = list(self.result_list)
        outlook = Outlook([row for row in rows if not row.resolved_at])
        for row in rows:
            row.way_rows = [way for way in way_rows(outlook, row) if not way.is_count] if not row.resolved_at else []


@admin.register(SyncConflict)
class SyncConflictAdmin(ProductSearchAdmin, ReadOnlyAdmin, HistoryAdmin):
    """Both sides, how far apart, since when and why; settled with a reason, one or many at a time."""

    list_display_links = ("product",)
    list_filter = (OpenFilter, "conflict_type", "drift_class", "store", "detected_at")
    list_per_page = 50
    search_fields = (
        "alignment__item__sku", "alignment__item__name", "alignment__listing__sku", "alignment__listing__name", "listing__sku",
        "listing__name", "subject",
    )  # fmt: skip
    fields = readonly_fields = ("product", "sides", "size", "told", "outcome")  # its page has a template of its own
    history_list_display = ("outcome", "reason")
    actions = ("till_wins", "shop_wins", "keep_higher", "merge", "set_count", "leave", "note")
    change_form_template = "admin/sync/syncconflict/change_form.html"
    change_list_template = "admin/sync/syncconflict/change_list.html"

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return request.user.has_perm("sync.resolve_conflict")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SyncConflict]:
        return super().get_queryset(request).select_related(*WITH, "resolved_by")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        shown = ("product", "sides", "size", "told", "since", "store")
        if request.GET.get("state"):
            return (*shown, "outcome")
        return (*shown, "settle") if self.has_resolve_permission(request) else shown

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _WithEffects

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("settle/", view(self.settle_many_view), name="sync_syncconflict_settle_many"),
            path("<path:object_id>/settle/", view(self.settle_view), name="sync_syncconflict_settle"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        left = SyncConflict.objects.filter(is_left=True).count() if request.method == "GET" else 0
        return super().changelist_view(request, {**(extra_context or {}), "left": left})

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        conflict = self._conflict(request, object_id) if object_id else None
        context = {**(extra_context or {}), **(self._about(request, conflict) if conflict else {})}
        page: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return page

    def _conflict(self, request: HttpRequest, object_id: str) -> SyncConflict | None:
        conflict: SyncConflict | None = self.get_object(request, unquote(object_id))
        return conflict

    def _about(self, request: HttpRequest, conflict: SyncConflict) -> dict[str, Any]:
        """Result: what its page shows beside its fields."""
        is_open, may = conflict.resolved_at is None, self.has_resolve_permission(request)
        rows = way_rows(Outlook([conflict]), conflict) if is_open and may else []
        rule = rule_of(conflict) if is_open else None
        return {
            "ways": [row for row in rows if row.way in (Way.POS, Way.WOO, Way.COUNT, Way.IGNORE, Way.NOTED)],
            "more_ways": [row for row in rows if row.way in (Way.HIGHER, Way.MERGE)],
            "rule": rule,
            "refusal": next((row.refusal for row in rows if row.refusal), ""),
            "instead": INSTEAD[conflict.conflict_type] if is_open else "",
            "mends": mends_of(conflict),
            "timeline": timeline_of(conflict, reader=person(request), now=timezone.now()),
            "sides": (signed(conflict.pos_value), signed(conflict.woo_value)),
            "off": number(-conflict.difference, signed=True) if conflict.difference is not None else "",
            "pack": pack_of(conflict),
            "tone": CLASS_TONES[SyncConflict.Class(conflict.drift_class)],
        }

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_resolve_permission(request):
            raise PermissionDenied
        return {**self.admin_site.each_context(request), "opts": self.opts}

    def settle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Settle one: what it writes and why, then done."""
        context, conflict = self._context(request), self._conflict(request, object_id)
        if conflict is None:
            raise Http404
        return settle_one(request, conflict, person(request), context)

    def settle_many_view(self, request: HttpRequest) -> HttpResponse:
        """Settle many that an action of the list has shown."""
        return settle_many(request, person(request), self._context(request))

    @admin.action(description="Till wins…", permissions=["resolve"])
    def till_wins(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.POS)

    @admin.action(description="Shop wins…", permissions=["resolve"])
    def shop_wins(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.WOO)

    @admin.action(description="Keep the higher…", permissions=["resolve"])
    def keep_higher(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.HIGHER)

    @admin.action(description="Both changes count…", permissions=["resolve"])
    def merge(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.MERGE)

    @admin.action(description="Set to a count…", permissions=["resolve"])
    def set_count(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.COUNT)

    @admin.action(description="Leave as it is…", permissions=["resolve"])
    def leave(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.IGNORE)

    @admin.action(description="Note and close…", permissions=["resolve"])
    def note(self, request: HttpRequest, conflicts: QuerySet[SyncConflict]) -> HttpResponse | None:
        return self._many(request, conflicts, Way.NOTED)

    def _many(self, request: HttpRequest, chosen: QuerySet[SyncConflict], way: Way) -> HttpResponse | None:
        pks = list(chosen.order_by("detected_at", "pk").values_list("pk", flat=True)[: MOST + 1])
        if not pks:
            return None
        if len(pks) > MOST:
            messages.info(request, f"These are the oldest {MOST:,}: so many are settled in one go. Do it again for the others.")
        return ask_many(request, pks[:MOST], person(request), self._context(request), way=way)

    @admin.display(description="product", ordering="alignment__item__sku")
    def product(self, conflict: SyncConflict) -> SafeString:
        return product_of(conflict)

    @admin.display(description="till and shop", ordering="difference")
    def sides(self, conflict: SyncConflict) -> SafeString:
        return sides_of(conflict)

    @admin.display(description="why", ordering="conflict_type")
    def told(self, conflict: SyncConflict) -> SafeString:
        return SafeString(render_to_string("admin/sync/syncconflict/why.html", {"conflict": conflict}))

    @admin.display(description="class", ordering="drift_class")
    def size(self, conflict: SyncConflict) -> SafeString:
        return badge(conflict.get_drift_class_display(), CLASS_TONES[SyncConflict.Class(conflict.drift_class)])

    @admin.display(description="since", ordering="detected_at")
    def since(self, conflict: SyncConflict) -> SafeString | str:
        return moment(conflict.detected_at)

    @admin.display(description="state", ordering="resolved_at")
    def outcome(self, conflict: SyncConflict) -> SafeString:
        return badge(conflict.get_resolution_display(), "ok") if conflict.resolved_at else badge("Open", "warn")

    @admin.display(description="settle")
    def settle(self, conflict: SyncConflict) -> SafeString:
        rows = [row for row in conflict.way_rows if row.way in (Way.POS, Way.WOO, Way.NOTED) and row.url]  # type: ignore[attr-defined]
        shown = {"conflict": conflict, "rows": rows, "align": align_url(conflict)}
        return SafeString(render_to_string("admin/sync/syncconflict/buttons.html", shown))
