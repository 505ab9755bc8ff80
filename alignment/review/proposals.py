"""The matcher's pairs as proposals; those above the store's threshold confirm themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.errors import AlignmentChangedError
from alignment.matching.engine import HIGH, Match, Matching
from alignment.models import Alignment
from alignment.review.match import catalogues_match
from alignment.services.alignments import alignment_confirm
from alignment.services.policies import confirm_threshold
from connectors.models import Connection
from kit.bulk import CHUNK, UPDATE_CHUNK, chunks

REASON = "proposed by matching"
OTHERS = 3
_FIELDS = ["match_type", "confidence", "evidence", "is_doubted", "others"]
_AUTOMATIC = (
    Alignment.MatchType.EXACT, Alignment.MatchType.BARCODE, Alignment.MatchType.AUTO_HIGH, Alignment.MatchType.FUZZY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """What a refresh did to the proposals of one till and one store. `confirmed`: how many of those left confirmed themselves."""

    created: int
    changed: int
    removed: int
    unchanged: int
    confirmed: int = 0


def proposals_refresh(*, pos: Connection, store: Connection) -> ProposalResult:
    """Propose the matcher's pairs; take back proposals whose reason is gone; confirm those that the store's threshold lets
    confirm themselves. A pair that was rejected stays so, a confirmed one is never replaced, one made by hand is left alone.
    Safe to repeat, and to be cut off between its statements."""
    matching = catalogues_match(pos=pos, store=store)
    wanted = {(match.item_key, match.listing_key): match for match in matching.matches}
    update: list[Alignment] = []
    stale: list[int] = []
    unchanged = 0
    for pair in Alignment.objects.filter(item__connection=pos, listing__connection=store).order_by().iterator():
        match = wanted.pop((pair.item_id, pair.listing_id), None)
        if pair.status != Alignment.Status.PROPOSED or pair.match_type not in _AUTOMATIC:
            continue
        if match is None:
            stale.append(pair.pk)
        elif _take(pair, _fields(match, matching)):
            update.append(pair)
        else:
            unchanged += 1
    removed = _remove(stale)
    for part in chunks(update):
        bulk_update_with_history(part, Alignment, _FIELDS, batch_size=UPDATE_CHUNK, default_change_reason=REASON)
    for matches in chunks(wanted.values()):
        new = [Alignment(item_id=m.item_key, listing_id=m.listing_key, **_fields(m, matching)) for m in matches]
        bulk_create_with_history(new, Alignment, batch_size=CHUNK, default_change_reason=REASON)
    return ProposalResult(
        created=len(wanted), changed=len(update), removed=removed, unchanged=unchanged, confirmed=_confirm_sure(pos, store)
    )


def _fields(match: Match, matching: Matching) -> dict[str, Any]:
    # Who looks at a sure pair needs no others, and they are most of them.
    is_sure = match.is_safe and match.confidence >= HIGH
    best = [] if is_sure else matching.candidates(match.item_key, OTHERS + 1)
    return {
        "match_type": match.kind,
        "confidence": Decimal(f"{match.confidence:.4f}"),
        "evidence": match.evidence,
        "is_doubted": not match.is_safe,
        "others": [
            {"listing": other.listing_key, "confidence": other.confidence, "evidence": other.evidence}
            for other in best
            if other.listing_key != match.listing_key
        ][:OTHERS],
    }


def _take(pair: Alignment, fields: dict[str, Any]) -> bool:
    """Give the pair these values. Result: it had others. The next best alone are no news."""
    differs = any(getattr(pair, name) != value for name, value in fields.items() if name != "others")
    for name, value in fields.items():
        setattr(pair, name, value)
    return differs


def _confirm_sure(pos: Connection, store: Connection) -> int:
    """Confirm what the threshold allows. Result: how many. Where somebody decides at the same moment, the rest waits for the next
    refresh."""
    threshold = confirm_threshold(store=store)
    if threshold is None:
        return 0
    sure: Iterable[Alignment] = Alignment.objects.filter(
        item__connection=pos, listing__connection=store, status=Alignment.Status.PROPOSED, match_type__in=_AUTOMATIC,
        is_doubted=False, confidence__gte=threshold,
    ).order_by("pk")  # fmt: skip
    confirmed = 0
    for part in chunks(list(sure)):
        try:
            reason = f"confirmed itself: confidence of {threshold.normalize():f} or more"
            confirmed += alignment_confirm(alignments=part, by=None, reason=reason).changed
        except AlignmentChangedError:
            continue
    return confirmed


def _remove(pks: list[int]) -> int:
    """Delete proposals; simple-history notes each one. A pair that was confirmed a moment ago stays."""
    removed = 0
    for part in chunks(pks):
        with transaction.atomic():  # one commit for the notes of a chunk
            stale = Alignment.objects.filter(pk__in=part, status=Alignment.Status.PROPOSED)
            removed += stale.delete()[1].get("alignment.Alignment", 0)
    return removed
