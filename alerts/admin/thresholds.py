"""From when on a figure is worth an alert: edited in the list, row by row, with history; or imported."""

from django.contrib import admin

from alerts.models import Threshold
from connectors.admin.parts import AskedActionsAdmin, HistoryAdmin

LIMITS = ("low_stock_below", "out_of_stock", "discrepancy_units", "discrepancy_percent", "price_percent", "file_within_hours")


@admin.register(Threshold)
class ThresholdAdmin(AskedActionsAdmin, HistoryAdmin):
    """The narrowest row that says something counts: product ← category ← connection ← all."""

    list_display = ("__str__", *LIMITS)
    list_editable = LIMITS
    list_filter = ("connection", "category")
    list_select_related = ("connection", "item")
    list_per_page = 50
    search_fields = ("category", "item__sku", "item__name")
    raw_id_fields = ("item",)
    fieldsets = (("For what", {"fields": ("connection", "category", "item")}), ("Limits", {"fields": LIMITS}))
    history_list_display = LIMITS
