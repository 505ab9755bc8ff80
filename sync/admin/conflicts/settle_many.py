"""The page on which many conflicts are settled the same way: every row's effect, what is left out and why, one reason. What has
changed since it was shown is shown anew, never written blindly."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from connectors.errors import ConfigError
from kit.admin.parts import number
from kit.words import counted
from sync.admin.conflicts.parts import LABELS, NumberRow, numbers_of, product_of
from sync.admin.conflicts.settle import Asked, asked_of, reason_form, settled_note
from sync.conflicts.effects import WITH, Outlook, effect_mark
from sync.conflicts.settle import Settled, Winner, conflicts_resolve, way_of
from sync.conflicts.words import effect_sentence
from sync.core.settling import Effect, Refusal, Way
from sync.models import SyncConflict

MOST = 5000  # settled in one go
PER_PAGE = 100
LIST = "admin:sync_syncconflict_changelist"
PAGE = "admin/sync/syncconflict/settle_many.html"


@dataclass(slots=True)
class Batch:
    """What settling many the same way would write."""

    rows: list[tuple[SyncConflict, Effect]] = field(default_factory=list)
    left_out: list[tuple[SyncConflict, Refusal]] = field(default_factory=list)
    marks: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pks: Sequence[int], winner: Winner) -> "Batch":
        """In the order in which they will be settled, each seeing what those before it book. A handful of queries."""
        batch = cls()
        way, count = way_of(winner)
        found = SyncConflict.objects.filter(pk__in=pks).select_related(*WITH).order_by("store_id", "pk")
        conflicts = list(found)
        outlook = Outlook(conflicts)
        for conflict in conflicts:
            effect = outlook.effect(conflict, way, count)
            if isinstance(effect, Refusal):
                batch.left_out.append((conflict, effect))
                continue
            outlook.book(conflict, effect)
            batch.rows.append((conflict, effect))
            batch.marks[conflict.pk] = effect_mark(conflict, way, effect)
        return batch

    def totals(self) -> list[str]:
        """Result: what it comes to, in sentences."""
        shop = [effect.shop.change for _, effect in self.rows if effect.shop and effect.shop.change]
        booked = [effect.units for _, effect in self.rows if effect.units]
        till = [effect.till.change for _, effect in self.rows if effect.till and effect.till.change]
        said = [
            f"{counted(len(shop), 'number changes', 'numbers change')} in the shop, {_sum(shop)} in all." if shop else "",
            f"{counted(len(booked), 'movement is', 'movements are')} booked in the ledger, {_sum(booked)} in all."
            if booked
            else "",
            f"The till is told of {counted(len(till), 'item', 'items')}, {_sum(till)} in all." if till else "",
        ]
        return [one for one in said if one] or ["Nothing is written to either side."]


def _sum(changes: Sequence[Decimal]) -> str:
    return number(sum(changes, Decimal(0)), signed=True)


def ask_many(
    request: HttpRequest,
    pks: Sequence[int],
    person: User,
    context: Mapping[str, Any],
    *,
    way: Way | None = None,
    seen: Mapping[int, str] | None = None,
) -> HttpResponse:
    """Show what settling these would write, a page of them at a time. `seen`: the marks of what was shown before; those on other
    pages than this one keep theirs."""
    asked = asked_of(request, way)
    page: dict[str, Any] = {**context, **reason_form(asked, person), "title": LABELS[asked.way], "back": reverse(LIST)}
    page["chosen"] = _joined(dict.fromkeys(pks, ""))
    if asked.winner is None:
        return TemplateResponse(request, PAGE, {**page, "total": len(pks), "asks_count": True})
    batch = Batch.of(pks, asked.winner)
    shown = Paginator(batch.rows, PER_PAGE).get_page(request.POST.get("page", "1"))
    here = {conflict.pk for conflict, _ in shown.object_list}
    marks = {pk: mark if pk in here else (seen or {}).get(pk) or mark for pk, mark in batch.marks.items()}
    causes = Counter(f"{refusal.why} {refusal.next_step}" for _, refusal in batch.left_out)
    examples = {f"{refusal.why} {refusal.next_step}": product_of(conflict) for conflict, refusal in reversed(batch.left_out)}
    page |= {
        "rows": [_row(conflict, asked, effect) for conflict, effect in shown.object_list],
        "shown": shown,
        "total": len(batch.rows),
        "totals": batch.totals(),
        "left_out": [(why, many, examples[why]) for why, many in causes.most_common(10)],
        "left_out_total": len(batch.left_out),
        "chosen": _joined(marks),
        "reason_missing": "confirm" in request.POST and not asked.reason,
    }
    return TemplateResponse(request, PAGE, page)


def _row(conflict: SyncConflict, asked: Asked, effect: Effect) -> tuple[SafeString, str, list[NumberRow]]:
    count = asked.winner if isinstance(asked.winner, Decimal) else None
    return product_of(conflict), effect_sentence(conflict, asked.way, count, effect), numbers_of(conflict, effect)


def settle_many(request: HttpRequest, person: User, context: Mapping[str, Any]) -> HttpResponse:
    """Settle what was shown on the page before; what has changed meanwhile is shown anew."""
    back = HttpResponseRedirect(reverse(LIST))
    chosen = _parted(request.POST.get("chosen", ""))
    if request.method != "POST" or not chosen:
        return back
    try:
        asked = asked_of(request)
        if "confirm" not in request.POST or not asked.reason or asked.winner is None or not all(chosen.values()):
            return ask_many(request, list(chosen), person, context, seen=chosen)
        settled = conflicts_resolve(chosen=chosen, winner=asked.winner, by=person, reason=asked.reason, now=timezone.now)
    except ConfigError as error:
        messages.error(request, str(error))
        return back
    settled_note(person, settled.done, asked.reason)
    _tell(request, settled)
    return ask_many(request, settled.changed, person, context) if settled.changed else back


def _tell(request: HttpRequest, settled: Settled) -> None:
    if settled.done:
        messages.success(request, f"{len(settled.done):,} settled. What follows is told with the next sync.")
    for why, many in Counter(settled.left_out.values()).most_common(5):
        messages.error(request, f"{many:,} left open: {why}")
    if settled.changed:
        many = len(settled.changed)
        said = "the numbers of one have" if many == 1 else f"the numbers of {many:,} have"
        messages.warning(request, f"Not settled yet: {said} changed since you looked. Read them once more.")


def _joined(marks: Mapping[int, str]) -> str:
    return ",".join(f"{pk}:{mark}" for pk, mark in marks.items())


def _parted(text: str) -> dict[int, str]:
    """Result: by conflict, its mark; what is no number is left out, as is what goes beyond one go."""
    parts = (part.partition(":") for part in text.split(","))
    found = {int(pk): mark for pk, _, mark in parts if pk.isascii() and pk.isdigit() and len(pk) < 19}
    return dict(list(found.items())[:MOST])
