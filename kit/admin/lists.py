"""What every list and every page of a row answers, whoever wrote its admin class."""

from datetime import datetime
from functools import cache
from typing import Any

from django.contrib import messages
from django.contrib.admin import DateFieldListFilter, ShowFacets
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db.models import DateField, DateTimeField, QuerySet, TimeField
from django.db.utils import DataError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import is_aware, is_naive, localtime, make_aware

from kit.admin.parts import AnyModelAdmin, is_value_of

LONGEST_SEARCH = 300  # characters: a product's whole name fits
LONGEST_BEGINNING = 300  # characters; a zone of such a length is looked for as a file
NOT_HERE = "This list can't be asked for that. It is shown as it is without it."


class BoundedAdmin(AnyModelAdmin):
    """A list takes the look-ups that its filters declare, and no others: Django would take any (`name__regex=(a+)+$` held up the
    whole process). What no column could hold is refused or leads nowhere; it is no error of ours."""

    show_facets = ShowFacets.NEVER  # a count for each choice of each filter; no list of ours shows them

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        changelist: Any = super().get_changelist(request, **kwargs)
        return _bounded(changelist)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Raises IncorrectLookupParameters, which leads to the list without any: and BadRequest for whoever is there already."""
        try:
            return super().get_changelist_instance(request)
        except (IncorrectLookupParameters, ValidationError, ValueError, ArithmeticError, DataError) as problem:
            if not request.GET:
                raise  # nobody asked for anything, so it is an error
            if ERROR_FLAG in request.GET:
                raise BadRequest(NOT_HERE) from problem
            messages.warning(request, NOT_HERE)
            raise IncorrectLookupParameters(problem) from problem

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        if len(search_term) > LONGEST_SEARCH:
            raise BadRequest("That is too long to be searched for.")
        return super().get_search_results(request, queryset, search_term)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any) -> HttpResponse | None:
        if not all(is_value_of(self.opts.pk, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest("A row that can't be was chosen.")
        answer: HttpResponse | None = super().response_action(request, queryset, *args)
        return answer

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Result: what an address fills a new form in with, as far as it fits."""
        found = super().get_changeform_initial_data(request)
        return {name: value for name in found if (value := _initial(self.opts, name, found[name])) is not None}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not is_value_of(self.opts.pk, unquote(object_id)):
            raise Http404
        return super().history_view(request, object_id, extra_context)


class _DeclaredOnly(ChangeList):
    def get_filters(self, request: HttpRequest) -> Any:
        """Raises IncorrectLookupParameters for a look-up that no filter has taken."""
        found = super().get_filters(request)
        specs, _, left, *_ = found
        for spec in specs:
            if isinstance(spec, DateFieldListFilter):
                _add_zone(spec)
        hierarchy = {f"{self.date_hierarchy}__gte", f"{self.date_hierarchy}__lt"} if self.date_hierarchy else set()
        if unknown := left.keys() - hierarchy:
            raise IncorrectLookupParameters(f"No filter of this list: {sorted(unknown)}")
        return found

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Raises IncorrectLookupParameters for more columns than there are: databases stop at some number of them."""
        if self.params.get(ORDER_VAR, "").count(".") >= len(self.list_display):
            raise IncorrectLookupParameters("More columns to sort by than there are")
        return super().get_ordering(request, queryset)


def _add_zone(spec: DateFieldListFilter) -> None:
    """A moment that somebody typed without a zone is of the project's. Raises ValidationError, OverflowError."""
    for name in (spec.lookup_kwarg_since, spec.lookup_kwarg_until):
        if name in spec.used_parameters and isinstance(spec.field, DateTimeField):
            said: Any = spec.used_parameters[name]
            moments: list[Any] = [spec.field.to_python(one) for one in said]
            spec.used_parameters[name] = [make_aware(one) if one and is_naive(one) else one for one in moments]


def _initial(opts: Any, name: str, value: Any) -> Any:
    """Result: the value as the field of that name begins with it; None where there is no such field, or it can't hold it."""
    try:
        field = opts.get_field(name)
    except FieldDoesNotExist:
        return None
    if len(value) > LONGEST_BEGINNING:
        return None
    if field.many_to_many:
        return [key for key in value if is_value_of(field.target_field, key)]
    if not field.concrete or not is_value_of(field.target_field if field.is_relation else field, value):
        return None
    if not isinstance(field, DateField | TimeField):
        return value
    found = field.to_python(value)
    try:
        return localtime(found) if isinstance(found, datetime) and is_aware(found) else found
    except OverflowError:  # a day before the first or after the last, by our zone
        return None


@cache
def _bounded(changelist: Any) -> type[ChangeList]:
    return type(changelist.__name__, (_DeclaredOnly, changelist), {})
