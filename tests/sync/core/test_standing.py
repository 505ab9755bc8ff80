"""One judge of a pair's standing: what is said first, and that states and the product's page never contradict each other."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.standing import Counting, Position, Verdict, judge
from sync.core.why.facts import Moment
from sync.core.why.shop import shop_bridge, target_of
from sync.core.why.steps import Standing
from sync.models import SyncState
from sync.standing.words import SENTENCE, STATUS, state_said
from tests.sync.core.why.test_shop import shop_facts

FIVE = Decimal(5)
IN_STEP = Position(counting=Counting.OWN, target=FIVE, baseline=FIVE, shows=FIVE)
FIRST_IS_SAID_FIRST = [  # each with all that is less
    ({"counting": Counting.GONE}, Verdict.GONE),
    ({"is_unread": True}, Verdict.UNREAD),
    ({"counting": Counting.PARENT}, Verdict.WITH_PARENT),
    ({"counting": Counting.NOT}, Verdict.NOT_COUNTED),
    ({"item_is_missing": True}, Verdict.ITEM_MISSING),
    ({"item_is_uncounted": True}, Verdict.ITEM_UNCOUNTED),
    ({"target": None}, Verdict.NO_TARGET),
    ({"baseline": None}, Verdict.UNOPENED),
    ({"is_unanswered": True}, Verdict.UNANSWERED),
    ({"difference": FIVE}, Verdict.DISPUTED),
    ({"suspect": FIVE}, Verdict.SUSPECT),
    ({"shows": Decimal(9)}, Verdict.OFF),
]


@pytest.mark.parametrize("place", range(len(FIRST_IS_SAID_FIRST)))
def test_what_matters_most_is_said_first(place):
    changes, verdict = FIRST_IS_SAID_FIRST[place]
    less = {name: value for later, _ in FIRST_IS_SAID_FIRST[place + 1 :] for name, value in later.items() if name != "counting"}
    assert judge(replace(IN_STEP, **{**less, **changes})) == verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.IN_STEP),
        ({"left": Decimal(2), "shows": Decimal(7)}, Verdict.LEFT),
        ({"left": Decimal(2)}, Verdict.OFF),
        ({"shows": None}, Verdict.OFF),
        ({"target": Decimal(4)}, Verdict.OWED),
        ({"target": Decimal(4), "has_failed": True}, Verdict.FAILED),
        ({"target": Decimal(4), "till_is_untold": True}, Verdict.OWED),
        ({"till_is_untold": True, "till_is_troubled": True}, Verdict.TILL_UNTOLD),
        ({"till_is_troubled": True}, Verdict.TILL_TROUBLE),
        ({"has_failed": True}, Verdict.IN_STEP),
    ],
)
def test_of_an_open_account(changes, verdict):
    assert judge(replace(IN_STEP, **changes)) == verdict


def test_every_verdict_has_its_status_and_its_sentence():
    assert STATUS.keys() == SENTENCE.keys() == set(Verdict)
    for verdict in Verdict:
        status, sentence = state_said(verdict, off=FIVE, target=FIVE, size="minor", why="Why.")
        assert "{" not in sentence
        assert (status == SyncState.Status.SYNCED) == (verdict in (Verdict.IN_STEP, Verdict.LEFT))
    assert len(state_said(Verdict.UNREAD, why="x" * 999)[1]) == 300


@given(shop_facts(), st.booleans())
def test_the_products_page_is_in_step_only_where_its_state_is(facts, is_unread):
    facts = replace(facts, unread="No name." if is_unread else "")
    bridge = shop_bridge(facts, Moment(datetime(2026, 3, 2, tzinfo=UTC), UTC))
    position = Position(
        counting=facts.counting, target=target_of(facts), baseline=facts.baseline, shows=facts.shows, suspect=facts.suspect,
        difference=facts.difference, left=facts.left, is_unread=is_unread, item_is_missing=facts.item_is_missing,
        item_is_uncounted=facts.item_is_uncounted, is_unanswered=facts.write is not None and facts.write.state == "unanswered",
    )  # fmt: skip
    if bridge.standing == Standing.IN_STEP:
        assert STATUS[judge(position)] == SyncState.Status.SYNCED
