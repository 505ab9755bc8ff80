"""A large shop for the pages' benchmark: so many of everything, made directly and never timed."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any


class PageRows:
    """So many items, listings, pairs, states, movements, writes, conflicts, alerts, orders, events, log rows and requests."""

    def __init__(self, rows: int) -> None:
        self.rows, self.now = rows, datetime.now(UTC)

    def fill(self) -> None:
        from tests.browser.seed import people_seed

        people_seed()
        self._connections()
        self._things()
        self._pairs()
        self._traffic()
        self._trouble()
        self._orders()
        self._prices()
        self._decisions()

    def _many(self, model: Any, rows: Iterable[Any]) -> None:
        from tests.ledger import keeping

        rest: Iterator[Any] = iter(rows)
        while part := list(islice(rest, 5_000)):
            with keeping():
                model.objects.bulk_create(part)

    def _each(self, make: Callable[[int], Any], share: int = 1) -> Iterator[Any]:
        return (make(n) for n in range(0, self.rows, share))

    def _ago(self, n: int) -> datetime:
        """Row n's moment: ten thousand of them within a day, the others before."""
        return self.now - timedelta(seconds=8.64 * n)

    def _connections(self) -> None:
        from connectors.models import ApiCall, Connection
        from inventory.models import Location
        from jobs.schedule import schedule_install

        self.till = Connection.objects.create(name="till", kind="pos_csv", mode="live", settings={"folder": "till"})
        self.store = Connection.objects.create(
            name="shop", kind="woocommerce", mode="live", settings={"url": "https://shop.example"}
        )
        Connection.objects.update(last_ok_at=self.now)
        self.place = Location.objects.create(connection=self.till, remote_name="", name="Main street")
        schedule_install()
        calls = self._each(
            lambda n: ApiCall(connection=self.store, at=self._ago(n), method="GET", path="/p", status=200, latency_ms=n % 900)
        )
        self._many(ApiCall, calls)

    def _things(self) -> None:
        from alignment.models import StoreLocation
        from inventory.models import Item, Listing, Movement, StockLevel, Voucher

        StoreLocation.objects.create(store=self.store, location=self.place)
        at, five = self.now - timedelta(days=60), Decimal(5)
        self._many(Item, self._each(lambda n: Item(
            pk=n + 1, connection=self.till, sku=f"SKU-{n}", sku_key=f"sku{n}", name=f"Product {n}", barcode=str(10**12 + n),
            category=f"Category {n % 40}", first_seen_at=at,
        )))  # fmt: skip
        self._many(StockLevel, self._each(lambda n: StockLevel(
            pk=n + 1, item_id=n + 1, location=self.place, on_hand=five, baseline=five, last_reading=five, read_at=self.now,
        )))  # fmt: skip
        self._many(Listing, self._each(lambda n: Listing(
            pk=n + 1, connection=self.store, remote_id=n + 1, kind="simple", sku=f"W-{n}", sku_key=f"w{n}", name=f"Product {n}",
            stock_management="own", quantity=five, baseline=five, read_at=self.now, first_seen_at=at,
        )))  # fmt: skip
        self._many(Voucher, self._each(lambda n: Voucher(pk=n + 1, kind="other", connection=self.till, document=f"m{n}")))
        self._many(Movement, self._each(lambda n: Movement(
            voucher_id=n + 1, item_id=n + 1, location=self.place, quantity=-1, kind="till", source=self.till,
            occurred_at=self._ago(n), recorded_at=self._ago(n),
        )))  # fmt: skip

    def _pairs(self) -> None:
        from alignment.models import Alignment
        from sync.models import SyncState

        self._many(Alignment, self._each(lambda n: Alignment(
            pk=n + 1, item_id=n + 1, listing_id=n + 1, match_type="exact", confidence=1,
            status="proposed" if n % 50 == 0 else "confirmed",
            others=[{"listing": n + 2, "confidence": 0.6, "evidence": "the names are alike"}] if n % 50 == 0 else [],
        )))  # fmt: skip
        self._many(SyncState, (SyncState(
            alignment_id=n + 1, pos=self.till, woo=self.store, pos_sku=f"SKU-{n}", woo_sku=f"W-{n}", pos_quantity=5,
            woo_quantity=5,
            sync_status="conflict" if n % 100 == 1 else "synced", last_sync=self.now,
        ) for n in range(self.rows) if n % 50))  # fmt: skip

    def _traffic(self) -> None:
        from sync.models import OutboundWrite, RunProblem, SyncLog, SyncRun, TillFeed

        self._many(SyncRun, self._each(lambda n: SyncRun(
            pk=n + 1, store=self.store, kind="incremental", state="done", phase="finished", started_at=self._ago(n),
            finished_at=self._ago(n),
        ), share=10))  # fmt: skip
        self._many(OutboundWrite, self._each(lambda n: OutboundWrite(
            connection=self.store, listing_id=n + 1, run_id=1, state="pending" if n < 50 else "applied",
            planned_from=6, planned_to=5,
            created_at=self._ago(n), sent_at=None if n < 50 else self._ago(n), answered_at=None if n < 50 else self._ago(n),
        )))  # fmt: skip
        self._many(SyncLog, self._each(lambda n: SyncLog(
            alignment_id=n + 1, run_id=1, at=self._ago(n), source="pos", action="qty_update", old_value="6", new_value="5",
        )))  # fmt: skip
        self._many(RunProblem, self._each(lambda n: RunProblem(
            run_id=1, connection=self.store, subject=f"W-{n}", code="locked", message="It is locked.",
        ), share=10))  # fmt: skip
        self._many(TillFeed, self._each(lambda n: TillFeed(
            connection=self.till, identity=f"{n:064x}", name=f"export {n}", state="applied", true_at=self._ago(n),
            received_at=self._ago(n),
        ), share=10))  # fmt: skip

    def _trouble(self) -> None:
        from alerts.models import Alert
        from reporting.models import DailyMetric
        from sync.models import SyncConflict

        self._many(SyncConflict, (SyncConflict(
            store=self.store, alignment_id=n + 1, conflict_type="quantity_mismatch", pos_value="5", woo_value="9", difference=4,
            drift_class=("minor", "major", "critical")[n % 3], why="Nothing explains it.", detected_at=self._ago(n),
            resolved_at=None if n % 2 else self._ago(n), resolution="" if n % 2 else "pos",
        ) for n in range(self.rows) if n % 50))  # fmt: skip
        self._many(Alert, self._each(lambda n: Alert(
            rule="negative_stock", subject=str(n), severity=(10, 20, 30, 40)[n % 4], title=f"Product {n}", words="Below zero.",
            connection=self.store, item_id=n + 1, since=self._ago(n), opened_at=self._ago(n), last_seen_at=self.now,
            state="open" if n % 2 else "gone", cause_gone_at=None if n % 2 else self.now,
        )))  # fmt: skip
        self._many(DailyMetric, (DailyMetric(
            connection=one, day=(self.now - timedelta(days=n)).date(), items=100, items_aligned=98, measured_at=self.now,
        ) for n in range(1, 366) for one in (self.till, self.store)))  # fmt: skip

    def _orders(self) -> None:
        from sync.models import InboundEvent, Order, OrderLine

        self._many(Order, self._each(lambda n: Order(
            pk=n + 1, connection=self.store, remote_id=n, number=str(n), status="completed", created_at=self._ago(n),
            modified_at=self._ago(n),
        )))  # fmt: skip
        self._many(OrderLine, self._each(lambda n: OrderLine(
            order_id=n + 1, remote_id=1, listing_id=n + 1, sku=f"W-{n}", name=f"Product {n}", ordered=1, taken=1, booked=1,
        )))  # fmt: skip
        self._many(InboundEvent, self._each(lambda n: InboundEvent(
            connection=self.store, topic="order.updated", resource_id=n, body_hash=f"{n:064x}", state="done",
            received_at=self._ago(n),
        )))  # fmt: skip

    def _prices(self) -> None:
        from sync.models import PriceReview, PriceWrite, TillPrice

        ten, twelve = Decimal(10), Decimal(12)
        self._many(PriceReview, (PriceReview(
            store=self.store, alignment_id=n + 1, price_source="pos", currency="EUR", source_price=twelve, old_price=ten,
            new_price=twelve, change_percent=20, why="More than your 10 %.", detected_at=self._ago(n),
            state="open",
        ) for n in range(self.rows) if n % 50))  # fmt: skip
        self._many(PriceWrite, (PriceWrite(write_id=pk, price_from=ten, price_to=twelve, reason="The till's price.") for pk in (
            self._keys("sync.OutboundWrite")
        )))  # fmt: skip
        self._many(TillPrice, self._each(lambda n: TillPrice(
            connection=self.till, item_id=n + 1, alignment_id=n + 1, run_id=1, price_from=ten, price_to=twelve, state="applied",
            created_at=self._ago(n), sent_at=self._ago(n), answered_at=self._ago(n), reason="The shop's price.",
        )))  # fmt: skip

    def _decisions(self) -> None:
        """What people and channels leave behind."""
        from django.contrib.admin.models import CHANGE, LogEntry
        from django.contrib.auth.models import User
        from django.contrib.contenttypes.models import ContentType

        from alerts.models import Channel, Notification, Threshold
        from sync.models import SyncConflict

        channel = Channel.objects.create(name="Managers", kind="email", settings={"to": ["shop@example.com"]})
        self._many(Notification, (Notification(
            channel=channel, alert_id=pk, round=1, occasion="opened", severity=30, state="sent", next_attempt_at=self.now,
            created_at=self.now, sent_at=self.now,
        ) for pk in self._keys("alerts.Alert")))  # fmt: skip
        self._many(Threshold, self._each(lambda n: Threshold(item_id=n + 1, low_stock_below=4), share=10))
        lead, sort = User.objects.get(username="lead"), ContentType.objects.get_for_model(SyncConflict)
        self._many(LogEntry, self._each(lambda n: LogEntry(
            user=lead, content_type=sort, object_id=str(n), object_repr=f"Product {n}", action_flag=CHANGE,
            change_message="Settled", action_time=self._ago(n),
        )))  # fmt: skip

    def _keys(self, label: str) -> list[int]:
        from django.apps import apps

        return list(apps.get_model(label).objects.order_by("pk").values_list("pk", flat=True))
