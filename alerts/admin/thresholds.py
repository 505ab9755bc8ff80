"""From when on a figure is worth an alert: edited in the list, row by row, with history; or imported."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString

from alerts.admin.import_page import ImportPage
from alerts.models import Threshold
from kit.admin.parts import AskedActionsAdmin, HistoryAdmin, named
from kit.words import quantity_text

LIMITS = ("low_stock_below", "out_of_stock", "discrepancy_units", "discrepancy_percent", "price_percent", "file_within_hours")


class PlainDecimalField(forms.DecimalField):
    """A number without the zeros that the database adds."""

    def prepare_value(self, value: Any) -> Any:
        return quantity_text(value) if isinstance(value, Decimal) else value


class InheritedSelect(forms.NullBooleanSelect):
    """Yes, no, or what the wider row says."""

    def __init__(self, attrs: Any = None) -> None:
        super().__init__(attrs)
        self.choices = [("unknown", "Inherited"), ("true", "Yes"), ("false", "No")]


@admin.register(Threshold)
class ThresholdAdmin(AskedActionsAdmin, HistoryAdmin):
    """The narrowest row that says something counts: product ← category ← connection ← all."""

    list_display = ("scope", *LIMITS)
    list_editable = LIMITS
    list_filter = ("connection", "category")
    list_select_related = ("connection", "item")
    list_per_page = 50
    paginator = Paginator  # a list that is edited in place needs its rows as a queryset
    search_fields = ("category", "item__sku", "item__name")
    raw_id_fields = ("item",)
    fieldsets = (("For what", {"fields": ("connection", "category", "item")}), ("Limits", {"fields": LIMITS}))
    history_list_display = LIMITS
    change_list_template = "admin/alerts/threshold/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        return [*ImportPage(self).urls(), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "may_import": ImportPage(self).is_allowed(request)})

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in LIMITS:
            if isinstance(db_field, models.BooleanField):
                kwargs["widget"] = InheritedSelect
            else:
                kwargs["widget"] = forms.TextInput(attrs={"size": 6, "inputmode": "decimal", "placeholder": "inherited"})
            if isinstance(db_field, models.DecimalField):
                kwargs["form_class"] = PlainDecimalField
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description="for what", ordering="item__sku")
    def scope(self, threshold: Threshold) -> SafeString:
        item = threshold.item
        what = (item.name or item.sku) if item else threshold.category or "All products"
        return named(what, item.sku if item else "", str(threshold.connection or "every system"))
