"""Proposals, side by side, decided by keyboard; and many at once, with the error to expect beside them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from alignment.models import Alignment
from alignment.review.differences import Line, line, price_line
from alignment.review.reviews import alignment_choose, decision_reason, decision_undo, proposals_accept, proposals_waiting
from alignment.selectors import connections_on, coverage
from alignment.services.alignments import Decided, alignment_confirm, alignment_reject
from alignment.services.policies import (
    LOWEST,
    OFFERED,
    ThresholdOffer,
    confirm_threshold,
    matching_policy_set,
    thresholds_offered,
)
from connectors.contract import Side
from connectors.models import Connection
from inventory.models import Listing
from kit.admin.parts import person
from kit.errors import ToldError

if TYPE_CHECKING:
    from alignment.admin.pairs import AlignmentAdmin

PER_PAGE = 10
KEPT = 20  # decisions that can be taken back
DECISIONS = "alignment_decisions"


class ConfidenceForm(forms.Form):
    confidence = forms.DecimalField(min_value=LOWEST, max_value=1, max_digits=5, decimal_places=4, required=False)


class ReviewPage:
    """One page below the list of alignments. Every button is a form, so that it works without the script; the script presses
    them by keyboard."""

    def __init__(self, model_admin: "AlignmentAdmin") -> None:
        self.admin = model_admin

    def urls(self) -> list[URLPattern]:
        guarded = self.admin.admin_site.admin_view  # login and CSRF
        return [path("review/", guarded(self.page), name="alignment_alignment_review")]

    def page(self, request: HttpRequest) -> HttpResponse:
        if not self.admin.has_view_permission(request):
            raise PermissionDenied
        tills, stores = list(connections_on(Side.POS)), list(connections_on(Side.STORE))
        between = _between(request, tills, stores)
        if request.method == "POST":
            if not self.admin.has_change_permission(request):
                raise PermissionDenied
            return self._decide(request, between)
        context: dict[str, Any] = {
            "between": between,
            "tills": tills,
            "stores": stores,
            "may_decide": self.admin.has_change_permission(request),
        }
        if between:
            context |= self._waiting(request, *between)
        return TemplateResponse(
            request,
            "admin/alignment/alignment/review.html",
            {**self.admin.admin_site.each_context(request), "opts": self.admin.opts, "title": "Review matches", **context},
        )

    # -- what is shown ---------------------------------------------------------------------------------------------

    def _waiting(self, request: HttpRequest, till: Connection, store: Connection) -> dict[str, Any]:
        pages = Paginator(proposals_waiting(pos=till, store=store), PER_PAGE)
        page = pages.get_page(request.GET.get("p"))
        pairs = list(page.object_list)
        listings = _others(pairs)
        offers = [offer for offer in thresholds_offered(pos=till, store=store) if offer.pairs]
        return {
            "till": till,
            "store": store,
            "page": page,
            "cards": [_card(pair, listings) for pair in pairs],
            "coverage": coverage(pos=till, store=store),
            "offers": [(offer, _percent(offer)) for offer in offers],
            "threshold": confirm_threshold(store=store),
            "thresholds": OFFERED,
            "may_undo": bool(request.session.get(DECISIONS)),
        }

    # -- what is decided -------------------------------------------------------------------------------------------

    def _decide(self, request: HttpRequest, between: tuple[Connection, Connection] | None) -> HttpResponse:
        try:
            if "undo" in request.POST:
                self._undo(request)
            elif between and "accept_from" in request.POST:
                self._accept_many(request, *between)
            elif between and "confirm_from" in request.POST:
                self._set_policy(request, between[1])
            else:
                self._decide_one(request)
        except ToldError as error:
            messages.error(request, f"{error.message} {error.next_step}".strip())
        query = request.META.get("QUERY_STRING", "")
        address = reverse("admin:alignment_alignment_review")
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    def _decide_one(self, request: HttpRequest) -> None:
        pair = get_object_or_404(Alignment.objects.select_related("item", "listing"), pk=_number(request, "pair"))
        if "choose" in request.POST:
            reason = decision_reason("another chosen in review")
            other = get_object_or_404(Listing, pk=_number(request, "choose"), connection_id=pair.listing.connection_id)
            alignment_choose(alignment=pair, listing=other, by=person(request), reason=reason)
            self._done(request, reason, f"{pair.item} is {other}, not {pair.listing}.")
            return
        accept = "accept" in request.POST
        reason = decision_reason("accepted in review" if accept else "rejected in review")
        service = alignment_confirm if accept else alignment_reject
        decided = service(alignments=[pair], by=person(request), reason=reason)
        if decided.changed:
            self._done(request, reason, f"{pair.item} {'is' if accept else 'is not'} {pair.listing}.")
        self._refused(request, decided)

    def _accept_many(self, request: HttpRequest, till: Connection, store: Connection) -> None:
        form = ConfidenceForm({"confidence": request.POST["accept_from"]})
        if not form.is_valid() or form.cleaned_data["confidence"] is None:
            messages.error(request, "Choose a confidence from 0.5 to 1, such as 0.95.")
            return
        reason = decision_reason("accepted in review with many")
        decided = proposals_accept(
            pos=till, store=store, threshold=form.cleaned_data["confidence"], by=person(request), reason=reason
        )
        if decided.changed:
            self._done(request, reason, f"{decided.changed} pair{'s' if decided.changed != 1 else ''} accepted.")
        else:
            messages.info(request, "No pair is that sure. Nothing was changed.")
        self._refused(request, decided)

    def _set_policy(self, request: HttpRequest, store: Connection) -> None:
        form = ConfidenceForm({"confidence": request.POST["confirm_from"]})
        if not form.is_valid():
            messages.error(request, "Choose a confidence from 0.5 to 1, such as 0.95, or none.")
            return
        chosen = form.cleaned_data["confidence"]
        matching_policy_set(store=store, confirm_from=chosen, by=person(request))
        said = (
            f"From now on pairs of {store} confirm themselves from {_share(chosen)}." if chosen else "Every pair waits for you."
        )
        messages.success(request, said)

    def _undo(self, request: HttpRequest) -> None:
        decisions = list(request.session.get(DECISIONS, []))
        if not decisions:
            messages.info(request, "There is nothing to take back.")
            return
        undone = decision_undo(reason=decisions.pop(), by=person(request))
        request.session[DECISIONS] = decisions
        kept = f" {undone.kept} stayed: somebody has decided on them since." if undone.kept else ""
        messages.success(request, f"Taken back: {undone.changed} pair{'s' if undone.changed != 1 else ''}.{kept}")

    def _done(self, request: HttpRequest, reason: str, said: str) -> None:
        request.session[DECISIONS] = [*request.session.get(DECISIONS, []), reason][-KEPT:]
        messages.success(request, said)

    def _refused(self, request: HttpRequest, decided: Decided) -> None:
        for refusal in decided.refused[:10]:
            messages.warning(request, f"{refusal.alignment}: {refusal.message} {refusal.next_step}")
        if len(decided.refused) > 10:
            messages.warning(request, f"{len(decided.refused) - 10} more could not be accepted.")


def _between(request: HttpRequest, tills: list[Connection], stores: list[Connection]) -> tuple[Connection, Connection] | None:
    """Result: the till and the store asked for, else the first of each; None where one is not connected yet."""
    if not tills or not stores:
        return None
    till = next((one for one in tills if str(one.pk) == request.GET.get("till")), tills[0])
    return till, next((one for one in stores if str(one.pk) == request.GET.get("store")), stores[0])


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _others(pairs: list[Alignment]) -> dict[int, Listing]:
    """Result: the next best listings of these pairs, by id, as they are now."""
    wanted = {other["listing"] for pair in pairs for other in pair.others}
    return Listing.objects.in_bulk(wanted)


def _card(pair: Alignment, listings: dict[int, Listing]) -> dict[str, Any]:
    item, listing = pair.item, pair.listing
    lines: list[Line] = [
        line("Name", item.name, listing.name),
        line("SKU", item.sku, listing.sku),
        line("Barcode", item.barcode, listing.barcode),
        price_line("Price", item.price, listing.price),
    ]
    return {
        "pair": pair,
        "sureness": _share(pair.confidence),
        "evidence": [part.strip() for part in pair.evidence.split(";") if part.strip()],
        "lines": [one for one in lines if one.at_till or one.in_store],
        "others": [
            {**other, "listing": listings[other["listing"]], "sureness": _share(Decimal(str(other["confidence"])))}
            for other in pair.others
            if other["listing"] in listings
        ],
    }


def _share(confidence: Decimal) -> str:
    """Result: a confidence for people, never rounded up to certainty."""
    return f"{(confidence * 100).quantize(Decimal('0.1'), rounding='ROUND_DOWN').normalize():f} %"


def _percent(offer: ThresholdOffer) -> str:
    """Result: the part that should be wrong, in percent."""
    return "unknown" if offer.expected_error is None else f"{offer.expected_error * 100:.2g} %"
