"""The ledger of one item up to a moment: sums by SQL, and a window of rows, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal

from django.db.models import Case, CharField, Count, F, Max, Min, Q, Subquery, Sum, Value, When

from inventory.models import Item, Movement, Voucher
from sync.core.orders import LEAST
from sync.core.why.ledger import EACH, Moved, Total, movement_steps
from sync.core.why.steps import ZERO, Step, moment_said
from sync.why.links import Links

AT_ONCE = 800  # movements that one page looks at, where days are shown
DAYS = 31  # that one page shows
OF_A_DAY = 200  # movements of one day that a page shows one by one

KIND = Case(
    When(kind=Movement.Kind.TILL, voucher__kind=Voucher.Kind.CONFLICT, then=Value("count")),
    default=F("kind"),
    output_field=CharField(),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which movements a page is about: those up to a moment, of one day, before one of them. None: no such bound."""

    zone: tzinfo
    at: datetime | None = None
    day: date | None = None
    before: int | None = None

    @property
    def known(self) -> Q:
        """What was written down by then."""
        return Q() if self.at is None else Q(recorded_at__lte=self.at)

    @property
    def upto(self) -> Q:
        """What the page's newest row, and all older ones, have in common."""
        wanted = self.known
        if self.before is not None:
            edge = Movement.objects.filter(pk=self.before).values("recorded_at")[:1]
            wanted &= Q(recorded_at__lt=Subquery(edge)) | Q(recorded_at=Subquery(edge), pk__lt=self.before)
        return wanted if self.day is None else wanted & Q(recorded_at__lt=self._midnight(self.day + timedelta(days=1)))

    @property
    def of_page(self) -> Q:
        return self.upto if self.day is None else self.upto & Q(recorded_at__gte=self._midnight(self.day))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Sums by place and kind up to the moment asked for; `upto`: of what is as old as the page's newest row. `opened_at`: the
    first movement of all, None where there is none; `last`: the newest, so that what is read afterwards stops there, too."""

    totals: Sequence[Total]
    opened_at: datetime | None
    last: int
    by_location: dict[int, Decimal]
    upto: Decimal

    @property
    def count(self) -> int:
        return sum(total.count for total in self.totals)

    @property
    def on_hand(self) -> Decimal:
        return sum(self.by_location.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the ledger, oldest first. `has_older`: there are more before them; `each`: they are few enough for a row each."""

    rows: Sequence[Movement]
    has_older: bool
    each: bool


@dataclass(frozen=True, slots=True)
class Window:
    """A page of movements, told. `older`: the movement before which the next page begins; `is_newest`: nothing is newer."""

    steps: Sequence[Step]
    count: int
    older: int | None
    is_newest: bool
    day: date | None


def ledger_of(item: Item, asked: Asked) -> Ledger:
    """Result: what moved of the item. One statement, whatever its moment and page."""
    found = (
        Movement.objects.filter(item=item)
        .order_by()
        .annotate(of_kind=KIND)
        .values("location_id", "location__name", "kind", "of_kind")
        .annotate(
            sum=Sum("quantity", filter=asked.known), count=Count("pk", filter=asked.known), first=Min("recorded_at"),
            last=Max("pk"), upto=Sum("quantity", filter=asked.upto),
        )
        .order_by("location_id")
    )  # fmt: skip
    groups = list(found)
    totals, by_location = [], dict[int, Decimal]()
    for group in groups:
        if group["count"]:
            by_location[group["location_id"]] = by_location.get(group["location_id"], ZERO) + _exact(group["sum"])
            label = Movement.Kind(group["kind"]).label
            totals.append(Total(group["location__name"], group["of_kind"], label, _exact(group["sum"]), group["count"]))
    return Ledger(
        totals,
        min((group["first"] for group in groups), default=None),
        max((group["last"] for group in groups), default=0),
        by_location,
        sum((_exact(group["upto"]) for group in groups), ZERO),
    )


def _exact(total: Decimal | None) -> Decimal:
    """SQLite adds decimals up as floats: right to far less than the thousandth that the ledger keeps, but not beyond."""
    return (total or ZERO).quantize(LEAST)


def page_of(item: Item, ledger: Ledger, asked: Asked) -> Page:
    """Result: the newest movements of those asked for. One statement."""
    rows = Movement.objects.filter(asked.of_page, item=item, pk__lte=ledger.last)
    each = asked.day is not None or ledger.count <= EACH
    most = OF_A_DAY if each else AT_ONCE
    newest = rows.order_by("-recorded_at", "-pk").values("pk")[: most + 1]  # so that only these are joined, and not all
    wanted = Movement.objects.filter(pk__in=newest).select_related("location", "by", "voucher")
    found = list(wanted.order_by("-recorded_at", "-pk"))
    shown, has_older = found[:most], len(found) > most
    if not each:
        shown, has_older = _whole_days(shown, asked.zone, has_more=has_older)
    return Page(shown[::-1], has_older, each)


def window_tell(page: Page, ledger: Ledger, links: Links, asked: Asked) -> Window:
    """Result: the page in words, with the balance carried from what is older."""
    several = len({total.place for total in ledger.totals}) > 1
    moves = [_moved(row, links, asked.zone, place=row.location.name if several else "") for row in page.rows]
    carried = ledger.upto - sum((row.quantity for row in page.rows), ZERO)
    is_all = len(page.rows) == ledger.count
    steps = movement_steps(moves, carried=carried, zone=asked.zone, each=page.each, has_older=not is_all)
    older = page.rows[0].pk if page.rows and page.has_older else None
    return Window(steps, len(page.rows), older, asked.before is None and asked.day is None, asked.day)


def _whole_days(newest_first: list[Movement], zone: tzinfo, *, has_more: bool) -> tuple[list[Movement], bool]:
    """Result: as many whole days as a page shows, and whether older ones are left. A day that fills a page alone is cut."""
    days = [row.recorded_at.astimezone(zone).date() for row in newest_first]
    distinct = list(dict.fromkeys(days))
    kept = distinct[: -1 if has_more and len(distinct) > 1 else None][:DAYS]
    some = [row for row, day in zip(newest_first, days, strict=True) if day in kept]
    return some, has_more or len(some) < len(newest_first)


def _moved(row: Movement, links: Links, zone: tzinfo, *, place: str) -> Moved:
    is_count = row.kind == Movement.Kind.TILL and row.voucher.kind == Voucher.Kind.CONFLICT
    kind = "count" if is_count else row.kind
    what, found = links.of(row)
    is_late = abs(row.recorded_at - row.occurred_at) >= timedelta(minutes=1)
    true_at = f"true {moment_said(row.occurred_at, zone, row.recorded_at)}" if is_late else ""
    named = any(row.reason == link.label for link in found)  # a till's file, said already
    note = " · ".join(filter(None, [place, true_at, "" if named else row.reason]))
    label = Movement.Kind(row.kind).label
    return Moved(row.pk, row.location.name, kind, label, row.quantity, row.recorded_at, row.occurred_at, what, found, note)
