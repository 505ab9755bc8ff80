"""What the admin pages of all apps are made of: badges, numbers, and lists that are only read."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Field
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin

from kit.admin.paging import BothEndsPaginator
from kit.words import quantity_said

if TYPE_CHECKING:  # Django's own classes take a parameter only for the type checker
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyTabularInline = admin.TabularInline[Any, Any]
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelAdmin, AnyTabularInline, AnyModelForm = admin.ModelAdmin, admin.TabularInline, forms.ModelForm

SIGNS: Mapping[str, str] = {"ok": "✓", "info": "→", "warn": "▲", "bad": "✗", "mute": "–"}
UNKNOWN = "–"


def person(request: HttpRequest) -> User:
    """Result: who asks; the admin lets nobody in who isn't logged in."""
    assert isinstance(request.user, User)
    return request.user


def badge(text: object, tone: str) -> SafeString:
    """Result: a status as colour, sign and word. `tone` is one of SIGNS: ok, info, warn, bad, mute."""
    return format_html('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>', tone, SIGNS[tone], text)


def number(quantity: Decimal | None, *, signed: bool = False) -> str:
    """Result: a quantity as people read it: 12, 1.5, −3; a dash where it is unknown, never 0."""
    return quantity_said(quantity, signed=signed, unknown=UNKNOWN)


def why_link(item: int | None = None, *, listing: int | None = None, shown: str = "Why?", about: str = "") -> SafeString:
    """Result: a link to the page that explains an item's number, or a listing's; `about` is for who hears the link alone."""
    view, key = ("inventory_listing_why", listing) if listing is not None else ("inventory_item_why", item)
    address = reverse(f"admin:{view}", args=[key])
    hidden = format_html('<span class="visually-hidden"> {}</span>', about) if about else ""
    return format_html('<a class="why" href="{}">{}{}</a>', address, shown, hidden)


def till_and_shop(
    till: Decimal | None,
    shop: Decimal | None,
    *,
    pack: str = "",
    in_packs: Decimal | None = None,
    item: int | None = None,
    listing: int | None = None,
) -> SafeString:
    """Result: one cell that says what the till says, the difference, and what the shop shows. Unknown is no difference of 0.
    Where the shop counts `pack`s (“packs of 6”), `in_packs` is how many of them the till's number fills, to be compared with.
    With `item` and `listing` each number leads to why it is so."""
    said_by_till, till = till, in_packs if pack else till
    difference = till - shop if till is not None and shop is not None else None
    said = UNKNOWN if difference is None else number(difference, signed=True) if difference else "="
    return format_html(
        '<span class="pair"><span><small>till</small><b>{}</b></span><span class="d {}">{}</span>'
        "<span><small>{}</small><b>{}</b></span></span>",
        number(said_by_till) if item is None else why_link(item, shown=number(said_by_till), about="at the till: why?"),
        "" if not difference else "up" if difference > 0 else "down",
        said,
        f"shop, {pack}" if pack else "shop",
        number(shop) if listing is None else why_link(listing=listing, shown=number(shop), about="in the shop: why?"),
    )


def named(name: str, *skus: str) -> SafeString:
    """Result: a thing as people know it, with its SKUs small below; equal SKUs are said once."""
    codes = " · ".join(dict.fromkeys(filter(None, skus)))
    return format_html(
        '<span class="what">{}</span> <span class="sku">{}</span>', name or codes or "no name", codes if name else ""
    )


def moment(at: datetime | None) -> SafeString | str:
    """Result: how long ago, with the exact time to hover over; a dash where it never was."""
    if at is None:
        return UNKNOWN
    exact = date_format(timezone.localtime(at), "j M Y H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), exact, naturaltime(at))


def duration(start: datetime | None, end: datetime | None) -> str:
    """Result: how long it took, in the largest fitting unit; a dash while it is not over."""
    if start is None or end is None:
        return UNKNOWN
    seconds = (end - start).total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min {int(seconds % 60)} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def is_value_of(field: "Field[Any, Any]", said: str) -> bool:
    """Result: could the field's column hold it? A row's address may say anything."""
    try:
        field.run_validators(field.to_python(said))
    except (ValidationError, ValueError, ArithmeticError):
        return False
    return True


class AskedActionsAdmin(AnyModelAdmin):
    """A list called by its name. A posted action that the reader may not do gets 403, where Django would silently do nothing."""

    paginator: ClassVar["type[Paginator[Any]]"] = BothEndsPaginator

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        wanted = request.POST.get("action") if request.method == "POST" else None
        if wanted and wanted not in self.get_actions(request):
            raise PermissionDenied
        title = capfirst(str(self.opts.verbose_name_plural))  # Django's "Select … to view" says nothing
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class ReadOnlyAdmin(AskedActionsAdmin):
    """Rows that the engine writes: to be looked at, searched and filtered, never edited."""

    show_full_result_count = False  # counting a large table a second time costs more than it tells

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class HistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc] # simple_history has no types
    """Who changed what. Looking at a former version never brings it back: simple_history only hides the button, and would take
    a posted form even from somebody who may only look."""

    object_history_list_template = "admin/history_list.html"  # theirs has a style in its markup, which our policy blocks

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        history = getattr(self.model, self.opts.simple_history_manager_attribute)
        if not (is_value_of(self.opts.pk, object_id) and is_value_of(history.model._meta.pk, version_id)):  # noqa: SLF001 - Django's documented way
            raise Http404
        page: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return page
