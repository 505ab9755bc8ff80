"""Text that no database keeps is refused once, before any page reads it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.shortcuts import render

from kit.storable import is_storable


class TextOnly:
    """Middleware: 400 for such a sign in an address, a header, a cookie or a form. Asked once a view is known, so that the answer
    gets what every answer gets. Addresses for machines have rules of their own for their bodies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_text = _are_text(_told(request))
        if is_text and request.method == "POST" and not getattr(view, "csrf_exempt", False):
            try:
                is_text = _are_text(_texts(request.POST))
            except UnreadablePostError:  # whoever sends it has gone
                is_text = False
        return None if is_text else render(request, "400.html", status=400)


def _are_text(said: Iterator[str]) -> bool:
    return all(map(is_storable, said))


def _told(request: HttpRequest) -> Iterator[str]:
    """Result: every text of a request but its body's."""
    yield request.path_info
    yield from _texts(request.GET)
    yield from request.COOKIES.values()
    yield from (str(said) for name, said in request.META.items() if name.startswith("HTTP_"))


def _texts(form: QueryDict) -> Iterator[str]:
    for name, values in form.lists():
        yield name
        yield from map(str, values)
