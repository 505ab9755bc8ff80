"""For each rule: how its cause comes about, how it stays just within the limit, and how it goes again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from alerts.models import Alert, Threshold
from alerts.rules.words import Code
from alerts.services.evaluate import alerts_evaluate
from alignment.models import Alignment
from connectors.models import Connection
from inventory.models import Item, Listing, StockLevel
from jobs.models import Heartbeat, JobSlot
from reporting.models import ReportDelivery, ReportMail
from sync.models import HookHealth, InboundEvent, OutboundWrite, SyncConflict, SyncRun, SyncState, TillFeed
from tests import factories as make
from tests.ledger import booked, keeping, moved

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@dataclass
class Shop:
    """A till with 20 mugs, a store that shows them, one pair, all well."""

    now: datetime
    till: Connection = field(init=False)
    store: Connection = field(init=False)
    item: Item = field(init=False)
    level: StockLevel = field(init=False)
    listing: Listing = field(init=False)
    pair: Alignment = field(init=False)

    def __post_init__(self) -> None:
        self.till, self.store = make.pos_connection(), make.store_connection()
        TillFeed.objects.create(
            connection=self.till, identity="1", name="a.csv", state="applied", true_at=self.now, received_at=self.now
        )
        self.item = make.item(self.till, name="Mug", category="Cups", price=Decimal(10))
        self.level = make.level(self.item, 20)
        self.listing = make.listing(self.store, name="Mug online", quantity=Decimal(20), baseline=Decimal(20), price=Decimal(10))
        self.pair = make.alignment(self.item, self.listing)
        make.supply(self.store, self.level.location)
        SyncState.objects.create(
            alignment=self.pair,
            pos=self.till,
            woo=self.store,
            pos_sku="MUG-1",
            woo_sku="MUG-1",
            sync_status="synced",
            last_pos_update=self.now - 2 * HOUR,
            last_woo_update=self.now - 2 * HOUR,
        )

    def put(self, row: Any, **fields: Any) -> None:
        """Change a row behind everybody's back."""
        with keeping():
            type(row)._base_manager.filter(pk=row.pk).update(**fields)

    def on_hand(self, number: int | str, **fields: Any) -> None:
        self.put(self.level, on_hand=Decimal(number), **fields)

    def moves(self) -> None:
        """Something of the mug was sold once."""
        movement = moved(
            item=self.item,
            location=self.level.location,
            quantity=-1,
            kind="till",
            source=self.till,
            of="x",
            occurred_at=self.now,
            recorded_at=self.now,
        )
        booked([movement])

    def shows(self, number: int | str, status: str = "conflict") -> None:
        self.put(self.listing, quantity=Decimal(number))
        self.put(self.pair.sync_state, sync_status=status)

    def conflict(self, kind: str = "quantity_mismatch", size: str = "critical", **fields: Any) -> SyncConflict:
        return SyncConflict.objects.create(
            **{
                "store": self.store,
                "alignment": self.pair,
                "conflict_type": kind,
                "drift_class": size,
                "difference": 15,
                "why": "Nobody knows.",
                "detected_at": self.now,
                **fields,
            }
        )

    def settle(self) -> None:
        SyncConflict.objects.update(resolved_at=self.now, resolution="pos")

    def run(self, state: str, ago: timedelta = timedelta(0), **fields: Any) -> SyncRun:
        at = self.now - ago
        return SyncRun.objects.create(
            **{"store": self.store, "kind": "incremental", "state": state, "started_at": at, "finished_at": at, **fields}
        )

    def event(self, ago: timedelta, state: str = "new") -> None:
        InboundEvent.objects.create(
            connection=self.store,
            topic="order.updated",
            resource_id=InboundEvent.objects.count(),
            body_hash="x",
            state=state,
            received_at=self.now - ago,
        )

    def write(self, state: str, ago: timedelta) -> None:
        at = self.now - ago
        OutboundWrite.objects.create(
            connection=self.store, listing=self.listing, state=state, planned_from=1, planned_to=2, created_at=at, sent_at=at
        )

    def unhealthy(self, failures: int, code: str = "timeout") -> None:
        self.put(self.store, failures_in_row=failures, last_error_code=code, last_error="The shop did not answer in time.")

    def hook(self, state: str) -> None:
        HookHealth.objects.update_or_create(connection=self.store, defaults={"state": state, "message": f"It is {state}."})

    def beat(self, ago: timedelta) -> None:
        Heartbeat.objects.update_or_create(name=Heartbeat.SCHEDULE, defaults={"at": self.now - ago})

    def slot(self, state: str, number: int = 0) -> None:
        at = self.now + number * MINUTE
        JobSlot.objects.create(job="Full sync", slot=at, task="x", state=state, queued_at=at, started_at=at)

    def unsent_report(self, attempts: int) -> None:
        """Of a daily report whose mail failed so often; 0: it went out."""
        mail, _ = ReportMail.objects.get_or_create(every="daily", to="anna@example.com", defaults={"since": self.now})
        said = {"state": "pending" if attempts else "sent", "attempts": attempts, "error": "No room." if attempts else ""}
        times = {"created_at": self.now, "next_attempt_at": self.now}
        ReportDelivery.objects.update_or_create(
            mail=mail, every="daily", last=self.now.date(), to="anna@example.com", defaults=said | times
        )

    def alerts(self, code: Code, at: datetime | None = None) -> list[str]:
        """What each open alert of that rule is about, after a look at everything."""
        from alerts.watch import schedule_watch
        from reporting.mails.send import reports_watch

        alerts_evaluate(now=at or self.now)
        schedule_watch(now=at or self.now)
        reports_watch(now=at or self.now)
        return list(Alert.objects.filter(rule=code, cause_gone_at=None).order_by("pk").values_list("title", flat=True))


