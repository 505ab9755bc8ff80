"""Which locations supply which store."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from alignment.models import StoreLocation
from alignment.selectors import connections_on
from connectors.contract import Side
from kit.admin.parts import AnyModelAdmin, number


@admin.register(StoreLocation)
class StoreLocationAdmin(AnyModelAdmin):
    list_display = ("store", "location", "shown_buffer")
    list_display_links = ("store", "location")
    list_filter = ("store",)
    list_select_related = ("store", "location")
    autocomplete_fields = ("location",)
    search_fields = ("store__name", "location__name")

    @admin.display(description="units held back", ordering="buffer")
    def shown_buffer(self, supply: StoreLocation) -> str:
        return number(supply.buffer)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "store":
            kwargs["queryset"] = connections_on(Side.STORE)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
