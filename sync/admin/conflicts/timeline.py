"""What happened around a conflict, newest first: a few of each sort, each with the page it is from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from inventory.models import Item, Listing, Movement, StockLevel
from kit.admin.parts import UNKNOWN, number
from sync.models import OrderLine, OutboundWrite, SyncConflict, SyncLog, TillFeed

EACH: Final = 12  # of one sort
MOST: Final = 40  # in all
BEFORE, AFTER = timedelta(days=14), timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `tone` is one of ok, info, warn, bad, mute."""

    at: datetime
    words: str
    url: str
    what: str  # the sort of it: “Movement”
    tone: str = "mute"


@dataclass(frozen=True, slots=True)
class About:
    """What a timeline is about, and the span of time it covers."""

    item: Item | None
    levels: Sequence[StockLevel]
    listing: Listing | None
    conflict: SyncConflict
    since: datetime
    until: datetime


Source = Callable[[About], Iterable[Happening]]
SOURCES: list[tuple[str, Source]] = []  # apps above add theirs, each with the permission that it takes to see it


@dataclass(frozen=True, slots=True)
class Timeline:
    happenings: Sequence[Happening]
    is_cut: bool
    since: datetime


def timeline_of(conflict: SyncConflict, *, reader: User, now: datetime) -> Timeline:
    """Result: what is known to have happened from a fortnight before it was found until two days after it was settled, of what
    `reader` may see. A bounded number of rows and queries, whatever the pair has been through."""
    pair = conflict.alignment
    until = min(conflict.resolved_at + AFTER, now) if conflict.resolved_at else now
    listing = conflict.listing or (pair.listing if pair else None)
    levels = list(pair.item.levels.select_related("location").order_by("-read_at")) if pair else []
    about = About(pair.item if pair else None, levels, listing, conflict, conflict.detected_at - BEFORE, until)
    found = [one for needed, source in (*OWN, *SOURCES) if reader.has_perm(needed) for one in source(about)]
    found.sort(key=lambda one: one.at, reverse=True)
    return Timeline(found[:MOST], len(found) > MOST, about.since)


def _page(view: str, pk: int | None) -> str:
    return reverse(f"admin:{view}_change", args=[pk])


def _this(about: About) -> Iterable[Happening]:
    conflict = about.conflict
    url = reverse("admin:sync_syncconflict_history", args=[conflict.pk])
    yield Happening(conflict.detected_at, f"Found: {conflict.get_conflict_type_display().lower()}.", url, "This conflict", "warn")
    if conflict.resolved_at:
        by = f" by {conflict.resolved_by}" if conflict.resolved_by else ""
        words = f"{conflict.get_resolution_display()}{by}. {conflict.reason}".strip()
        yield Happening(conflict.resolved_at, words, url, "This conflict", "ok")


def _readings(about: About) -> Iterable[Happening]:
    listing = about.listing
    if listing:
        url = _page("inventory_listing", listing.pk)
        if listing.suspected_at and listing.suspect is not None:
            off = number(listing.suspect, signed=True)
            yield Happening(
                listing.suspected_at, f"The shop's number was off by {off}; nothing explained it.", url, "Reading", "warn"
            )
        if listing.read_at:
            shows = number(listing.quantity) if listing.quantity is not None else "no number"
            since = ", with the orders since" if listing.news_at and listing.news_at > listing.read_at else ""
            yield Happening(listing.read_at, f"The shop was read: {shows}{since}.", url, "Reading")
    for level in [level for level in about.levels if level.read_at][:3]:
        said = f"The till was read at {level.location}: {number(level.last_reading)}."
        if level.read_at:
            yield Happening(level.read_at, said, _page("inventory_stocklevel", level.pk), "Reading")