Step = Callable[[Shop], Any]


@dataclass(frozen=True)
class Case:
    """`about`: the alert's title."""

    fires: Step
    at_limit: Step
    mends: Step
    about: str = "Mug (MUG-1)"


def both(*steps: Step) -> Step:
    return lambda shop: [step(shop) for step in steps]


def low(shop: Shop) -> None:
    Threshold.objects.create(item=shop.item, low_stock_below=5)


CASES: dict[Code, Case] = {
    Code.NEGATIVE_STOCK: Case(lambda shop: shop.on_hand("-0.001"), lambda shop: shop.on_hand(0), lambda shop: shop.on_hand(0)),
    Code.CRITICAL_DRIFT: Case(lambda shop: shop.conflict(), lambda shop: shop.conflict(size="major"), Shop.settle),
    Code.MISSING_DATA: Case(
        lambda shop: shop.conflict("unmanaged_stock"), lambda shop: shop.conflict("sku_changed", "minor"), Shop.settle
    ),
    # 31 of 20 is eleven units; 30 of 20 is ten units but half as much again, so for units the shelf is larger.
    Code.DISCREPANCY: Case(
        both(lambda shop: shop.on_hand(1000), lambda shop: shop.shows("1010.001")),
        both(lambda shop: shop.on_hand(1000), lambda shop: shop.shows(1010)),
        lambda shop: shop.shows(1000, "synced"),
    ),
    Code.PRICE_GAP: Case(
        lambda shop: shop.put(shop.listing, price=Decimal("12.0001")),
        lambda shop: shop.put(shop.listing, price=Decimal(12)),
        lambda shop: shop.put(shop.listing, price=Decimal(10)),
    ),
    Code.OUT_OF_STOCK: Case(
        both(Shop.moves, lambda shop: shop.on_hand(0)),
        both(Shop.moves, lambda shop: shop.on_hand("0.001")),
        lambda shop: shop.on_hand(1),
    ),
    Code.LOW_STOCK: Case(
        both(low, lambda shop: shop.on_hand("4.999")), both(low, lambda shop: shop.on_hand(5)), lambda shop: shop.on_hand(9)
    ),
    Code.MISSING_ALIGNMENT: Case(
        lambda shop: make.listing(shop.store, "NEW-1"),
        lambda shop: make.listing(shop.store, "NEW-1", status="draft"),
        lambda _: Listing.objects.filter(sku="NEW-1").update(status="draft"),
        about="shop",
    ),
    Code.WRITE_REFUSED: Case(
        lambda shop: shop.put(shop.pair.sync_state, sync_status="error"),
        lambda shop: shop.put(shop.pair.sync_state, sync_status="pending"),
        lambda shop: shop.put(shop.pair.sync_state, sync_status="synced"),
    ),
    Code.WRITES_UNANSWERED: Case(
        lambda shop: shop.write("unknown", 4 * HOUR + SECOND),
        lambda shop: shop.write("unknown", 4 * HOUR),
        lambda _: OutboundWrite.objects.update(state="applied"),
        about="shop",
    ),
    Code.SYNC_FAILED: Case(
        lambda shop: shop.run("failed"), lambda shop: shop.run("partial"), lambda shop: shop.run("done", -MINUTE), about="shop"
    ),
    Code.SYNC_FAILED_AGAIN: Case(
        both(*[lambda shop: shop.run("failed")] * 3),
        both(*[lambda shop: shop.run("failed")] * 2),
        lambda shop: shop.run("partial", -MINUTE),
        about="shop",
    ),
    Code.HELD_RUN: Case(
        lambda shop: shop.run("held"),
        lambda shop: shop.run("discarded"),
        lambda _: SyncRun.objects.update(state="discarded"),
        about="Incremental sync",
    ),
    Code.API_UNAVAILABLE: Case(
        lambda shop: shop.unhealthy(3), lambda shop: shop.unhealthy(2), lambda shop: shop.unhealthy(0, ""), about="shop"
    ),
    Code.ADDRESS_TROUBLE: Case(
        lambda shop: shop.unhealthy(1, "tls"), lambda shop: shop.unhealthy(1), lambda shop: shop.unhealthy(0, ""), about="shop"
    ),
    Code.QUEUE_BACKING_UP: Case(
        lambda shop: shop.event(15 * MINUTE + SECOND),
        lambda shop: shop.event(15 * MINUTE),
        lambda _: InboundEvent.objects.update(state="done"),
        about="shop",
    ),
    Code.WEBHOOK_TROUBLE: Case(
        lambda shop: shop.hook("renewed"), lambda shop: shop.hook("off"), lambda shop: shop.hook("working"), about="shop"
    ),
    Code.EVENT_FAILED: Case(
        lambda shop: shop.event(MINUTE, "failed"),
        lambda shop: shop.event(MINUTE, "ignored"),
        lambda _: InboundEvent.objects.update(state="done"),
        about="shop",
    ),
    Code.TILL_FILE_LATE: Case(
        lambda shop: TillFeed.objects.update(received_at=shop.now - 24 * HOUR - SECOND),
        lambda shop: TillFeed.objects.update(received_at=shop.now - 24 * HOUR),
        lambda shop: TillFeed.objects.update(received_at=shop.now),
        about="till",
    ),
    Code.TASK_SET_ASIDE: Case(
        lambda shop: shop.slot("set_aside"),
        lambda shop: shop.slot("failed"),
        lambda shop: shop.slot("done", 1),
        about="Full sync",
    ),
    Code.SCHEDULE_STOPPED: Case(
        lambda shop: shop.beat(timedelta(seconds=76)),
        lambda shop: shop.beat(timedelta(seconds=75)),
        lambda shop: shop.beat(timedelta(0)),
        about="Evenstock's schedule",
    ),
    Code.REPORT_NOT_SENT: Case(
        lambda shop: shop.unsent_report(3),
        lambda shop: shop.unsent_report(2),
        lambda shop: shop.unsent_report(0),
        about="Daily report of all shops",
    ),
}
