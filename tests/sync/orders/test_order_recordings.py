"""Every recorded state of an order (d*), through the mapping and the booking: the ledger must follow the shop's stock.

What each state should hold is written down here by hand from what was measured at the real shop (its own stock numbers where the
recordings have them, else the rules found there), not worked out from the field the mapping reads.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import OrderState
from connectors.woocommerce.mapping import order_from
from inventory.models import Listing, Movement, StockLevel
from sync.models import Order, OrderLine, SyncRun
from sync.orders.apply import orders_apply
from sync.turns.context import RunContext, Side
from tests import factories as make
from tests.conformance.recordings import RECORDINGS

pytestmark = pytest.mark.django_db
OPENED = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)  # than every recording: no order is dated ahead
SHELF = Decimal(100)

# Units of each listing that the order holds once it is in this state.
HELD: dict[str, dict[int, int]] = {
    "d01_create_auto-draft": {680: 0},
    "d01_create_cancelled": {668: 0},
    "d01_create_checkout-draft": {677: 0},
    "d01_create_completed": {666: 2},
    "d01_create_failed": {671: 0},
    "d01_create_on-hold": {663: 2},
    "d01_create_pending": {657: 0},
    "d01_create_processing": {660: 2},
    "d01_create_refunded": {674: 0},
    "d02_cancelled_then_completed": {668: 2},
    "d02_completed_then_refunded": {666: 2},  # refunded by status alone gives nothing back
    "d02_failed_then_processing": {671: 2},
    "d02_on-hold_then_failed": {663: 2},  # nor does failing
    "d02_on-hold_then_processing": {663: 2},
    "d02_pending_then_cancelled": {657: 0},
    "d02_pending_then_completed": {657: 2},
    "d02_pending_then_processing": {657: 2},
    "d02_processing_then_cancelled": {660: 0},
    "d02_processing_then_on-hold": {660: 2},
    "d02_processing_then_pending": {660: 0},
    "d02_processing_then_processing": {660: 2},
    "d03_set_paid": {683: 1},
    "d03b_no_status": {686: 0},
    "d04_oversell": {690: 5},
    "d05_line_item_by_sku": {693: 1},
    "d05b_line_item_unknown_product": {},
    "d10_refund_partial_default_order_after": {695: 3},
    "d10b_refund_partial_restock_order_after": {698: 3},
    "d10c_refund_partial_norestock_order_after": {701: 5},
    "d11_refund_full_order_after": {704: 0},
    "d12_refund_then_cancel_order_after": {707: 3},
    "d12b_cancel_after_partial_refund": {707: 0},
    "d13_refund_norestock_then_cancel_order_after": {710: 5},
    "d20_edit_quantity_up": {721: 5},
    "d20b_edit_quantity_down": {721: 1},
    "d21_add_item_to_processing": {721: 1, 724: 3},
    "d22_remove_item": {721: 0, 724: 3},
    "d23_trash_order": {727: 2},
    "d23b_get_trashed_order": {727: 2},
    "d23c_force_delete_order": {727: 2},
    "d33_order_with_variation": {158: 1},  # the variation, not its product 155
    "d34_order_of_deleted_product": {},
    "d41d_pending_order_with_reservation": {684: 0},  # reserved for a shopper, which the stock doesn't show
}


def is_order(body: Any) -> bool:
    return isinstance(body, dict) and "line_items" in body and "date_modified_gmt" in body


ORDERS = {
    name: one
    for name, one in RECORDINGS.items()
    if name.startswith(("10.2/d", "10.5/v_d")) and one.is_exchange and is_order(one.body) and "/refunds" not in one.path
}


class Ledger:
    """A shop whose every listing has a hundred on the shelf, as has its till."""

    def __init__(self, listing_ids: set[int]) -> None:
        self.till, self.shop = make.pos_connection(), make.store_connection()
        place = make.location(self.till)
        make.supply(self.shop, place)
        for remote_id in listing_ids:
            listing = make.listing(
                self.shop, f"S{remote_id}", remote_id=remote_id, quantity=SHELF, baseline=SHELF, opened_at=OPENED, read_at=OPENED
            )
            item = make.item(self.till, f"S{remote_id}")
            make.level(item, int(SHELF), place=place)
            make.alignment(item, listing)
        run = SyncRun(store=self.shop, kind=SyncRun.Kind.INCREMENTAL)
        self.now = LATER
        side: Any = Side(self.shop, None, None, None)  # type: ignore[arg-type] # booking asks nobody
        self.ctx = RunContext(run=run, store=side, tills=[], now=lambda: self.now)

    def book(self, *states: OrderState) -> None:
        self.now += timedelta(minutes=1)
        orders_apply(ctx=self.ctx, orders=states)

    def held(self) -> dict[int, int]:
        """Units gone, by listing: the same from the shop's account, the shelf, and the movements."""
        baselines = dict(Listing.objects.values_list("remote_id", "baseline"))
        shelves = {int(level.item.sku[1:]): level.on_hand for level in StockLevel.objects.select_related("item")}
        moved: dict[int, Decimal] = dict.fromkeys(baselines, Decimal(0))
        for movement in Movement.objects.select_related("item"):
            moved[int(movement.item.sku[1:])] -= movement.quantity
        held = {remote_id: int(SHELF - baseline) for remote_id, baseline in baselines.items()}
        assert {remote_id: int(SHELF - on_hand) for remote_id, on_hand in shelves.items()} == held
        assert {remote_id: int(units) for remote_id, units in moved.items()} == held
        return held


