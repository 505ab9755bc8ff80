"""A number that a store shows and nothing explains: undone, accepted, or left to a person (ledger.md §5, §7)."""

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db.models import Max
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from alignment.models import Alignment
from inventory.ledger.keeper import Entry, Paper, book
from inventory.models import Listing, Movement, StockLevel, Voucher
from kit.words import quantity_text
from sync.core.policy import Accept, AskPerson, Decision, DriftClass, Policy, Rule, decide, drift_class
from sync.core.targets import units_of
from sync.models import SyncConflict, SyncLog
from sync.selectors import conflicts_left, conflicts_open, rules_of, supply_levels
from sync.turns.context import RunContext

logger = logging.getLogger(__name__)
ZERO = Decimal(0)
CLOSED_FIELDS = [
    "pos_value", "woo_value", "difference", "drift_class", "why", "resolved_at", "resolution", "reason", "resolved_by",
    "is_left", "voucher",
]  # fmt: skip


def drifts_settle(*, ctx: RunContext, drifted: Sequence[tuple[Listing, Decimal]]) -> None:
    """Decide about listings that are so many units off. Changes their accounts, which the caller stores; books movements, log
    rows and conflicts. What a person decides keeps its suspect: nothing is written to it meanwhile. Call in a transaction."""
    if drifted:
        _Drifts(ctx, drifted).settle()


def drift_entry(
    *, paper: Paper, listing: Listing, level: StockLevel, units: Decimal, at: datetime, by: User | None, why: str
) -> Entry:
    """Result: what accepts a store's number as a movement of so many of the item's units, so that the till is owed it. The
    listing's account is the caller's to change."""
    return Entry(
        paper=paper,
        level=level,
        units=units,
        kind=Movement.Kind.STORE,
        occurred_at=listing.suspected_at or at,
        by=by,
        reason=why,
    )


