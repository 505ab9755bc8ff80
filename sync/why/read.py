"""Why a number of one item is what it is: everything that is known of it now, or at a past moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import CharField, DecimalField, Max, OuterRef, Q, Subquery, Value

from alignment.models import Alignment, StoreLocation
from connectors.contract import Sort, StockManagement
from inventory.models import Item, Listing, StockLevel
from kit.scopes import ScopeTable
from sync.core.standing import Counting
from sync.core.why.facts import Moment, Shelf, ShopFacts
from sync.core.why.ledger import Total, account_sentence, account_steps
from sync.core.why.policy import rule_sentence
from sync.core.why.shop import shop_bridge
from sync.core.why.steps import ZERO, Bridge, Link, Step
from sync.core.why.till import till_bridge
from sync.models import OutboundWrite, SetAside, SyncConflict, SyncPolicy, SyncRun
from sync.why.links import Links
from sync.why.movements import Asked, Ledger, Window, ledger_of, page_of, window_tell
from sync.why.words import put_off_of, rule_rows, write_of, zone_of

COUNTING = {
    StockManagement.OWN: Counting.OWN,
    StockManagement.PARENT: Counting.PARENT,
    StockManagement.NONE: Counting.NOT,
}


@dataclass(frozen=True, slots=True)
class Shop:
    """One listing of the item, explained. `conflicts`: the open ones, each with its kind in words."""

    pair: Alignment
    bridge: Bridge
    rule: str
    conflicts: Sequence[Link]

    @property
    def listing(self) -> Listing:
        return self.pair.listing


@dataclass(frozen=True, slots=True)
class Shelved:
    """One place of the item, explained."""

    level: StockLevel
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class Explained:
    """An item's numbers as they are now. `off`: what the kept sum differs from the ledger by; anything but 0 is our fault."""

    item: Item
    zone: ZoneInfo
    ledger: Ledger
    account: Sequence[Step]
    sentence: str
    shops: Sequence[Shop] = field(default_factory=list)
    shelves: Sequence[Shelved] = field(default_factory=list)
    window: Window | None = None
    is_off: bool = False


def subject_of(*, item: int | None = None, listing: int | None = None) -> tuple[Item, list[Alignment]] | None:
    """Result: an item, by its key or by that of its listing, and its confirmed pairs; None where there is none."""
    unread = SetAside.objects.filter(
        connection=OuterRef("listing__connection"), sort=Sort.LISTING, remote_id=OuterRef("listing__remote_id")
    )
    pairs = Alignment.objects.filter(status=Alignment.Status.CONFIRMED).select_related(
        "item__connection", "listing__connection", "listing__put_off"
    )
    with_cause = pairs.annotate(unread=Subquery(unread.values("message")))
    if item is not None:
        found: list[Alignment] = [*with_cause.filter(item=item).order_by("listing__connection__name", "pk")]
    else:
        its = Alignment.objects.filter(listing=listing, status=Alignment.Status.CONFIRMED).values("item")
        found = [*with_cause.filter(item__in=its).order_by("listing__connection__name", "pk")]
    if found:
        return found[0].item, found
    alone = None if item is None else Item.objects.filter(pk=item).select_related("connection").first()
    return (alone, []) if alone else None


def item_explain(
    *, item: Item, pairs: Sequence[Alignment], now: datetime, next_sync: datetime | None = None, asked: Asked | None = None
) -> Explained:
    """Result: why the item's numbers are what they are now; with a page of its movements where one is `asked` for. At most nine
    statements."""
    zone = zone_of(item.connection)
    when = Moment(now, zone, next_sync)
    levels, ledger = _levels_and_ledger(item, asked or Asked(zone))
    page = page_of(item, ledger, asked) if asked else None
    links = Links(page.rows if page else [])
    conflicts = list(SyncConflict.objects.filter(_unsettled(pairs) | links.wanted()))
    links.know(conflicts)
    supply, held = _supply_and_held(pairs)
    writes = _writes(levels, pairs)
    rules = ScopeTable(SyncPolicy.objects.filter(Q(item=None) | Q(item=item)) if pairs else [])
    shops = []
    for pair in pairs:
        store = pair.listing.connection
        chain = rules.chain(item_id=item.pk, category=item.category, connection_ids=[store.pk])
        mine = [one for one in conflicts if one.alignment_id == pair.pk and (one.resolved_at is None or one.is_left)]
        facts = _shop_facts(pair, levels, supply.get(store.pk, {}), writes.get((None, pair.listing_id)), mine, held.get(store.pk))
        said = [Link("conflict", one.pk, one.get_conflict_type_display()) for one in mine]
        shops.append(Shop(pair, shop_bridge(facts, when), rule_sentence(rule_rows(chain, store=store.name)), said))
    return Explained(
        item=item,
        zone=zone,
        ledger=ledger,
        account=account_steps(ledger.totals),
        sentence=_sentence(ledger.totals),
        shops=shops,
        shelves=[Shelved(level, _till(level, writes.get((level.pk, None)), item, when)) for level in levels],
        window=window_tell(page, ledger, links, asked) if page and asked else None,
        is_off=_is_off(levels, ledger),
    )


