"""How `made_by_0208330.json.gz` was made: a day of a small shop, by the code of that commit and its sandbox, with everything open
that an upgrade may meet. In a worktree of that commit, with this repository's environment:

    git worktree add --detach ../old 0208330 && cd ../old
    python <this file> <where to write>

Nothing here is imported by tests. What the shop did is done by that commit's own services over HTTP; what takes a killed process
(a run still running, a write claimed and not answered) or a person's click in the admin is written as that code writes it.
"""

import csv
import gzip
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

COMMIT = "0208330"
PAIRS, ALONE = 120, 25  # items of the demo's catalogue: aligned ones, and others
TELLS_WHERE = ("/tmp", "/home", "/work", "127.0.0.1", "localhost")  # noqa: S108 - what must not be in the file
OWN = (("MUG", 60), ("MUG-6", 10), ("GIFT", 30), ("GIFT-RED", 30))  # what the shop sells alone, in sixes, and under two names
LEFT_OUT = {"django_session", "connectors_apicall"}


def main(target: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    sys.path.insert(0, str(Path.cwd()))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.sync.shop import opened

    with tempfile.TemporaryDirectory() as folder:
        stock, listed = _catalogue()
        with opened(Path(folder, "drop"), stock=stock, listed=listed, till_mode="live", hours_ago=11) as shop:
            day = _Day(shop)
            day.live()
            day.server.stop()
            _places_forget()
    dump(target)


def _rows() -> list[dict[str, str]]:
    from tests.sync.shop import HYDRO, hydro_pairs

    with (HYDRO / "pos_export.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    aligned = dict(hydro_pairs())
    whole = [row for row in rows if Decimal(row["Qty On Hand"] or 0) % 1 == 0 and Decimal(row["Qty On Hand"] or 0) >= 6]
    chosen = [*islice((row for row in whole if row["SKU"] in aligned), PAIRS)]
    chosen += islice((row for row in rows if row["SKU"] not in aligned), ALONE)
    return [{**row, "store": aligned.get(row["SKU"], "")} for row in chosen]


def _catalogue() -> tuple[dict[str, int | str], list[dict[str, Any]]]:
    """Result: what lies on the shelf, and what the shop lists: every seventh number off, the last five not counted."""
    from tests.sync.shop import product

    stock: dict[str, int | str] = {"MUG": 60, "GIFT": 30}
    listed = [product(11 + n, sku, count, regular_price="5") for n, (sku, count) in enumerate(OWN)]
    for n, row in enumerate(_rows()):
        stock[row["SKU"]] = row["Qty On Hand"] or 0
        if row["store"]:
            shows = int(Decimal(row["Qty On Hand"])) + (3 if n % 7 == 0 else 0)
            price = "10" if n % 12 == 0 else "5"  # the sandbox's till says 5
            counted = None if n >= PAIRS - 5 else shows
            listed.append(product(100 + n, row["store"], counted, name=row["Description"], regular_price=price))
    return stock, listed


class _Day:
    def __init__(self, shop: Any) -> None:
        self.shop, self.lists_gone = shop, 0
        self.pairs = [(row["SKU"], row["store"]) for row in _rows() if row["store"]]

    def live(self) -> None:
        self.opens()
        self.sells()
        self.drifts()
        self.people_settle()
        self.aligned_later()
        self.other_shop()
        self.prices()
        self.policies_and_alerts()
        self.left_open()
        self.staff()
        self.schedule()
        self.figures()

    # The day

    def opens(self) -> None:
        from sync.models import SyncPolicy

        self.shop.clock.at += timedelta(microseconds=465_859)  # a clock that shows whole seconds hides what loses the rest
        self.shop.store.guard_zero_percent = 50
        self.shop.store.save()
        self.shop.open(
            pairs=[*self.pairs[:61], *self.pairs[62:], ("MUG", "MUG"), ("MUG", "MUG-6"), ("GIFT", "GIFT"), ("GIFT", "GIFT-RED")]
        )
        from alignment.models import Alignment

        for pair in Alignment.objects.filter(listing__sku="MUG-6"):
            pair.units_per_listing = 6
            pair.save()
        for sku in ("GIFT", self.pairs[3][0]):
            from inventory.models import Item

            SyncPolicy.objects.create(item=Item.objects.get(sku=sku), policy="store_wins", minor_to=20, major_to=40)
        self.shop.sync()
        self.pause()

    def pause(self, minutes: float = 6, *, export: bool = True) -> None:
        self.shop.clock.tick(minutes=minutes)
        self.shop.take_in_adjustments()
        if export:
            self.shop.till.sell(self.pairs[50][0], 1)
            self.shop.export()
            self.shop.clock.tick(minutes=1)

    def sync(self, kind: str = "incremental", **options: Any) -> Any:
        from sync.models import SyncRun

        return self.shop.sync(SyncRun.Kind(kind), **options)

    def edit(self, sku: str, by: int) -> None:
        found = self.shop.app.product_by_sku(sku)
        self.shop.app.set_quantity(found.id, found.quantity + by)

    def sells(self) -> None:
        """Sales at both sides, an order that is cancelled, one refunded in part, one of packs."""
        app = self.shop.app
        for n in range(20, 30):
            self.shop.till.sell(self.pairs[n][0], 1 + n % 3)
        self.shop.till.receive(self.pairs[30][0], 12)
        orders = [app.place_order([(self.pairs[n][1], 1 + n % 2), (self.pairs[n + 1][1], 1)]) for n in range(0, 16, 2)]
        orders.append(app.place_order([("MUG-6", 2), ("MUG", 3), ("GIFT-RED", 1)]))
        self.pause()
        self.sync()
        app.change_order(orders[0].id, status="cancelled")
        line = app.order(orders[1].id).lines[0]
        app.refund_order(orders[1].id, {line.id: 1})
        app.change_order(orders[2].id, status="completed")
        self.pause()
        self.sync()

    def drifts(self) -> None:
        """Edits in the shop: small ones that the till wins, ones that are accepted (two of one item at once), and large ones."""
        self.edit(self.pairs[40][1], 2)
        self.edit(self.pairs[3][1], 4)
        self.edit("GIFT", 2)
        self.edit("GIFT-RED", 3)
        for n in (41, 42, 43, 44, 45):
            self.edit(self.pairs[n][1], 5)
        self.edit(self.pairs[46][1], 30)
        self.edit(self.pairs[47][1], 7)
        self.pause()
        self.sync("full")
        self.pause()
        self.sync()

    def people_settle(self) -> None:
        from django.contrib.auth.models import User

        from sync.models import SyncConflict
        from sync.services.conflicts import conflict_resolve

        self.manager = User.objects.create_user("maya", password="pw", is_staff=True, first_name="Maya")
        settled = [(41, "woo"), (42, Decimal(17)), (43, "ignore"), (44, "pos"), (45, "higher")]
        for n, winner in settled:
            conflict = SyncConflict.objects.get(
                alignment__item__sku=self.pairs[n][0], resolved_at=None, conflict_type="quantity_mismatch"
            )
            conflict_resolve(
                conflict=conflict,
                winner=winner,
                by=self.manager,
                reason=f"Looked at the shelf: {winner}",
                now=self.shop.clock.now,
            )
        self.pause()
        self.sync()

    def aligned_later(self) -> None:
        """Sold before anybody had said which item it is; then one of them is aligned."""
        late, unknown = self.pairs[61], self.pairs[60]
        from alignment.models import Alignment

        pair = Alignment.objects.get(item__sku=unknown[0])
        pair.status = Alignment.Status.REJECTED
        pair.save()
        self.shop.app.place_order([(unknown[1], 2), (late[1], 1)])
        self.pause()
        self.sync()
        pair.status = Alignment.Status.CONFIRMED
        pair.save()
        self.pause()
        self.sync("full")

    def other_shop(self) -> None:
        """A second store on the same till."""
        from alignment.models import Alignment, Listing
        from connectors.services import connection_save
        from inventory.models import Item
        from sandbox.server import serve
        from sandbox.store import StoreApp
        from tests.sync.shop import product

        self.app = StoreApp(version="10.5", clock=self.shop.clock.now)
        self.app.load([product(500 + n, f"B2B-{sku}", 5, regular_price="5") for n, (sku, _) in enumerate(self.pairs[:40])])
        self.server = serve(self.app, tls=True)
        self.b2b = connection_save(
            name="b2b",
            kind="woocommerce",
            settings_given={
                "url": self.server.url,
                "ca_file": self.server.ca_file or "",
                "settle_seconds": 5,
                "read_timeout": 10,
            },
            credentials={"consumer_key": self.app.key, "consumer_secret": self.app.secret},
            mode="live",
        )

        self.b2b_sync()
        for n, (sku, _) in enumerate(self.pairs[:40]):
            listing = Listing.objects.get(connection=self.b2b, remote_id=500 + n)
            pair, _made = Alignment.objects.update_or_create(
                item=Item.objects.get(sku=sku), listing=listing, defaults={"match_type": "manual", "confidence": 1}
            )
            pair.status = Alignment.Status.CONFIRMED
            pair.save()
        self.pause()
        self.b2b_sync()
        self.app.place_order([("B2B-" + self.pairs[1][0], 2)])
        self.pause()
        self.b2b_sync()

    def b2b_sync(self) -> Any:
        from sync.models import SyncRun
        from sync.services.runs import run_sync

        store = type(self.b2b).objects.get(pk=self.b2b.pk)
        return run_sync(store=store, kind=SyncRun.Kind.FULL, now=self.shop.clock.now, sleep=self.shop.clock.sleep)

    def prices(self) -> None:
        """Prices that wait for a person, one approved and one refused."""
        from sync.models import PricePolicy, PriceReview

        at = self.shop.clock.now()
        PricePolicy.objects.create(connection=self.shop.store, price_source="pos", till_includes_tax=False, guard_percent=100)
        self.pause()
        self.sync("prices")
        reviews = list(PriceReview.objects.filter(state="open").order_by("id")[:4])
        for review, state in zip(reviews, ("approved", "rejected"), strict=False):
            review.state, review.decided_at, review.decided_by, review.reason = state, at, self.manager, "Agreed with Jonas"
            review.save()

    def policies_and_alerts(self) -> None:
        from alerts.models import Alert, Channel, Notification, Threshold
        from alerts.services.alerts import alerts_assign, alerts_resolve, alerts_snooze
        from alerts.services.evaluate import alerts_evaluate
        from alignment.models import MatchingPolicy
        from inventory.models import Item
        from sync.models import SyncPolicy

        now = self.shop.clock.now()
        SyncPolicy.objects.create(category="Nutrients", policy="newest_wins", minor_to=3)
        SyncPolicy.objects.create(connection=self.b2b, policy="manual_review")
        MatchingPolicy.objects.create(store=self.shop.store, confirm_from=Decimal("0.95"))
        Threshold.objects.create(low_stock_below=15)
        Threshold.objects.create(item=Item.objects.get(sku="MUG"), low_stock_below=70, discrepancy_units=2)
        alerts_evaluate(now=now)
        self.shop.clock.tick(minutes=6)
        first, second, third = Alert.objects.filter(state="open").order_by("-severity", "id")[:3]
        alerts_resolve(alerts=[first], notes="Counted; it is right.", by=self.manager, now=now)
        alerts_snooze(alerts=[second], until=now + timedelta(days=2), by=self.manager, now=now)
        alerts_assign(alerts=[third], to=self.manager, by=self.manager)
        channel = Channel.objects.create(name="Managers", kind="email", settings={"to": ["shop@example.com"]})
        channel.connections.add(self.shop.store)
        for alert, state in ((first, "sent"), (second, "pending"), (third, "held")):
            Notification.objects.create(
                channel=channel, alert=alert, occasion="alert", round=1, severity=alert.severity, state=state, created_at=now,
                next_attempt_at=now,
            )  # fmt: skip

    # What is open when the upgrade comes

    def left_open(self) -> None:
        self.till_not_told()
        self.run_held()
        self.feed_held()
        self.refused()
        self.unanswered()
        self.killed()
        self.heard_again()
        self.prices_under_way()
        self.events()

    def till_not_told(self) -> None:
        """Orders whose adjustments lie in the till's folder and nobody imports: the next two lists say nothing certain."""
        self.shop.app.place_order([(self.pairs[n][1], 1) for n in (80, 81, 82)])
        self.shop.clock.tick(minutes=5)
        self.sync()
        for _ in range(2):
            self.shop.clock.tick(minutes=15)
            self.shop.till.sell(self.pairs[50][0], 1)
            self.shop.export()
            self.shop.clock.tick(minutes=5)
            self.sync()

    def run_held(self) -> None:
        self.shop.pos.settings |= {"max_zeroed_percent": 100}
        self.shop.pos.save()
        for sku, _ in self.pairs[6:18]:
            self.shop.till.count(sku, 0)
        self.shop.clock.tick(minutes=10)
        self.shop.export()
        run = self.b2b_sync()
        assert run.state == "held", run.message
        self.shop.pos.settings.pop("max_zeroed_percent")
        self.shop.pos.save()

    def feed_held(self) -> None:
        from sync.models import TillFeed

        self.shop.clock.tick(minutes=10)
        rows = list(csv.reader(self.shop.export().read_text(encoding="utf-8-sig").splitlines()))
        at = rows[0].index("Qty On Hand")
        for path in self.shop.folder.glob("*.csv"):
            path.unlink()
        emptied = [[*row[:at], "0" if n and n % 2 else row[at], *row[at + 1 :]] for n, row in enumerate(rows)]
        self.shop.clock.tick(seconds=1)
        self.shop.drop(("\r\n".join(",".join(f'"{cell}"' for cell in row) for row in emptied) + "\r\n").encode())
        self.shop.clock.tick(minutes=1)
        self.sync()
        assert TillFeed.objects.filter(state="held").exists()

    def refused(self) -> None:
        """One product that the shop refuses."""
        from werkzeug.wrappers import Response

        bad, answer = self.pairs[90][1], self.shop.app._answer

        def poisoned(request: Any) -> Any:
            is_batch = request.method == "POST" and "batch" in request.path
            if is_batch and bad in {self.shop.app.product(item["id"]).sku for item in request.get_json()["update"]}:
                return Response('{"code": "bad_request", "message": "Bad request."}', 400, content_type="application/json")
            return answer(request)

        self.sold_by_a_list_long_gone(90, 91)
        self.shop.app._answer = poisoned
        self.sync()
        self.shop.app._answer = answer

    def sold_by_a_list_long_gone(self, *which: int) -> None:
        """What a till's list brought whose own row has been archived since."""
        from inventory.models import Movement, StockLevel

        now = self.shop.clock.now()
        for n in which:
            level = StockLevel.objects.get(item__sku=self.pairs[n][0])
            self.lists_gone += 1
            said = f"feed c0ffeec0ffee{self.lists_gone:04} {now:%Y%m%d%H%M%S}"
            Movement.objects.create(
                item=level.item, location=level.location, quantity=-2, kind="till", source=self.shop.pos,
                reference=f"{said} item {level.item_id} place {level.location_id}",
                occurred_at=now, recorded_at=now, reason="export that has been archived",
            )  # fmt: skip
            level.on_hand -= 2
            level.baseline -= 2
            level.last_reading = level.baseline
            level.save()
            self.shop.till.sell(self.pairs[n][0], 2)

    def unanswered(self) -> None:
        """Writes that the shop took and did not answer, a first look at an edit, and an order in the middle of the reading."""
        self.sold_by_a_list_long_gone(92, 93, 94)
        self.edit(self.pairs[100][1], 3)
        self.edit(self.pairs[101][1], -2)
        placed = []

        def buys(at: Any, done: int, total: int) -> None:
            if at == "store" and not placed:
                self.shop.clock.tick(seconds=20)
                placed.append(self.shop.app.place_order([(self.pairs[102][1], 1)]))

        self.shop.clock.tick(minutes=5)
        self.shop.app.faults.arm("close", method="POST", path="products/batch", applied=True, count=None)
        self.sync("full", may_wait=False, progress=buys)
        self.shop.app.faults.clear()
        self.shop.clock.tick(minutes=1)

    def killed(self) -> None:
        """A worker was killed in the middle: its run is running, its feed half applied, a write claimed, others waiting."""
        from alignment.models import Listing
        from inventory.models import Movement, StockLevel
        from sync.models import OutboundWrite, SyncRun, TillFeed

        now = self.shop.clock.now()
        run = SyncRun.objects.create(
            store=self.shop.store, kind="incremental", state="running", phase="till", epoch=99, started_at=now
        )  # fmt: skip
        identity = "beef" * 16 + f"@{now:%Y%m%dT%H%M%SZ}"
        feed = TillFeed.objects.create(
            connection=self.shop.pos, identity=identity, name=f"pos_export_{now:%Y%m%d_%H%M%S}.csv", state="applying",
            true_at=now, received_at=now, run=run, rows=147,
        )  # fmt: skip
        for n in (110, 111, 112):
            level = StockLevel.objects.get(item__sku=self.pairs[n][0])
            Movement.objects.create(
                item=level.item, location=level.location, quantity=-1, kind="till", source=self.shop.pos,
                reference=f"feed {identity[:16]} {now:%Y%m%d%H%M%S} item {level.item_id} place {level.location_id}",
                occurred_at=now, recorded_at=now, reason=feed.name,
            )  # fmt: skip
            level.on_hand, level.baseline = level.on_hand - 1, level.baseline - 1
            level.last_reading, level.read_at = level.baseline, now
            level.save()
        free = iter(
            Listing.objects.filter(connection=self.shop.store, baseline__isnull=False)
            .exclude(writes__state__in=["pending", "sending", "unknown"])
            .order_by("id")[:6]
        )
        level_free = iter(
            StockLevel.objects.exclude(writes__state__in=["pending", "sending", "unknown"]).filter(
                item__sku__in=[self.pairs[115][0], self.pairs[116][0], self.pairs[117][0]]
            )
        )
        for state in ("pending", "sending", "not_sent", "cancelled"):
            self.write(state, run, listing=next(free))
        for state in ("pending", "sending"):
            self.write(state, run, level=next(level_free))
        odd = self.write("unknown", run, listing=next(free))
        OutboundWrite.objects.filter(pk=odd.pk).update(at_most=1, failures=2)

    def heard_again(self) -> None:
        """A list without a date in its name came twice: the second time told what was put off at first."""
        from inventory.models import Movement, StockLevel
        from sync.models import TillFeed

        now, identity = self.shop.clock.now(), "f00d" * 16
        TillFeed.objects.create(
            connection=self.shop.pos, identity=identity, name="stock.csv", state="applied", true_at=now, received_at=now, rows=2
        )
        for n, at in ((113, now - timedelta(minutes=30)), (114, now)):
            level = StockLevel.objects.get(item__sku=self.pairs[n][0])
            Movement.objects.create(
                item=level.item, location=level.location, quantity=3, kind="till", source=self.shop.pos,
                reference=f"feed {identity[:16]} {at:%Y%m%d%H%M%S} item {level.item_id} place {level.location_id}",
                occurred_at=at, recorded_at=now, reason="stock.csv",
            )  # fmt: skip
            level.on_hand, level.baseline = level.on_hand + 3, level.baseline + 3
            level.last_reading, level.read_at = level.baseline, at
            level.save()

    def write(self, state: str, run: Any, **target: Any) -> Any:
        from sync.models import OutboundWrite

        now = self.shop.clock.now()
        asked = state in ("sending", "unknown", "not_sent")
        account = target.get("listing") or target["level"]
        return OutboundWrite.objects.create(
            connection=self.shop.store if "listing" in target else self.shop.pos, run=run, state=state,
            planned_from=account.baseline or 0, planned_to=(account.baseline or 0) - 1, delta=-1 if asked else None,
            reason="Sold at the till.", attempts=1 if asked else 0, epoch=99 if asked else 0, created_at=now,
            sent_at=now if asked else None, answered_at=now if state == "not_sent" else None,
            error="The shop was not reached." if state == "not_sent" else "", **target,
        )  # fmt: skip

    def prices_under_way(self) -> None:
        """Prices on their way to the till, and one that a person has approved and nobody has written yet."""
        from inventory.models import Item
        from sync.models import PriceReview, SyncRun, TillPrice

        at = self.shop.clock.now()
        for review in PriceReview.objects.filter(state="open")[:1]:
            review.state, review.decided_at, review.decided_by, review.reason = "approved", at, self.manager, "Go on"
            review.save()
        run = SyncRun.objects.filter(kind="prices").latest("id")
        for n, state in ((70, "pending"), (71, "unknown"), (72, "applied")):
            item = Item.objects.get(sku=self.pairs[n][0])
            TillPrice.objects.create(
                connection=self.shop.pos, item=item, alignment=item.alignments.first(), run=run, state=state,
                price_from=item.price,
                price_to=(item.price or Decimal(5)) + 1, reason="Changed in the shop", created_at=at,
                sent_at=None if state == "pending" else at, answered_at=at if state == "applied" else None,
            )  # fmt: skip

    def events(self) -> None:
        from sync.models import InboundEvent

        now = self.shop.clock.now()
        for n, state in enumerate(("new", "new", "failed", "done", "ignored")):
            InboundEvent.objects.create(
                connection=self.shop.store, topic="order.updated", resource_id=9100 + n, body_hash=f"{n:064x}",
                payload={"id": 9100 + n}, state=state, received_at=now, attempts=n, note="" if state == "new" else state,
            )  # fmt: skip

    # Who works here, and what runs by itself

    def staff(self) -> None:
        from django.contrib.admin.models import CHANGE, LogEntry
        from django.contrib.auth.models import Group, Permission, User
        from django.contrib.contenttypes.models import ContentType

        from alignment.models import Alignment, Listing
        from inventory.models import Item
        from sync.models import JobSlot

        def may(app: str, codename: str) -> Permission:
            return Permission.objects.get(content_type__app_label=app, codename=codename)

        moved = [may("sync", "view_jobslot"), may("sync", "change_heartbeat"), may("alignment", "view_listing"),
                 may("alignment", "change_listing")]  # fmt: skip
        for login, role in (("viewer", "Viewer"), ("manager", "Store manager"), ("lead", "Lead"), ("admin", "Administrator")):
            User.objects.create_user(login, password="pw", is_staff=True).groups.add(Group.objects.get(name=role))
        clerk = User.objects.create_user("clerk", password="pw", is_staff=True)
        clerk.user_permissions.set([*moved, may("sync", "resolve_conflict")])
        night = Group.objects.create(name="Night shift")
        night.permissions.set([moved[0], moved[2], may("inventory", "view_movement")])
        User.objects.create_user("watch", password="pw", is_staff=True).groups.add(night)
        JobSlot.objects.create(job="Outbox sweep", task="sync.tasks.outbox_sweep", slot=self.shop.clock.now(), state="done",
                               queued_at=self.shop.clock.now())  # fmt: skip
        for row in (Listing.objects.first(), JobSlot.objects.first(), Alignment.objects.first(), Item.objects.first()):
            LogEntry.objects.create(
                user=clerk, content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk),
                object_repr=str(row)[:200], action_flag=CHANGE, change_message="Looked at it.",
            )  # fmt: skip

    def schedule(self) -> None:
        from django_celery_beat.models import IntervalSchedule, PeriodicTask

        from sync.models import Heartbeat, JobSlot
        from sync.schedule import schedule_install

        schedule_install()
        changed = PeriodicTask.objects.get(name="Orders poll of store")
        changed.interval = IntervalSchedule.objects.get_or_create(every=17, period="minutes")[0]
        changed.save()
        off = PeriodicTask.objects.get(name="Price sync of store")
        off.enabled = False
        off.save()
        renamed = PeriodicTask.objects.get(name="Forget old scheduled runs")
        renamed.name = "Tidy up"
        renamed.save()
        now = self.shop.clock.now()
        for n, state in enumerate(("queued", "running", "failed", "set_aside", "skipped")):
            JobSlot.objects.create(
                job=f"Full sync of store {n}", task="sync.tasks.sync_store", slot=now, state=state, attempts=n, queued_at=now,
                sent_at=now, worker="one:4711", until=now + timedelta(minutes=20), message=f"It {state}.",
            )  # fmt: skip
        Heartbeat.objects.create(name="schedule", at=now, process="one:4712", silent_since=now, noticed_at=now)

    def figures(self) -> None:
        from reporting.models import ReportDelivery, ReportMail
        from reporting.services.metrics import metrics_record

        now = self.shop.clock.now()
        metrics_record(now=now)
        mail = ReportMail.objects.create(every="daily", to="shop@example.com", since=now)
        ReportDelivery.objects.create(
            mail=mail, every="daily", last=now.date(), to="shop@example.com", state="pending", created_at=now, next_attempt_at=now
        )


def _places_forget() -> None:
    """Addresses and folders of the machine that it was made on."""
    from connectors.models import Connection

    for model in (Connection, Connection.history.model):
        for row in model.objects.all():
            url = {"url": f"https://{row.name}.example"} if row.kind == "woocommerce" else {"folder": "till"}
            row.settings = {**{name: row.settings[name] for name in row.settings.keys() - {"ca_file"}}, **url}
            model.objects.filter(pk=row.pk).update(settings=row.settings)
    for row in Connection.objects.all():
        keys = {"consumer_key": f"ck_{row.name}", "consumer_secret": f"cs_{row.name}"}
        Connection.objects.filter(pk=row.pk).update(credentials=keys if row.kind == "woocommerce" else {})


def _plain(value: Any) -> Any:
    """Result: a value as text or number, the same for every database."""
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _tables() -> Iterator[tuple[str, dict[str, Any]]]:
    from django.apps import apps

    for model in sorted(apps.get_models(include_auto_created=True), key=lambda one: one._meta.db_table):
        if model._meta.proxy or not model._meta.managed or model._meta.db_table in LEFT_OUT:
            continue
        fields = model._meta.concrete_fields
        rows = [[_plain(field.value_from_object(row)) for field in fields] for row in model._base_manager.order_by("pk")]
        if rows:
            yield model._meta.db_table, {"columns": [field.column for field in fields], "rows": rows}


def _as_text(heads: list[tuple[str, str]], tables: dict[str, dict[str, Any]]) -> str:
    """Result: JSON, a line for each row, so that people can read it."""

    def compact(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    parts = []
    for name, table in tables.items():
        rows = ",\n".join(map(compact, table["rows"]))
        parts.append(f'"{name}":{{"columns":{compact(table["columns"])},"rows":[\n{rows}\n]}}')
    whole = ",\n".join(parts)
    return f'{{"commit":"{COMMIT}","heads":{compact(heads)},"tables":{{\n{whole}\n}}}}\n'


def dump(target: Path) -> None:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    heads = sorted(MigrationLoader(connection).graph.leaf_nodes())
    text = _as_text(heads, dict(_tables()))
    for word in TELLS_WHERE:
        assert word not in text, text[text.index(word) - 200 : text.index(word) + 50]
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
