"""Prices: who owns them, what waits for a person, and what was told to whom."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from connectors.contract import Side
from connectors.errors import ConfigError, ConnectorError
from connectors.models import Connection
from connectors.registry import LABELS, kind_get
from kit.admin.parts import UNKNOWN, AskedActionsAdmin, HistoryAdmin, ReadOnlyAdmin, badge, moment, named, number
from kit.admin.search import ProductSearchAdmin
from sync.admin.parts import WRITE_TONES
from sync.core.prices import percent_text
from sync.models import OutboundWrite, PricePolicy, PriceReview, PriceWrite, SyncRun, TillPrice
from sync.prices.log import price_shown
from sync.prices.reviews import review_decide
from sync.turns.start import run_request

State = PriceReview.State
TONES = {State.OPEN: "warn", State.APPROVED: "info", State.WRITTEN: "ok", State.REJECTED: "mute", State.GONE: "mute"}
VERBS = {"approve": "Approve", "reject": "Reject"}


class WaitingFilter(admin.SimpleListFilter):
    """Open ones first: the list shows nothing else unless asked."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((str(state), State(state).label) for state in State if state != State.OPEN), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        """Django's first choice is "All"; here it is what is open."""
        for place, choice in enumerate(super().choices(changelist)):
            yield choice if place else {**choice, "display": "Open"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[PriceReview]) -> QuerySet[PriceReview]:
        wanted = self.value()
        return queryset if wanted == "all" else queryset.filter(state=wanted if wanted in State.values else State.OPEN)