def _unsettled(pairs: Iterable[Alignment]) -> Q:
    """What is open about these pairs, or was left as it is."""
    return Q(alignment__in=[pair.pk for pair in pairs]) & (Q(resolved_at=None) | Q(is_left=True))


def _sentence(totals: Sequence[Total]) -> str:
    return account_sentence(totals) if totals else "Nothing is known of it yet: the till has not counted it."


def _is_off(levels: Sequence[StockLevel], ledger: Ledger) -> bool:
    return any(level.on_hand != ledger.by_location.get(level.location_id, ZERO) for level in levels)


def _levels_and_ledger(item: Item, asked: Asked) -> tuple[list[StockLevel], Ledger]:
    """Result: kept sums, and those of the ledger. Where something moved between the two statements they are asked once more."""
    for is_last in (False, True):
        levels = list(StockLevel.objects.filter(item=item).select_related("location", "put_off").order_by("location_id"))
        ledger = ledger_of(item, asked)
        if is_last or not _is_off(levels, ledger):
            break
    return levels, ledger


def _supply_and_held(pairs: Sequence[Alignment]) -> tuple[dict[int, dict[int, Decimal]], dict[int, Link]]:
    """Result: by store, its places with what each holds back; and the run that waits for a manager, one at most.
    One statement for both."""
    if not pairs:
        return {}, {}
    stores = {pair.listing.connection_id for pair in pairs}
    places = StoreLocation.objects.filter(store__in=stores).order_by().annotate(what=Value("place", CharField()))
    held = SyncRun.objects.filter(store__in=stores, state=SyncRun.State.HELD, dry_run=False).order_by()
    held = held.annotate(what=Value("held", CharField()), none=Value(ZERO, DecimalField(max_digits=14, decimal_places=3)))
    both = places.values_list("what", "store_id", "location_id", "buffer").union(
        held.values_list("what", "store_id", "pk", "none"), all=True
    )
    supply: dict[int, dict[int, Decimal]] = {}
    runs: dict[int, Link] = {}
    for what, store, key, buffer in both:
        if what == "held":
            runs[store] = Link("run", key, f"sync {key}")
        else:
            supply.setdefault(store, {})[key] = buffer
    return supply, runs


def _writes(levels: Sequence[StockLevel], pairs: Sequence[Alignment]) -> dict[tuple[int | None, int | None], OutboundWrite]:
    """Result: by (level, listing), the newest write about its number that was not cancelled."""
    mine = Q(level__in=[level.pk for level in levels]) | Q(listing__in=[pair.listing_id for pair in pairs])
    sent = OutboundWrite.objects.filter(mine, carries_number=True).exclude(state=OutboundWrite.State.CANCELLED)
    newest = sent.order_by().values("level_id", "listing_id").annotate(newest=Max("pk")).values("newest")
    return {(row.level_id, row.listing_id): row for row in OutboundWrite.objects.filter(pk__in=newest)}


def _till(level: StockLevel, write: OutboundWrite | None, item: Item, when: Moment) -> Bridge:
    shelf = _shelf(level, supplies=True, write=write)
    return till_bridge(shelf, till=item.connection.name, is_live=item.connection.is_live, when=when)


def _shelf(level: StockLevel, *, supplies: bool, write: OutboundWrite | None = None) -> Shelf:
    put_off = put_off_of(getattr(level, "put_off", None))
    return Shelf(
        level.location.name, level.on_hand, level.reserved, supplies, level.baseline, level.last_reading, level.read_at, put_off,
        write_of(write),
    )  # fmt: skip


def _shop_facts(
    pair: Alignment,
    levels: Sequence[StockLevel],
    supply: Mapping[int, Decimal],
    write: OutboundWrite | None,
    conflicts: Sequence[SyncConflict],
    held_run: Link | None,
) -> ShopFacts:
    listing = pair.listing
    about = [one for one in conflicts if one.conflict_type == SyncConflict.Type.QUANTITY]
    waits = next((one for one in about if one.resolved_at is None), None)
    left = next((one for one in about if one.is_left), None)
    quantity = waits or left
    return ShopFacts(
        store=listing.connection.name,
        shelves=[_shelf(level, supplies=level.location_id in supply) for level in levels],
        buffer=sum(supply.values(), ZERO),
        per=pair.units_per_listing,
        counting=Counting.GONE if listing.missing_since else COUNTING[StockManagement(listing.stock_management)],
        shows=listing.quantity,
        read_at=listing.read_at,
        baseline=listing.baseline,
        suspect=listing.suspect,
        is_live=listing.connection.is_live,
        unread=getattr(pair, "unread", None) or "",
        item_is_missing=pair.item.missing_since is not None,
        item_is_uncounted=any(level.location_id in supply and level.uncounted_since is not None for level in levels),
        has_news=bool(listing.news_at and listing.read_at and listing.news_at > listing.read_at),
        put_off=put_off_of(getattr(listing, "put_off", None)),
        write=write_of(write),
        difference=waits.difference if waits else None,
        left=left.difference if left else None,
        conflict=Link("conflict", quantity.pk, "the conflict") if quantity else None,
        held_run=held_run,
    )
