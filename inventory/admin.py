"""What the till sells and where it lies, for managers. The engine owns these rows: people look, and follow links."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory.models import Item, Location, Movement, StockLevel
from kit.admin.parts import AnyModelAdmin, AnyTabularInline, ReadOnlyAdmin, named, number, why_link
from kit.admin.search import ProductSearchAdmin


class PartnerFilter(admin.SimpleListFilter):
    """By partner on the other side. For any model with a relation `alignments`."""

    title = "partner"
    parameter_name = "partner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("none", "has no partner"), ("proposed", "has a proposal, no partner"), ("confirmed", "has a partner")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = queryset.model.objects
        confirmed = rows.filter(alignments__status="confirmed").values("pk")
        if self.value() == "confirmed":
            return queryset.filter(pk__in=confirmed)
        if self.value() == "none":
            return self.could_have_one(queryset.exclude(pk__in=confirmed))
        if self.value() == "proposed":
            return queryset.filter(pk__in=rows.filter(alignments__status="proposed").values("pk")).exclude(pk__in=confirmed)
        return queryset

    def could_have_one(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is missing on its own side needs no partner."""
        return queryset.filter(missing_since=None)


class LevelInline(AnyTabularInline):
    model = StockLevel
    verbose_name_plural = "Stock"
    fields = readonly_fields = ("location", "shown_on_hand", "shown_reserved", "shown_reading", "read_at")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("location", "item")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="on hand")
    def shown_on_hand(self, level: StockLevel) -> str:
        return number(level.on_hand)

    @admin.display(description="reserved")
    def shown_reserved(self, level: StockLevel) -> str:
        return number(level.reserved)

    @admin.display(description="till said")
    def shown_reading(self, level: StockLevel) -> str:
        return number(level.last_reading)


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    list_display = ("thing", "on_hand", "price", "category", "barcode", "connection", "missing_since")
    list_filter = (PartnerFilter, "connection", ("missing_since", admin.EmptyFieldListFilter), "category")
    list_select_related = ("connection",)
    search_fields = ("sku", "name", "barcode")
    search_help_text = "SKU, name or barcode"
    fields = (
        *("sku", "name", "connection", "barcode", "category", "vendor", "cost", "price"),
        *("first_seen_at", "missing_since", "movements", "why"),
    )
    readonly_fields = ("movements", "why")
    inlines = (LevelInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Of the rows shown only: a sum in the statement is worked out for all of a large catalogue.
        return super().get_queryset(request).prefetch_related("levels")

    @admin.display(description="item", ordering="sku")
    def thing(self, item: Item) -> SafeString:
        return named(item.name, item.sku)

    @admin.display(description="on hand")
    def on_hand(self, item: Item) -> SafeString:
        counted = [level.on_hand for level in item.levels.all()]
        shown = number(sum(counted[1:], counted[0]) if counted else None)
        return format_html("{} {}", shown, why_link(item.pk, about=f"{item.sku}: {shown} on hand"))

    @admin.display(description="movements")
    def movements(self, item: Item) -> SafeString:
        address = reverse("admin:inventory_movement_changelist")
        return format_html('<a href="{}?{}">Every unit that moved</a>', address, urlencode({"item__id__exact": item.pk}))

    @admin.display(description="why so many")
    def why(self, item: Item) -> SafeString:
        return why_link(item.pk, shown="Why this number?")


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    """A place comes with the till's first reading; people may give it a better name."""

    list_display = ("name", "connection", "remote_name")
    list_filter = ("connection",)
    list_select_related = ("connection",)
    search_fields = ("name", "remote_name")
    fields = ("name", "connection", "remote_name")
    readonly_fields = ("connection", "remote_name")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return AnyModelAdmin.has_change_permission(self, request, obj)


@admin.register(StockLevel)
class StockLevelAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    list_display = ("thing", "location", "shown_on_hand", "shown_reserved", "available", "till_said", "read_at")
    list_filter = ("location",)
    list_select_related = ("item", "location")
    search_fields = ("item__sku", "item__name", "item__barcode")
    search_help_text = "SKU, name or barcode"

    @admin.display(description="item", ordering="item__name")
    def thing(self, level: StockLevel) -> SafeString:
        return named(level.item.name, level.item.sku)

    @admin.display(description="on hand", ordering="on_hand")
    def shown_on_hand(self, level: StockLevel) -> SafeString:
        about = f"{level.item.sku} at {level.location.name}: {number(level.on_hand)} on hand"
        return format_html("{} {}", number(level.on_hand), why_link(level.item_id, about=about))

    @admin.display(description="reserved", ordering="reserved")
    def shown_reserved(self, level: StockLevel) -> str:
        return number(level.reserved)

    @admin.display(description="available")
    def available(self, level: StockLevel) -> str:
        return number(level.on_hand - level.reserved)

    @admin.display(description="till said", ordering="last_reading")
    def till_said(self, level: StockLevel) -> str:
        return number(level.last_reading)


class ItemFilter(admin.SimpleListFilter):
    """Shown only when a link came with one item: a list of all would be no help."""

    title = "item"
    parameter_name = "item__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wanted = self.value()
        return [(wanted, f"Only {Item.objects.filter(pk=wanted).first() or 'an item that is gone'}")] if wanted else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(item__pk=wanted) if (wanted := self.value()) else queryset


@admin.register(Movement)
class MovementAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """The ledger: append-only, for people too."""

    list_display = (
        "occurred_at",
        "thing",
        "location",
        "shown_quantity",
        "kind",
        "source",
        "voucher",
        "by",
        "reason",
    )
    list_filter = (ItemFilter, "kind", "source", "location", "occurred_at")
    list_select_related = ("item", "location", "source", "by", "voucher")
    search_fields = ("item__sku", "item__name", "voucher__document")
    search_help_text = "SKU, name, or the number of an order"

    @admin.display(description="item", ordering="item__name")
    def thing(self, movement: Movement) -> SafeString:
        return named(movement.item.name, movement.item.sku)

    @admin.display(description="units", ordering="quantity")
    def shown_quantity(self, movement: Movement) -> str:
        return number(movement.quantity, signed=True)
