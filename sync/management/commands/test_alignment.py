"""`test_alignment --sku S`: what a SKU is aligned with, and what follows from it."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Q
from django.utils import timezone

from alignment.models import Alignment
from alignment.selectors import items_by_sku, listings_by_sku, pairs_by_sku
from connectors.contract import Side
from connectors.management.base import CommandExit, EvenstockCommand, Exit
from connectors.models import Connection
from connectors.selectors import connection_named
from inventory.models import Item, Listing
from kit.sku import sku_key
from sync.core.why.steps import amount
from sync.why.read import item_explain, subject_of

CANDIDATES = 10


class Command(EvenstockCommand):
    help = (
        "Says what a SKU of the till or the store is aligned with and why, and why both sides' numbers are what they are, with "
        "what is owed. Writes nothing. Exit codes: 0 the SKU is known, 1 it is not."
    )
    connection_help = "Only this store (default: every store)."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--sku", required=True, help="As the till or the store writes it; spelling may differ a little.")

    def handle(self, *, sku: str, connection: str, **_: Any) -> None:
        store = connection_named(connection, side=Side.STORE) if connection else None
        items, listings = items_by_sku(sku=sku), listings_by_sku(sku=sku, store=store)
        if not items and not listings:
            raise CommandExit(Exit.FAILED, _unknown(sku))
        pairs = pairs_by_sku(sku=sku, store=store)
        confirmed = [pair for pair in pairs if pair.status == Alignment.Status.CONFIRMED]
        others = [pair for pair in pairs if pair.status != Alignment.Status.CONFIRMED]
        for item in items:
            if item.pk not in {pair.item_id for pair in confirmed}:
                self.stdout.write(
                    f"{_thing(item)} of {item.connection} has no confirmed partner{f' in {store}' if store else ''}."
                )
        for listing in listings:
            if listing.pk not in {pair.listing_id for pair in confirmed}:
                self.stdout.write(f"{_thing(listing)} in {listing.connection} has no confirmed partner.")
        for pair in confirmed:
            for line in _pair_lines(pair):
                self.stdout.write(line)
        candidates = [*_decided_otherwise(others), *_same_key(sku, pairs, items, listings, store)]
        for number, line in enumerate(candidates[:CANDIDATES]):
            self.stdout.write(line if number else f"Other candidates:\n{line}")
        if len(candidates) > CANDIDATES:
            self.stdout.write(f"  and {len(candidates) - CANDIDATES} more")


def _pair_lines(pair: Alignment) -> Iterator[str]:
    item, listing = pair.item, pair.listing
    yield f"{_thing(item)} of {item.connection} is {_thing(listing)} in {listing.connection}."
    why = pair.evidence or "no evidence noted"
    if pair.pack:
        yield f"  The store sells it in {pair.pack}: one of them is {pair.units_per_listing} of the till's units."
    yield f"  Why: {pair.get_match_type_display()}, confidence {pair.confidence.normalize():f}: {why}"
    yield from _numbers_lines(pair)


def _numbers_lines(pair: Alignment) -> Iterator[str]:
    """Result: why both sides' numbers are what they are: what the admin's “Why this number” says, without its movements."""
    found = subject_of(item=pair.item_id)
    if found is None:
        return
    explained = item_explain(item=found[0], pairs=found[1], now=timezone.now())
    yield f"  {explained.sentence}"
    shops = [one.bridge for one in explained.shops if one.pair.pk == pair.pk]
    for bridge in [*(one.bridge for one in explained.shelves), *shops]:
        yield f"  {bridge.sentence}"
        if bridge.why_not:
            yield f"    {bridge.why_not} {bridge.next_step}"
        for step in bridge.steps:
            change = "" if step.change is None else amount(step.change, signed=True)
            note = f" ({step.note})" if step.note else ""
            yield f"    {change:>6} {amount(step.left):>6}  {step.what}{note}"


def _decided_otherwise(pairs: list[Alignment]) -> Iterator[str]:
    for pair in pairs:
        why = f": {pair.evidence}" if pair.evidence else ""
        yield f"  {pair.get_status_display()}: {_thing(pair.item)} ↔ {_thing(pair.listing)}{why}"


def _same_key(
    sku: str, pairs: list[Alignment], items: list[Item], listings: list[Listing], store: Connection | None
) -> Iterator[str]:
    """Result: things whose SKU differs only in spelling, and that no line above has named."""
    known_items = {pair.item_id for pair in pairs} | {item.pk for item in items}
    known_listings = {pair.listing_id for pair in pairs} | {listing.pk for listing in listings}
    key = sku_key(sku)
    if not key:
        return
    for item in Item.objects.filter(sku_key=key).exclude(pk__in=known_items).select_related("connection"):
        yield f"  Same but for spelling: {_thing(item)} of {item.connection}"
    same = Listing.objects.filter(Q(connection=store) if store else Q(), sku_key=key)
    for listing in same.exclude(pk__in=known_listings).select_related("connection"):
        yield f"  Same but for spelling: {_thing(listing)} in {listing.connection}"


def _unknown(sku: str) -> str:
    """Result: the message for a SKU that neither side has, with the closest ones."""
    if not Item.objects.exists() and not Listing.objects.exists():
        return f"Nothing is known about “{sku}”: neither till nor store was ever read.\nRead them first: inventory_sync --full"
    known = {*Item.objects.values_list("sku", flat=True), *Listing.objects.exclude(sku="").values_list("sku", flat=True)}
    folded = {one.casefold(): one for one in sorted(known)}
    close = [folded[one] for one in get_close_matches(sku.casefold(), folded, n=5, cutoff=0.7)]
    hint = f"Did you mean: {', '.join(close)}?" if close else "Check the spelling, or read both sides again."
    return f"Neither the till nor the store has a SKU “{sku}”.\n{hint}"


def _thing(thing: Item | Listing) -> str:
    return f"{thing} ({thing.name})" if thing.name else str(thing)