def _movements(about: About) -> Iterable[Happening]:
    """The ledger's rows; one that a till's export brought leads to the export too, by name."""
    if about.item is None:
        return
    rows = Movement.objects.filter(item=about.item, recorded_at__gte=about.since, recorded_at__lte=about.until)
    found = list(rows.select_related("by")[:EACH])
    names = {one.reason for one in found if one.kind == Movement.Kind.TILL and one.by_id is None and one.reason}
    feeds = dict(TillFeed.objects.filter(connection=about.item.connection_id, name__in=names).values_list("name", "pk"))
    for one in found:
        by = f" {one.by}:" if one.by else ""
        why = f" {one.reason}" if one.reason else ""
        feed = feeds.get(one.reason) if one.by_id is None else None
        url = _page("sync_tillfeed", feed) if feed else _page("inventory_movement", one.pk)
        words = f"{number(one.quantity, signed=True)} on the shelf, {one.get_kind_display().lower()}.{by}{why}"
        yield Happening(one.recorded_at, words, url, "Till export" if feed else "Movement", "info")


def _orders(about: About) -> Iterable[Happening]:
    mine = Q(listing=about.listing) if about.listing else Q(order=about.conflict.order_id)
    lines = OrderLine.objects.filter(mine, order__modified_at__gte=about.since, order__modified_at__lte=about.until)
    for line in lines.select_related("order").order_by("-order__modified_at")[:EACH]:
        words = f"Order {line.order}, {line.order.status}: holds {number(line.taken)} of {number(line.ordered)}."
        yield Happening(line.order.modified_at, words, _page("sync_order", line.order_id), "Order", "info")


def _writes(about: About) -> Iterable[Happening]:
    mine = Q(listing=about.listing) if about.listing else Q(pk=None)
    if about.levels:
        mine |= Q(level__in=[level.pk for level in about.levels])
    rows = OutboundWrite.objects.filter(mine, created_at__gte=about.since, created_at__lte=about.until, carries_number=True)
    for one in rows.order_by("-pk")[:EACH]:
        whom = "the shop" if one.listing_id else "the till"
        state = OutboundWrite.State(one.state)
        words = f"Told {whom}: {number(one.planned_from)} → {number(one.planned_to)}. {state.label.split(':')[0]}."
        tone = "bad" if state in OutboundWrite.FAILED else "ok" if state == OutboundWrite.State.APPLIED else "mute"
        at = one.answered_at or one.sent_at or one.created_at
        yield Happening(at, f"{words} {one.error[:120]}".strip(), _page("sync_outboundwrite", one.pk), "Write", tone)


def _log(about: About) -> Iterable[Happening]:
    """Changed values, without those that a write or a movement of ours tells of already."""
    if about.conflict.alignment_id is None:
        return
    rows = SyncLog.objects.filter(alignment=about.conflict.alignment_id, at__gte=about.since, at__lte=about.until)
    for one in rows.exclude(source=SyncLog.Source.ENGINE).order_by("-pk")[:EACH]:
        values = f"{one.old_value or UNKNOWN} → {one.new_value or UNKNOWN}"
        words = f"{one.get_source_display()}: {one.get_action_display().lower()} {values}. {one.reason}".strip()
        yield Happening(one.at, words, _page("sync_synclog", one.pk), "Changed value")


def _earlier(about: About) -> Iterable[Happening]:
    conflict = about.conflict
    mine = Q(alignment=conflict.alignment_id) if conflict.alignment_id else Q(listing=about.listing, subject=conflict.subject)
    rows = SyncConflict.objects.filter(mine, store=conflict.store_id, detected_at__lte=about.until).exclude(pk=conflict.pk)
    for one in rows[:EACH]:
        came = one.get_resolution_display() if one.resolved_at else "open"
        off = f" by {number(one.difference, signed=True)}" if one.difference is not None else ""
        words = f"{one.get_conflict_type_display()}{off}: {came[:1].lower()}{came[1:]}."
        yield Happening(one.detected_at, words, _page("sync_syncconflict", one.pk), "Earlier conflict", "warn")


OWN: Final[tuple[tuple[str, Source], ...]] = (
    ("sync.view_syncconflict", _this),
    ("inventory.view_listing", _readings),
    ("inventory.view_movement", _movements),
    ("sync.view_order", _orders),
    ("sync.view_outboundwrite", _writes),
    ("sync.view_synclog", _log),
    ("sync.view_syncconflict", _earlier),
)
