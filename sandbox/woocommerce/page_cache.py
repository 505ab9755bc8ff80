"""A page cache in front of the shop's API, as a host, a CDN or a caching plugin may put there."""

from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Request, Response

KNOWN = frozenset(
    {
        *("page", "per_page", "offset", "order", "orderby", "include", "exclude", "sku", "parent", "status", "search", "type"),
        *("modified_after", "modified_before", "after", "before", "dates_are_gmt", "_fields", "context", "force"),
    }
)


class PageCache:
    """Keeps good answers to GETs for ever, by their whole address. `ignores_unknown`: parameters it doesn't know are no part of
    an address. A kept answer carries its `Age`, if `says_age`, and these `headers`. `clock`: seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        ignores_unknown: bool = False,
        says_age: bool = True,
        headers: dict[str, str] | None = None,
    ) -> None:
        self._clock, self._ignores_unknown, self._says_age, self._headers = clock, ignores_unknown, says_age, headers or {}
        self._kept: dict[Any, tuple[float, Response]] = {}
        self.hits = 0

    def answer(self, request: Request, respond: Callable[[Request], Response]) -> Response:
        """Result: what is kept, or what the shop answers now."""
        key = (request.path, *sorted((n, v) for n, v in request.args.items() if n in KNOWN or not self._ignores_unknown))
        if request.method != "GET":
            return respond(request)
        if key not in self._kept:
            response = respond(request)
            if response.status_code == 200:
                self._kept[key] = (self._clock(), response)
            return response
        since, kept = self._kept[key]
        self.hits += 1
        response = Response(kept.data, kept.status, list(kept.headers.items()))
        if self._says_age:
            response.headers["Age"] = str(int(self._clock() - since))
        response.headers.update(self._headers)
        return response
