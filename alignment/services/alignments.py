"""Pairs are confirmed and rejected here, and nowhere else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Q
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.errors import AlignmentChangedError
from alignment.models import Alignment
from alignment.packs import MOST_UNITS
from alignment.selectors import is_stockable
from inventory.ledger.keeper import store_accounts_reset
from inventory.models import Item, Listing
from kit.bulk import UPDATE_CHUNK, chunks, reason_text


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
    """Confirm pairs, with history. A pair whose listing has another confirmed partner, or whose item has one of as many units in
    that store, is refused, never replaced; of two selected pairs that exclude each other, both are. The listing's account opens
    anew at the next reading."""
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


def alignment_make(
    *, item: Item, listing: Listing, evidence: str, by: AbstractBaseUser | None, reason: str, units: int = 1
) -> Alignment:
    """Make a pair by hand, confirmed, with history. `units`: how many of the item one of the listing stands for. Raises
    AlignmentChangedError where one of the two is taken, or the pair is there already."""
    pair = Alignment(
        item=item, listing=listing, evidence=evidence, match_type=Alignment.MatchType.MANUAL, confidence=Decimal(1),
        status=Alignment.Status.CONFIRMED, units_per_listing=units,
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


def alignment_units_set(*, alignment: Alignment, units: int, by: AbstractBaseUser | None, reason: str) -> Alignment:
    """Say how many units of the item one of the listing stands for, from now on, with history. What was sold before stays booked
    as it was, and comes back so. Result: the pair. Raises AlignmentChangedError for less than 1 or too many, without a reason,
    for a rejected pair, and where the item has another listing of so many units in that store."""
    if not 1 <= units <= MOST_UNITS:
        raise AlignmentChangedError(
            f"{units} is no pack size.", next_step=f"Say a whole number from 1 to {MOST_UNITS}.", code="units"
        )
    if not reason.strip():
        raise AlignmentChangedError("Nobody has said why.", next_step="Say why: it is kept in the history.", code="no_reason")
    with transaction.atomic():
        pair = _locked([alignment])[0]
        if pair.units_per_listing == units:
            return pair
        if pair.status == Alignment.Status.REJECTED:
            raise AlignmentChangedError(f"“{pair}” was rejected.", next_step="Confirm it first.", code="rejected")
        pair.units_per_listing = units
        other = (
            Alignment.objects.filter(
                item=pair.item_id, listing__connection=pair.listing.connection_id, units_per_listing=units,
                status=Alignment.Status.CONFIRMED,
            )
            .select_related("item", "listing")
            .first()
        )  # fmt: skip
        if pair.status == Alignment.Status.CONFIRMED and other:
            raise AlignmentChangedError(_taken(other), next_step="Reject that pair first, or correct its units.", code="taken")
        bulk_update_with_history(
            [pair], Alignment, ["units_per_listing"], default_user=by, default_change_reason=reason_text(reason)
        )
        if pair.status == Alignment.Status.CONFIRMED:
            listings_recount(listing_ids=[pair.listing_id])
    return pair


def listings_recount(*, listing_ids: Iterable[int]) -> None:
    """What these listings show is to be read before anything is written to them: their number may have been edited together with
    their pack size. Their accounts stay open, so that what orders take or give back until then still reaches the shelf."""
    for pks in chunks(listing_ids):
        store_accounts_reset(ids=pks)


def refusal_of(pair: Alignment) -> Refusal | None:
    """Result: why this pair, saved or not, can't be confirmed; None where it can."""
    return _refusals([pair]).get(pair.pk)


def listings_reopen(*, listing_ids: Iterable[int]) -> None:
    """Close the accounts of these listings: what they should show was worked out for another item, or never. The next reading
    opens them anew."""
    for pks in chunks(listing_ids):
        store_accounts_reset(ids=pks, closes=True)


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


def _place(pair: Alignment) -> tuple[int, int, int]:
    """Result: what one confirmed pair may hold alone: an item, in one store, in packs of one size."""
    return pair.item_id, pair.listing.connection_id, pair.units_per_listing


def _taken(other: Alignment) -> str:
    return f"{other.item} is confirmed as listing “{other.listing}”{f' in {other.pack}' if other.pack else ''}."


def _refusals(pairs: list[Alignment]) -> dict[int, Refusal]:
    """Result: by pair, why it can't be confirmed."""
    listing_wanted = Counter(pair.listing_id for pair in pairs)
    item_wanted = Counter(_place(pair) for pair in pairs)
    partner_of_listing: dict[int, Alignment] = {}
    partner_of_item: dict[tuple[int, int, int], Alignment] = {}
    for part in chunks(pairs):
        near = Q(listing__in={pair.listing_id for pair in part}) | Q(item__in={pair.item_id for pair in part})
        for other in Alignment.objects.filter(near, status=Alignment.Status.CONFIRMED).select_related("item", "listing"):
            partner_of_listing[other.listing_id] = other
            partner_of_item[_place(other)] = other

    def why(pair: Alignment) -> tuple[str, str] | None:
        place = _place(pair)
        if pair.listing_id in partner_of_listing:
            return f"{pair.listing} is confirmed as item “{partner_of_listing[pair.listing_id].item}”.", "Reject that pair first."
        if place in partner_of_item:
            step = "Reject that pair first. A pack of several units may stand beside it: then say how many."
            return _taken(partner_of_item[place]), step
        if listing_wanted[pair.listing_id] > 1 or item_wanted[place] > 1:
            return "Another selected pair has the same item or listing.", "Confirm only the one that is right."
        if pair.listing.missing_since is not None:
            return f"{pair.listing} is not in the store any more.", "Reject the pair, or bring the product back."
        if not is_stockable(pair.listing):
            return f"{pair.listing} is only the parent of its variations.", "Align the item with one of the variations."
        return None

    found = {pair.pk: why(pair) for pair in pairs}
    return {pair.pk: Refusal(pair, *reasons) for pair in pairs if (reasons := found.get(pair.pk))}
