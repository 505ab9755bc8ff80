"""A store, its till, and one of everything the engine writes down. Names come from outside, so they are hostile."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from simple_history.utils import bulk_create_with_history

from alignment.models import Alignment
from connectors.models import Connection
from inventory.models import StockLevel
from sync.models import Order, OrderLine, OutboundWrite, RunProblem, SyncLog, SyncRun, SyncState, TillFeed
from tests import factories as make
from tests.admin_pages import EVIL

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STORE_PK = 731_001  # unlike any other test's, so that its messages can be told apart in a shared queue


@dataclass
class World:
    till: Connection
    store: Connection
    pair: Alignment
    level: StockLevel
    run: SyncRun
    held: SyncRun
    feed: TillFeed
    refused: OutboundWrite
    order: Order


def world() -> World:
    till, store = make.pos_connection(), make.store_connection(pk=STORE_PK)
    item = make.item(till, "MUG-1", name=f"Mug {EVIL}", category=f"Cups {EVIL}")
    listing = make.listing(store, "MUG-ONE", name=f"Mug online {EVIL}", baseline=Decimal(9), quantity=Decimal(9))
    pair, level = make.alignment(item, listing), make.level(item, 12)
    make.supply(store, level.location)
    run = SyncRun.objects.create(
        store=store,
        kind="full",
        state="partial",
        phase="finished",
        started_at=AT,
        finished_at=AT + timedelta(seconds=83),
        counts={"pairs": 1, "writes": 1, "failures": 1, "made_up_count": 3},
        message=f"1 pair is in step. {EVIL}",
    )
    held = SyncRun.objects.create(
        store=store,
        kind="incremental",
        state="held",
        phase="plan",
        started_at=AT,
        finished_at=AT,
        counts={"changes": 2},
        held_for=[f"2 of 3 products would be sold out. {EVIL}"],
        message="2 of 3 products would be sold out.",
        preview=[
            {"sku": "MUG-1", "woo_sku": "MUG-ONE", "from": "10", "to": "0"},
            {"sku": EVIL, "woo_sku": EVIL, "from": "3", "to": "4"},
        ],
    )
    RunProblem.objects.create(
        run=run,
        connection=till,
        subject=EVIL,
        line=7,
        code="bad_row",
        message=f"No number: {EVIL}",
        next_step=f"Correct it {EVIL}",
    )
    state = SyncState(
        alignment=pair,
        pos=till,
        woo=store,
        pos_sku="MUG-1",
        woo_sku="MUG-ONE",
        pos_quantity=Decimal(12),
        woo_quantity=Decimal(9),
        sync_status="pending",
        reason=f"The shop should show 12. {EVIL}",
    )
    bulk_create_with_history([state], SyncState, default_change_reason=f"{run}")
    SyncLog.objects.create(
        alignment=pair, run=run, at=AT, source="pos", action="qty_update", old_value="11", new_value="12", reason=EVIL
    )
    refused = OutboundWrite.objects.create(
        connection=store,
        listing=listing,
        run=run,
        state="rejected",
        planned_from=9,
        planned_to=12,
        delta=3,
        created_at=AT,
        error=f"Refused: {EVIL}",
        error_code="rejected",
    )
    OutboundWrite.objects.create(
        connection=till, level=level, run=run, state="applied", planned_from=13, planned_to=12, delta=-1, created_at=AT
    )
    feed = TillFeed.objects.create(
        connection=till,
        identity="0" * 64,
        name=f"{EVIL}.csv",
        state="held",
        true_at=AT,
        received_at=AT,
        run=held,
        rows=3,
        good_rows=2,
        message=f"Half the items are gone. {EVIL}",
    )
    order = Order.objects.create(
        connection=store, remote_id=5, number=f"512{EVIL}", status="processing", created_at=AT, modified_at=AT
    )
    OrderLine.objects.create(
        order=order, remote_id=1, listing=listing, sku=EVIL, name=f"Mug {EVIL}", ordered=2, taken=2, booked=2
    )
    return World(till, store, pair, level, run, held, feed, refused, order)


def many(world: World, rows: int) -> None:
    """So many more rows of every list."""
    items = make.items(world.till, [(f"SKU-{number:04}", f"Thing {number}", "") for number in range(rows)])
    listings = make.listings(
        world.store,
        [
            {
                "id": 50_000 + number,
                "parent_id": 0,
                "type": "simple",
                "sku": f"SKU-{number:04}",
                "name": f"Thing {number}",
                "global_unique_id": "",
                "status": "publish",
                "manage_stock": True,
            }
            for number in range(rows)
        ],
    )
    pairs = Alignment.objects.bulk_create(
        [
            Alignment(item=item, listing=listing, match_type="exact", confidence=1, status="confirmed")
            for item, listing in zip(items, listings, strict=True)
        ]
    )
    SyncState.objects.bulk_create(
        [
            SyncState(alignment=pair, pos=world.till, woo=world.store, pos_sku=pair.item.sku, woo_sku=pair.listing.sku)
            for pair in pairs
        ]
    )
    runs = SyncRun.objects.bulk_create(
        [SyncRun(store=world.store, kind="full", state="done", started_at=AT, finished_at=AT) for _ in range(rows)]
    )
    for number, (pair, run) in enumerate(zip(pairs, runs, strict=True)):
        RunProblem.objects.create(run=run, connection=world.till, subject="x", code="x", message="x")
        SyncLog.objects.create(alignment=pair, run=run, at=AT, source="woo", action="qty_update")
        OutboundWrite.objects.create(
            connection=world.store, listing=pair.listing, run=run, state="applied", planned_from=1, planned_to=2, created_at=AT
        )
        TillFeed.objects.create(
            connection=world.till, identity=str(number), name="x", state="applied", true_at=AT, received_at=AT, run=run
        )
        order = Order.objects.create(
            connection=world.store, remote_id=100 + number, number=str(number), status="done", created_at=AT, modified_at=AT
        )
        OrderLine.objects.create(order=order, remote_id=1, ordered=1, taken=1)
