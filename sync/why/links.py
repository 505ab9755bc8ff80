"""Where a movement comes from: its order, its till's file, its conflict, its person (told by its voucher)."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Cast

from inventory.models import Movement, Voucher
from sync.core.why.steps import Link
from sync.models import Order, SyncConflict, TillFeed

if TYPE_CHECKING:
    from django.db.models import QuerySet

    Rows = QuerySet[Any, tuple[str, int, str, int, str]]

Kind, Paper = Movement.Kind, Voucher.Kind
ORDERS = (Paper.ORDER, Paper.LATE)
MOST_FEEDS = 250  # a database takes only so long a condition; days that are shown as one row name no files


class Links:
    """The rows that a page of movements leads to. Orders and files cost one statement; conflicts are looked up by whoever looks
    for others, too: those `wanted`, then to be made `known`."""

    def __init__(self, rows: Sequence[Movement]) -> None:
        self._found: dict[tuple[str, int, str], Link] = {}
        self._settling = {row.voucher_id for row in rows if row.voucher.kind in (Paper.CONFLICT, Paper.DRIFT)}
        self._conflicts: dict[int, int] = {}  # by voucher, the key
        parts = [part for part in (_orders(rows), _feeds(rows)) if part is not None]
        if parts:
            for what, source, mark, key, label in parts[0].union(*parts[1:], all=True):
                self._found[what, source, mark] = Link(what, key, f"#{label}" if what == "order" else label)

    def wanted(self) -> Q:
        """Result: the conflicts that these movements come from."""
        return Q(voucher__in=self._settling)

    def know(self, conflicts: Iterable[SyncConflict]) -> None:
        for conflict in conflicts:
            if conflict.voucher_id:
                self._conflicts[conflict.voucher_id] = conflict.pk

    def of(self, row: Movement) -> tuple[str, list[Link]]:
        """Result: what it was in words ("": no more than its kind), and what it leads to."""
        what, links = "", list[Link]()
        voucher = row.voucher
        if voucher.kind in ORDERS:
            what = "Sold online" if row.quantity < 0 else "Given back online"
            links += filter(None, [self._found.get(("order", voucher.connection_id, voucher.document))])
        elif voucher.kind == Paper.FEED:
            what = _till_words(row)
            links += filter(None, [self._found.get(("feed", voucher.connection_id, voucher.document))])
        elif key := self._conflicts.get(voucher.pk):
            links.append(Link("conflict", key, "the conflict" if voucher.kind == Paper.CONFLICT else "the settled conflict"))
        if row.by:
            links.append(Link("person", row.by.pk, row.by.get_full_name() or row.by.get_username()))
        return what, links or [Link("movement", row.pk, "the movement")]


def _till_words(row: Movement) -> str:
    if row.kind == Kind.OPENING:
        return "First counted at the till"
    return "Sold or taken out at the till" if row.quantity < 0 else "Received or counted in at the till"


def _orders(rows: Sequence[Movement]) -> "Rows | None":
    wanted = {(row.voucher.connection_id, int(row.voucher.document)) for row in rows if row.voucher.kind in ORDERS}
    if not wanted:
        return None
    mine = Q()
    for source in {source for source, _ in wanted}:
        mine |= Q(connection=source, remote_id__in=[remote for of, remote in wanted if of == source])
    named = Order.objects.filter(mine).order_by().annotate(what=Value("order", CharField()), mark=Cast("remote_id", CharField()))
    return named.values_list("what", "connection_id", "mark", "pk", "number")


def _feeds(rows: Sequence[Movement]) -> "Rows | None":
    wanted = {(row.voucher.connection_id, row.voucher.document) for row in rows if row.voucher.kind == Paper.FEED}
    if not wanted or len(wanted) > MOST_FEEDS:
        return None
    mine = Q()
    for source in {source for source, _ in wanted}:
        mine |= Q(connection=source, identity__in=[identity for of, identity in wanted if of == source])
    named = TillFeed.objects.filter(mine).order_by().annotate(what=Value("feed", CharField()), mark=F("identity"))
    return named.values_list("what", "connection_id", "mark", "pk", "name")