def listings_of(*states: OrderState) -> set[int]:
    return {line.listing_remote_id for state in states for line in state.lines if line.listing_remote_id}


def test_every_recorded_order_has_its_expectation():
    recorded = {name.removeprefix("10.2/") for name in ORDERS if name.startswith("10.2/")}
    assert recorded == set(HELD)


@pytest.mark.parametrize("name", sorted(HELD))
def test_a_recorded_state_is_booked_as_the_shop_counts_it(name):
    state = order_from(ORDERS[f"10.2/{name}"].body)
    ledger = Ledger(listings_of(state) | set(HELD[name]))
    ledger.book(state)
    assert {remote_id: units for remote_id, units in ledger.held().items() if units} == {
        remote_id: units for remote_id, units in HELD[name].items() if units
    }
    ledger.book(state)  # and again: nothing
    assert Movement.objects.count() == len([units for units in HELD[name].values() if units])


def histories() -> dict[int, list[str]]:
    """Recorded states of one order each, oldest first."""
    found: dict[int, list[str]] = {}
    for name in HELD:
        found.setdefault(ORDERS[f"10.2/{name}"].body["id"], []).append(name)
    many = {order: names for order, names in found.items() if len(names) > 1}
    return {
        order: sorted(names, key=lambda name: (ORDERS[f"10.2/{name}"].body["date_modified_gmt"], name))
        for order, names in many.items()
    }


@pytest.mark.parametrize("names", histories().values(), ids=[str(order) for order in histories()])
def test_a_recorded_history_is_followed_step_by_step(names):
    states = [order_from(ORDERS[f"10.2/{name}"].body) for name in names]
    ledger = Ledger(listings_of(*states))
    for name, state in zip(names, states, strict=True):
        ledger.book(state)
        assert {**dict.fromkeys(listings_of(*states), 0), **HELD[name]} == ledger.held(), name
    assert Order.objects.get().remote_id == states[-1].remote_id


@pytest.mark.parametrize("names", histories().values(), ids=[str(order) for order in histories()])
def test_of_a_recorded_history_the_last_state_alone_is_enough(names):
    states = [order_from(ORDERS[f"10.2/{name}"].body) for name in names]
    ledger = Ledger(listings_of(*states))
    ledger.book(states[-1])
    for state in states[:-1]:
        if state.modified_at < states[-1].modified_at:
            ledger.book(state)  # what comes late
    assert ledger.held() == {**dict.fromkeys(listings_of(*states), 0), **HELD[names[-1]]}


