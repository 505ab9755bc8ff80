"""Writing down what a person has settled: many at once, in a transaction of the caller's."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from simple_history.utils import bulk_update_with_history

from alignment.models import Alignment
from inventory.ledger.keeper import Entry, Paper, book, store_accounts_save
from inventory.models import Listing, Movement, StockLevel, Voucher
from kit.words import quantity_text
from sync.conflicts.effects import Outlook
from sync.core.settling import Effect, Way
from sync.models import SyncConflict, SyncLog, SyncState
from sync.stores.drift import drift_entry

Resolution = SyncConflict.Resolution
RESOLUTIONS = {
    Way.POS: Resolution.POS,
    Way.WOO: Resolution.WOO,
    Way.COUNT: Resolution.COUNT,
    Way.HIGHER: Resolution.HIGHER,
    Way.MERGE: Resolution.MERGE,
    Way.IGNORE: Resolution.IGNORED,
    Way.NOTED: Resolution.NOTED,
}
FIELDS = ["resolved_at", "resolved_by", "reason", "resolution", "is_left", "voucher"]
ACCOUNT = ["baseline", "suspect", "suspected_at", "came_back"]


@dataclass(slots=True)
class Booking:
    """One decision about one or more conflicts: who, why, when, and all rows that follow from it."""

    way: Way
    count: Decimal | None
    by: User | None
    reason: str
    at: datetime
    conflicts: list[SyncConflict] = field(default_factory=list)
    booked: list[tuple[SyncConflict, Entry]] = field(default_factory=list)
    listings: dict[int, Listing] = field(default_factory=dict)
    log: list[SyncLog] = field(default_factory=list)

    def add(self, outlook: Outlook, conflict: SyncConflict, effect: Effect) -> None:
        """Take one in. Later ones of the same outlook see what it books."""
        conflict.resolved_at, conflict.resolved_by, conflict.reason = self.at, self.by, self.reason
        conflict.resolution, conflict.is_left = RESOLUTIONS[self.way], self.way == Way.IGNORE
        self.conflicts.append(conflict)
        pair = conflict.alignment
        if pair is None or self.way == Way.NOTED:
            return
        listing = outlook.listings[pair.listing_id]
        suspected_at = listing.suspected_at
        level = outlook.book(conflict, effect)
        if conflict.conflict_type == SyncConflict.Type.QUANTITY:
            self.listings[listing.pk] = listing
        if level is not None:
            self.booked.append((conflict, self._entry(conflict, pair, level, effect.units, suspected_at)))
        self.log.append(self._log(conflict, pair, effect))

    def _entry(
        self, conflict: SyncConflict, pair: Alignment, level: StockLevel, units: Decimal, suspected_at: datetime | None
    ) -> Entry:
        is_count = self.way == Way.COUNT  # so many lie on the shelves that supply the store, all told
        paper = Paper(
            kind=Voucher.Kind.CONFLICT,
            connection_id=pair.item.connection_id if is_count else conflict.store_id,
            document=str(conflict.pk),
        )
        if not is_count:
            since = Listing(suspected_at=suspected_at)
            return drift_entry(paper=paper, listing=since, level=level, units=units, at=self.at, by=self.by, why=self.reason)
        return Entry(
            paper=paper,
            level=level,
            units=units,
            kind=Movement.Kind.TILL,
            occurred_at=self.at,
            by=self.by,
            reason=f"Counted: {self.reason}",
        )

    def _log(self, conflict: SyncConflict, pair: Alignment, effect: Effect) -> SyncLog:
        old, new = conflict.woo_value, conflict.woo_value
        if step := effect.shelf if effect.units or self.way == Way.COUNT else effect.shop if self.way != Way.IGNORE else None:
            old, new = quantity_text(step.before), quantity_text(step.after)
        return SyncLog(
            alignment=pair,
            at=self.at,
            source=SyncLog.Source.MANUAL,
            action=SyncLog.Action.RESOLVED,
            old_value=old[:40],
            new_value=new[:40],
            reason=self.reason,
        )

    def save(self) -> None:
        """Store it all. What it does is history from then on."""
        if not self.conflicts:
            return
        vouchers = book([entry for _, entry in self.booked], at=self.at)
        for conflict, entry in self.booked:
            conflict.voucher = vouchers[entry.paper]
        store_accounts_save(list(self.listings.values()), ACCOUNT)
        SyncLog.objects.bulk_create(self.log)
        why = self.reason[:100]
        bulk_update_with_history(self.conflicts, SyncConflict, FIELDS, default_user=self.by, default_change_reason=why)
        self._states_wait(why)

    def _states_wait(self, why: str) -> None:
        """Until the next sync has paid what follows, a pair waits; with that it leaves the list of those that need a decision."""
        told = [one.alignment_id for one in self.conflicts if one.alignment_id and self._tells(one)]
        states = list(SyncState.objects.filter(alignment__in=told))
        for state in states:
            state.sync_status, state.reason = SyncState.Status.PENDING, "Settled by a person; the next sync tells both sides."
        if states:
            fields = ["sync_status", "reason"]
            bulk_update_with_history(states, SyncState, fields, default_user=self.by, default_change_reason=why)

    def _tells(self, conflict: SyncConflict) -> bool:
        is_quantity = conflict.conflict_type == SyncConflict.Type.QUANTITY
        return is_quantity or self.way == Way.COUNT
