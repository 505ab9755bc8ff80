"""The waterfall says in words what it shows, joins its steps, and holds nothing that the policy of the pages forbids."""

import re
from decimal import Decimal
from xml.etree import ElementTree as ET

from backoffice.product.waterfall import Fall, Scale, fall_svg, waterfall_svg

SVG = "{http://www.w3.org/2000/svg}"


def fall(start: int, end: int, css: str = "moved", label: str = "step") -> Fall:
    return Fall(label, Decimal(start), Decimal(end), css, f"{end - start:+}")


def bars(svg: str) -> list[tuple[float, float]]:
    """From where to where, in percent."""
    assert "style" not in svg
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return [
        (float(one.attrib["x"][:-1]), float(one.attrib["x"][:-1]) + float(one.attrib["width"][:-1]))
        for one in root.iter(f"{SVG}rect")
    ]


def drawn(*falls: Fall) -> str:
    return waterfall_svg(code="w", title="Why", falls=falls).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def test_each_step_begins_where_the_one_before_it_ended():
    svg = drawn(fall(0, 10, "total"), fall(10, 6), fall(6, 8), fall(0, 8, "total"))
    assert bars(svg) == [(0, 100), (60, 100), (60, 80), (0, 80)]
    assert re.findall(r'class="fall ([^"]*)"', svg) == ["total", "moved down", "moved up", "total"]


def test_what_is_below_zero_is_drawn_left_of_it():
    assert bars(drawn(fall(0, 6), fall(6, -2), fall(0, -2, "total"))) == [(25, 100), (0, 100), (0, 25)]


def test_a_step_of_nothing_and_a_page_of_nothing_still_draw():
    ((left, right),) = bars(drawn(fall(0, 0)))
    assert (left, round(right, 1)) == (0, 0.4)
    assert bars(drawn()) == []


def test_the_same_is_said_in_words_and_what_came_from_outside_is_escaped():
    svg = drawn(fall(0, 10, label="<b>First & only</b>"))
    root = ET.fromstring(svg)  # noqa: S314 - our own
    assert root.attrib["aria-labelledby"] == "w-title w-desc"
    assert root.find(f"{SVG}desc").text == "<b>First & only</b> +10."
    assert "<b>" not in svg


def test_one_bar_alone_is_hidden_from_who_hears_the_page():
    svg = fall_svg(fall(10, 6), Scale(Decimal(0), Decimal(10)))
    assert 'aria-hidden="true"' in svg
    assert 'x="60.00%"' in svg