@admin.register(PriceReview)
class PriceReviewAdmin(ProductSearchAdmin, ReadOnlyAdmin, HistoryAdmin):
    """What a price is and would be, the margin before and after, and why it waits; approved or rejected with a reason."""

    list_display = ("product", "prices", "margin", "why", "since", "state_badge", "store")
    list_display_links = ("product",)
    list_filter = (WaitingFilter, "store", "price_source", "detected_at")
    list_select_related = ("store", "alignment__item", "alignment__listing", "decided_by")
    search_fields = ("alignment__item__sku", "alignment__item__name", "alignment__listing__sku", "alignment__listing__name")
    fieldsets = (
        ("Figures", {"fields": ("product", "prices", "margin", "source_price", "why")}),
        ("What became of it", {"fields": ("state_badge", "reason", "decided_by", "decided_at")}),
        ("Where", {"fields": ("store", "price_source", "alignment", "ends_sale", "detected_at")}),
    )
    readonly_fields = (
        "product", "prices", "margin", "source_price", "why", "state_badge", "reason", "decided_by",
        "decided_at", "store", "price_source", "alignment", "ends_sale", "detected_at",
    )  # fmt: skip
    history_list_display = ("prices", "state_badge", "reason")
    actions = ("approve", "reject")
    change_form_template = "admin/sync/pricereview/change_form.html"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return request.user.has_perm("sync.decide_price")

    def get_urls(self) -> list[URLPattern]:
        decide = path("<path:object_id>/decide/", self.admin_site.admin_view(self.decide_view), name="sync_pricereview_decide")
        return [decide, *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        review = self.get_object(request, unquote(object_id)) if object_id else None
        may = self.has_decide_permission(request) and review is not None and review.state == State.OPEN
        shown: dict[str, Any] = self._row(review) if review else {}
        page: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "may_decide": may, "row": shown}
        )
        return page

    def decide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what would be written and ask for the reason, then decide one."""
        review = self.get_object(request, unquote(object_id))
        if review is None:
            raise Http404
        if not self.has_decide_permission(request):
            raise PermissionDenied
        verb = (request.POST or request.GET).get("verb", "")
        back = reverse("admin:sync_pricereview_change", args=[review.pk])
        if verb not in VERBS or review.state != State.OPEN:
            self.message_user(request, f"It is decided already: {review.get_state_display()}.", messages.WARNING)
            return HttpResponseRedirect(back)
        reason = request.POST.get("reason", "").strip()
        if request.method == "POST" and reason:
            self._decide(request, [review], verb, reason)
            return HttpResponseRedirect(back)
        return self._ask(request, [review], verb, back=back, hidden={"verb": verb})

    @admin.action(description="Approve…", permissions=["decide"])
    def approve(self, request: HttpRequest, reviews: QuerySet[PriceReview]) -> HttpResponse | None:
        return self._many(request, reviews, "approve")

    @admin.action(description="Reject…", permissions=["decide"])
    def reject(self, request: HttpRequest, reviews: QuerySet[PriceReview]) -> HttpResponse | None:
        return self._many(request, reviews, "reject")

    def _many(self, request: HttpRequest, chosen: QuerySet[PriceReview], verb: str) -> HttpResponse | None:
        reviews = list(chosen.filter(state=State.OPEN).select_related(*self.list_select_related))
        if not reviews:
            self.message_user(request, "None of these is open.", messages.WARNING)
            return None
        reason = request.POST.get("reason", "").strip()
        if reason:
            self._decide(request, reviews, verb, reason)
            return None
        return self._ask(request, reviews, verb, back=reverse("admin:sync_pricereview_changelist"), hidden={"action": verb})

    def _decide(self, request: HttpRequest, reviews: list[PriceReview], verb: str, reason: str) -> None:
        decided: list[PriceReview] = []
        for review in reviews:
            try:
                person: Any = request.user  # admin pages know only users who signed in
                review_decide(review=review, approve=verb == "approve", by=person, reason=reason, now=timezone.now())
            except ConfigError as error:
                self.message_user(request, f"{review}: {error}", messages.ERROR)
                continue
            self.log_change(request, review, f"{VERBS[verb]}: {reason[:200]}")
            decided.append(review)
        if decided and verb == "reject":
            self.message_user(
                request, f"{len(decided)} rejected. Nothing is asked again until the price changes.", messages.SUCCESS
            )
        elif decided:
            self._wake(request, decided)

    def _wake(self, request: HttpRequest, decided: list[PriceReview]) -> None:
        """Have what was approved written at once; where no worker can be reached, the next sync does it."""
        person: Any = request.user
        when = "It is written as soon as a worker takes it up."
        for store in {review.store_id: review.store for review in decided}.values():
            try:
                run_request(store=store, kind=SyncRun.Kind.INCREMENTAL, by=person)
            except ConnectorError:
                when = "It is written with the next sync."
        self.message_user(request, f"{len(decided)} approved. {when}", messages.SUCCESS)

    def _ask(
        self, request: HttpRequest, reviews: list[PriceReview], verb: str, *, back: str, hidden: dict[str, str]
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{VERBS[verb]} {len(reviews)} price change{'' if len(reviews) == 1 else 's'}?",
            "rows": [self._row(review) for review in reviews],
            "verb": verb,
            "asked_before": "reason" in request.POST,
            "checkbox": ACTION_CHECKBOX_NAME,
            "hidden": hidden.items(),
            "back": back,
        }
        return TemplateResponse(request, "admin/sync/pricereview/decide.html", context)

    def _row(self, review: PriceReview) -> dict[str, Any]:
        return {
            "review": review,
            "product": self.product(review),
            "old": _money(review.old_price, review.currency),
            "new": _money(review.new_price, review.currency),
            "change": self.change(review),
            "margin_before": _percent(review.margin_before),
            "margin_after": _percent(review.margin_after),
            "cost": _money(review.cost, review.currency),
            "loses": review.margin_after is not None and review.margin_after < 0,
            "where": "the shop" if review.price_source == PricePolicy.Source.POS else "the till",
            "state": self.state_badge(review),
        }

    @admin.display(description="product", ordering="alignment__item__sku")
    def product(self, review: PriceReview) -> SafeString:
        pair = review.alignment
        return named(pair.item.name or pair.listing.name, pair.item.sku, pair.listing.sku)

    @admin.display(description="price", ordering="change_percent")
    def prices(self, review: PriceReview) -> SafeString:
        said = f"{price_shown(review.old_price) or UNKNOWN} → {price_shown(review.new_price)} {review.currency}"
        return format_html('<span class="num">{}</span> <span class="sub">{}</span>', said, self.change(review))

    def change(self, review: PriceReview) -> str:
        return UNKNOWN if review.change_percent is None else percent_text(review.change_percent)

    @admin.display(description="margin", ordering="margin_after")
    def margin(self, review: PriceReview) -> SafeString | str:
        if review.margin_after is None:
            return UNKNOWN
        said = f"{_percent(review.margin_before)} → {_percent(review.margin_after)}"
        warning = badge("below cost", "bad") if review.margin_after < 0 else ""
        return format_html(
            '<span class="num">{}</span> {} <span class="sub">cost {}</span>', said, warning, price_shown(review.cost)
        )

    @admin.display(description="since", ordering="detected_at")
    def since(self, review: PriceReview) -> SafeString | str:
        return moment(review.detected_at)

    @admin.display(description="state", ordering="state")
    def state_badge(self, review: PriceReview) -> SafeString:
        state = State(review.state)
        return badge(state.label.split(":")[0], TONES[state])


def _money(amount: Decimal | None, currency: str) -> str:
    return f"{price_shown(amount)} {currency}" if amount is not None else UNKNOWN


def _percent(percent: Decimal | None) -> str:
    return UNKNOWN if percent is None else percent_text(percent, signed=False)


@admin.register(PricePolicy)
class PricePolicyAdmin(AskedActionsAdmin, HistoryAdmin):
    """Who owns a store's prices, what becomes of them on the way, and when a person must look."""

    list_display = ("connection", "price_source", "rounding", "band_percent", "min_margin_percent", "guard_percent")
    list_select_related = ("connection",)
    fieldsets = (
        (None, {"fields": ("connection", "price_source")}),
        ("Tax", {"fields": ("till_includes_tax", "store_includes_tax", "tax_percent")}),
        ("How prices are made", {"fields": ("rounding", "decimals", "owns_sale_prices")}),
        ("When a person looks", {"fields": ("band_percent", "min_margin_percent", "guard_percent")}),
        ("What else the shop is told", {"fields": ("push_barcodes", "push_costs")}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name == "connection":
            kinds = [kind for kind in LABELS if kind_get(kind).capabilities.side == Side.STORE]
            field.queryset = Connection.objects.filter(kind__in=kinds)
        return field


@admin.register(PriceWrite)
class PriceWriteAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """Prices, barcodes and costs told to shops. Newest first."""

    list_display = ("product", "change", "also", "state_badge", "reason", "made")
    list_filter = ("write__state", "write__connection", "was_taken")
    list_select_related = ("write__listing", "write__connection")
    search_fields = ("write__listing__sku", "write__listing__name")
    fields = ("product", "change", "also", "state_badge", "was_taken", "reason", "write", "review")

    @admin.display(description="product", ordering="write__listing__sku")
    def product(self, price: PriceWrite) -> SafeString:
        listing = price.write.listing
        return named(listing.name, str(listing)) if listing else named("")

    @admin.display(description="price")
    def change(self, price: PriceWrite) -> str:
        if price.price_to is None:
            return UNKNOWN
        return f"{price_shown(price.price_from) or UNKNOWN} → {price_shown(price.price_to)}"

    @admin.display(description="also told")
    def also(self, price: PriceWrite) -> str:
        said = [
            f"barcode {price.barcode}" if price.barcode else "",
            f"cost {number(price.cost)}" if price.cost is not None else "",
            "the sale ends" if price.ends_sale else "",
        ]
        return ", ".join(filter(None, said)) or UNKNOWN

    @admin.display(description="state")
    def state_badge(self, price: PriceWrite) -> SafeString:
        if price.was_taken is False:
            return badge("Not taken", "bad")
        state = OutboundWrite.State(price.write.state)
        return badge(state.label.split(":")[0], WRITE_TONES[state])

    @admin.display(description="made", ordering="write__created_at")
    def made(self, price: PriceWrite) -> SafeString | str:
        return moment(price.write.created_at)


@admin.register(TillPrice)
class TillPriceAdmin(ProductSearchAdmin, ReadOnlyAdmin):
    """Prices told to tills. Newest first."""

    list_display = ("product", "connection", "change", "state_badge", "error", "made")
    list_filter = ("state", "connection")
    list_select_related = ("connection", "item")
    search_fields = ("item__sku", "item__name")
    fields = ("product", "connection", "change", "state_badge", "reason", "error", "created_at", "sent_at", "answered_at", "run")

    @admin.display(description="product", ordering="item__sku")
    def product(self, price: TillPrice) -> SafeString:
        return named(price.item.name, price.item.sku)

    @admin.display(description="price")
    def change(self, price: TillPrice) -> str:
        return f"{price_shown(price.price_from) or UNKNOWN} → {price_shown(price.price_to)}"

    @admin.display(description="state", ordering="state")
    def state_badge(self, price: TillPrice) -> SafeString:
        state = OutboundWrite.State(price.state)
        return badge(state.label.split(":")[0], WRITE_TONES[state])

    @admin.display(description="made", ordering="created_at")
    def made(self, price: TillPrice) -> SafeString | str:
        return moment(price.created_at)
