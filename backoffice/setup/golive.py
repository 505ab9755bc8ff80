"""The go-live report: what a first full sync would write to a shop, told by its newest shadow run, and what it would not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from alignment.models import Alignment, StoreLocation
from backoffice.setup.rows import StoreRows
from connectors.models import Connection
from inventory.models import Listing, StockLevel
from kit.admin.parts import number
from kit.words import counted
from sync.models import PlannedChange, PriceReview, SyncConflict, SyncRun
from sync.selectors import conflicts_open, levels_owing

LARGEST = 20
NUMBERS, PRICES, FACTS, TILL_PRICES = (
    "Numbers in the shop", "Prices in the shop", "Barcodes or costs filled in", "Prices at the till",
)  # fmt: skip
WHOLES = {
    NUMBERS: ("number", "numbers"),
    PRICES: ("price", "prices"),
    FACTS: ("barcode or cost", "barcodes or costs"),
    TILL_PRICES: ("price at the till", "prices at the till"),
}
IN_STEP = ("sync_syncstate_changelist", "sync_status__exact=conflict")
Field = PlannedChange.Field
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that would be written."""

    field: str
    sku: str
    name: str
    woo_sku: str
    woo_name: str
    shows: Decimal | None
    target: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.shows is None or self.target is None else self.target - self.shows

    @property
    def shows_said(self) -> str:
        return number(self.shows)

    @property
    def target_said(self) -> str:
        return number(self.target)

    @property
    def difference_said(self) -> str:
        return number(self.difference, signed=True)

    @property
    def empties(self) -> bool:
        """Would the shop have none left of what it sells now?"""
        return self.field == Field.QUANTITY.label and bool(self.shows) and self.target == 0


@dataclass(frozen=True, slots=True)
class Tally:
    """So many of something. `view` and `query`: where they are listed."""

    words: str
    count: int
    what_to_do: str = ""
    view: str = ""
    query: str = ""

    @property
    def view_name(self) -> str:
        return f"admin:{self.view}"


@dataclass(frozen=True, slots=True)
class GoLive:
    """All of the report. `is_whole`: the run got as far as comparing every pair; else what it would write is not known.
    `unread`: pairs that were aligned since, of which nothing is known yet."""

    store: Connection
    run: SyncRun
    made_at: datetime
    is_whole: bool
    pairs: int
    unread: int
    writes: Sequence[Tally]
    left_alone: Sequence[Tally]
    decisions: Sequence[Tally]
    guards: Sequence[str]
    largest: Sequence[Line]
    largest_prices: Sequence[Line]
    for_tills: Sequence[Tally]
    problems: int

    @property
    def sum(self) -> int:
        """How many things would be written."""
        return sum(one.count for one in self.writes if one.words in WHOLES)

    @property
    def sum_said(self) -> str:
        """Result: “12 numbers and 3 prices”."""
        said = [counted(one.count, *WHOLES[one.words]) for one in self.writes if one.words in WHOLES and one.count]
        return " and ".join(filter(None, [", ".join(said[:-1]), *said[-1:]]))

    @property
    def file_name(self) -> str:
        return f"go_live_{self.store.name}_{self.made_at:%Y-%m-%d}"


def golive_report(*, rows: StoreRows) -> GoLive | None:
    """Result: the report of a shop's newest shadow run; None where there was none."""
    run, store = rows.shadow_run, rows.store
    if run is None or run.finished_at is None:
        return None
    run.store = store  # known: its name need not be asked for
    planned = run.planned.all()
    writes = _writes(planned)
    has_prices = any(one.words in (PRICES, TILL_PRICES) and one.count for one in writes)
    prices = planned.filter(field__in=[Field.PRICE, Field.TILL_PRICE])
    return GoLive(
        store=store,
        run=run,
        made_at=run.finished_at,
        is_whole="pairs" in run.counts or run.state != SyncRun.State.HELD,
        pairs=run.counts.get("pairs", 0),
        unread=rows.unread,
        writes=writes,
        left_alone=[tally for tally in _left_alone(store, rows) if tally.count],
        decisions=[tally for tally in _decisions(store) if tally.count],
        guards=[str(reason) for reason in run.held_for],
        largest=_lines(planned.filter(field=Field.QUANTITY)[:LARGEST]),
        largest_prices=_lines(prices[:LARGEST]) if has_prices else [],
        for_tills=[tally for tally in _for_tills(rows.tills) if tally.count],
        problems=run.counts.get("failures", 0),
    )


def golive_lines(*, run: SyncRun) -> Iterator[Line]:
    """Result: everything that would be written, the largest first, row by row."""
    rows = run.planned.select_related("alignment__item", "alignment__listing").order_by("field", "-size", "id")
    for row in rows.iterator(chunk_size=1000):
        yield _line(row)


