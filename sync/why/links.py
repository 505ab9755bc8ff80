"""Where a movement comes from: its order, its till's file, its conflict, its person (references are written by the services)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Substr

from inventory.models import Item, Movement
from sync.core.why.steps import Link
from sync.models import Order, SyncConflict, TillFeed
from sync.why.words import CONFLICT, FEED, ORDER

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Rows = QuerySet[Any, tuple[str, int, str, int, str]]

Kind = Movement.Kind
MOST_FEEDS = 250  # a database takes only so long a condition; days that are shown as one row name no files


class Links:
    """The rows that a page of movements leads to. Orders and files cost one statement; conflicts are looked up by whoever looks
    for others, too: those `wanted`, then to be made `known`."""

    def __init__(self, rows: Sequence[Movement]) -> None:
        self._found: dict[tuple[str, int, str], Link] = {}
        self._numbered = {int(found[1]) for row in rows if (found := CONFLICT.fullmatch(row.reference))}
        self._drifted = {row.recorded_at for row in rows if row.kind == Kind.STORE and row.reference.startswith("drift of")}
        self._conflicts: set[int] = set()
        self._settled: dict[datetime, int] = {}  # by when, the key
        parts = [part for part in (_orders(rows), _feeds(rows)) if part is not None]
        if parts:
            for what, source, mark, key, label in parts[0].union(*parts[1:], all=True):
                self._found[what, source, mark] = Link(what, key, f"#{label}" if what == "order" else label)

    def wanted(self, item: Item) -> Q:
        """Result: the conflicts that these movements come from."""
        return Q(pk__in=self._numbered) | Q(alignment__item=item, resolved_at__in=self._drifted)

    def know(self, conflicts: Iterable[SyncConflict]) -> None:
        for conflict in conflicts:
            self._conflicts.add(conflict.pk)
            if conflict.resolved_at:
                self._settled[conflict.resolved_at] = conflict.pk

    def of(self, row: Movement) -> tuple[str, list[Link]]:
        """Result: what it was in words ("": no more than its kind), and what it leads to."""
        what, links = "", list[Link]()
        if found := ORDER.match(row.reference):
            what = "Sold online" if row.quantity < 0 else "Given back online"
            links += filter(None, [self._found.get(("order", row.source_id, found[1]))])
        elif found := FEED.match(row.reference):
            what = _till_words(row)
            links += filter(None, [self._found.get(("feed", row.source_id, found[1]))])
        elif (found := CONFLICT.fullmatch(row.reference)) and int(found[1]) in self._conflicts:
            links.append(Link("conflict", int(found[1]), "the conflict"))
        elif row.kind == Kind.STORE and (key := self._settled.get(row.recorded_at)):
            links.append(Link("conflict", key, "the settled conflict"))
        if row.by:
            links.append(Link("person", row.by.pk, row.by.get_full_name() or row.by.get_username()))
        return what, links or [Link("movement", row.pk, "the movement")]


def _till_words(row: Movement) -> str:
    if row.kind == Kind.OPENING:
        return "First counted at the till"
    return "Sold or taken out at the till" if row.quantity < 0 else "Received or counted in at the till"


def _orders(rows: Sequence[Movement]) -> "Rows | None":
    wanted = {(row.source_id, int(found[1])) for row in rows if (found := ORDER.match(row.reference))}
    if not wanted:
        return None
    mine = Q()
    for source in {source for source, _ in wanted}:
        mine |= Q(connection=source, remote_id__in=[remote for of, remote in wanted if of == source])
    named = Order.objects.filter(mine).order_by().annotate(what=Value("order", CharField()), mark=Cast("remote_id", CharField()))
    return named.values_list("what", "connection_id", "mark", "pk", "number")


def _feeds(rows: Sequence[Movement]) -> "Rows | None":
    """An identity is longer than what a reference keeps of it; it is hexadecimal, so a range of the index finds it."""
    wanted = sorted({(row.source_id, found[1]) for row in rows if (found := FEED.match(row.reference))})
    if not wanted or len(wanted) > MOST_FEEDS:
        return None
    mine = Q()
    for source, mark in wanted:
        mine |= Q(connection=source, identity__gte=mark, identity__lt=f"{mark}g")
    named = TillFeed.objects.filter(mine).order_by().annotate(what=Value("feed", CharField()), mark=Substr("identity", 1, 16))
    return named.values_list("what", "connection_id", "mark", "pk", "name")
