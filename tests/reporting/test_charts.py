"""Charts say in words what they show, and hold nothing that the policy of the pages forbids."""

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from reporting.core.charts import Chart, Point, Share, bar_svg, line_svg, shares_svg

SVG = "{http://www.w3.org/2000/svg}"


def points(*values: int | None) -> list[Point]:
    return [Point(f"day {n}", None if v is None else Decimal(v), str(v)) for n, v in enumerate(values)]


def drawn(svg: str) -> ET.Element:
    assert "style" not in svg
    return ET.fromstring(svg)  # noqa: S314 - our own


@pytest.mark.parametrize("draw", [line_svg, bar_svg])
def test_a_chart_has_a_title_and_a_description_that_belong_to_it(draw):
    svg = drawn(draw(Chart("c1", "Conflicts & more", "low <1>", points(1, 2), goal=Decimal(5))))
    assert svg.attrib["aria-labelledby"] == "c1-title c1-desc"
    assert {child.attrib["id"]: child.text for child in svg if "id" in child.attrib} == {
        "c1-title": "Conflicts & more",
        "c1-desc": "low <1>",
    }


def test_a_day_without_a_measure_is_a_gap_not_a_zero():
    svg = line_svg(Chart("c", "t", "d", points(5, 6, None, 7, 8)))
    assert svg.count("<polyline") == 2
    assert bar_svg(Chart("c", "t", "d", points(5, None, 0))).count("<rect") == 2


def test_a_higher_value_stands_higher_and_all_stay_inside():
    svg = line_svg(Chart("c", "t", "d", points(0, 10, 5), goal=Decimal(5)))
    places = [tuple(map(float, pair.split(","))) for pair in re.search(r'polyline class="line" points="([^"]*)"', svg)[1].split()]
    heights = [y for _, y in places]
    assert heights[1] < heights[2] < heights[0]
    assert all(0 <= y <= 96 and 0 <= x <= 320 for x, y in places)


def test_days_over_the_goal_are_marked():
    svg = bar_svg(Chart("c", "t", "d", points(4, 5, 9), goal=Decimal(5)))
    assert svg.count('class="bar over"') == 2


@pytest.mark.parametrize("values", [(), (None, None), (3,), (4, 4, 4)])
def test_little_or_level_data_still_draws(values):
    drawn(line_svg(Chart("c", "t", "d", points(*values))))
    drawn(bar_svg(Chart("c", "t", "d", points(*values))))


def test_a_part_that_is_there_at_all_is_seen_and_all_are_said():
    svg = shares_svg("s", "How far off", [Share("Perfect", 99_999, "ok"), Share("Minor", 0, "info"), Share("Critical", 1, "bad")])
    assert 'class="part bad"' in svg
    assert 'class="part info"' not in svg
    assert "Perfect 99,999, Minor 0, Critical 1" in svg
    assert 'class="part none"' in shares_svg("s", "t", [Share("Perfect", 0, "ok")])
