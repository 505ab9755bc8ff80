"""Search in lists whose rows are about products: first which products are meant, then the rows about them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import IntegerField, Model, Q, QuerySet, Value
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from kit.admin.parts import AnyModelAdmin

MOST = 10_000  # things meant; where more are, the database joins
Path = tuple[str, ...]


class ProductSearchAdmin(AnyModelAdmin):
    """For plain `search_fields` across relations. A row is found when all words stand in one thing: in its item, in its listing,
    or in the row itself. Each table is looked through once; joined, it would be once for the page and once more for the count."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        words = [_unquoted(bit) for bit in smart_split(search_term)]
        if not words:
            return queryset, False
        paths = _paths(self.get_search_fields(request))
        things = {(_model(self.model, path), fields) for path, fields in paths.items()}
        numbers = {thing: number for number, thing in enumerate(sorted(things, key=str))}
        looks = [
            _rows(model)
            .filter(_says(fields, words))
            .order_by()
            .annotate(thing=Value(number, output_field=IntegerField()))
            .values_list("thing", "pk")
            for (model, fields), number in numbers.items()
        ]
        meant = list(looks[0].union(*looks[1:], all=True)[: MOST + 1])
        if len(meant) > MOST:
            return super().get_search_results(request, queryset, search_term)
        about = Q(pk__in=[])
        for path, fields in paths.items():
            number = numbers[_model(self.model, path), fields]
            if keys := [key for thing, key in meant if thing == number]:
                about |= _about(self.model, path, keys)
        return queryset.filter(about), False


def _unquoted(bit: str) -> str:
    is_quoted = len(bit) > 1 and bit[0] in "\"'" and bit[0] == bit[-1]
    return unescape_string_literal(bit) if is_quoted else bit


def _paths(search_fields: Iterable[str]) -> dict[Path, Path]:
    """Result: the fields that are looked at, by the relations that lead to them."""
    found: dict[Path, Path] = {}
    for name in search_fields:
        *path, field = name.split("__")
        found[tuple(path)] = (*found.get(tuple(path), ()), field)
    return found


def _model(model: type[Model], path: Path) -> type[Model]:
    for name in path:
        related = model._meta.get_field(name).related_model  # noqa: SLF001 - Django's documented way
        assert isinstance(related, type)
        model = related
    return model


def _rows(model: type[Model]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.all()  # noqa: SLF001 - Django's documented way
    return rows


def _says(fields: Sequence[str], words: Sequence[str]) -> Q:
    """Result: every word stands in one of the fields."""
    return Q(*(Q(*((f"{field}__icontains", word) for field in fields), _connector=Q.OR) for word in words))


def _about(model: type[Model], path: Path, keys: Sequence[int]) -> Q:
    """Result: rows of the model that lead there."""
    if not path:
        return Q(pk__in=keys)
    first, *rest = path
    between = _model(model, (first,))
    return Q(**{f"{first}__in": _rows(between).filter(_about(between, tuple(rest), keys)) if rest else keys})