def _writes(planned: "QuerySet[PlannedChange]") -> list[Tally]:
    """Result: what would be written, counted in one statement."""
    up, down = Q(target__gt=F("shows")), Q(target__lt=F("shows"))
    numbers, prices = Q(field=Field.QUANTITY), Q(field=Field.PRICE)
    n = planned.order_by().aggregate(
        numbers=Count("id", filter=numbers),
        numbers_up=Count("id", filter=numbers & up),
        numbers_down=Count("id", filter=numbers & down),
        sold_out=Count("id", filter=numbers & Q(shows__gt=0, target__lte=0)),
        back=Count("id", filter=numbers & Q(shows__lte=0, target__gt=0)),
        prices=Count("id", filter=prices),
        prices_up=Count("id", filter=prices & up),
        prices_down=Count("id", filter=prices & down),
        facts=Count("id", filter=Q(field=Field.FACTS)),
        till_prices=Count("id", filter=Q(field=Field.TILL_PRICE)),
    )
    return [
        Tally(NUMBERS, n["numbers"]),
        Tally("of them up", n["numbers_up"]),
        Tally("of them down", n["numbers_down"]),
        Tally("on sale now, sold out then", n["sold_out"]),
        Tally("sold out now, on sale then", n["back"]),
        Tally(PRICES, n["prices"]),
        *([Tally("prices up", n["prices_up"]), Tally("prices down", n["prices_down"])] if n["prices"] else []),
        *([Tally(FACTS, n["facts"])] if n["facts"] else []),
        *([Tally(TILL_PRICES, n["till_prices"])] if n["till_prices"] else []),
    ]


def _left_alone(store: Connection, rows: StoreRows) -> Iterator[Tally]:
    """What a first sync would not touch, and why: unknown is never zero."""
    confirmed = Alignment.objects.filter(status=Alignment.Status.CONFIRMED, listing__connection=store).order_by()
    there = Q(listing__missing_since=None)
    places = StoreLocation.objects.filter(store=store).values("location_id")
    counted_there = StockLevel.objects.filter(item=OuterRef("item"), location__in=places, baseline__isnull=False)
    read = there & Q(listing__stock_management=Listing.Management.OWN, listing__baseline__isnull=False)
    n = confirmed.aggregate(
        nobody=Count("id", filter=there & Q(listing__stock_management=Listing.Management.NONE)),
        parent=Count("id", filter=there & Q(listing__stock_management=Listing.Management.PARENT)),
        gone=Count("id", filter=~there),
        item_gone=Count("id", filter=Q(item__missing_since__isnull=False)),
        unopened=Count("id", filter=there & Q(listing__stock_management=Listing.Management.OWN, listing__baseline=None)),
        uncounted=Count("id", filter=read & Q(~Exists(counted_there))),
        suspect=Count("id", filter=there & Q(listing__suspect__isnull=False)),
    )
    yield Tally(
        "Items of the till without a partner",
        max(0, rows.items - rows.items_aligned),
        "Align them, or leave them: they aren't sold online.",
        "inventory_item_changelist",
        "partner=none",
    )
    yield Tally(
        "Products of the shop without a partner", max(0, rows.listings - rows.listings_aligned),
        "Their numbers stay as they are.", "inventory_listing_changelist", "partner=none",
    )  # fmt: skip
    yield Tally(
        "Proposals that nobody has decided on", rows.proposals, "Review them.", "alignment_alignment_review", f"store={store.pk}"
    )
    yield Tally(
        "Products that the shop doesn't count",
        n["nobody"],
        "Tick “Manage stock” on them in the shop.",
        *IN_STEP,
    )
    yield Tally(
        "Variations counted with their product",
        n["parent"],
        "Let each variation manage its own stock.",
        *IN_STEP,
    )
    yield Tally(
        "Items that the till doesn't count",
        n["uncounted"],
        "Count them at the till, or leave the shop's number alone.",
        *IN_STEP,
    )
    yield Tally(
        "Products that are no longer in the shop",
        n["gone"],
        "Restore them, or reject their alignment.",
        *IN_STEP,
    )
    yield Tally("Items that the till's export leaves out", n["item_gone"], "Their last number stands.", *IN_STEP)
    yield Tally("Pairs not read yet since they were aligned", n["unopened"], "Run the shadow run again.")
    yield Tally("Numbers that changed in the shop meanwhile", n["suspect"], "They get a second look.")


def _decisions(store: Connection) -> Iterator[Tally]:
    """What waits for a person, and would wait after a first sync too."""
    labels = dict(SyncConflict.Type.choices)
    conflicts = conflicts_open(store=store).order_by().values_list("conflict_type").annotate(count=Count("id"))
    prices = PriceReview.objects.filter(store=store, state=PriceReview.State.OPEN).order_by()
    reviews = prices.values_list("state").annotate(count=Count("id"))
    for kind, count in sorted(conflicts.union(reviews, all=True), key=lambda one: -one[1]):
        if kind in labels:
            yield Tally(f"Conflicts: {labels[kind]}", count, "Settle them.", "sync_syncconflict_changelist")
        else:
            yield Tally("Prices to be approved first", count, "Approve or reject them.", "sync_pricereview_changelist")


def _for_tills(tills: Sequence[Connection]) -> Iterator[Tally]:
    for till in tills:
        told = "Told at the next sync." if till.is_live else "Told once the till is live, too."
        yield Tally(
            f"Items of “{till.name}” sold or returned online that it hasn't been told of", levels_owing(till=till).count(), told
        )


def _lines(rows: "QuerySet[PlannedChange]") -> list[Line]:
    return [_line(row) for row in rows.select_related("alignment__item", "alignment__listing")]


def _line(row: PlannedChange) -> Line:
    item, listing = row.alignment.item, row.alignment.listing
    return Line(
        field=Field(row.field).label,
        sku=item.sku,
        name=item.name,
        woo_sku=listing.sku or f"#{listing.remote_id}",
        woo_name=listing.name,
        shows=row.shows,
        target=row.target,
    )
