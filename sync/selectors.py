"""Questions about the state of things. They read; they change nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from django.db.models import DecimalField, Exists, ExpressionWrapper, F, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Floor, Greatest

from alignment.models import Alignment, StoreLocation
from connectors.contract import Sort, StockManagement
from connectors.models import Connection
from inventory.models import Item, StockLevel
from jobs.attempts import LastTry
from kit.scopes import ScopeTable
from sync.core.policy import Rule, rule_of
from sync.core.readings import WriteSpan
from sync.core.targets import listing_target
from sync.models import OutboundWrite, SetAside, SyncConflict, SyncPolicy

NUMBER: "DecimalField[Decimal, Decimal]" = DecimalField(max_digits=20, decimal_places=3)
ZERO = Decimal(0)
HISTORY = timedelta(days=30)  # orders this old are cancelled or sent back now and then; older ones hardly ever


def orders_unread_since(*, store: Connection, now: datetime) -> datetime:
    """Result: from when on a store's orders are still to be read. The first time it is a month back: an order that was in the
    opening numbers is known then, so that its later cancel or refund is no riddle."""
    return Connection.objects.values_list("orders_read_until", flat=True).get(pk=store.pk) or now - HISTORY


def listings_unread(*, store: Connection) -> dict[int, str]:
    """Result: by remote id, why the store's listings could not be read the last time: nothing is written to those."""
    rows = SetAside.objects.filter(connection=store, sort=Sort.LISTING)
    return dict(rows.values_list("remote_id", "message"))


def listings_in_doubt(*, store: Connection) -> set[int]:
    """Result: the remote ids of the products that orders name which can't be read, or of which a line can't: how much of them was
    sold is not known."""
    rows = SetAside.objects.filter(connection=store, sort=Sort.ORDER)
    return {remote_id for named in rows.values_list("listings", flat=True) for remote_id in named}


def orders_set_aside(*, store: Connection, most: int) -> list[int]:
    """Result: the remote ids of the orders that can't be read, those of the last time first."""
    rows = SetAside.objects.filter(connection=store, sort=Sort.ORDER).order_by("-since", "-id")
    return list(rows.values_list("remote_id", flat=True)[:most])


def write_spans(
    *, connection: Connection, target: Literal["listing_id", "level_id"], since: datetime
) -> dict[int, list[WriteSpan]]:
    """Result: by listing or level, our writes to this system that are unanswered, or were answered since then: those that a
    reading of about then may or may not contain."""
    spans: dict[int, list[WriteSpan]] = {}
    writes = OutboundWrite.objects.filter(
        Q(state__in=OutboundWrite.UNANSWERED) | Q(state=OutboundWrite.State.APPLIED, answered_at__gte=since),
        connection=connection,
        carries_number=True,
        **{f"{target}__isnull": False},
    )
    for target_id, delta, sent_at, answered_at, state in writes.values_list(target, "delta", "sent_at", "answered_at", "state"):
        assert delta is not None  # set at the claim, before anything is sent
        assert sent_at is not None
        answered = answered_at if state == OutboundWrite.State.APPLIED else None
        spans.setdefault(target_id, []).append(WriteSpan(delta, sent_at, answered))
    return spans


def writes_newest(*, target: Literal["listing_id", "level_id"], ids: Iterable[int]) -> dict[int, OutboundWrite]:
    """Result: by listing or level, the newest write that was not cancelled: how the last attempt went, or goes."""
    sent = OutboundWrite.objects.filter(**{f"{target}__in": list(ids)}).exclude(state=OutboundWrite.State.CANCELLED)
    newest = sent.order_by().values(target).annotate(newest=Max("id")).values("newest")
    return {getattr(write, target): write for write in OutboundWrite.objects.filter(pk__in=newest)}


def last_try_of(write: OutboundWrite) -> LastTry:
    """Result: a write as the rules about trying again see it."""
    return LastTry(
        owed=write.owed,
        until=write.next_attempt_at if write.state in write.FAILED else None,
        is_refused=write.state == write.State.REJECTED,
        failures=write.failures if write.state == write.State.NOT_SENT else 0,
        is_alone=write.at_most == 1,
        is_released=write.is_released,
    )


def others_pass(*, connection: Connection, since: datetime) -> bool:
    """Did a system take any write of ours since then? If not, it is hardly one item's fault that its write failed."""
    return OutboundWrite.objects.filter(connection=connection, state=OutboundWrite.State.APPLIED, answered_at__gte=since).exists()


def pairs_syncable(*, store: Connection) -> QuerySet[Alignment]:
    """Result: the store's confirmed pairs whose listing counts its own stock, is there, and has an open account."""
    return Alignment.objects.filter(
        status=Alignment.Status.CONFIRMED,
        listing__connection=store,
        listing__stock_management=StockManagement.OWN,
        listing__missing_since=None,
        listing__baseline__isnull=False,
    )


