"""Finding an item or a listing by what people call it. A selector: it reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from alignment.models import Alignment
from alignment.selectors import items_by_sku, listings_by_sku
from inventory.models import Item, Listing
from kit.sku import sku_key

MOST = 20  # of each side


@dataclass(frozen=True, slots=True)
class Found:
    """Items, and listings that belong to none of them. `is_sure`: they are called exactly so; else they are only alike."""

    items: Sequence[Item]
    listings: Sequence[Listing]
    is_sure: bool

    @property
    def only(self) -> Item | Listing | None:
        """The one thing that is called so; None where it is none or several."""
        both: list[Item | Listing] = [*self.items, *self.listings]
        return both[0] if self.is_sure and len(both) == 1 else None


def things_called(called: str) -> Found:
    """Result: what has that SKU or barcode; where nothing has, what has it in its SKU or name; else SKUs that begin alike."""
    items = items_by_sku(sku=called) or list(Item.objects.filter(barcode=called)[:MOST])
    listings = listings_by_sku(sku=called) or ([] if items else list(Listing.objects.filter(barcode=called)[:MOST]))
    if items or listings:
        return _found(items, listings, is_sure=True)
    within = Q(sku__icontains=called) | Q(name__icontains=called)
    items, listings = list(Item.objects.filter(within)[:MOST]), list(Listing.objects.filter(within)[:MOST])
    if not items and not listings and len(key := sku_key(called)) > 3:
        alike = Q(sku_key__startswith=key[: max(3, len(key) * 2 // 3)])
        items, listings = list(Item.objects.filter(alike)[:5]), list(Listing.objects.filter(alike)[:5])
    return _found(items, listings, is_sure=False)


def _found(items: Sequence[Item], listings: Sequence[Listing], *, is_sure: bool) -> Found:
    """What a confirmed pair joins is one thing: its item."""
    partners = Alignment.objects.filter(
        item__in=[item.pk for item in items], listing__in=[one.pk for one in listings], status=Alignment.Status.CONFIRMED
    )
    theirs = set(partners.values_list("listing_id", flat=True)) if items and listings else set()
    return Found(items[:MOST], [one for one in listings if one.pk not in theirs][:MOST], is_sure)
