"""The keeper: the one module that writes movements, on hand, reserved and baselines (ledger.md §1).

Everything that a batch says is written in the transaction of its caller, who has taken the rows that it reasons about with
`inventory.ledger.locks`. What moves a shelf is added to what lies there, so that no unit is lost to another writer; a baseline is
set by whoever holds its row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from inventory.models import Listing, Movement, StockLevel, Voucher
from inventory.models.kept import keeping
from kit.rows import rows_update

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a voucher is of (see `Voucher`)."""

    kind: Voucher.Kind
    connection_id: int
    document: str
    line: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Units that moved at one shelf. `level`: one that is stored, or a new one. `reading`: where a till's own list says so, what
    it shows and what its baseline is from now on; the level must have been locked before it was judged."""

    paper: Paper
    level: StockLevel
    units: Decimal
    kind: Movement.Kind
    occurred_at: datetime
    reason: str = ""
    by: User | None = None
    reading: "Reading | None" = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A till's number that was used: what it shows, and the baseline that follows from it."""

    shows: Decimal
    baseline: Decimal


def book(entries: Sequence[Entry], *, at: datetime) -> dict[Paper, Voucher]:
    """Write each entry's voucher, movement, shelf and, with a reading, the till's account. Result: the vouchers. What is booked
    already under a voucher of the same thing is refused by the database, and nothing of the batch is written."""
    if not entries:
        return {}
    with keeping(), transaction.atomic(savepoint=False):
        vouchers = _vouchers(list(dict.fromkeys(entry.paper for entry in entries)))
        _shelves(entries)
        Movement.objects.bulk_create(
            [
                Movement(
                    voucher=vouchers[entry.paper],
                    item_id=entry.level.item_id,
                    location_id=entry.level.location_id,
                    quantity=entry.units,
                    kind=entry.kind,
                    source_id=entry.paper.connection_id,
                    occurred_at=entry.occurred_at,
                    recorded_at=at,
                    by=entry.by,
                    reason=entry.reason[:250],
                )
                for entry in entries
            ]
        )
    return vouchers


def till_paid(amounts: Mapping[int, Decimal]) -> None:
    """The till has taken in what we told it. `amounts`: by level, the units of the writes that it acknowledged."""
    with keeping(), transaction.atomic(savepoint=False):
        levels = StockLevel.objects.filter(pk__in=amounts).order_by("pk").select_for_update()
        changed = []
        for level in levels:
            level.baseline = (level.baseline or ZERO) + amounts[level.pk]
            changed.append(level)
        rows_update(changed, ["baseline"])


def store_accounts_save(listings: Sequence[Listing], fields: Iterable[str]) -> None:
    """Store these fields of listings, their baselines among them. The caller has locked them before working them out."""
    with keeping():
        rows_update(sorted(listings, key=lambda listing: listing.pk), fields)


def store_accounts_reset(*, ids: Iterable[int], closes: bool = False) -> None:
    """What these listings should show is unknown: their next reading tells. `closes`: nothing of the account is kept, so that
    orders placed before it opens anew count as in its number."""
    changes: dict[str, Any] = {"baseline": None, "suspect": None, "suspected_at": None, "came_back": False}
    listings = Listing.objects.filter(pk__in=set(ids))
    if closes:
        changes |= {"opened_at": None}
        listings = listings.filter(Q(baseline__isnull=False) | Q(suspect__isnull=False) | Q(opened_at__isnull=False))
    with keeping():
        listings.update(**changes)


def _vouchers(papers: Sequence[Paper]) -> dict[Paper, Voucher]:
    """Result: the voucher of each, made where there is none."""
    known: dict[Paper, Voucher] = {}
    for connection_id, kind in {(paper.connection_id, paper.kind) for paper in papers}:
        documents = {paper.document for paper in papers if (paper.connection_id, paper.kind) == (connection_id, kind)}
        for voucher in Voucher.objects.filter(connection_id=connection_id, kind=kind, document__in=documents):
            known[_paper_of(voucher)] = voucher
    new = [paper for paper in papers if paper not in known]
    made = Voucher.objects.bulk_create([Voucher(**asdict(paper)) for paper in new])
    return known | dict(zip(new, made, strict=True))


def _paper_of(voucher: Voucher) -> Paper:
    return Paper(
        kind=Voucher.Kind(voucher.kind),
        connection_id=voucher.connection_id,
        document=voucher.document,
        line=voucher.line,
        number=voucher.number,
    )


def _shelves(entries: Sequence[Entry]) -> None:
    """Add the units to what lies there; new levels are made with them."""
    fresh = [entry for entry in entries if not entry.level.pk]
    stored = sorted((entry for entry in entries if entry.level.pk), key=lambda entry: entry.level.pk)
    for entry in entries:
        if entry.reading:
            entry.level.last_reading, entry.level.baseline = entry.reading.shows, entry.reading.baseline
            entry.level.read_at = entry.occurred_at
    for entry in fresh:
        entry.level.on_hand += entry.units
    StockLevel.objects.bulk_create([entry.level for entry in fresh])
    told, moved = [entry for entry in stored if entry.reading], [entry for entry in stored if not entry.reading]
    for part, fields in ((told, ["last_reading", "baseline", "read_at"]), (moved, [])):
        rows_update([entry.level for entry in part], fields, added={"on_hand": [entry.units for entry in part]})
