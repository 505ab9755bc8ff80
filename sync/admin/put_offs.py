"""Numbers whose readings can't be used yet."""

from django.contrib import admin
from django.utils.safestring import SafeString

from kit.admin.parts import ReadOnlyAdmin, moment, named
from kit.admin.search import ProductSearchAdmin
from sync.models import PutOff


@admin.register(PutOff)
class PutOffAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """The longest first. A row goes with the first reading that is used; after a while it becomes a conflict."""

    list_display = ("product", "connection", "times", "first", "last", "why")
    list_filter = ("connection",)
    list_select_related = ("connection", "listing", "level__item", "level__location")
    search_fields = ("listing__sku", "listing__name", "level__item__sku", "level__item__name")
    fields = ("product", "connection", "times", "since", "last_at", "why")

    @admin.display(description="product")
    def product(self, row: PutOff) -> SafeString:
        if row.level:
            return named(row.level.item.name, row.level.item.sku, str(row.level.location))
        return named(row.listing.name, str(row.listing)) if row.listing else named("")

    @admin.display(description="since", ordering="since")
    def first(self, row: PutOff) -> SafeString | str:
        return moment(row.since)

    @admin.display(description="last", ordering="last_at")
    def last(self, row: PutOff) -> SafeString | str:
        return moment(row.last_at)
