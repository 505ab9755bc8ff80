"""Pairs are confirmed and rejected here, and nowhere else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Q
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.bulk import UPDATE_CHUNK, chunks, reason_text
from alignment.errors import AlignmentChangedError
from alignment.models import Alignment, Listing
from alignment.selectors import is_stockable
from inventory.models import Item


@dataclass(frozen=True, slots=True)
class Refusal:
    """One pair that was left as it is, and why."""

    alignment: Alignment
    message: str
    next_step: str


@dataclass(slots=True)
class Decided:
    """What became of the pairs a person decided on."""

    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)


def alignment_confirm(*, alignments: Iterable[Alignment], by: AbstractBaseUser | None, reason: str) -> Decided:
    """Confirm pairs, with history. A pair whose listing or item has another confirmed partner in that store is refused, never
    replaced; of two selected pairs that exclude each other, both are. The listing's account opens anew at the next reading."""
    result = Decided()
    try:
        with transaction.atomic():
            pairs = _locked(alignments)
            refusals = _refusals(pairs)
            chosen: list[Alignment] = []
            for pair in pairs:
                if pair.status == Alignment.Status.CONFIRMED:
                    result.unchanged += 1
                elif pair.pk in refusals:
                    result.refused.append(refusals[pair.pk])
                else:
                    pair.status = Alignment.Status.CONFIRMED
                    chosen.append(pair)
            _save(chosen, by, reason)
            listings_reopen(listing_ids=[pair.listing_id for pair in chosen])
    except IntegrityError:
        raise AlignmentChangedError(
            "Somebody confirmed one of these listings at the same moment; nothing was changed.",
            next_step="Look at the list again, then repeat.",
        ) from None
    result.changed = len(chosen)
    return result


def alignment_reject(*, alignments: Iterable[Alignment], by: AbstractBaseUser | None, reason: str) -> Decided:
    """Reject pairs, with history: they are not proposed again, and a confirmed one stops being kept in step."""
    result = Decided()
    with transaction.atomic():
        pairs = _locked(alignments)
        chosen = [pair for pair in pairs if pair.status != Alignment.Status.REJECTED]
        for pair in chosen:
            pair.status = Alignment.Status.REJECTED
        _save(chosen, by, reason)
    result.changed, result.unchanged = len(chosen), len(pairs) - len(chosen)
    return result


def alignment_make(*, item: Item, listing: Listing, evidence: str, by: AbstractBaseUser | None, reason: str) -> Alignment:
    """Make a pair by hand, confirmed, with history. Raises AlignmentChangedError where one of the two is taken, or the pair is
    there already."""
    pair = Alignment(
        item=item, listing=listing, evidence=evidence, match_type=Alignment.MatchType.MANUAL, confidence=Decimal(1),
        status=Alignment.Status.CONFIRMED,
    )  # fmt: skip
    refusal = refusal_of(pair)
    if refusal:
        raise AlignmentChangedError(refusal.message, next_step=refusal.next_step, code="taken")
    try:
        with transaction.atomic():
            bulk_create_with_history([pair], Alignment, default_user=by, default_change_reason=reason_text(reason))
            listings_reopen(listing_ids=[listing.pk])
    except IntegrityError:
        raise AlignmentChangedError("This pair is there already.", next_step="Confirm it in the list.", code="taken") from None
    return pair


def refusal_of(pair: Alignment) -> Refusal | None:
    """Result: why this pair, saved or not, can't be confirmed; None where it can."""
    return _refusals([pair]).get(pair.pk)


def listings_reopen(*, listing_ids: Iterable[int]) -> None:
    """Close the accounts of these listings: what they should show was worked out for another item, or never. The next reading
    opens them anew."""
    stale = Q(baseline__isnull=False) | Q(suspect__isnull=False) | Q(opened_at__isnull=False)
    for pks in chunks(listing_ids):
        Listing.objects.filter(stale, pk__in=pks).update(baseline=None, suspect=None, suspected_at=None, opened_at=None)


def _locked(alignments: Iterable[Alignment]) -> list[Alignment]:
    """Result: the pairs as they are now, locked in one order."""
    pks = sorted({alignment.pk for alignment in alignments})
    return [
        pair
        for part in chunks(pks)
        for pair in Alignment.objects.select_for_update(of=("self",))
        .filter(pk__in=part)
        .select_related("item", "listing")
        .order_by("pk")
    ]


def _save(pairs: list[Alignment], by: AbstractBaseUser | None, reason: str) -> None:
    bulk_update_with_history(
        pairs, Alignment, ["status"], batch_size=UPDATE_CHUNK, default_user=by, default_change_reason=reason_text(reason)
    )


def _refusals(pairs: list[Alignment]) -> dict[int, Refusal]:
    """Result: by pair, why it can't be confirmed."""
    listing_wanted = Counter(pair.listing_id for pair in pairs)
    item_wanted = Counter((pair.item_id, pair.listing.connection_id) for pair in pairs)
    partner_of_listing: dict[int, Alignment] = {}
    partner_of_item: dict[tuple[int, int], Alignment] = {}
    for part in chunks(pairs):
        near = Q(listing__in={pair.listing_id for pair in part}) | Q(item__in={pair.item_id for pair in part})
        for other in Alignment.objects.filter(near, status=Alignment.Status.CONFIRMED).select_related("item", "listing"):
            partner_of_listing[other.listing_id] = other
            partner_of_item[(other.item_id, other.listing.connection_id)] = other

    def why(pair: Alignment) -> tuple[str, str] | None:
        place = (pair.item_id, pair.listing.connection_id)
        if pair.listing_id in partner_of_listing:
            return f"{pair.listing} is confirmed as item “{partner_of_listing[pair.listing_id].item}”.", "Reject that pair first."
        if place in partner_of_item:
            return f"{pair.item} is confirmed as listing “{partner_of_item[place].listing}”.", "Reject that pair first."
        if listing_wanted[pair.listing_id] > 1 or item_wanted[place] > 1:
            return "Another selected pair has the same item or listing.", "Confirm only the one that is right."
        if pair.listing.missing_since is not None:
            return f"{pair.listing} is not in the store any more.", "Reject the pair, or bring the product back."
        if not is_stockable(pair.listing):
            return f"{pair.listing} is only the parent of its variations.", "Align the item with one of the variations."
        return None

    found = {pair.pk: why(pair) for pair in pairs}
    return {pair.pk: Refusal(pair, *reasons) for pair in pairs if (reasons := found.get(pair.pk))}
