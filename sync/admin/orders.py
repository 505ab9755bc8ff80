"""Online orders, as the shop last stated them."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from connectors.admin.parts import AnyTabularInline, ReadOnlyAdmin, named, number
from sync.models import Order, OrderLine


class OrderLineInline(AnyTabularInline):
    """What each line holds of the shop's number now, and how much of that the ledger carries."""

    model = OrderLine
    fields = ("product", "units_ordered", "units_taken", "units_booked", "note")
    readonly_fields = ("product", "units_ordered", "units_taken", "units_booked")
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("order", "listing")

    @admin.display(description="product")
    def product(self, line: OrderLine) -> SafeString:
        return named(line.name, line.sku)

    @admin.display(description="ordered")
    def units_ordered(self, line: OrderLine) -> str:
        return number(line.ordered)

    @admin.display(description="taken")
    def units_taken(self, line: OrderLine) -> str:
        return number(line.taken)

    @admin.display(description="in the ledger")
    def units_booked(self, line: OrderLine) -> str:
        return number(line.booked)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Newest news first."""

    list_display = ("__str__", "connection", "status", "line_count", "created_at", "modified_at")
    list_filter = ("connection", "status")
    list_select_related = ("connection",)
    search_fields = ("number", "lines__sku", "lines__name")
    date_hierarchy = "created_at"
    fields = ("connection", "number", "status", "currency", "created_at", "modified_at", "state_count")
    inlines = (OrderLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        orders: QuerySet[Order] = super().get_queryset(request)
        counted: QuerySet[Any] = orders.annotate(line_total=Count("lines"))
        return counted

    @admin.display(description="lines", ordering="line_total")
    def line_count(self, order: Any) -> int:
        count: int = order.line_total
        return count
