"""Item ↔ listing: looked through, confirmed, rejected, made by hand, taken out as a file."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.safestring import SafeString

from alignment.admin.import_page import ImportPage
from alignment.admin.review_page import ReviewPage
from alignment.importing.judge import units_read
from alignment.importing.rows import COLUMNS, STATUS, UNITS
from alignment.models import Alignment
from alignment.selectors import coverage_of_only
from alignment.services.alignments import (
    Decided,
    alignment_confirm,
    alignment_make,
    alignment_reject,
    alignment_units_set,
    refusal_of,
)
from kit.admin.parts import AnyModelForm, AskedActionsAdmin, HistoryAdmin, badge, named, person, why_link
from kit.admin.search import ProductSearchAdmin
from kit.errors import ToldError
from kit.files.cells import cell_safe, csv_lines

TONES = {"confirmed": "ok", "proposed": "warn", "rejected": "mute"}


class ReasonActionForm(ActionForm):
    """The action bar, with room for a reason that the history keeps."""

    reason = forms.CharField(required=False, max_length=100, label="Reason", help_text="")


class MakeForm(AnyModelForm):
    """A pair made by hand. It is confirmed at once, so it must be one that can be."""

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("item") and given.get("listing"):
            refusal = refusal_of(
                Alignment(item=given["item"], listing=given["listing"], units_per_listing=given.get("units_per_listing") or 1)
            )
            if refusal:
                raise forms.ValidationError(f"{refusal.message} {refusal.next_step}")
        return given


@admin.register(Alignment)
class AlignmentAdmin(ProductSearchAdmin, HistoryAdmin, AskedActionsAdmin):
    """Pairs are only decided through the services, which refuse what contradicts another decision."""

    list_display = ("item_shown", "listing_shown", "status_shown", "match_type", "sureness", "evidence", "store", "why")
    list_display_links = ("item_shown", "listing_shown")
    list_filter = ("status", "match_type", "listing__connection", "item__connection")
    list_select_related = ("item", "listing__connection")
    search_fields = ("item__sku", "item__name", "listing__sku", "listing__name", "item__barcode")
    search_help_text = "SKU, name or barcode, of either side"
    show_full_result_count = False
    action_form = ReasonActionForm
    actions = ("confirm", "reject", "export")
    autocomplete_fields = ("item", "listing")
    history_list_display = ("status", "match_type", "confidence", "units_per_listing")
    form = MakeForm

    # -- one pair --------------------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Alignment | None = None) -> Any:
        shown = ["status_shown", "units_per_listing", "match_type", "sureness", "evidence", "created_at", "why"]
        return ["item", "listing", *shown] if obj else ["item", "listing", "units_per_listing", "evidence"]

    def get_readonly_fields(self, request: HttpRequest, obj: Alignment | None = None) -> list[str]:
        return list(self.get_fields(request, obj)) if obj else []

    def get_form(self, request: HttpRequest, obj: Alignment | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        if change:
            kwargs["form"] = forms.ModelForm  # nothing to fill in, so nothing to check
        return super().get_form(request, obj, change=change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Alignment | None = None) -> bool:
        """A confirmed pair is rejected, not deleted; a deleted one could propose itself again."""
        return obj is not None and obj.status != Alignment.Status.CONFIRMED and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Alignment, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if not change:
            made = alignment_make(
                item=obj.item, listing=obj.listing, units=obj.units_per_listing, evidence=obj.evidence, by=person(request),
                reason="made by hand",
            )  # fmt: skip
            obj.pk, obj.status = made.pk, made.status

    def response_change(self, request: HttpRequest, obj: Alignment) -> HttpResponse:
        """The buttons of the page; the form itself changes nothing."""
        if "_units" in request.POST:
            self._set_units(request, obj)
            return HttpResponseRedirect(request.path)
        decide = {"_confirm": alignment_confirm, "_reject": alignment_reject}
        for button, service in decide.items():
            if button in request.POST:
                self._decide(request, service, [obj])
                return self.response_post_save_change(request, obj)
        return super().response_change(request, obj)

    def _set_units(self, request: HttpRequest, pair: Alignment) -> None:
        """How many of the till's units one of the listing is, from now on."""
        given = request.POST.get("units", "").strip()
        try:
            was = pair.units_per_listing
            units = units_read(given) or 0
            reason = request.POST.get("reason", "")
            now = alignment_units_set(alignment=pair, units=units, by=person(request), reason=reason).units_per_listing
        except ToldError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        said = f"One of the listing was {was} of the item, it is {now} now. The next sync reads the shop's number, then tells it."
        self.message_user(request, "Nothing changed." if was == now else said, messages.INFO if was == now else messages.SUCCESS)

    # -- actions ---------------------------------------------------------------------------------------------------

    @admin.action(description="Confirm the selected pairs", permissions=["change"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Alignment]) -> None:
        self._decide(request, alignment_confirm, queryset)

    @admin.action(description="Reject the selected pairs", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Alignment]) -> None:
        self._decide(request, alignment_reject, queryset)

    @admin.action(description="Export the selected pairs as CSV", permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Alignment]) -> StreamingHttpResponse:
        name = f"alignment_{timezone.localdate():%Y%m%d}.csv"
        return StreamingHttpResponse(
            csv_lines(_rows(queryset.select_related("item", "listing").order_by("item__sku", "pk"))),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _decide(self, request: HttpRequest, service: Any, pairs: Any) -> None:
        reason = request.POST.get("reason", "").strip() or "decided in the list of alignments"
        try:
            result: Decided = service(alignments=pairs, by=person(request), reason=reason)
        except ToldError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        done = "confirmed" if service is alignment_confirm else "rejected"
        if result.changed:
            noun = "pair" if result.changed == 1 else "pairs"
            self.message_user(request, f"{result.changed} {noun} {done}.", messages.SUCCESS)
        if result.unchanged:
            self.message_user(request, f"{result.unchanged} already {done}: left as they are.", messages.INFO)
        for refusal in result.refused[:10]:
            self.message_user(request, f"{refusal.alignment}: {refusal.message} {refusal.next_step}", messages.WARNING)
        if len(result.refused) > 10:
            self.message_user(request, f"{len(result.refused) - 10} more could not be confirmed.", messages.WARNING)

    # -- the import, and the list's first sentence -----------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        return [*ImportPage(self).urls(), *ReviewPage(self).urls(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        extra = {"may_import": ImportPage(self).is_allowed(request), "coverage": coverage_of_only(), **(extra_context or {})}
        return super().changelist_view(request, extra)

    # -- columns ---------------------------------------------------------------------------------------------------

    @admin.display(description="item at the till", ordering="item__sku")
    def item_shown(self, pair: Alignment) -> SafeString:
        return named(pair.item.name, pair.item.sku)

    @admin.display(description="listing in the store", ordering="listing__sku")
    def listing_shown(self, pair: Alignment) -> SafeString:
        return named(pair.listing.name, pair.listing.sku or f"#{pair.listing.remote_id}", pair.pack)

    @admin.display(description="status", ordering="status")
    def status_shown(self, pair: Alignment) -> SafeString:
        return badge(pair.get_status_display(), TONES[pair.status])

    @admin.display(description="confidence", ordering="confidence")
    def sureness(self, pair: Alignment) -> str:
        return f"{(pair.confidence * 100).normalize():f} %"

    @admin.display(description="store", ordering="listing__connection__name")
    def store(self, pair: Alignment) -> str:
        return pair.listing.connection.name

    @admin.display(description="numbers")
    def why(self, pair: Alignment) -> SafeString:
        """Of a confirmed pair, why the shop shows what it does; of another, why so many lie at the till."""
        if pair.status == Alignment.Status.CONFIRMED:
            return why_link(listing=pair.listing_id, about=f"{pair}")
        return why_link(pair.item_id, about=f"{pair.item}")


def _rows(pairs: QuerySet[Alignment]) -> Iterator[list[str]]:
    """Result: the rows of a file that can be imported again; safe for a spreadsheet."""
    yield [*COLUMNS, UNITS, STATUS, "Item", "Listing", "Evidence"]
    for pair in pairs.iterator(chunk_size=2000):
        cells = (
            *(pair.item.sku, pair.listing.sku, pair.match_type, f"{pair.confidence.normalize():f}"),
            *(str(pair.units_per_listing), pair.status),
            *(pair.item.name, pair.listing.name, pair.evidence),
        )
        yield [cell_safe(cell) for cell in cells]
