"""The matcher, run for one till and one store as the database knows them."""

import html
from collections.abc import Iterable

from django.db.models import Q

from alignment.matching.engine import Match, Matching, match
from alignment.matching.parts.things import Thing, variation_name
from alignment.models import Alignment
from alignment.selectors import STOCKABLE
from connectors.models import Connection
from inventory.models import Item, Listing

_ITEM = ("pk", "sku", "name", "barcode", "vendor", "category", "price")
_LISTING = ("pk", "sku", "name", "barcode", "price", "parent_remote_id")


def catalogues_match(*, pos: Connection, store: Connection) -> Matching:
    """Result: the best one-to-one matching of what both sell now; keys are primary keys. Confirmed pairs are learned from and
    stay as they are, rejected ones are out of the question. Nothing is written. Seconds for a few thousand items, a minute or two
    for fifty thousand."""
    pairs = Alignment.objects.filter(listing__connection=store)
    rejected = pairs.filter(status=Alignment.Status.REJECTED, item__connection=pos).order_by()
    confirmed = (
        pairs.filter(status=Alignment.Status.CONFIRMED).order_by("units_per_listing", "pk").values_list("item_id", "listing_id")
    )
    items = {item.key: item for item in _items(pos)}
    listings = {listing.key: listing for listing in _listings(store)}
    settled: dict[int, int] = {}
    for item, listing in confirmed:
        if item in items and listing in listings and item not in settled:
            settled[item] = listing
        else:  # a further pack of an item, another till's item, or one side is gone: taken, and nothing to learn from
            listings.pop(listing, None)
            if item not in settled:
                items.pop(item, None)
    return match(
        list(items.values()),
        list(listings.values()),
        barred=set(rejected.values_list("item_id", "listing_id")),
        settled=set(settled.items()),
    )


def candidates_find(*, item: Item, store: Connection, most: int = 5) -> list[Match]:
    """Result: the listings an item may be, best first, with evidence; whatever was decided on other items counts. As slow as
    `catalogues_match`: what is odd about one item only shows among all."""
    return catalogues_match(pos=item.connection, store=store).candidates(item.pk, most)


def _items(pos: Connection) -> Iterable[Thing]:
    items = Item.objects.filter(connection=pos, missing_since=None).order_by("pk")
    for pk, sku, name, barcode, vendor, category, price in items.values_list(*_ITEM).iterator(chunk_size=5000):
        yield Thing(pk, sku, html.unescape(name), barcode, vendor, category, price)


def _listings(store: Connection) -> Iterable[Thing]:
    """A variation is called by its own name and its parent's: the store says “250 ml” and leaves the rest to the page."""
    listings = Listing.objects.filter(connection=store, missing_since=None).order_by("pk")
    parents = dict(listings.filter(~STOCKABLE | Q(parent_remote_id=0, kind="variable")).values_list("remote_id", "name"))
    for pk, sku, name, barcode, price, parent in listings.filter(STOCKABLE).values_list(*_LISTING).iterator(chunk_size=5000):
        whole = variation_name(html.unescape(parents.get(parent, "")), html.unescape(name)) if parent else html.unescape(name)
        yield Thing(pk, sku, whole, barcode, price=price)
