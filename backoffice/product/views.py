"""“Why this number”, in the admin: of an item, of a listing, or found by what people call it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from alignment.finding import things_called
from alignment.models import Alignment
from backoffice.product.page import MAY_SEE, WhyPage, address_of, why_page, why_page_then
from connectors.errors import ConfigError
from inventory.models import Item, Listing
from reporting.schedule import run_next
from sync.why.movements import Asked
from sync.why.past import item_explain_then
from sync.why.read import item_explain, subject_of
from sync.why.words import zone_of

MINUTE = re.compile(r"[^T ]+[T ]\d\d:\d\d")
YEARS = range(2000, 2100)  # others are slips of a finger, and no clock's


def asked_of(query: Mapping[str, str], zone: ZoneInfo) -> tuple[Asked, str]:
    """Result: a moment by the till's clock, a day, and where a page begins; and what of it can't be used, in words."""
    at, day, before, problem = None, None, None, ""
    if text := query.get("at", "").strip():
        try:
            at = _moment(text, zone)
        except (ValueError, OverflowError):
            problem = f"“{text[:40]}” is no moment that can be used. Choose a day and a time, such as 2026-02-11 14:20."
    if text := query.get("day", "").strip():
        try:
            day = date.fromisoformat(text)
            if day.year not in YEARS:
                raise ValueError(text)
        except ValueError:
            day, problem = None, f"“{text[:40]}” is no day."
    if (text := query.get("before", "")).isascii() and text.isdigit() and len(text) <= 15:
        before = int(text)
    return Asked(zone, at, day, before), problem


def _moment(text: str, zone: ZoneInfo) -> datetime:
    found = datetime.fromisoformat(text)
    if found.year not in YEARS:
        raise ValueError(text)
    if MINUTE.fullmatch(text):
        found += timedelta(seconds=59, microseconds=999_999)  # what the page dates to that minute is in it
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


class WhyViews:
    """The pages, hung into the site: they belong to two models, and to none."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        view = self.site.admin_view
        return [
            path("why/", view(require_safe(self.search)), name="why"),
            path("why/item/<int:pk>/", view(require_safe(self.item)), name="inventory_item_why"),
            path("why/listing/<int:pk>/", view(require_safe(self.listing)), name="inventory_listing_why"),
        ]

    def search(self, request: HttpRequest) -> HttpResponse:
        """Whatever people call it leads to its page; several are listed."""
        _check(request)
        called = request.GET.get("q", "").strip()[:190]
        found = things_called(called) if called else None
        if found and (only := found.only):
            return HttpResponseRedirect(address_of(only))
        items = [(item, address_of(item)) for item in found.items] if found else []
        listings = [(listing, address_of(listing)) for listing in found.listings] if found else []
        context = {"title": "Why this number", "called": called, "found": found, "items": items, "listings": listings}
        return self._page(request, "admin/why/search.html", context)

    def item(self, request: HttpRequest, pk: int) -> HttpResponse:
        _check(request)
        found = subject_of(item=pk)
        if found is None:
            raise Http404
        return self._explained(request, *found, None)

    def listing(self, request: HttpRequest, pk: int) -> HttpResponse:
        _check(request)
        if found := subject_of(listing=pk):
            item, pairs = found
            return self._explained(request, item, pairs, next(pair.listing for pair in pairs if pair.listing_id == pk))
        listing = Listing.objects.filter(pk=pk).select_related("connection").first()
        if listing is None:
            raise Http404
        context = {"title": f"What does {listing.connection.name} show?", "listing": listing}
        return self._page(request, "admin/why/unaligned.html", context)

    def _explained(self, request: HttpRequest, item: Item, pairs: Sequence[Alignment], listing: Listing | None) -> HttpResponse:
        query = {name: request.GET[name] for name in ("at", "day", "before") if name in request.GET}
        zone, now = zone_of(item.connection), timezone.now()
        asked, problem = asked_of(query, zone)
        if asked.at and now < asked.at < now + timedelta(minutes=1):
            asked = replace(asked, at=now)  # the minute that is not over yet
        shown: WhyPage | None = None
        if asked.at is not None:
            try:
                then = item_explain_then(item=item, asked=asked, now=now)
                shown = why_page_then(then, listing=listing, user=request.user, now=now, query=query)
            except ConfigError as error:
                problem = f"{error.message} {error.next_step}"
        is_past = shown is not None
        if shown is None:
            planned = None if problem else run_next(now=now)
            explained = item_explain(
                item=item,
                pairs=pairs,
                now=now,
                next_sync=planned.at if planned else None,
                asked=Asked(zone, None, asked.day, asked.before),
            )
            shown = why_page(explained, listing=listing, user=request.user, query={})
        shows_at = (asked.at if asked.at and is_past else now).astimezone(zone)
        context = {
            "title": shown.title,
            "why": shown,
            "listing": listing,
            "problem": problem,
            "is_past": is_past,
            "at_value": f"{shows_at:%Y-%m-%dT%H:%M}",
            "latest": f"{now.astimezone(zone):%Y-%m-%dT%H:%M}",
            "item_url": address_of(item),
            "here": address_of(listing or item),
        }
        return self._page(request, "admin/why/page.html", context)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        request.current_app = self.site.name
        return TemplateResponse(request, template, {**self.site.each_context(request), **context})


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
