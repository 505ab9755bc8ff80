"""A lively shop, written straight into the tables: `python -m tests.browser.seed`. What every page needs to have something on it.

Times are relative to now, since pages say “4 minutes ago”; everything else is the same each time.
"""

import csv
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

HYDRO = Path(__file__).parents[2] / "sandbox" / "data" / "hydro" / "pos_export.csv"
PASSWORD = "in step"
# Login → the role it has; "root" has none and may do everything, "nobody" has none and may do nothing.
LOGINS = {
    "viewer": "Viewer",
    "manager": "Store manager",
    "lead": "Lead",
    "administrator": "Administrator",
    "root": "",
    "nobody": "",
}
NAMES = {"manager": ("Maya", "Brandt"), "lead": ("Jonas", "Weber"), "viewer": ("Ada", "Lind")}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    if products := int(os.environ.get("SEED_PRODUCTS", "600")):
        shop_seed(now=timezone.now(), products=products)
    else:  # nothing is set up yet
        people_seed()
    sessions_seed()


def session_key(login: str) -> str:
    """Result: what the cookie of somebody who is logged in already says."""
    return f"browser-session-of-{login}"


def sessions_seed() -> None:
    """Everybody is logged in already, so that a test need not begin with it."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    for person in User.objects.filter(username__in=LOGINS):
        said = {
            SESSION_KEY: str(person.pk),
            HASH_SESSION_KEY: person.get_session_auth_hash(),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        }
        Session.objects.create(
            session_key=session_key(person.username),
            session_data=SessionStore().encode(said),
            expire_date=timezone.now() + timedelta(days=1),
        )


def shop_seed(*, now: datetime, products: int = 600) -> None:
    """People, a till, a shop, their products, and a month of what happened."""
    people_seed()
    _Shop(now, products).seed()


def people_seed() -> None:
    """One login for each role."""
    from django.contrib.auth.models import Group, User

    for login, role in LOGINS.items():
        first, last = NAMES.get(login, ("", ""))
        person = User.objects.create_user(
            login, password=PASSWORD, is_staff=True, is_superuser=login == "root", first_name=first, last_name=last
        )
        if role:
            person.groups.add(Group.objects.get(name=role))


class _Shop:
    def __init__(self, now: datetime, products: int) -> None:
        self.now, self.random = now, Random(7)
        with HYDRO.open(encoding="utf-8", newline="") as file:
            self.rows = [row for _, row in zip(range(products), csv.DictReader(file), strict=False)]

    def ago(self, **span: float) -> datetime:
        return self.now - timedelta(**span)

    def seed(self) -> None:
        from tests.ledger import keeping

        with keeping():
            self.connections()
            self.products()
            self.pairs()
            self.set_up()
            self.runs()
            self.traffic()
            self.conflicts()
            self.orders()
            self.stories()
            self.rules()
            self.month()
            self.mails()
            self.alerts()

    def connections(self) -> None:
        from connectors.models import ApiCall, Connection

        self.till = Connection.objects.create(
            name="high-street-till", kind="pos_csv", mode="live", settings={"folder": "till"}, currency="USD",
            last_ok_at=self.ago(minutes=4), time_zone="America/New_York",
        )  # fmt: skip
        self.store = Connection.objects.create(
            name="web-shop", kind="woocommerce", mode="live", settings={"url": "https://shop.example"}, currency="USD",
            last_ok_at=self.ago(seconds=40), time_zone="America/New_York", facts={"WooCommerce": "10.5", "products": 2875},
        )  # fmt: skip
        ApiCall.objects.bulk_create(
            ApiCall(
                connection=self.store,
                at=self.ago(seconds=30 * place),
                method="GET" if place % 5 else "POST",
                path="/wp-json/wc/v3/products" if place % 5 else "/wp-json/wc/v3/products/batch",
                status=200 if place != 17 else 503,
                latency_ms=180 + self.random.randrange(160),
                error="" if place != 17 else "The shop answered 503: maintenance.",
            )
            for place in range(130)
        )

    def products(self) -> None:
        from alignment.models import StoreLocation
        from inventory.models import Item, Listing, Location, Movement, StockLevel
        from kit.sku import sku_key
        from tests.ledger import booked, moved

        place = Location.objects.create(connection=self.till, remote_name="", name="High Street")
        StoreLocation.objects.create(store=self.store, location=place, buffer=Decimal(0))
        self.asked = {12: ("38.90", "29.90", "21"), 13: ("14.90", "18.90", "16")}  # the till's price, the shop's, and the cost
        self.items = Item.objects.bulk_create(
            Item(
                connection=self.till, sku=row["SKU"], sku_key=sku_key(row["SKU"]), name=row["Description"], barcode=row["UPC"],
                category=row["Department"], vendor=row["Vendor"], price=Decimal(row["Retail Price"].strip("$") or 0),
                cost=Decimal(row["Cost"].strip("$") or 0), first_seen_at=self.ago(days=40),
            )
            for row in self.rows
        )  # fmt: skip
        for n, (price, _shown, cost) in self.asked.items():
            self.items[n].price, self.items[n].cost = Decimal(price), Decimal(cost)
            self.items[n].save()
        self.on_hand = [Decimal(self.random.randrange(0, 40)) for _ in self.items]
        self.levels = StockLevel.objects.bulk_create(
            StockLevel(
                item=item, location=place, on_hand=count, baseline=count, last_reading=count, read_at=self.ago(minutes=4)
            )
            for item, count in zip(self.items, self.on_hand, strict=True)
        )  # fmt: skip
        booked(
            moved(
                item=item, location=place, quantity=count + 2, kind=Movement.Kind.OPENING, source=self.till,
                of=f"opening of {item.sku}", occurred_at=self.ago(days=30), recorded_at=self.ago(days=30),
            )
            for item, count in zip(self.items, self.on_hand, strict=True)
        )  # fmt: skip
        self.sales = booked(
            moved(
                item=item, location=place, quantity=Decimal(-2), kind=Movement.Kind.TILL, source=self.till,
                of=f"export of {n}", occurred_at=self.ago(minutes=20 + 9 * n), recorded_at=self.ago(minutes=19.8 + 9 * n),
            )
            for n, item in enumerate(self.items)
        )  # fmt: skip
        self.listings = Listing.objects.bulk_create(
            Listing(
                connection=self.store, remote_id=500 + n, kind="simple", sku=item.sku.lower(), sku_key=item.sku_key,
                name=item.name, barcode=item.barcode, status="publish", stock_management=Listing.Management.OWN,
                price=Decimal(self.asked[n][1]) if n in self.asked else item.price,
                quantity=self.on_hand[n], baseline=self.on_hand[n], read_at=self.ago(minutes=4), opened_at=self.ago(days=30),
                first_seen_at=self.ago(days=40),
            )
            for n, item in enumerate(self.items)
        )  # fmt: skip
        wanted = self.items[-4]  # its proposal is a near miss of this one
        self.other = Listing.objects.create(
            connection=self.store, remote_id=9000, kind="simple", sku=f"{wanted.sku.lower()}-new", sku_key=f"{wanted.sku_key}new",
            name=f"{wanted.name} (new)", status="publish", stock_management=Listing.Management.OWN, price=wanted.price,
            quantity=Decimal(3), read_at=self.ago(minutes=4), first_seen_at=self.ago(days=2),
        )  # fmt: skip

    def pairs(self) -> None:
        from simple_history.utils import bulk_create_with_history

        from alignment.models import Alignment
        from sync.models import SyncState

        kinds = [Alignment.MatchType.EXACT, Alignment.MatchType.BARCODE, Alignment.MatchType.FUZZY]
        proposed = range(len(self.items) - 4, len(self.items))
        self.alignments = bulk_create_with_history(
            [
                Alignment(
                    item=item,
                    listing=listing,
                    match_type=kinds[n % 3],
                    confidence=Decimal("0.99") if n not in proposed else Decimal("0.87"),
                    evidence="same barcode" if n % 3 == 1 else "same SKU",
                    status=Alignment.Status.PROPOSED if n in proposed else Alignment.Status.CONFIRMED,
                    others=[{"listing": self.other.pk, "confidence": 0.71, "evidence": "the names are alike"}]
                    if n == proposed[0]
                    else [],
                )
                for n, (item, listing) in enumerate(zip(self.items, self.listings, strict=True))
            ],
            Alignment,
        )
        self.confirmed = self.alignments[:-4]
        off = {0: 15, 1: 12, 2: -4}  # what the conflicts below say
        states = []
        for n, pair in enumerate(self.confirmed):
            count = self.on_hand[n]
            shows: Decimal | None = count + off.get(n, 0)
            status, reason = SyncState.Status.SYNCED, ""
            if n in off:
                status, reason = SyncState.Status.CONFLICT, "Nothing explains the shop's number. Settle it under Conflicts."
            elif n == 5:
                status, reason, shows = SyncState.Status.PENDING, f"The shop should show {count:f}.", count + 2
            elif n == 6:
                status, reason = SyncState.Status.ERROR, "The shop refused it: the product is locked by another plugin."
            elif n == 7:
                status, reason, shows = SyncState.Status.CONFLICT, "The shop doesn't count this product: unknown, not zero.", None
            states.append(
                SyncState(
                    alignment=pair, pos=self.till, woo=self.store, pos_sku=pair.item.sku, woo_sku=pair.listing.sku,
                    pos_quantity=count, woo_quantity=shows, pos_price=pair.item.price, woo_price=pair.listing.price,
                    sync_status=status, reason=reason, last_sync=self.ago(minutes=4), last_pos_update=self.ago(hours=2),
                )
            )  # fmt: skip
        bulk_create_with_history(states, SyncState)

    def set_up(self) -> None:
        """How it began: both sides tested, and a shadow run before going live."""
        from connectors.models import ConnectionCheck
        from sync.models import PlannedChange, SyncRun

        till = [
            "The folder is there and files in it can be moved.", "“pos_export.csv” can be read: 2,554 rows, 2,554 readings.",
            "Columns: sku in “SKU”; name in “Description”; quantity in “Qty On Hand”.",
        ]  # fmt: skip
        shop = [
            "The shop answers over https.", "The key may read: the shop has 2875 products.", "WooCommerce 10.5, prices in USD.",
            "Stock management is switched on. The shop counts whole units: what the till sells by weight is rounded down.",
            "Prices are typed in with 2 decimals; tax is added to them.", "The key may write.",
            "The shop's clock agrees with ours.",
        ]  # fmt: skip
        for connection, said in ((self.till, till), (self.store, shop)):
            ConnectionCheck.objects.create(
                connection=connection, at=self.ago(days=46), is_ok=True, mark=connection.mark(),
                findings=[{"tone": "ok", "message": one, "next_step": ""} for one in said],
            )  # fmt: skip
        changed = self.confirmed[:30]
        run = SyncRun.objects.create(
            store=self.store, kind=SyncRun.Kind.FULL, state=SyncRun.State.DONE, phase=SyncRun.Phase.FINISHED, is_observed=True,
            started_at=self.ago(days=45), finished_at=self.ago(days=45, minutes=-2),
            counts={"pairs": len(self.confirmed), "changes": len(changed)}, message="30 numbers would change.",
        )  # fmt: skip
        numbers = [(pair, n % 4 + 2, (n * 7) % 23 + 40 if n % 3 else 1 - n % 2) for n, pair in enumerate(changed, 3)]
        PlannedChange.objects.bulk_create(
            PlannedChange(run=run, alignment=pair, field="quantity", shows=shows, target=target, size=abs(target - shows))
            for pair, shows, target in numbers
        )

    def runs(self) -> None:
        from sync.models import RunProblem, SyncLog, SyncRun, TillFeed

        state, kind = SyncRun.State, SyncRun.Kind
        self.held_reason = "It would set 212 products to zero: 8 % of all, and you allow 5 %."
        self.run = None
        for n in range(60, 0, -1):
            failed = n == 44  # a good while ago
            self.run = SyncRun.objects.create(
                store=self.store,
                kind=kind.FULL if n % 12 == 0 else kind.INCREMENTAL,
                state=state.FAILED if failed else state.PARTIAL if n == 3 else state.DONE,
                phase=SyncRun.Phase.FINISHED,
                started_at=self.ago(minutes=40 * n - 36),
                finished_at=self.ago(minutes=40 * n - 36.4),
                counts={"pairs": 116, "in_step": 110, "changes": 6, "writes": 6, "orders": 3, "failures": 1 if n == 3 else 0},
                message="The shop did not answer." if failed else "6 numbers were written to the shop.",
            )
        self.last_run = self.run
        preview = [{"sku": pair.item.sku, "woo_sku": pair.listing.sku, "from": "12", "to": "0"} for pair in self.confirmed[20:40]]
        self.held = SyncRun.objects.create(
            store=self.store, kind=kind.FULL, state=state.HELD, phase=SyncRun.Phase.PLAN, started_at=self.ago(minutes=9),
            counts={"pairs": 116, "changes": 212}, preview=preview, held_for=[self.held_reason], message=self.held_reason,
        )  # fmt: skip
        RunProblem.objects.create(
            run=self.last_run, connection=self.store, subject="adv-bigbud-10l", code="locked", line=14,
            message="The shop refused it: the product is locked by another plugin.",
            next_step="Unlock it in the shop, then try again.",
        )  # fmt: skip
        SyncLog.objects.bulk_create(
            SyncLog(
                alignment=pair, run=self.last_run, at=self.ago(minutes=15), source=SyncLog.Source.POS,
                action=SyncLog.Action.QUANTITY, old_value=f"{n + 3}", new_value=f"{n + 1}", reason="Sold at the till.",
            )
            for n, pair in enumerate(self.confirmed[:12])
        )  # fmt: skip
        for n, held in enumerate((True, False, False)):
            self.feed = TillFeed.objects.create(
                connection=self.till, identity=self.held_file() if held else f"{n:x}" * 64, name=f"export_{n}.csv",
                true_at=self.ago(minutes=19 + 15 * n),
                received_at=self.ago(minutes=18 + 15 * n), rows=2554, good_rows=2551, run=self.held if held else self.last_run,
                state=TillFeed.State.HELD if held else TillFeed.State.APPLIED,
                message="It lists 28 % fewer items than the last one." if held else "3 rows could not be read.",
            )  # fmt: skip

    def held_file(self) -> str:
        """The export that is held, in the till's folder. Result: its identity."""
        from django.conf import settings

        counts = zip(self.items, self.on_hand, strict=True)
        content = "SKU,On hand\n" + "".join(f"{item.sku},{count:f}\n" for item, count in counts)
        identity = sha256(content.encode()).hexdigest()
        folder = settings.DATA_DIR / "till" / "held"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{self.ago(minutes=18):%Y%m%dT%H%M%SZ}_{identity[:12]}_export_0.csv"
        (folder / name).write_text(content, encoding="utf-8")
        return identity

    def traffic(self) -> None:
        from sync.models import OutboundWrite

        state = OutboundWrite.State
        states = [state.APPLIED] * 60 + [state.REJECTED] * 2 + [state.PENDING, state.UNKNOWN]
        writes = []
        for n, outcome in enumerate(states):
            count, sold = self.on_hand[n], self.sales[n].recorded_at
            answered = outcome in (state.APPLIED, state.REJECTED)
            sent = sold + timedelta(seconds=8 + self.random.randrange(30))
            writes.append(
                OutboundWrite(
                    connection=self.store, listing=self.listings[n], run=self.last_run, state=outcome, planned_from=count + 2,
                    planned_to=count, delta=Decimal(-2), reason="Sold at the till.",
                    created_at=self.ago(seconds=50) if outcome == state.PENDING else sold,
                    sent_at=None if outcome == state.PENDING else sent,
                    answered_at=sent + timedelta(seconds=1) if answered else None,
                    error="The product is locked by another plugin." if outcome == state.REJECTED else "",
                )
            )  # fmt: skip
        OutboundWrite.objects.bulk_create(writes)

    def conflicts(self) -> None:
        from django.contrib.auth.models import User
        from simple_history.utils import bulk_create_with_history

        from sync.models import PriceReview, SyncConflict

        whys = {
            0: ("Edited in the shop at 08:12; no order, refund or delivery explains it.", SyncConflict.Class.CRITICAL, 15, 41),
            1: ("The till's count found none; the shop still offers them.", SyncConflict.Class.CRITICAL, 12, 58),
            2: ("Seen twice, 15 minutes apart.", SyncConflict.Class.MAJOR, -4, 130),
        }
        rows = [
            SyncConflict(
                store=self.store, alignment=self.confirmed[n], conflict_type=SyncConflict.Type.QUANTITY, why=why,
                pos_value=f"{self.on_hand[n]:f}", woo_value=f"{self.on_hand[n] + off:f}", difference=Decimal(off),
                drift_class=size,
                detected_at=self.ago(minutes=minutes),
            )
            for n, (why, size, off, minutes) in whys.items()
        ]  # fmt: skip
        rows += [
            SyncConflict(
                store=self.store, alignment=self.confirmed[30 + n], conflict_type=SyncConflict.Type.QUANTITY, pos_value="8",
                woo_value="9", difference=Decimal(1), drift_class=SyncConflict.Class.MINOR,
                detected_at=self.ago(hours=30 * n + 5),
                resolved_at=self.ago(hours=30 * n + 5), resolution=SyncConflict.Resolution.POS,
                reason="Small: the till won by rule.",
            )
            for n in range(20)
        ]  # fmt: skip
        how = SyncConflict.Resolution
        rows += [  # settled by a person; the second one is left as it is
            SyncConflict(
                store=self.store, alignment=self.confirmed[n], conflict_type=SyncConflict.Type.QUANTITY, why=whys[2][0],
                pos_value=f"{self.on_hand[n]:f}", woo_value=f"{self.on_hand[n] + 5:f}", difference=Decimal(5),
                drift_class=SyncConflict.Class.MAJOR, detected_at=self.ago(hours=3), resolved_at=self.ago(hours=2),
                resolution=resolution, is_left=resolution == how.IGNORED, reason=reason,
                resolved_by=User.objects.get(username="manager"),
            )
            for n, resolution, reason in ((51, how.WOO, "Trust the shop"), (52, how.IGNORED, "Five more come with each delivery"))
        ]  # fmt: skip
        bulk_create_with_history(rows, SyncConflict)
        for n, (_, _, off, minutes) in whys.items():  # the shop shows what its conflict says
            listing = self.listings[n]
            listing.quantity, listing.suspect, listing.suspected_at = (
                self.on_hand[n] + off,
                Decimal(off),
                self.ago(minutes=minutes),
            )
            listing.save()
        self.conflict = SyncConflict.objects.filter(resolved_at=None).order_by("-difference").first()

        figures = ((12, "30.1", "29.8", "46.0", "30 % up: more than your 20 %."),
                   (13, "-21.2", "15.3", "-7.4", "21 % down: more than your 20 %. It is below its cost."))  # fmt: skip
        for n, change, before, after, why in figures:
            price, shown, cost = map(Decimal, self.asked[n])
            PriceReview.objects.create(
                store=self.store, alignment=self.confirmed[n], price_source="pos", currency="USD", source_price=price,
                old_price=shown, new_price=price, change_percent=Decimal(change), cost=cost, margin_before=Decimal(before),
                margin_after=Decimal(after), why=why, detected_at=self.ago(hours=2),
            )  # fmt: skip

    def orders(self) -> None:
        from sync.models import HookHealth, InboundEvent, Order, OrderLine

        for n in range(12):
            self.order = Order.objects.create(
                connection=self.store, remote_id=5100 + n, number=str(5100 + n), status="processing" if n % 3 else "completed",
                currency="USD", created_at=self.ago(hours=n + 1), modified_at=self.ago(hours=n), told_at=self.ago(hours=n),
            )  # fmt: skip
            OrderLine.objects.create(
                order=self.order, remote_id=1, listing=self.listings[n], sku=self.listings[n].sku, name=self.listings[n].name,
                ordered=Decimal(2), taken=Decimal(2), booked=Decimal(2),
            )  # fmt: skip
            InboundEvent.objects.create(
                connection=self.store, topic="order.updated", resource_id=5100 + n, body_hash=f"{n:064x}",
                payload={"id": 5100 + n},
                state=InboundEvent.State.FAILED if n == 4 else InboundEvent.State.DONE, received_at=self.ago(hours=n),
                done_at=self.ago(hours=n), note="Its order could not be read." if n == 4 else "Booked.",
            )  # fmt: skip
        HookHealth.objects.create(
            connection=self.store, state=HookHealth.State.WORKING, message="4 webhooks are in place.",
            checked_at=self.ago(minutes=6)
        )  # fmt: skip

    def stories(self) -> None:
        """What else moved of the first product: sold online, given back, delivered. It adds up to nothing."""
        from django.contrib.auth.models import User

        from inventory.models import Movement
        from tests.ledger import booked, moved

        kind, manager = Movement.Kind, User.objects.get(username="manager")
        moves: Sequence[tuple[int, str, Any, tuple[Any, ...], float, str, Any]] = (
            (-3, kind.ONLINE, self.store, ("order", "5100", "1", 1), 70, "Order 5100, processing", None),
            (1, kind.ONLINE, self.store, ("order", "5100", "1", 2), 68, "Order 5100, completed", None),
            (3, kind.TILL, self.till, ("feed", "1" * 64), 44, "export_1.csv", None),
            (-1, kind.TILL, self.till, ("conflict", "9000"), 30, "Counted: one was broken", manager),
        )
        for quantity, of, source, reference, hours, reason, by in moves:
            booked([moved(
                item=self.items[0], location=self.levels[0].location, quantity=Decimal(quantity), kind=of, source=source,
                of=reference, occurred_at=self.ago(hours=hours), recorded_at=self.ago(hours=hours - 0.05), reason=reason,
                by=by,
            )])  # fmt: skip

    def rules(self) -> None:
        from alerts.models import Channel, Threshold
        from jobs.schedule import schedule_install
        from sync.models import SyncPolicy

        SyncPolicy.objects.create(category="Nutrients", policy=SyncPolicy.Policy.POS_WINS, minor_to=Decimal(3))
        SyncPolicy.objects.create(item=self.items[9], policy=SyncPolicy.Policy.MANUAL_REVIEW)
        Threshold.objects.create(category="Lighting", low_stock_below=Decimal(4))
        Channel.objects.create(name="Managers", kind=Channel.Kind.EMAIL, settings={"to": ["shop@example.com"]})
        schedule_install()

    def mails(self) -> None:
        """Reports by mail: one that arrives, one whose address is refused."""
        from reporting.models import ReportDelivery, ReportMail

        state, day = ReportDelivery.State, (self.now - timedelta(days=1)).date()
        for every, to, outcome in (("daily", "shop@example.com", state.SENT), ("weekly", "owner@example.com", state.HELD)):
            mail = ReportMail.objects.create(every=every, to=to, since=self.ago(days=30))
            refused = "The mail server refuses every recipient: owner@example.com. Check the addresses."
            ReportDelivery.objects.create(
                mail=mail, every=every, last=day, to=to, state=outcome, attempts=1, created_at=self.ago(hours=5),
                next_attempt_at=self.ago(hours=5), sent_at=self.ago(hours=5) if outcome == state.SENT else None,
                error=refused if outcome == state.HELD else "",
            )  # fmt: skip

    def month(self) -> None:
        """29 days of figures that got better, with a bad day in between."""
        from reporting.models import DailyMetric

        rows = []
        for n in range(29, 0, -1):
            day = (self.now - timedelta(days=n)).date()
            noise = self.random.random()
            in_step = min(2461, 2380 + 3 * (29 - n) + int(6 * noise))
            bad = n == 11
            rows.append(
                DailyMetric(
                    connection=self.store, day=day, items=2554, items_aligned=min(2470, 2330 + 5 * (29 - n)), pairs=2464,
                    pairs_known=2462, pairs_in_step=in_step, conflicts=7 if bad else int(1 + 4 * noise), drift_minor=2,
                    drift_major=1, runs_ended=94 if bad else 96, runs_failed=2 if bad else 0,
                    writes_applied=int(330 + 160 * noise), writes_refused=1 if n % 9 == 0 else 0, latency_median=Decimal(12),
                    latency_p95=Decimal(str(round(420 if bad else 30 + 40 * noise + n, 1))), calls=2400,
                    calls_failed=9 if bad else 1,
                    call_median=Decimal(230), call_p95=Decimal(410), measured_at=self.ago(days=n - 1),
                )
            )  # fmt: skip
        DailyMetric.objects.bulk_create(rows)

    def alerts(self) -> None:
        from alerts.models import Alert

        common: dict[str, Any] = {"connection": self.store, "last_seen_at": self.now}
        rows: Sequence[tuple[str, int, str, str, str]] = (
            (
                "negative_stock",
                30,
                self.items[3].name,
                "Sold at both sides within a minute: the shelf is at −1.",
                "Count the shelf.",
            ),
            ("write_refused", 20, self.items[6].name, "The shop refused its number twice.", "Unlock the product in the shop."),
            ("low_stock", 10, self.items[8].name, "3 are left; you want to know below 4.", "Order more."),
        )
        for n, (rule, severity, title, words, step) in enumerate(rows):
            self.alert = Alert.objects.create(
                rule=rule, subject=f"{rule}-{n}", severity=severity, title=title, words=words, next_step=step,
                since=self.ago(hours=n + 1), opened_at=self.ago(hours=n + 1), item=self.items[n], **common,
            )  # fmt: skip


if __name__ == "__main__":
    main()
