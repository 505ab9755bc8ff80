"""Where each pair stands."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connectors.contract import Side
from inventory.models import Item
from kit.admin.parts import HistoryAdmin, ReadOnlyAdmin, badge, moment, named, till_and_shop
from kit.admin.search import ProductSearchAdmin
from sync.admin.parts import STATE_TONES, SideFilter
from sync.core.targets import packs_of
from sync.models import SyncState


class StoreFilter(SideFilter):
    title, parameter_name, side = "shop", "woo", Side.STORE


class TillFilter(SideFilter):
    title, parameter_name, side = "till", "pos", Side.POS


class CategoryFilter(admin.SimpleListFilter):
    """By the till's category of the item."""

    title = "category"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Item.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct()
        return [(name, name) for name in names[:100]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(alignment__item__category=self.value()) if self.value() else queryset


@admin.register(SyncState)
class SyncStateAdmin(ProductSearchAdmin, ReadOnlyAdmin, HistoryAdmin):
    """Till, difference and shop of every pair, with the reason where they differ."""

    list_display = ("product", "figures", "status", "reason", "in_step", "woo")
    list_display_links = ("product",)
    list_filter = ("sync_status", StoreFilter, TillFilter, CategoryFilter)
    list_select_related = ("alignment__item", "alignment__listing", "woo")
    search_fields = ("alignment__item__sku", "alignment__item__name", "alignment__listing__sku", "alignment__listing__name")
    fieldsets = (
        (None, {"fields": ("status", "reason", "figures", "last_sync")}),
        ("Till", {"fields": ("pos", "pos_sku", "pos_quantity", "last_pos_update", "pos_price", "pos_cost")}),
        ("Shop", {"fields": ("woo", "woo_sku", "woo_quantity", "last_woo_update", "woo_price")}),
        ("Pair", {"fields": ("alignment",)}),
    )
    readonly_fields = flatten_fieldsets(fieldsets)  # the page of a former version asks for them by name
    history_list_display = ("figures", "status")

    @admin.display(description="product", ordering="pos_sku")
    def product(self, state: SyncState) -> SafeString:
        pair = state.alignment
        return named(pair.item.name or pair.listing.name, state.pos_sku, state.woo_sku)

    @admin.display(description="till and shop")
    def figures(self, state: SyncState) -> SafeString:
        till, pair = state.pos_quantity, state.alignment
        filled = packs_of(till, pair.units_per_listing) if till is not None else None
        shop = state.woo_quantity
        return till_and_shop(till, shop, pack=pair.pack, in_packs=filled, item=pair.item_id, listing=pair.listing_id)

    @admin.display(description="status", ordering="sync_status")
    def status(self, state: SyncState) -> SafeString:
        return badge(state.get_sync_status_display(), STATE_TONES[SyncState.Status(state.sync_status)])

    @admin.display(description="last in step", ordering="last_sync")
    def in_step(self, state: SyncState) -> SafeString | str:
        return moment(state.last_sync)
