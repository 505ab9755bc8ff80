"""Every address of the project, found by walking its own list of them: a new one is tried without anybody thinking of it."""

import re
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

_GROUP = re.compile(r"\((?:\?P<(?P<name>\w+)>)?[^()]*\)|<(?:\w+:)?(?P<part>\w+)>")


def every_address(rows: dict[type[models.Model], models.Model]) -> list[str]:
    """Result: an address for each pattern; where it names a row, that row of its model."""
    keys = {f"{model._meta.app_label}/{model._meta.model_name}": str(row.pk) for model, row in rows.items()}
    keys |= {f"{name}#history": _newest_version(row) for name, row in ((_named(model), row) for model, row in rows.items())}
    return sorted({_filled(route, keys) for route in _routes(get_resolver().url_patterns, "")})


def _named(model: type[models.Model]) -> str:
    return f"{model._meta.app_label}/{model._meta.model_name}"


def _newest_version(row: Any) -> str:
    history = getattr(row, "history", None)
    version = history.first() if history is not None else None
    return str(version.pk) if version else "1"


def _routes(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        here = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, here)
        elif isinstance(pattern, URLPattern):
            yield here


def _filled(route: str, keys: dict[str, str]) -> str:
    """Result: the route with something sensible in each gap: the row of the model it is about, its newest version, or a 1."""
    model = next((name for name in keys if f"admin/{name}/" in route), "")
    found: list[str] = []

    def fill(match: re.Match[str]) -> str:
        name = match["name"] or match["part"] or ""
        found.append(name)
        if name == "app_label":
            return "sync"
        if name == "connection":
            return "shop"
        if name == "url":
            return "nowhere"
        if not name and len(found) == 2:  # …/<row>/history/<version>/
            return keys[f"{model}#history"]
        return keys.get(model, "1")

    filled = _GROUP.sub(fill, route.replace("^", "").replace("$", "").replace("/?", "/"))
    return "/" + filled
