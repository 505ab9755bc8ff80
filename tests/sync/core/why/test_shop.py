"""From the shelf to what a shop shows: every step adds up, and the sentence is true, whatever lies between."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sync.core.standing import Counting
from sync.core.why.facts import Moment, PutOff, Shelf, ShopFacts, Try, Write
from sync.core.why.shop import shop_bridge, target_of
from sync.core.why.steps import Link, Standing

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHEN = Moment(NOW, UTC, NOW + timedelta(minutes=15))
READ = NOW - timedelta(minutes=10)
SHELF = Shelf("High Street", Decimal(14), Decimal(0), True, Decimal(14), Decimal(14), READ)
IN_STEP = ShopFacts(
    store="web", shelves=[SHELF], buffer=Decimal(0), per=1, counting=Counting.OWN, shows=Decimal(14), read_at=READ,
    baseline=Decimal(14), suspect=None, is_live=True,
)  # fmt: skip


def write(state: Try, delta: int = 0, about: int = 0, **more) -> Write:
    return Write(7, state, Decimal(delta), Decimal(about), NOW - timedelta(minutes=2), **{"until": None, **more})


def rows(facts: ShopFacts) -> list[tuple[str, Decimal | None, Decimal]]:
    return [(step.what, step.change, step.left) for step in shop_bridge(facts, WHEN).steps]


def test_the_sentence_names_what_lies_there_what_is_reserved_and_what_is_kept_back():
    shelf = replace(SHELF, reserved=Decimal(1))
    facts = replace(IN_STEP, shelves=[shelf], buffer=Decimal(1), shows=Decimal(12), baseline=Decimal(12))
    bridge = shop_bridge(facts, WHEN)
    assert bridge.sentence == "web shows 12 because 14 lie on the shelf, 1 is reserved and 1 is kept back as a buffer."
    assert (bridge.standing, bridge.why_not, bridge.next_step) == (Standing.IN_STEP, "", "")
    assert rows(facts) == [
        ("On hand", None, 14),
        ("Reserved for orders", -1, 13),
        ("Kept back as a buffer", -1, 12),
        ("Should show in web", None, 12),
        ("web shows", None, 12),
    ]


def test_a_pack_leaves_over_what_does_not_fill_one():
    facts = replace(IN_STEP, per=6, shows=Decimal(2), baseline=Decimal(2))
    assert rows(facts) == [
        ("On hand", None, 14),
        ("Too few for another pack of 6", -2, 12),
        ("Should show in web", None, 12),
        ("web shows", None, 12),
    ]
    said = shop_bridge(facts, WHEN)
    assert said.sentence == "web shows 2 packs of 6 because 14 lie on the shelf and 2 are too few for another pack."
    assert said.steps[-1].note == "2 × pack of 6 · read 09:20"


def test_less_than_nothing_is_shown_as_none():
    facts = replace(IN_STEP, shelves=[replace(SHELF, on_hand=Decimal(-2))], shows=Decimal(0), baseline=Decimal(0))
    assert rows(facts)[1] == ("Less than nothing is shown as none", 2, 0)
    assert shop_bridge(facts, WHEN).sentence == "web shows 0 because −2 lie on the shelf and a shop never shows less than none."


def test_a_place_that_supplies_another_shop_is_left_out():
    other = replace(SHELF, place="Depot", on_hand=Decimal(5), supplies=False)
    facts = replace(IN_STEP, shelves=[SHELF, other])
    assert rows(facts)[:2] == [("On hand", None, 19), ("At Depot, which doesn't supply web", -5, 14)]
    assert shop_bridge(facts, WHEN).sentence == "web shows 14 because 14 lie at High Street."


def test_what_is_owed_goes_out_with_the_next_sync_and_says_when():
    facts = replace(IN_STEP, shows=Decimal(16), baseline=Decimal(16))
    bridge = shop_bridge(facts, WHEN)
    assert rows(facts)[-2:] == [("Not told to web yet", 2, 16), ("web shows", None, 16)]
    assert bridge.sentence == "web shows 16 and should show 14, because 14 lie on the shelf."
    assert (bridge.standing, bridge.why_not) == (Standing.WAITING, "web is owed −2.")
    assert bridge.next_step == "The next sync, at 09:45 at the latest, tells it."


def test_a_write_without_an_answer_is_a_step_and_is_looked_up_before_anything_else():
    sent = write(Try.UNANSWERED, delta=-2, about=-2, until=NOW + timedelta(minutes=1))
    facts = replace(IN_STEP, shows=Decimal(16), baseline=Decimal(16), write=sent)
    bridge = shop_bridge(facts, WHEN)
    assert rows(facts)[-2:] == [("Sent to web, not answered yet", 2, 16), ("web shows", None, 16)]
    assert bridge.why_not == "−2 was sent to web 09:28 and has no answer yet."
    assert bridge.next_step == "It is looked up from 09:31 on; until then nothing more is sent."
    assert bridge.links == [Link("write", 7, "the write")]


def test_an_edit_that_nobody_has_decided_about_stands_alone_and_leads_to_its_conflict():
    link = Link("conflict", 3, "the conflict")
    facts = replace(IN_STEP, shows=Decimal(29), suspect=Decimal(15), difference=Decimal(15), conflict=link)
    bridge = shop_bridge(facts, WHEN)
    odd = bridge.steps[-2]
    assert (odd.what, odd.change, odd.links) == ("Changed in the shop; nothing explains it", 15, [link])
    assert (bridge.standing, bridge.next_step, bridge.links) == (Standing.PERSON, "Settle the conflict.", [link])


def test_a_difference_that_a_person_has_left_is_in_step_and_told_apart():
    link = Link("conflict", 3, "the conflict")
    bridge = shop_bridge(replace(IN_STEP, shows=Decimal(17), left=Decimal(3), conflict=link), WHEN)
    assert [(step.what, step.change, list(step.links)) for step in bridge.steps][-2] == ("Left as it is by a person", 3, [link])
    assert bridge.standing == Standing.IN_STEP
    assert bridge.sentence == "web shows 17: 14 because 14 lie on the shelf, and +3 that a person has left."


def test_a_suspect_gets_a_second_look():
    bridge = shop_bridge(replace(IN_STEP, shows=Decimal(15), suspect=Decimal(1)), WHEN)
    assert bridge.standing == Standing.WAITING
    assert bridge.why_not == "+1 in the shop is explained by nothing so far."


def test_orders_since_the_reading_are_told_apart_from_what_is_wrong():
    facts = replace(IN_STEP, shelves=[replace(SHELF, on_hand=Decimal(12))], baseline=Decimal(12), has_news=True)
    bridge = shop_bridge(facts, WHEN)
    assert rows(facts)[-2:] == [("Orders that changed since it was read", 2, 14), ("web shows", None, 14)]
    assert bridge.standing == Standing.WAITING  # as its state says
    assert bridge.why_not == "Its number was off when an order on it changed."
    assert bridge.sentence == "web should show 12 by now because 12 lie on the shelf. It showed 14 when it was read 09:20."


def test_a_number_that_was_put_off_says_why():
    put_off = PutOff(3, NOW - timedelta(hours=5), "a write to the shop was under way")
    facts = replace(IN_STEP, shows=Decimal(12), put_off=put_off)
    bridge = shop_bridge(facts, WHEN)
    assert rows(facts)[-2][0] == "In a number that can't be used yet: a write to the shop was under way"
    assert bridge.why_not == "Its last number can't be used yet (put off 3 times since 04:30): a write to the shop was under way."


@pytest.mark.parametrize(
    ("changed", "standing", "said"),
    [
        ({"is_live": False}, Standing.OBSERVED, "web is only observed: it is owed −2 and told nothing."),
        ({"held_run": Link("run", 5, "sync 5")}, Standing.PERSON, "It is owed −2, and a sync waits for a manager."),
        ({"write": write(Try.PENDING, about=-2)}, Standing.WAITING, "web is owed −2; it is to be sent."),
        ({"write": write(Try.HELD, about=-2, error="Locked.")}, Standing.FAILED, "web did not take −2. Locked."),
        ({"write": write(Try.FAILED, about=-2, error="503.")}, Standing.WAITING, "−2 did not reach web. 503."),
        ({"write": write(Try.HELD, about=-9, error="Locked.")}, Standing.WAITING, "web is owed −2."),
        ({"write": write(Try.HELD, about=-2, error="Locked.", is_released=True)}, Standing.WAITING, "web is owed −2. Locked."),
        ({"write": write(Try.DONE, about=4)}, Standing.WAITING, "web is owed −2."),
        ({"item_is_missing": True}, Standing.PERSON, "The till's export leaves this item out. Its last number stands."),
        ({"item_is_uncounted": True}, Standing.PERSON, "The till no longer counts this item. Its last number stands."),
        ({"counting": Counting.GONE}, Standing.PERSON, "It is told nothing, since the product is no longer in the shop."),
        ({"counting": Counting.NOT}, Standing.PERSON, "It is told nothing, since the shop doesn't count this product."),
        ({"baseline": None}, Standing.WAITING, "Its number waits for a reading without news in between."),
        ({"shelves": [replace(SHELF, baseline=None)]}, Standing.PERSON, "Its number is left alone."),
    ],
)
def test_why_it_is_not_in_step(changed, standing, said):
    bridge = shop_bridge(replace(IN_STEP, **{"shows": Decimal(16), "baseline": Decimal(16), **changed}), WHEN)
    assert (bridge.standing, bridge.why_not) == (standing, said)
    assert bridge.next_step


@pytest.mark.parametrize("counting", [Counting.GONE, Counting.NOT, Counting.PARENT])
def test_what_nobody_counts_is_unknown_and_never_zero(counting):
    bridge = shop_bridge(replace(IN_STEP, counting=counting, shows=None, baseline=None), WHEN)
    assert bridge.sentence.startswith("Nobody knows what web has of it")
    assert "web shows" not in [step.what for step in bridge.steps]


def test_a_shop_that_was_never_read_is_unknown():
    bridge = shop_bridge(replace(IN_STEP, shows=None, baseline=None, read_at=None), WHEN)
    assert bridge.sentence == "What web shows is unknown: it has not been read yet."


number = some.decimals(min_value=-500, max_value=500, places=3)
whole = some.integers(-500, 500).map(Decimal)
maybe = some.none() | whole


@some.composite
def shop_facts(draw) -> ShopFacts:
    shelf = some.builds(
        Shelf, some.sampled_from(["A", "B"]), number, some.decimals(min_value=0, max_value=9, places=3), some.booleans(), maybe,
        maybe, some.just(READ),
    )  # fmt: skip
    write_ = some.none() | some.builds(
        Write, some.just(1), some.sampled_from(Try), whole, whole, some.just(NOW), some.none() | some.just(NOW)
    )
    return ShopFacts(
        store="web", shelves=draw(some.lists(shelf, max_size=3)), buffer=draw(some.integers(0, 20).map(Decimal)),
        per=draw(some.sampled_from([1, 1, 6, 100])), counting=draw(some.sampled_from(Counting)), shows=draw(maybe), read_at=READ,
        baseline=draw(maybe), suspect=draw(maybe), is_live=draw(some.booleans()), has_news=draw(some.booleans()),
        put_off=draw(some.none() | some.just(PutOff(1, NOW, "x"))), write=draw(write_), difference=draw(maybe),
        left=draw(maybe),
    )  # fmt: skip


@given(shop_facts())
def test_every_step_adds_up_from_what_lies_there_to_what_the_shop_shows(facts):
    bridge = shop_bridge(facts, WHEN)
    left = sum((shelf.on_hand for shelf in facts.shelves), Decimal(0))
    assert bridge.steps[0].left == left
    for step in bridge.steps[1:]:
        left += step.change or 0
        assert step.left == left, step
    if facts.counting == Counting.OWN and facts.shows is not None:
        assert left == facts.shows * facts.per
        assert bridge.steps[-1].what == "web shows"
    if (target := target_of(facts)) is not None:
        assert target >= 0
        assert [step.left for step in bridge.steps if step.what.startswith("Should show")] == [target * facts.per]


@given(shop_facts())
def test_in_step_is_said_only_where_nothing_is_owed_and_nothing_is_odd(facts):
    bridge = shop_bridge(facts, WHEN)
    assert bool(bridge.why_not) == (bridge.standing != Standing.IN_STEP)
    if bridge.standing == Standing.IN_STEP:
        assert facts.baseline == target_of(facts)
        assert not facts.suspect
