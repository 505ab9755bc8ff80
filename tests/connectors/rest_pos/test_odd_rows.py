"""Any row of a till, however odd, is named; the others count (found/wire.md W1)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from connectors.errors import ConnectorError
from connectors.rest_pos.mapping import item_facts, items_from, levels_from
from tests.connectors.rest_pos.conftest import shown
from tests.connectors.rest_pos.test_feeds import ITEM
from tests.connectors.scripted import Answer, Scripted
from tests.connectors.test_wire import ANYTHING

LEVEL = {"sku": "A", "location": "Main", "on_hand": "2", "version": 2}
ODD_TEXT = ["\0", "\ud800", "A\0B"]


def spoiled(row: dict[str, Any]) -> Any:
    changes = some.dictionaries(some.sampled_from(sorted(row)), ANYTHING | some.sampled_from(ODD_TEXT), max_size=3)
    return some.builds(lambda changed: {**row, **changed}, changes)


@given(spoiled({**ITEM, "sku": "A"}) | some.dictionaries(some.text(max_size=5), ANYTHING))
def test_any_item_is_used_or_named(row):
    problems: list[Any] = []
    found = items_from([row], problems)
    assert found or problems
    for text in [*(str(item_facts(item)) + item.sku for item in found.values()), *(each.message + each.sku for each in problems)]:
        text.encode()
        assert "\0" not in text
        assert "\\x00" not in text
        assert "\\ud8" not in text


@given(spoiled(LEVEL) | some.dictionaries(some.text(max_size=5), ANYTHING))
def test_any_level_is_used_or_named(row):
    problems: list[Any] = []
    assert len(levels_from([row], problems)) + len(problems) == 1
    for each in problems:
        (each.message + each.sku).encode()


def spoken(place, served, levels: list[Any], items: list[Any]):
    """A till that says these rows."""

    def page(rows: list[Any]) -> Answer:
        end = {"next_after": 2**63 - 1, "has_more": False, "as_of": "2026-03-02T12:00:00Z"}
        return Answer(body=json.dumps({"data": rows, **end}, default=str))

    places = Answer(body={"data": [None, {"name": "\0", "is_default": False}, {"name": "Main", "is_default": True}]})
    answers = {"/v1/levels": page(levels), "/v1/items": page(items), "/v1/locations": places}
    return place(url=served(Scripted(lambda request: answers[request.path])).url)


GOOD = [{**LEVEL, "sku": sku, "version": version} for version, sku in enumerate("BCD", 10)]
ITEMS = [{**ITEM, "sku": sku, "version": version} for version, sku in enumerate("BCD", 10)]


@pytest.mark.parametrize(
    "odd",
    [None, 7, {}, {"version": None}, {"sku": "A", "version": 2**80}, {**LEVEL, "sku": "\0"}, {**LEVEL, "location": "\ud800"}],
)
def test_one_odd_level_is_named_and_the_others_are_read(place, served, odd):
    feed = spoken(place, served, [odd, *GOOD], ITEMS).feed()
    assert shown(feed) == {(sku, "Main"): 2 for sku in "BCD"}
    assert [problem.code for problem in feed.problems] == ["bad_row"]
    assert (feed.figures["levels_until"], feed.is_complete) == (12, True)


@pytest.mark.parametrize("odd", [None, {}, {**ITEM, "sku": "\0"}, {**ITEM, "sku": None}, {**ITEM, "sku": "A" * 191}])
def test_while_an_item_has_no_sku_none_is_taken_for_gone(place, served, odd):
    levels = [{**LEVEL, "sku": "A"}, *GOOD]
    feed = spoken(place, served, levels, [odd, *ITEMS]).feed()
    assert shown(feed) == {(sku, "Main"): 2 for sku in "ABCD"}
    assert [(problem.sku, problem.code) for problem in feed.problems] == [("", "bad_row")]
    assert feed.is_complete is False


def test_a_name_that_no_database_keeps_is_mended(place, served):
    items = [{**ITEM, "sku": "A", "name": "a\0b", "department": "\ud800", "barcode": "1\0"}]
    (reading,) = spoken(place, served, [LEVEL], items).feed().readings
    assert (reading.name, reading.category, reading.barcode, reading.on_hand) == ("a\ufffdb", "\ufffd", "", 2)


def test_a_change_that_stands_nowhere_does_not_stop_the_feed(place, served):
    here = spoken(place, served, GOOD, ITEMS)
    figures = here.feed().figures
    later = spoken(place, served, [{"sku": "B"}], [])
    assert later.feed({**figures, "till": later.till._settings.url}) is None


def test_a_till_whose_every_row_is_odd_is_not_read(place, served):
    levels = [{**LEVEL, "sku": f"S{number}", "version": number, "on_hand": number} for number in range(1, 20)]
    with pytest.raises(ConnectorError, match="19 of 22 rows that the till shows can't be used"):
        spoken(place, served, levels, ITEMS).feed()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(spoiled(LEVEL) | ANYTHING, spoiled({**ITEM, "sku": "A"}) | ANYTHING)
def test_among_good_rows_any_row_stops_nothing(place, served, level, item):
    for row in (level, item):
        if isinstance(row, dict) and isinstance(row.get("version"), int) and row["version"] in range(100):
            row["version"] = 1
    feed = spoken(place, served, [level, *GOOD], [item, *ITEMS]).feed()
    assert {sku for sku, _ in shown(feed)} >= {"B", "C", "D"}
