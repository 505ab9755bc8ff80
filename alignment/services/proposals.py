"""Certain matches propose themselves; a person confirms them."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.bulk import CHUNK, UPDATE_CHUNK, chunks
from alignment.matching.certain import Entry, Match, certain_matches
from alignment.models import Alignment, Listing
from alignment.selectors import STOCKABLE
from connectors.models import Connection
from inventory.models import Item

REASON = "proposed by matching"
_FIELDS = ["match_type", "confidence", "evidence"]
_CERTAIN = (Alignment.MatchType.EXACT, Alignment.MatchType.BARCODE)
_AUTOMATIC = (*_CERTAIN, Alignment.MatchType.AUTO_HIGH, Alignment.MatchType.FUZZY)


@dataclass(frozen=True, slots=True)
class ProposalResult:
    """What a refresh did to the proposals of one till and one store."""

    created: int
    changed: int
    removed: int
    unchanged: int


def proposals_refresh(*, pos: Connection, store: Connection) -> ProposalResult:
    """Propose what has the same SKU or barcode and no confirmed partner yet; take back proposals whose reason is gone. A pair
    that was rejected stays so, one made by hand is left alone. Safe to repeat, and to be cut off between its statements."""
    wanted = _wanted(pos, store)
    update: list[Alignment] = []
    stale: list[int] = []
    unchanged = 0
    taken_items, taken_listings = _taken(store)
    for pair in Alignment.objects.filter(item__connection=pos, listing__connection=store).order_by().iterator():
        match = wanted.pop((pair.item_id, pair.listing_id), None)
        if pair.status != Alignment.Status.PROPOSED or pair.match_type not in _AUTOMATIC:
            continue
        free = pair.item_id not in taken_items and pair.listing_id not in taken_listings
        if not free or (match is None and pair.match_type in _CERTAIN):
            stale.append(pair.pk)
        elif match and not _is(pair, match):
            pair.match_type, pair.confidence, pair.evidence = match.kind, match.confidence, match.evidence
            update.append(pair)
        else:
            unchanged += 1
    removed = _remove(stale)
    for part in chunks(update):
        bulk_update_with_history(part, Alignment, _FIELDS, batch_size=UPDATE_CHUNK, default_change_reason=REASON)
    new = [match for match in wanted.values() if match.item_pk not in taken_items and match.listing_pk not in taken_listings]
    for matches in chunks(new):
        bulk_create_with_history([_pair(match) for match in matches], Alignment, batch_size=CHUNK, default_change_reason=REASON)
    return ProposalResult(created=len(new), changed=len(update), removed=removed, unchanged=unchanged)


def _wanted(pos: Connection, store: Connection) -> dict[tuple[int, int], Match]:
    items = Item.objects.filter(connection=pos, missing_since=None)
    listings = Listing.objects.filter(STOCKABLE, connection=store, missing_since=None)
    matches = certain_matches(_entries(items), _entries(listings))
    return {(match.item_pk, match.listing_pk): match for match in matches}


def _entries(rows: QuerySet[Item] | QuerySet[Listing]) -> Iterator[Entry]:
    for row in rows.order_by().values_list("pk", "sku", "sku_key", "barcode").iterator(chunk_size=5000):
        yield Entry(*row)


def _taken(store: Connection) -> tuple[set[int], set[int]]:
    """Result: items and listings with a confirmed partner in this store."""
    confirmed = Alignment.objects.filter(listing__connection=store, status=Alignment.Status.CONFIRMED).order_by()
    pairs = list(confirmed.values_list("item_id", "listing_id"))
    return {item_id for item_id, _ in pairs}, {listing_id for _, listing_id in pairs}


def _is(pair: Alignment, match: Match) -> bool:
    return (pair.match_type, pair.confidence, pair.evidence) == (match.kind, match.confidence, match.evidence)


def _pair(match: Match) -> Alignment:
    return Alignment(
        item_id=match.item_pk,
        listing_id=match.listing_pk,
        match_type=match.kind,
        confidence=match.confidence,
        evidence=match.evidence,
        status=Alignment.Status.PROPOSED,
    )


def _remove(pks: list[int]) -> int:
    """Delete proposals; simple-history notes each one. A pair that was confirmed a moment ago stays."""
    removed = 0
    for part in chunks(pks):
        with transaction.atomic():  # one commit for the notes of a chunk
            stale = Alignment.objects.filter(pk__in=part, status=Alignment.Status.PROPOSED)
            removed += stale.delete()[1].get("alignment.Alignment", 0)
    return removed
