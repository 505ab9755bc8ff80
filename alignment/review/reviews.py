"""Deciding on proposals one after the other, and taking a decision back.

A decision is known by its reason, which nobody else's has: what was changed under it is what taking it back changes.
"""

from dataclasses import dataclass
from decimal import Decimal
from secrets import token_hex
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from simple_history.utils import bulk_update_with_history

from alignment.errors import AlignmentChangedError
from alignment.models import Alignment
from alignment.services.alignments import Decided, alignment_confirm, alignment_make, alignment_reject, listings_reopen
from connectors.models import Connection
from inventory.models import Listing
from kit.bulk import UPDATE_CHUNK, chunks

Status = Alignment.Status


@dataclass(frozen=True, slots=True)
class Undone:
    """What taking a decision back did: pairs that wait again, and those that somebody has decided anew since."""

    changed: int
    kept: int


def decision_reason(what: str) -> str:
    """Result: a reason for the history that no other decision has: “accepted in review 3f9a2c41”."""
    return f"{what} {token_hex(4)}"


def proposals_waiting(*, pos: Connection | None = None, store: Connection | None = None) -> QuerySet[Alignment]:
    """Result: pairs that wait for a person: the surest first, those in doubt last."""
    waiting = Alignment.objects.filter(status=Status.PROPOSED).select_related("item__connection", "listing__connection")
    if pos is not None:
        waiting = waiting.filter(item__connection=pos)
    if store is not None:
        waiting = waiting.filter(listing__connection=store)
    return waiting.order_by("is_doubted", "-confidence", "pk")


def proposals_accept(
    *, pos: Connection, store: Connection, threshold: Decimal, by: AbstractBaseUser | None, reason: str
) -> Decided:
    """Confirm every proposal of that till and store at or above a confidence, but for those in doubt. Result: as for one pair;
    a part that somebody else decides on at the same moment is left, and counts as unchanged."""
    sure = proposals_waiting(pos=pos, store=store).filter(is_doubted=False, confidence__gte=threshold)
    result = Decided()
    for part in chunks(list(sure)):
        try:
            one = alignment_confirm(alignments=part, by=by, reason=reason)
        except AlignmentChangedError:
            result.unchanged += len(part)
            continue
        result.changed += one.changed
        result.unchanged += one.unchanged
        result.refused += one.refused
    return result


@transaction.atomic
def alignment_choose(*, alignment: Alignment, listing: Listing, by: AbstractBaseUser | None, reason: str) -> Alignment:
    """The item is that other listing, not the one proposed: reject the proposal, confirm the other. Result: the confirmed pair.
    Raises AlignmentChangedError, and changes nothing, where the other listing is taken or can't stand for an item."""
    alignment_reject(alignments=[alignment], by=by, reason=reason)
    there = Alignment.objects.filter(item=alignment.item, listing=listing).first()
    if there is None:
        evidence = f"chosen in review instead of {alignment.listing}"
        return alignment_make(item=alignment.item, listing=listing, evidence=evidence, by=by, reason=reason)
    decided = alignment_confirm(alignments=[there], by=by, reason=reason)
    if decided.refused:
        raise AlignmentChangedError(decided.refused[0].message, next_step=decided.refused[0].next_step, code="taken")
    return there


@transaction.atomic
def decision_undo(*, reason: str, by: AbstractBaseUser | None) -> Undone:
    """Take back what was decided under that reason: its pairs wait again, and one made by hand is rejected, since nobody had
    proposed it. A pair on which something was decided since stays as it is. What was already written to a shop meanwhile stays
    written: the pair just isn't kept in step any more."""
    history: Any = Alignment.history
    under = history.filter(history_change_reason=reason)
    newest = history.filter(id=OuterRef("id")).order_by("-history_date", "-history_id").values("history_change_reason")[:1]
    made = set(under.filter(history_type="+").values_list("id", flat=True))
    ids = sorted(set(under.values_list("id", flat=True)))
    back: list[Alignment] = []
    for part in chunks(ids):
        pairs = Alignment.objects.select_for_update(of=("self",)).filter(pk__in=part).annotate(newest=Subquery(newest))
        back += [pair for pair in pairs.order_by("pk") if pair.newest == reason]
    for pair in back:
        pair.status = Status.REJECTED if pair.pk in made else Status.PROPOSED
    bulk_update_with_history(
        back, Alignment, ["status"], batch_size=UPDATE_CHUNK, default_user=by, default_change_reason="decision taken back"
    )
    listings_reopen(listing_ids=[pair.listing_id for pair in back])
    return Undone(len(back), len(ids) - len(back))
