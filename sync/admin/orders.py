"""Online orders, as the shop last stated them."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from kit.admin.parts import AnyTabularInline, ReadOnlyAdmin, named, number
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


class ProblemFilter(admin.SimpleListFilter):
    """Orders with a line that the ledger does not carry."""

    title = "problem"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("line", "A line is not booked"), ("waits", "Waits for an alignment")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        odd = OrderLine.objects.filter(order=OuterRef("pk"))
        match self.value():
            case "line":
                return queryset.filter(Exists(odd.exclude(note="")))
            case "waits":
                return queryset.filter(Exists(odd.filter(waits=True)))
        return queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Newest news first."""

    list_display = ("__str__", "connection", "status", "line_count", "problem", "created_at", "modified_at")
    list_filter = (ProblemFilter, "connection", "status", "created_at")
    list_select_related = ("connection",)
    search_fields = ("number", "lines__sku", "lines__name")
    fields = ("connection", "number", "status", "currency", "created_at", "modified_at", "state_count", "note")
    inlines = (OrderLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # Of the orders shown only: counted in the statement, the lines of all would be joined first.
        return super().get_queryset(request).prefetch_related("lines")

    @admin.display(description="problem")
    def problem(self, order: Order) -> str:
        """The first line's that has one; else the order's own."""
        return next((line.note for line in order.lines.all() if line.note), order.note)

    @admin.display(description="note")
    def note(self, order: Order) -> str:
        return order.note

    @admin.display(description="lines")
    def line_count(self, order: Order) -> int:
        return len(order.lines.all())