class _Drifts:
    """One chunk's drifts, with all it takes to decide them."""

    def __init__(self, ctx: RunContext, drifted: Sequence[tuple[Listing, Decimal]]) -> None:
        self.ctx, self.drifted, self.now = ctx, drifted, ctx.now()
        self.store = ctx.store.connection
        found = Alignment.objects.filter(
            listing__in=[listing.pk for listing, _ in drifted], status=Alignment.Status.CONFIRMED
        ).select_related("item")
        self.pairs = {pair.listing_id: pair for pair in found}
        items = [pair.item for pair in self.pairs.values()]
        self.rules = rules_of(store=self.store, items=items)
        self.levels = supply_levels(store=self.store, item_ids=[item.pk for item in items])
        self.open = {
            conflict.alignment_id: conflict
            for conflict in conflicts_open(store=self.store).filter(
                conflict_type=SyncConflict.Type.QUANTITY, alignment__in=[pair.pk for pair in self.pairs.values()]
            )
        }
        self.left = {
            conflict.alignment_id: conflict
            for conflict in conflicts_left(store=self.store).filter(
                conflict_type=SyncConflict.Type.QUANTITY, alignment__in=[pair.pk for pair in self.pairs.values()]
            )
        }
        self.till_moved_at = self._till_moved_at()
        self.fresh: list[SyncConflict] = []
        self.changed: list[SyncConflict] = []
        self.log: list[SyncLog] = []
        self.accepted: list[tuple[SyncConflict, Entry]] = []

    def _till_moved_at(self) -> dict[int, datetime | None]:
        if all(rule.policy != Policy.NEWEST_WINS for rule in self.rules.values()):
            return {}
        moved = Movement.objects.filter(item_id__in=self.rules, kind=Movement.Kind.TILL).order_by()
        return dict(moved.values("item_id").annotate(newest=Max("occurred_at")).values_list("item_id", "newest"))

    def settle(self) -> None:
        for listing, residual in self.drifted:
            if pair := self.pairs.get(listing.pk):
                self._one(listing, pair, residual)
        reason = f"{self.ctx.run}"[:100]
        SyncLog.objects.bulk_create(self.log)
        vouchers = book([entry for _, entry in self.accepted], at=self.now)
        for conflict, entry in self.accepted:
            conflict.voucher = vouchers[entry.paper]
        if self.fresh:
            bulk_create_with_history(self.fresh, SyncConflict, default_change_reason=reason)
        if self.changed:
            bulk_update_with_history(self.changed, SyncConflict, CLOSED_FIELDS, default_change_reason=reason)

    def _one(self, listing: Listing, pair: Alignment, residual: Decimal) -> None:
        rule = self.rules[pair.item_id]
        units = units_of(residual, pair.units_per_listing)  # rules count what the till counts: a pack of 6 off is no minor thing
        decision = decide(
            rule=rule,
            residual=units,
            store_changed_at=listing.suspected_at,
            till_changed_at=self.till_moved_at.get(pair.item_id),
            came_back=listing.came_back,
        )
        level = self.levels.get(pair.item_id)
        if isinstance(decision, Accept) and level is None:
            decision = AskPerson("The till has no level for its item, so the shop's number can't be accepted.")
        conflict = self.open.get(pair.pk)
        if isinstance(decision, AskPerson) and conflict and conflict.difference == residual:
            return  # known already, and still nobody has decided
        if left := self.left.get(pair.pk):  # it is another difference by now
            left.is_left = False
            self.changed.append(left)
        self.ctx.counts["drifts"] += 1
        conflict = self._note(listing, pair, residual, conflict, decision, rule)
        if isinstance(decision, AskPerson):
            return
        if isinstance(decision, Accept) and level:
            moment = int(self.now.timestamp() * 1_000_000)
            paper = Paper(kind=Voucher.Kind.DRIFT, connection_id=self.store.pk, document=str(listing.remote_id), number=moment)
            entry = drift_entry(paper=paper, listing=listing, level=level, units=units, at=self.now, by=None, why=decision.why)
            self.accepted.append((conflict, entry))
            self.ctx.changed_items.add(pair.item_id)
        listing.baseline = listing.quantity
        listing.suspect, listing.suspected_at, listing.came_back = None, None, False

    def _note(
        self, listing: Listing, pair: Alignment, residual: Decimal, conflict: SyncConflict | None, decision: Decision, rule: Rule
    ) -> SyncConflict:
        """The log row. Result: the conflict: an open one, or one that is settled and can be looked up."""
        shows = listing.quantity or ZERO
        self.log.append(
            SyncLog(
                alignment=pair,
                run=self.ctx.run_row,
                at=self.now,
                source=SyncLog.Source.WOO,
                action=SyncLog.Action.QUANTITY,
                old_value=quantity_text(shows - residual),
                new_value=quantity_text(shows),
                reason="Changed in the shop; no order explains it.",
            )
        )
        (self.changed if conflict else self.fresh).append(
            conflict := conflict
            or SyncConflict(store=self.store, alignment=pair, conflict_type=SyncConflict.Type.QUANTITY, detected_at=self.now)
        )
        units = units_of(residual, pair.units_per_listing)
        size = drift_class(units, minor_to=rule.minor_to, major_to=rule.major_to)
        conflict.pos_value, conflict.woo_value = quantity_text(shows - residual), quantity_text(shows)
        conflict.difference, conflict.drift_class = residual, size
        in_packs = f" The shop counts {pair.pack}: {quantity_text(abs(units))} units at the till." if pair.pack else ""
        why = f"Changed in the shop; no order explains it.{in_packs}"
        conflict.why = f"{why} {decision.why}" if isinstance(decision, AskPerson) else why
        if isinstance(decision, AskPerson):
            self.ctx.counts["conflicts_opened"] += 1
            if size == DriftClass.CRITICAL:
                logger.error("%s of %s is %s units off; it waits for a person", listing, self.store, quantity_text(units))
            return conflict
        resolution = SyncConflict.Resolution.WOO if isinstance(decision, Accept) else SyncConflict.Resolution.POS
        conflict.resolved_at, conflict.resolution, conflict.reason = self.now, resolution, decision.why
        return conflict