TRANSITIONS = RECORDINGS["10.5/v_d10_order_transitions"].content


@pytest.mark.parametrize(
    ("era", "mark", "step"),
    [(era, mark, step) for era, mark in (("new", ""), ("old", "_old")) for step in TRANSITIONS[era] if "from" in step],
    ids=lambda value: f"{value['from']}-{value['to']}" if isinstance(value, dict) else value,
)
def test_the_ledger_moves_as_the_shops_own_stock_did(era, mark, step):
    prefix = f"10.5/v_d{mark}" if mark else "10.5/v_d"
    after = order_from(ORDERS[f"{prefix}02_{step['from']}_then_{step['to']}"].body)
    before = json.loads(json.dumps(ORDERS[f"{prefix}02_{step['from']}_then_{step['to']}"].body))
    before["status"] = step["from"]
    before["line_items"][0]["meta_data"] = [{"key": "_reduced_stock", "value": v} for v in step["_reduced_stock_after_create"]]
    before["date_modified_gmt"] = (after.modified_at - timedelta(seconds=5)).replace(tzinfo=None).isoformat()
    ledger = Ledger(listings_of(after))
    [listing] = listings_of(after)
    ledger.book(order_from(before))
    assert SHELF - ledger.held()[listing] == step["stock_after_create"]
    ledger.book(after)
    assert SHELF - ledger.held()[listing] == step["stock_after_change"]


@pytest.mark.parametrize("era", ["new", "old"])
def test_refund_cancel_edit_and_bin_move_as_the_shops_own_stock_did(era):
    steps = [step for step in TRANSITIONS[era] if not {"from", "note"} & set(step)]
    stocks: list[tuple[int, list[str]]] = []
    reduced: list[str] = []
    for step in steps:
        number = next(value for name, value in step.items() if name not in ("create", "_reduced_stock"))
        reduced = step.get("_reduced_stock", reduced)  # the bin says none, and changes none
        stocks.append((number, reduced))
    body = json.loads(json.dumps(ORDERS["10.5/v_d01_create_processing"].body))
    state = order_from(body)
    [listing] = listings_of(state)
    ledger = Ledger({listing})
    for number, (stock, reduced) in enumerate(stocks):
        body["line_items"][0]["meta_data"] = [{"key": "_reduced_stock", "value": value} for value in reduced]
        body["date_modified_gmt"] = (state.modified_at + timedelta(seconds=number)).replace(tzinfo=None).isoformat()
        ledger.book(order_from(body))
        assert SHELF - ledger.held()[listing] == stock, steps[number]


def test_a_line_without_a_product_is_shown_and_moves_nothing():
    for name in ("d05b_line_item_unknown_product", "d34_order_of_deleted_product"):
        Order.objects.all().delete()
        ledger_state = order_from(ORDERS[f"10.2/{name}"].body)
        if name.startswith("d05b"):
            ledger = Ledger({999})
        ledger.book(ledger_state)
        assert ledger.held() == {999: 0}
        assert OrderLine.objects.get().note == "No product of the shop belongs to this line."


def test_a_product_deleted_after_it_was_sold_still_gets_its_cancelled_units_back():
    body = json.loads(json.dumps(ORDERS["10.2/d34_order_of_deleted_product"].body))
    gone = json.loads(json.dumps(body))
    body["line_items"][0]["product_id"] = 604
    ledger = Ledger({604})
    ledger.book(order_from(body))
    assert ledger.held() == {604: 1}
    moment = datetime.fromisoformat(gone["date_modified_gmt"]) + timedelta(seconds=5)
    gone["date_modified_gmt"], gone["status"] = moment.isoformat(), "cancelled"
    gone["line_items"][0]["meta_data"] = []
    ledger.book(order_from(gone))
    assert ledger.held() == {604: 0}
