"""The page on which one conflict is settled: what will be written, why, and a button. What has changed since it was shown is
shown anew, never written blindly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError, LeaseLostError
from sync.admin.conflicts.parts import LABELS, number_row, numbers_of, product_of, reasons_for
from sync.conflicts.effects import WITH, Outlook, effect_mark
from sync.conflicts.settle import (
    ChangedError,
    Winner,
    conflict_resolve,
    way_of,
    winner_parse,
)
from sync.conflicts.words import effect_sentence
from sync.core.settling import Effect, Refusal, Way
from sync.models import SyncConflict

PAGE = "admin/sync/syncconflict/settle.html"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person has said so far."""

    winner: Winner | None  # None: a count that is still to be said
    count: str
    reason: str
    chosen_reason: str

    @property
    def way(self) -> Way:
        return Way.COUNT if self.winner is None else way_of(self.winner)[0]


def asked_of(request: HttpRequest, way: Way | None = None) -> Asked:
    """Result: what the form or the link says; `way`: how, where the list's action says so. Raises ConfigError for what nobody can
    mean."""
    said = request.POST if request.method == "POST" else request.GET
    words, count = way or said.get("winner", ""), said.get("count", "").strip()
    if words == Way.COUNT and not count:
        winner: Winner | None = None
    else:
        winner = Way.NOTED.value if words == Way.NOTED else winner_parse(count if words == Way.COUNT else words)
    if isinstance(winner, Decimal):
        count = f"{winner:f}"
    chosen = said.get("because", "").strip()
    return Asked(winner, count, said.get("reason", "").strip() or chosen, chosen)


def settle_one(request: HttpRequest, conflict: SyncConflict, person: User, context: Mapping[str, Any]) -> HttpResponse:
    """Show what settling one would write, and settle it once that was read."""
    back = reverse("admin:sync_syncconflict_change", args=[conflict.pk])
    try:
        asked = asked_of(request)
        if request.method == "POST" and asked.winner is not None and request.POST.get("seen") and asked.reason:
            return _settled_one(request, conflict, person, asked)
        outlook = Outlook([conflict])
        effect = None if asked.winner is None else _effect(outlook, conflict, asked.winner)
    except ChangedError:
        messages.warning(request, "Its numbers have changed since you looked. Read them once more.")
        conflict = SyncConflict.objects.select_related(*WITH).get(pk=conflict.pk)
        outlook = Outlook([conflict])
        try:
            effect = _effect(outlook, conflict, asked.winner or "")
        except ConfigError:
            return HttpResponseRedirect(back)
    except (ConfigError, LeaseHeldError, LeaseLostError) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    page = {
        **context,
        **reason_form(asked, person),
        "conflict": conflict,
        "product": product_of(conflict),
        "back": back,
        "title": LABELS[asked.way],
        "reason_missing": request.method == "POST" and not asked.reason,
        **(_shown(outlook, conflict, asked, effect) if effect else {}),
    }
    return TemplateResponse(request, PAGE, page)


def _effect(outlook: Outlook, conflict: SyncConflict, winner: Winner) -> Effect:
    effect = outlook.effect(conflict, *way_of(winner))
    if isinstance(effect, Refusal):
        raise ConfigError(effect.why, next_step=effect.next_step)
    return effect


def _shown(outlook: Outlook, conflict: SyncConflict, asked: Asked, effect: Effect) -> dict[str, Any]:
    way, count = asked.way, asked.winner if isinstance(asked.winner, Decimal) else None
    followers = outlook.followers(conflict, effect)
    return {
        "sentence": effect_sentence(conflict, way, count, effect),
        "numbers": [
            *numbers_of(conflict, effect),
            *(
                number_row(f"{one.listing.sku or one.listing} in {one.listing.connection}", one.shop, one.pack)
                for one in followers
            ),
        ],
        "seen": effect_mark(conflict, way, effect),
    }


def reason_form(asked: Asked, person: User) -> dict[str, Any]:
    reasons = reasons_for(asked.way, person)
    return {
        "way": asked.way,
        "label": LABELS[asked.way],
        "count": asked.count,
        "reasons": reasons,
        "chosen_reason": asked.chosen_reason or reasons[0],
        "own_reason": asked.reason if asked.reason != asked.chosen_reason else "",
    }


def _settled_one(request: HttpRequest, conflict: SyncConflict, person: User, asked: Asked) -> HttpResponse:
    assert asked.winner is not None
    conflict_resolve(
        conflict=conflict, winner=asked.winner, by=person, reason=asked.reason, now=timezone.now, seen=request.POST["seen"]
    )
    settled_note(person, [conflict.pk], asked.reason)
    messages.success(request, "Settled. What follows is told with the next sync.")
    return HttpResponseRedirect(reverse("admin:sync_syncconflict_change", args=[conflict.pk]))


def settled_note(person: User, pks: Sequence[int], reason: str) -> None:
    """Into the administrators' log, beside the history that each conflict has of its own."""
    rows = SyncConflict.objects.filter(pk__in=pks).select_related(*WITH)
    if pks:
        LogEntry.objects.log_actions(person.pk, rows, CHANGE, f"Settled: {reason[:200]}")
