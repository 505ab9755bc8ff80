"""What the stores sell: read by the engine, only looked at here."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alignment.models import Alignment
from alignment.selectors import STOCKABLE
from inventory.admin import PartnerFilter
from inventory.models import Listing
from kit.admin.parts import ReadOnlyAdmin, badge, named, number, why_link


class ListingPartnerFilter(PartnerFilter):
    def could_have_one(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The parent of variations has no stock of its own: its variations are what wants a partner."""
        return queryset.filter(STOCKABLE, missing_since=None)


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    list_display = ("thing", "partner", "shown_quantity", "read_at", "stock_management", "kind", "status", "price", "connection")
    list_filter = (
        ListingPartnerFilter,
        "connection",
        "stock_management",
        "kind",
        "status",
        ("missing_since", admin.EmptyFieldListFilter),
    )
    list_select_related = ("connection",)
    search_fields = ("sku", "name", "barcode", "=remote_id")
    search_help_text = "SKU, name, barcode or number in the store"
    fields = (
        *("sku", "name", "connection", "remote_id", "parent_remote_id", "kind", "status", "barcode", "price", "sale_price"),
        *("stock_management", "backorders", "quantity", "read_at", "baseline", "suspect", "suspected_at", "news_at"),
        *("first_seen_at", "missing_since", "partner", "why"),
    )
    readonly_fields = ("partner", "why")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pairs = Alignment.objects.exclude(status=Alignment.Status.REJECTED).select_related("item")
        return super().get_queryset(request).prefetch_related(Prefetch("alignments", pairs))

    @admin.display(description="listing", ordering="sku")
    def thing(self, listing: Listing) -> SafeString:
        return named(listing.name, listing.sku or f"#{listing.remote_id}")

    @admin.display(description="shop shows", ordering="quantity")
    def shown_quantity(self, listing: Listing) -> SafeString:
        about = f"{listing}: the shop shows {number(listing.quantity)}"
        return format_html("{} {}", number(listing.quantity), why_link(listing=listing.pk, about=about))

    @admin.display(description="why so many")
    def why(self, listing: Listing) -> SafeString:
        return why_link(listing=listing.pk, shown="Why this number?")

    @admin.display(description="partner at the till")
    def partner(self, listing: Listing) -> SafeString:
        pairs = sorted(listing.alignments.all(), key=lambda pair: pair.status != Alignment.Status.CONFIRMED)
        if not pairs:
            return badge("none", "mute")
        address = reverse("admin:alignment_alignment_change", args=[pairs[0].pk])
        link = format_html('<a href="{}">{}</a>', address, named(pairs[0].item.name, pairs[0].item.sku))
        return link if pairs[0].status == Alignment.Status.CONFIRMED else format_html("{} {}", badge("proposed", "warn"), link)
