"""Lists whose last page costs no more than their first."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator

if TYPE_CHECKING:  # Django's own class takes a parameter only for the type checker

    class AnyPaginator(Paginator[Any]): ...
else:
    AnyPaginator = Paginator


class BothEndsPaginator(AnyPaginator):
    """Reads what is nearer to the end from the end: a database walks over everything that it leaves out. The rows of such a page
    are a list, so a list that is edited in place can't have it."""

    def page(self, number: int | str) -> "Page[Any]":
        place = self.validate_number(number)
        bottom, top = (place - 1) * self.per_page, place * self.per_page
        if top + self.orphans >= self.count:
            top = self.count
        rows: Any = self.object_list
        if bottom <= self.count // 2:
            return Page(rows[bottom:top], place, self)
        nearest = list(rows.reverse()[self.count - top : self.count - bottom])
        return Page(nearest[::-1], place, self)
