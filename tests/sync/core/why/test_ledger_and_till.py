"""The ledger in words, row by row and day by day; and from the shelf to what the till says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sync.core.why.facts import Moment, PutOff, Shelf, Try, Write
from sync.core.why.ledger import Moved, Total, account_sentence, account_steps, movement_steps, on_hand_of
from sync.core.why.policy import RuleRow, rule_sentence
from sync.core.why.steps import Link, Standing, amount, listed, moment_said
from sync.core.why.then import Known, Noted, ThenFacts, Told, then_known, then_sentence
from sync.core.why.till import till_bridge

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHEN = Moment(NOW, UTC)


def total(kind: str, quantity: int, count: int = 1, place: str = "High Street") -> Total:
    return Total(place, kind, kind.capitalize(), Decimal(quantity), count)


TOTALS = [total("online", -3, 2), total("opening", 12), total("till", -4, 3), total("count", 1)]


def test_the_account_begins_with_the_first_count_and_ends_on_hand():
    assert [(step.what, step.change, step.left, step.note) for step in account_steps(TOTALS)] == [
        ("First counted", 12, 12, ""),
        ("At the till: sales, counts, receipts", -4, 8, "3 movements"),
        ("Counted by a person", 1, 9, "1 movement"),
        ("Online orders, less what came back", -3, 6, "2 movements"),
        ("On hand", None, 6, ""),
    ]
    assert account_sentence(TOTALS) == (
        "6 lie on the shelf because 12 lay there when it was first counted, 4 left at the till, a person counted 1 more and 3 "
        "went to online orders."
    )


def test_several_places_are_named_with_what_each_holds():
    steps = account_steps([total("opening", 12), total("opening", 5, place="Depot")])
    assert steps[-1].note == "High Street 12, Depot 5"


def test_a_kind_of_movement_that_comes_later_is_told_by_its_own_name():
    assert account_sentence([total("opening", 5), total("transfer", -2)]) == (
        "3 lie on the shelf because 5 lay there when it was first counted and 2 went by “Transfer”."
    )


@given(some.lists(some.builds(Total, some.sampled_from(["A", "B"]), some.sampled_from(["opening", "till", "online", "x"]),
                              some.just("X"), some.decimals(-99, 99, places=3), some.integers(1, 9)), min_size=1))  # fmt: skip
def test_the_account_always_ends_with_what_the_ledger_says(totals):
    steps = account_steps(totals)
    assert steps[-1].left == on_hand_of(totals) == sum((step.change for step in steps if step.change), Decimal(0))


def moved(key: int, quantity: int, *, kind: str = "till", hours: float = 0, place: str = "A") -> Moved:
    at = datetime(2026, 2, 11, 8, 0, tzinfo=UTC) + timedelta(hours=hours)
    return Moved(key, place, kind, kind, Decimal(quantity), at, at)


def test_movements_are_told_one_by_one_after_the_balance_carried():
    moves = [moved(1, -4), moved(2, -3, kind="online"), moved(3, 0)]
    steps = movement_steps(moves, carried=Decimal(12), zone=UTC, each=True, has_older=True)
    assert [(step.what, step.change, step.left) for step in steps] == [
        ("Carried from older movements", None, 12),
        ("At the till: sales, counts, receipts", -4, 8),
        ("Online orders, less what came back", -3, 5),
        ("At the till: sales, counts, receipts", 0, 5),
        ("On hand after these", None, 5),
    ]


def test_a_day_of_one_kind_is_one_row_that_leads_to_that_day_by_the_tills_clock():
    moves = [moved(1, -4), moved(2, -1, hours=1), moved(3, 7, kind="online", hours=2), moved(4, -2, hours=15)]
    steps = movement_steps(moves, carried=Decimal(20), zone=ZoneInfo("Europe/Berlin"), each=False, has_older=False)
    assert [(step.change, step.left, list(step.links)) for step in steps] == [
        (-5, 15, [Link("day", "2026-02-11", "2 movements")]),
        (7, 22, []),
        (-2, 20, []),  # 23:00 UTC is the next day in Berlin
        (None, 20, []),
    ]


@given(
    some.lists(some.tuples(some.integers(-50, 50), some.sampled_from(["till", "online"]), some.integers(0, 200))),
    some.integers(-99, 99),
    some.booleans(),
)
def test_rows_and_days_end_with_the_same_balance(rows, carried, each):
    moves = [moved(n, quantity, kind=kind, hours=at) for n, (quantity, kind, at) in enumerate(sorted(rows, key=lambda r: r[2]))]
    steps = movement_steps(moves, carried=Decimal(carried), zone=UTC, each=each, has_older=True)
    left = Decimal(carried)
    for step in steps:
        left += step.change or 0
        assert step.left == left
    assert left == carried + sum(quantity for quantity, _, _ in rows)


SHELF = Shelf("High Street", Decimal(8), Decimal(0), True, Decimal(8), Decimal(8), NOW - timedelta(minutes=5))


def till(shelf: Shelf, *, is_live: bool = True):
    return till_bridge(shelf, till="till", is_live=is_live, when=WHEN)


def test_a_till_that_says_what_lies_there_is_in_step():
    assert till(SHELF).standing == Standing.IN_STEP
    assert till(SHELF).sentence == "till says 8, as many as lie at High Street."


def test_an_adjustment_that_waits_is_a_step_and_says_when_it_is_asked_for():
    sent = Write(4, Try.UNANSWERED, Decimal(-2), Decimal(-2), NOW - timedelta(minutes=3), None)
    bridge = till(replace(SHELF, baseline=Decimal(10), reading=Decimal(10), write=sent))
    assert [(step.what, step.change, step.left) for step in bridge.steps] == [
        ("On hand at High Street", None, 8),
        ("Sent to till, not booked there yet", 2, 10),
        ("till says", None, 10),
    ]
    assert bridge.sentence == "till says 10; 8 lie at High Street, since it has not taken in −2 yet."
    assert bridge.why_not == "−2 was handed to till 09:27 and is not booked there yet."


def test_a_till_that_is_only_observed_is_told_nothing():
    bridge = till(replace(SHELF, baseline=Decimal(10), reading=Decimal(10)), is_live=False)
    assert (bridge.standing, bridge.why_not) == (
        Standing.OBSERVED,
        "till is only observed: it is not told of −2 that moved elsewhere.",
    )


def test_what_was_booked_since_the_reading_is_told_apart():
    bridge = till(replace(SHELF, reading=Decimal(10)))
    assert [(step.what, step.change) for step in bridge.steps][1] == ("Booked at the till since it was read", 2)
    assert bridge.sentence == "till said 10; with what it was told since, it has 8, as many as lie at High Street."


def test_a_place_that_the_till_does_not_count_is_unknown():
    bridge = till(replace(SHELF, baseline=None, reading=None))
    assert (bridge.standing, bridge.sentence) == (Standing.UNKNOWN, "What till says of it at High Street is unknown.")


def test_a_reading_put_off_is_said():
    bridge = till(replace(SHELF, put_off=PutOff(2, NOW - timedelta(hours=1), "a write to the till is unanswered")))
    assert bridge.why_not == "Its last number can't be used yet (put off 2 times since 08:30): a write to the till is unanswered."


units = some.integers(-99, 99).map(Decimal)


@given(some.builds(
    Shelf, some.just("A"), units, some.just(Decimal(0)), some.booleans(), some.none() | units, some.none() | units,
    some.just(NOW), some.none() | some.just(PutOff(1, NOW, "x")),
    some.none() | some.builds(Write, some.just(1), some.sampled_from(Try), units, units, some.just(NOW), some.none()),
), some.booleans())  # fmt: skip
def test_every_step_adds_up_from_what_lies_there_to_what_the_till_says(shelf, is_live):
    bridge = till(shelf, is_live=is_live)
    left = shelf.on_hand
    for step in bridge.steps:
        left += step.change or 0
        assert step.left == left
    if shelf.baseline is not None and shelf.reading is not None:
        assert left == shelf.reading
    assert bool(bridge.why_not) == (bridge.standing != Standing.IN_STEP)


def row(scope: str, policy: str = "", minor=None, major=None, review=None) -> RuleRow:
    return RuleRow(scope, policy, minor, major, review)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "Up to 2 units the till wins (as delivered); more is left to a person."),
        (
            [row("all products in every store", "store_wins", Decimal(3)), row("this product in web", minor=Decimal(1))],
            (
                "Up to 1 unit the shop wins (the rule for all products in every store); more is left to a person (the rule for "
                "this product in web)."
            ),
        ),
        ([row("“Pots” in web", "manual_review")], "A person decides about every difference (the rule for “Pots” in web)."),
        (
            [row("all products in web", "merge", major=Decimal(8))],
            "Up to 8 units both changes count (the rule for all products in web); more is left to a person.",
        ),
    ],
)
def test_a_rule_is_told_with_where_it_comes_from(rows, said):
    assert rule_sentence(rows) == said


THEN = ThenFacts(store="web", till="till", per=1, noted=None, told=None, conflicts=[], rule="R.")


def test_of_a_past_moment_only_what_was_kept_is_told():
    assert then_sentence(THEN, WHEN) == "What web showed then is unknown: no reading of that time was kept."
    known = then_known(THEN, NOW, WHEN)
    assert known[0] == Known("web showed", "unknown: it was not kept")
    assert known[-1].said == "unknown: it was not kept, so what the shop should have shown is unknown, too"


def test_what_history_and_writes_tell_of_a_past_moment_is_told():
    at = NOW - timedelta(days=1)
    facts = replace(
        THEN,
        per=6,
        noted=Noted(at - timedelta(minutes=9), Decimal(10), None, "Waiting", "A write to the shop has no answer yet."),
        told=Told(5, "web", Decimal(-2), Decimal(8), at - timedelta(minutes=1), at + timedelta(minutes=1)),
        conflicts=[(Link("conflict", 3, "Quantity"), at - timedelta(hours=1))],
    )
    assert then_sentence(facts, WHEN) == "What web showed was unknown, as last noted 1 Mar 09:21 (waiting)."
    assert [(one.what, one.said) for one in then_known(facts, at, WHEN)] == [
        ("till said", "10, noted 1 Mar 09:21"),
        ("web showed", "unknown, noted 1 Mar 09:21"),
        ("It stood", "waiting. A write to the shop has no answer yet."),
        ("Last told to the shop", "−2 to make it 8, sent 1 Mar 09:29, not answered by then"),
        ("Open conflicts", "found 1 Mar 08:30"),
        ("Pack", "one of the shop was 6 of the till's units"),
        ("Rule for differences", "R."),
        ("Reserved, and the buffer", "unknown: it was not kept, so what the shop should have shown is unknown, too"),
    ]


def test_numbers_lists_and_moments_as_people_write_them():
    assert [amount(Decimal("12.500")), amount(Decimal(-3), signed=True), amount(None)] == ["12.5", "−3", "unknown"]
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    berlin = ZoneInfo("Europe/Berlin")
    assert moment_said(NOW, berlin, NOW) == "10:30"
    assert moment_said(NOW - timedelta(days=1), berlin, NOW) == "1 Mar 10:30"
    assert moment_said(NOW - timedelta(days=99), berlin, NOW) == "23 Nov 2025 10:30"
