"""What a till says by versions: everything once, then what changed, and never a part of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.contract import DEFERRED_FROM, FeedFate
from connectors.errors import ConfigError, ConnectorError, PartialReadError, RetryableError
from tests.connectors.rest_pos.conftest import NOON, row, shown
from tests.connectors.scripted import Answer, Scripted

ABC = {("A", "Main"): Decimal(10), ("B", "Main"): Decimal(4), ("C", "Main"): Decimal(0)}


def test_first_feed_is_everything_with_names_and_prices(place):
    feed = place().feed()
    assert feed is not None
    assert (feed.is_complete, feed.rows, feed.true_at, feed.problems) == (True, 3, NOON, [])
    assert shown(feed) == ABC
    first = feed.readings[0]
    assert (first.sku, first.name, first.barcode, first.category, first.vendor, first.cost, first.price) == (
        "A", "A pot", "4006381333931", "Pots", "Maker", Decimal("2.00"), Decimal("5.50"),
    )  # fmt: skip
    assert first.describes_item
    assert first.version > 0


def test_pages_are_followed_to_the_end(place):
    here = place(rows=[row(f"S{n:02}", n) for n in range(25)], page_limit=4)
    assert len(shown(here.feed())) == 25
    assert here.asked() == ["GET /v1/levels"] * 7 + ["GET /v1/items"] * 7


def test_nothing_changed_is_no_feed_at_all(place):
    here = place()
    first = here.feed()
    here.clock.tick(minutes=1)
    assert here.feed(first) is None


def test_later_feed_tells_only_what_changed_and_leaves_unchanged_items_undescribed(place):
    here = place()
    first = here.feed()
    here.clock.tick(minutes=1)
    here.app.sell("B", 3)
    here.app.reprice("B", Decimal("6.00"))
    here.app.sell("A", 1)
    feed = here.feed(first)
    assert shown(feed) == {("B", "Main"): Decimal(1), ("A", "Main"): Decimal(9)}
    assert feed.is_complete is False
    assert feed.true_at == NOON + timedelta(minutes=1)
    assert [(reading.sku, reading.describes_item, reading.price) for reading in feed.readings] == [
        ("B", True, Decimal("6.00")),
        ("A", False, None),
    ]
    assert here.feed(feed) is None


def test_item_that_only_changed_its_price_says_nothing_of_its_quantity(place):
    here = place(locations=("Main", "Depot"))
    first = here.feed()
    here.app.reprice("A", Decimal("6.00"))
    feed = here.feed(first)
    assert [(reading.sku, reading.location, reading.on_hand, reading.price) for reading in feed.readings] == [
        ("A", "Main", None, Decimal("6.00"))
    ]
    assert here.feed(feed) is None


def test_row_that_changes_while_pages_are_read_counts_once_as_it_is_last(place):
    here = place(page_limit=1)
    answer, sold = here.app._answer, []

    def busy(request):
        reply = answer(request)
        if request.path == "/v1/levels" and not sold:
            sold.append(here.app.sell("A", 3))  # right after its page went out
        return reply

    here.app._answer = busy
    feed = here.feed()
    assert shown(feed) == {**ABC, ("A", "Main"): Decimal(7)}
    assert here.feed(feed) is None


def test_quantities_are_told_by_location(place):
    here = place(locations=("Main", "Depot"))
    here.app.receive("A", 5, "Depot")
    assert shown(here.feed())[("A", "Depot")] == 5
    assert shown(here.feed())[("A", "Main")] == 10


def test_reading_that_was_deferred_is_told_again_until_it_is_not(place):
    here = place()
    first = here.feed()
    here.app.sell("A", 1)
    version = here.app.sell("B", 1).version
    here.app.sell("C", 1)
    second = here.feed(first)
    open_ = {**second.figures, DEFERRED_FROM: version}
    again = here.feed(open_)
    assert shown(again) == {("B", "Main"): Decimal(3), ("C", "Main"): Decimal(-1)}
    still_open = {**again.figures, DEFERRED_FROM: version}
    third = here.feed(still_open)
    assert shown(third) == shown(again)
    assert len({first.identity, second.identity, again.identity, third.identity}) == 4
    assert here.feed(third) is None


def test_feed_that_was_not_used_is_the_same_feed_with_later_numbers(place):
    here = place()
    first = here.feed()
    here.app.sell("A", 1)
    held = here.feed(first)
    here.till.settle(held.identity, FeedFate.HELD)
    here.clock.tick(minutes=15)
    here.app.sell("A", 1)
    assert here.till.release(held.identity)
    again = here.feed(first)
    assert again.identity == held.identity
    assert shown(again) == {("A", "Main"): Decimal(8)}
    assert again.true_at == NOON + timedelta(minutes=15)


def test_whole_list_comes_again_after_a_day_though_nothing_changed(place):
    here = place(complete_every_hours=20)
    first = here.feed()
    here.clock.tick(hours=19, minutes=59)
    assert here.feed(first) is None
    here.clock.tick(minutes=1)
    second = here.feed(first)
    assert second.is_complete
    assert shown(second) == ABC
    assert second.identity != first.identity
    assert here.feed(second) is None


def test_another_till_at_a_new_address_is_read_from_the_beginning(place):
    old, new = place(), place(rows=[row("Z", 1)])
    feed = new.feed(old.feed())
    assert feed.is_complete
    assert shown(feed) == {("Z", "Main"): Decimal(1)}


def test_figures_nobody_can_read_lead_to_the_whole_list_under_a_new_identity(place):
    here = place()
    assert shown(here.feed({"items": 3})) == ABC
    assert here.feed({"items": 3}).identity != here.feed().identity


def test_time_is_ours_and_never_goes_back(place):
    here = place(till_clock=lambda: NOON - timedelta(hours=3))
    first = here.feed()
    assert first.true_at == NOON
    here.app.sell("A", 1)
    here.clock.tick(minutes=-5)
    assert here.feed(first).true_at == NOON


def test_looking_without_claiming_is_the_same_feed(place):
    here = place()
    (looked,) = here.till.feeds(claim=False)
    (claimed,) = here.till.feeds()
    assert looked == claimed
    assert here.app.writes == []


# -- what can't be used ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html", "bom", "half_json", "notice"])
@pytest.mark.parametrize("path", ["levels", "items"])
def test_answer_that_is_not_whole_is_not_used_at_all(place, kind, path):
    here = place(page_limit=2)
    here.app.faults.arm(kind, path=path, skip=1)
    with pytest.raises(RetryableError, match="not in its own language"):
        here.feed()
    assert shown(here.feed()) == ABC


@pytest.mark.parametrize("kind", ["cut_off", "close", "reset", "rate_limit", "gateway"])
def test_reading_that_fails_once_is_asked_again(place, kind):
    here = place(page_limit=2)
    here.app.faults.arm(kind, path="levels", skip=1)
    assert shown(here.feed()) == ABC
    assert here.slept


def test_list_without_rows_that_goes_on_is_no_answer(place):
    here = place(page_limit=2)
    here.app.faults.arm("empty_list", path="levels")
    with pytest.raises(RetryableError, match="not in its own language"):
        here.feed()


def test_last_row_that_got_lost_comes_with_the_next_feed(place):
    here = place()
    first = here.feed()
    here.app.sell("A", 1)
    here.app.sell("B", 1)
    here.app.faults.arm("missing_row", path="levels")
    second = here.feed(first)
    assert shown(second) == {("A", "Main"): Decimal(9)}
    assert shown(here.feed(second)) == {("B", "Main"): Decimal(3)}


def test_changes_that_got_lost_come_with_the_next_feed(place):
    here = place()
    first = here.feed()
    here.app.sell("A", 1)
    here.app.faults.arm("empty_list", path="levels")
    assert here.feed(first) is None
    assert shown(here.feed(first)) == {("A", "Main"): Decimal(9)}


def test_stock_of_an_item_that_is_not_in_the_list_shows_that_the_list_is_not_whole(place):
    here = place()
    here.app.faults.arm("missing_row", path="items", at=2)
    with pytest.raises(PartialReadError, match="“B”"):
        here.feed()


def test_till_without_items_is_never_read_as_no_stock(place):
    with pytest.raises(PartialReadError, match="no items"):
        place(rows=[]).feed()


def test_item_without_a_level_is_known_and_not_counted(place):
    here = place()
    here.app.faults.arm("missing_row", path="levels")
    feed = here.feed()
    assert shown(feed) == {**ABC, ("C", "Main"): None}


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_token_is_for_the_owner_to_mend(place, status):
    here = place(token="other")
    if status == 403:
        here.app.faults.arm("forbidden", count=None)
    with pytest.raises(ConfigError, match="token" if status == 401 else "in front of the till"):
        here.feed()


def test_wrong_address_is_for_the_owner_to_mend(place):
    here = place()
    with pytest.raises(ConfigError, match="no POS API"):
        place(url=f"{here.server.url}/elsewhere").feed()


# -- odd rows ----------------------------------------------------------------------------------------------------------


ITEM = {"name": "n", "barcode": "1", "department": "", "vendor": "", "cost": None, "price": "1.5", "version": 1}


def scripted(place, served, *, levels=None, items=None):
    """A till that shows these rows, and what the connector makes of them."""

    def page(rows):
        until = max((each["version"] for each in rows), default=0)
        return Answer(body={"data": rows, "next_after": until, "has_more": False, "as_of": "2026-03-02T12:00:00Z"})

    places = Answer(body={"data": [{"name": "Main", "is_default": True}]})
    answers = {"/v1/levels": page(levels or []), "/v1/items": page(items or []), "/v1/locations": places}
    return place(url=served(Scripted(lambda request: answers[request.path])).url)


@pytest.mark.parametrize(
    ("on_hand", "why"),
    [
        (5, "not a decimal number written as text"),
        ("1E5", "not a decimal number written as text"),
        ("NaN", "not a decimal number written as text"),
        ("1,5", "not a decimal number written as text"),
        ("0.0005", "more than 3 decimals"),
        ("4006381333931", "not a decimal number written as text"),
        ("40063813", "too large to be true"),
    ],
)
def test_odd_quantity_leaves_its_row_out_and_says_why(place, served, on_hand, why):
    rows = [
        {"sku": "A", "location": "Main", "on_hand": on_hand, "version": 2},
        {"sku": "B", "location": "Main", "on_hand": "-1.500000", "version": 3},
    ]
    feed = scripted(place, served, levels=rows, items=[{**ITEM, "sku": "A"}, {**ITEM, "sku": "B", "version": 4}]).feed()
    assert shown(feed) == {("B", "Main"): Decimal("-1.5"), ("A", "Main"): None}
    (problem,) = feed.problems
    assert (problem.sku, problem.code, problem.serious) == ("A", "bad_quantity", True)
    assert why in problem.message


def test_odd_price_leaves_only_the_price_out(place, served):
    level = {"sku": "A", "location": "Main", "on_hand": "2", "version": 2}
    feed = scripted(place, served, levels=[level], items=[{**ITEM, "sku": "A", "price": 1.5, "cost": "0.5"}]).feed()
    (reading,) = feed.readings
    assert (reading.on_hand, reading.price, reading.cost, reading.name) == (Decimal(2), None, Decimal("0.5"), "n")
    assert [(problem.sku, problem.code) for problem in feed.problems] == [("A", "bad_price")]


def test_item_that_cannot_be_used_keeps_its_level(place, served):
    level = {"sku": "A", "location": "Main", "on_hand": "2", "version": 2}
    feed = scripted(place, served, levels=[level], items=[{**ITEM, "sku": "A", "name": None}]).feed()
    assert [(reading.on_hand, reading.describes_item) for reading in feed.readings] == [(Decimal(2), False)]
    assert [(problem.sku, problem.code) for problem in feed.problems] == [("A", "bad_row")]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"data": [{"sku": "A", "version": 1}, {"sku": "B", "version": 1}]},
        {"data": [{"sku": "A"}]},
        {"data": [1]},
        {"data": None},
        {"next_after": "7"},
        {"next_after": 0, "data": [{"sku": "A", "version": 4}]},
        {"has_more": 1},
        {"as_of": "2026-03-02T12:00:00"},
    ],
)
def test_page_that_breaks_the_contract_is_not_used(place, served, spoiled):
    page = {"data": [], "next_after": 9, "has_more": False, "as_of": "2026-03-02T12:00:00Z", **spoiled}
    here = place(url=served(Scripted(Answer(body=page))).url)
    with pytest.raises(ConnectorError, match="not in its own language"):
        here.feed()


# -- guards ------------------------------------------------------------------------------------------------------------


def many(count: int, on_hand: int = 5) -> list:
    return [row(f"S{n:03}", on_hand) for n in range(count)]


def test_ordinary_change_is_held_by_nothing(place):
    here = place(rows=many(100), complete_every_hours=1)
    first = here.feed()
    assert here.till.guard(first, None) == []
    for n in range(20):
        here.app.count(f"S{n:03}", 0)
    changes = here.feed(first)
    assert here.till.guard(changes, first.figures) == []
    here.clock.tick(hours=1)
    assert here.till.guard(here.feed(first), first.figures) == []


def test_whole_list_that_shrank_is_held(place):
    big, small = place(rows=many(100)), place(rows=many(79))
    (reason,) = small.till.guard(small.feed(), big.feed().figures)
    assert reason == (
        "The till shows 79 items where it showed 100: 21 are gone, more than the 20 % you allow. "
        "Check that they were deleted on purpose."
    )


def test_whole_list_that_went_empty_is_held(place):
    here = place(rows=many(100), complete_every_hours=1)
    first = here.feed()
    for n in range(21):
        here.app.count(f"S{n:03}", 0)
    here.clock.tick(hours=1)
    (reason,) = here.till.guard(here.feed(first), first.figures)
    assert reason.startswith("79 items have stock where 100 had: 21 shelves went empty")


def test_changes_that_empty_many_shelves_are_held(place):
    here = place(rows=many(100))
    first = here.feed()
    for n in range(21):
        here.app.count(f"S{n:03}", 0)
    (reason,) = here.till.guard(here.feed(first), first.figures)
    assert reason.startswith("21 shelves are shown empty at once, of 100 that had stock")
