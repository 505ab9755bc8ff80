"""Rows of the ledger, kept until the transaction ends. Whoever needs both takes the listings first, then the levels, each by id:
two that want the same rows then wait for one another, and neither for ever."""

from collections.abc import Iterable

from django.db.models import QuerySet

from inventory.models import Listing, StockLevel


def listings_locked(*, ids: Iterable[int]) -> dict[int, Listing]:
    """Result: these listings as they are now, by id. Call in a transaction, and before what follows from them is worked out."""
    return {listing.pk: listing for listing in Listing.objects.filter(pk__in=set(ids)).order_by("pk").select_for_update()}


def levels_locked(*, items: Iterable[int]) -> QuerySet[StockLevel]:
    """Result: the levels of these items at every location, as they are when they are read. Call in a transaction."""
    return StockLevel.objects.filter(item__in=set(items)).order_by("pk").select_for_update(of=("self",))