def pairs_with_target(*, store: Connection) -> QuerySet[Alignment]:
    """Result: the store's syncable pairs whose item its till counts, each with `available` (units of the item) and `target` (what
    the listing counts), worked out by the database: a first sieve, decided exactly by `targets_of`."""
    places = StoreLocation.objects.filter(store=store).values("location_id")
    buffer = StoreLocation.objects.filter(store=store).aggregate(sum=Sum("buffer"))["sum"] or ZERO
    available = (
        StockLevel.objects.filter(item=OuterRef("item"), location__in=places, baseline__isnull=False)
        .values("item")
        .annotate(sum=Sum(F("on_hand") - F("reserved")))
        .values("sum")
    )
    units = Floor(Coalesce(F("available"), 0, output_field=NUMBER) - buffer, output_field=NUMBER)
    packs = Floor(ExpressionWrapper(units / F("units_per_listing"), output_field=NUMBER), output_field=NUMBER)
    target = Greatest(packs, 0, output_field=NUMBER)
    return (
        pairs_syncable(store=store)
        .annotate(available=Subquery(available, output_field=NUMBER))
        .filter(available__isnull=False)
        .annotate(target=target)
    )


def pairs_owing(*, store: Connection) -> QuerySet[Alignment]:
    """Result: the pairs of the store that may be owed something (ledger.md §2), found by the database. Pairs with a write
    under way, or a suspect that waits for its second look, are left out; so are those whose last write the shop refused, while
    nothing about it has changed, those under review, and those whose listing can't be read."""
    under_way = OutboundWrite.objects.filter(listing=OuterRef("listing"), state__in=OutboundWrite.OPEN)
    unread = listings_unread(store=store)
    return (
        pairs_with_target(store=store)
        .filter(listing__suspect=None)
        .annotate(gap=ExpressionWrapper(F("target") - F("listing__baseline"), output_field=NUMBER))
        .exclude(gap__gt=Decimal("-0.0005"), gap__lt=Decimal("0.0005"))
        .exclude(Exists(under_way))
        .exclude(listing__remote_id__in=unread)
        .exclude(pk__in=under_review(store=store).values("alignment_id"))
    )


def conflicts_open(*, store: Connection) -> QuerySet[SyncConflict]:
    """Result: the store's conflicts that nobody has settled."""
    return SyncConflict.objects.filter(store=store, resolved_at=None)


def conflicts_left(*, store: Connection) -> QuerySet[SyncConflict]:
    """Result: the store's conflicts that a person has left as they are, and that still are so."""
    return SyncConflict.objects.filter(store=store, is_left=True)


def differences_left(*, store: Connection) -> dict[int, Decimal]:
    """Result: by listing, how far off a person has left its number. It is no drift while it stays just that."""
    left = conflicts_left(store=store).filter(conflict_type=SyncConflict.Type.QUANTITY, difference__isnull=False).order_by()
    return {pk: off for pk, off in left.values_list("alignment__listing_id", "difference") if pk and off is not None}


def under_review(*, store: Connection) -> QuerySet[SyncConflict]:
    """Result: the store's open conflicts about quantities: nothing is written to these pairs until somebody settles them."""
    return conflicts_open(store=store).filter(conflict_type=SyncConflict.Type.QUANTITY, alignment__isnull=False).order_by()


def rules_of(*, store: Connection, items: Iterable[Item]) -> dict[int, Rule]:
    """Result: by item, the rule for its differences in this store: product ← category ← store ← all (ledger.md §7)."""
    items = list(items)
    wanted = Q(item=None) | Q(item__in=[item.pk for item in items])
    table = ScopeTable(SyncPolicy.objects.filter(wanted, Q(connection=None) | Q(connection=store)))
    return {item.pk: rule_of(table.chain(item_id=item.pk, category=item.category, connection_ids=[store.pk])) for item in items}


def supply_levels(*, store: Connection, item_ids: Iterable[int]) -> dict[int, StockLevel]:
    """Result: by item, the level that what a store does is booked at: the store's first location that has the item."""
    places = list(StoreLocation.objects.filter(store=store).values_list("location_id", flat=True))
    levels: dict[int, StockLevel] = {}
    for level in StockLevel.objects.filter(item__in=list(item_ids), location__in=places):
        first = levels.get(level.item_id)
        if first is None or places.index(level.location_id) < places.index(first.location_id):
            levels[level.item_id] = level
    return levels


def targets_of(*, store: Connection, pairs: Iterable[tuple[int, int, int]]) -> dict[int, Decimal]:
    """Result: by listing, what it should show, in what it counts; one whose item the till doesn't count is left out. `pairs`:
    (listing, item, units per listing)."""
    pairs = list(pairs)
    supply = list(StoreLocation.objects.filter(store=store).values_list("location_id", "buffer"))
    buffer = sum((held_back for _, held_back in supply), ZERO)
    available: dict[int, list[Decimal]] = {}
    levels = StockLevel.objects.filter(
        item_id__in={item_id for _, item_id, _ in pairs},
        location_id__in=[place for place, _ in supply],
        baseline__isnull=False,
    )
    for item_id, on_hand, reserved in levels.values_list("item_id", "on_hand", "reserved"):
        available.setdefault(item_id, []).append(on_hand - reserved)
    return {
        listing_id: listing_target(available=available[item_id], buffer=buffer, per=per)
        for listing_id, item_id, per in pairs
        if item_id in available
    }


def levels_owing(*, till: Connection) -> QuerySet[StockLevel]:
    """Result: the levels of a till that are owed something: on hand differs from its baseline, and no write is under way."""
    under_way = OutboundWrite.objects.filter(level=OuterRef("pk"), state__in=OutboundWrite.OPEN)
    return (
        StockLevel.objects.filter(location__connection=till, baseline__isnull=False)
        .exclude(on_hand=F("baseline"))
        .exclude(Exists(under_way))
        .select_related("item", "location")
    )
