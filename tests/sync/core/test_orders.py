"""Orders are state: ledger.md §4."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from sync.core.orders import LineBooked, LineEffect, line_effect

OPENED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AFTER, BEFORE = OPENED + timedelta(hours=1), OPENED - timedelta(hours=1)


def test_a_new_order_takes_from_the_shelf_and_its_listing_once():
    effect = line_effect(known=None, taken=D(3), order_created_at=AFTER, opened_at=OPENED)
    assert effect == LineEffect(baseline=D(-3), on_hand=D(-3), booked=D(3))


def test_the_same_state_again_changes_nothing():
    effect = line_effect(known=LineBooked(D(3), D(3)), taken=D(3), order_created_at=AFTER, opened_at=OPENED)
    assert effect == LineEffect(baseline=D(0), on_hand=D(0), booked=D(3))


def test_a_cancel_gives_back_what_was_taken():
    effect = line_effect(known=LineBooked(D(3), D(3)), taken=D(0), order_created_at=AFTER, opened_at=OPENED)
    assert effect == LineEffect(baseline=D(3), on_hand=D(3), booked=D(0))


def test_an_order_from_before_the_opening_was_in_the_opening_numbers():
    effect = line_effect(known=None, taken=D(3), order_created_at=BEFORE, opened_at=OPENED)
    assert effect == LineEffect(baseline=D(0), on_hand=D(0), booked=D(0))


def test_a_later_cancel_of_such_an_order_comes_back_to_the_shelf():
    effect = line_effect(known=LineBooked(D(3), D(0)), taken=D(0), order_created_at=BEFORE, opened_at=OPENED)
    assert effect == LineEffect(baseline=D(3), on_hand=D(3), booked=D(-3))


def test_a_line_without_an_open_account_moves_nothing():
    effect = line_effect(known=None, taken=D(3), order_created_at=AFTER, opened_at=None)
    assert effect == LineEffect(baseline=D(0), on_hand=D(0), booked=D(0))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_after_any_history_the_ledger_holds_what_the_last_state_says(states):
    known, shelf = None, D(0)
    for taken in states:
        effect = line_effect(known=known, taken=D(taken), order_created_at=AFTER, opened_at=OPENED)
        shelf += effect.on_hand
        known = LineBooked(D(taken), effect.booked)
    assert shelf == -states[-1]
    assert known == LineBooked(D(states[-1]), D(states[-1]))
