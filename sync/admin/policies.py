"""The rules that settle differences by themselves."""

from django.contrib import admin

from kit.admin.parts import AskedActionsAdmin, HistoryAdmin
from sync.models import SyncPolicy


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
