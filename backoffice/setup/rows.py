"""What the set-up of all shops is told by: read in a fixed number of statements, whatever the size of the shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from alignment.models import Alignment
from alignment.selectors import STOCKABLE, tills_by_store
from connectors.contract import Side
from connectors.models import Connection, ConnectionCheck
from inventory.models import Item, Listing
from jobs.vitals import schedule_silent_since
from sync.models import HookHealth, PricePolicy, SyncRun, TillFeed

WHOLE = (SyncRun.Kind.FULL, SyncRun.Kind.PRICES)
Kind = SyncRun.Kind


@dataclass(frozen=True, slots=True)
class StoreRows:
    """One shop, and what its path is told by. `unread`: confirmed pairs whose numbers no sync has compared since."""

    store: Connection
    check: ConnectionCheck | None
    tills: Sequence[Connection]
    items: int
    items_aligned: int
    listings: int
    listings_aligned: int
    proposals: int
    unread: int
    newest_run: SyncRun | None
    shadow_run: SyncRun | None
    hooks: HookHealth | None
    whole_kind: SyncRun.Kind  # what a first sync of everything is: with prices, where somebody owns them


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything, at one moment."""

    at: datetime
    stores: Sequence[StoreRows]
    tills: Sequence[Connection]
    checks: Mapping[int, ConnectionCheck]
    told: frozenset[int]  # the tills of which something is in use
    schedule_silent_since: datetime | None


def rows_read(*, now: datetime) -> Rows:
    """Result: what there is of connections in use, with what tells how far each has come."""
    connections = _connections()
    applied = TillFeed.objects.filter(state=TillFeed.State.APPLIED).order_by()
    return Rows(
        at=now,
        stores=_stores(connections),
        tills=[one for one in connections if one.side == Side.POS],
        checks=_checks(connections),
        told=frozenset(applied.values_list("connection_id", flat=True).distinct()),
        schedule_silent_since=schedule_silent_since(now=now),
    )


def store_read(*, pk: int) -> StoreRows | None:
    """Result: the same of one shop; None where there is none in use."""
    return next((one for one in _stores(_connections()) if one.store.pk == pk), None)


def _connections() -> list[Connection]:
    beside = ("check_made", "hook_health", "price_policy")
    return list(Connection.objects.filter(is_active=True).select_related(*beside).order_by("pk"))


def _checks(connections: Sequence[Connection]) -> dict[int, ConnectionCheck]:
    return {one.pk: made for one in connections if (made := getattr(one, "check_made", None))}


def _stores(connections: Sequence[Connection]) -> list[StoreRows]:
    stores = [one for one in connections if one.side == Side.STORE]
    if not stores:
        return []
    tills = [one for one in connections if one.side == Side.POS]
    sold = _count(Item.objects.filter(missing_since=None)).union(
        _count(Listing.objects.filter(STOCKABLE, missing_since=None)), all=True
    )
    things = dict(sold)  # a till's items and a shop's products, by connection
    checks, facts = _checks(connections), _Facts(stores, tills)
    return [_store(one, checks, things, facts) for one in stores]


class _Facts:
    """Counted for all shops together: a statement for each question."""

    def __init__(self, stores: Sequence[Connection], tills: Sequence[Connection]) -> None:
        self.tills = tills_by_store(stores=stores, tills=tills)
        self.pairs = {store: figures for store, *figures in _pairs(stores)}
        self.newest, self.shadow = _runs()


def _runs() -> tuple[dict[int, SyncRun], dict[int, SyncRun]]:
    """Result: by shop, the newest run, and the newest that compared pairs in observe mode and wrote nothing. Dry runs aside."""
    real = SyncRun.objects.filter(dry_run=False).order_by()
    newest = real.values("store").annotate(newest=Max("id")).values("newest")
    shadows = real.filter(is_observed=True, kind__in=WHOLE, finished_at__isnull=False).exclude(state=SyncRun.State.DISCARDED)
    found = real.filter(Q(pk__in=newest) | Q(pk__in=shadows.values("store").annotate(newest=Max("id")).values("newest")))
    rows = list(found.defer("preview").order_by("id"))
    return (
        {run.store_id: run for run in rows},
        {run.store_id: run for run in rows if run.is_observed and run.kind in WHOLE and run.finished_at and _compared(run)},
    )


def _compared(run: SyncRun) -> bool:
    """The first reading, before anything is aligned, is no shadow run: there was nothing that it could have written."""
    return bool(run.counts.get("pairs")) or run.state in (SyncRun.State.FAILED, SyncRun.State.HELD)


def _pairs(stores: Sequence[Connection]) -> QuerySet[Any, Any]:
    """Result: by shop, the pairs proposed, the items and the listings aligned, and the pairs that no sync has compared yet."""
    confirmed = Q(status=Alignment.Status.CONFIRMED)
    there = confirmed & Q(item__missing_since=None)
    unopened = Q(listing__baseline=None, listing__stock_management=Listing.Management.OWN)
    unread = confirmed & Q(listing__missing_since=None) & (Q(sync_state=None) | unopened)
    return (
        Alignment.objects.filter(listing__connection__in=stores)
        .order_by()
        .values("listing__connection_id")
        .annotate(
            proposals=Count("id", filter=Q(status=Alignment.Status.PROPOSED)),
            items=Count("item_id", distinct=True, filter=there),
            listings=Count("id", filter=confirmed & Q(listing__missing_since=None)),
            unread=Count("id", filter=unread),
        )
        .values_list("listing__connection_id", "proposals", "items", "listings", "unread")
    )


def _count(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = rows.order_by().values("connection_id").annotate(count=Count("pk"))
    return counted.values_list("connection_id", "count")


def _store(
    store: Connection,
    checks: Mapping[int, ConnectionCheck],
    things: Mapping[int, int],
    facts: _Facts,
) -> StoreRows:
    supplying = facts.tills[store.pk]
    priced: PricePolicy | None = getattr(store, "price_policy", None)
    proposals, items, listings, unread = facts.pairs.get(store.pk, (0, 0, 0, 0))
    return StoreRows(
        store=store,
        check=checks.get(store.pk),
        tills=supplying,
        items=sum(things.get(till.pk, 0) for till in supplying),
        items_aligned=items,
        listings=things.get(store.pk, 0),
        listings_aligned=listings,
        proposals=proposals,
        unread=unread,
        newest_run=facts.newest.get(store.pk),
        shadow_run=facts.shadow.get(store.pk),
        hooks=getattr(store, "hook_health", None),
        whole_kind=Kind.PRICES if priced and priced.asks_for_anything else Kind.FULL,
    )
