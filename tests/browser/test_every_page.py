"""Every page, light and dark, wide and narrow: WCAG 2.2 AA by axe, nothing cut off at the side, and a quiet console."""

import json
from pathlib import Path

import axe_playwright_python
import pytest

from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import pages

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
EVERY = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SEEN = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # what a scheme of colours can change
PLACED = {"type": "rule", "values": ["target-size", "scrollable-region-focusable"]}  # what a narrow window can change


def violations(page, rules=EVERY) -> list[str]:
    """What axe finds on the page: rule, place and why. Put in by the browser itself: our policy lets no page load it."""
    page.wait_for_load_state()  # a click leads on before the page it leads to is whole
    found = page.evaluate(f"{AXE}; axe.run(document, {{runOnly: {json.dumps(rules)}, resultTypes: ['violations']}})")
    return [
        f"{one['id']}: {node['html'][:160]} – {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_every_page_is_accessible_and_whole(served_shop, open_as):
    """Each page is loaded once, then looked at in the dark, and through a narrow window."""
    page = open_as("root")
    wrong = []
    for name, path in pages(served_shop).items():
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
        page.complaints.clear()
        answer = page.goto(path)
        if not answer.ok:
            wrong.append(f"{name}: {answer.status}")
        wrong += [f"{name}: {complaint}" for complaint in page.complaints]  # before axe: it sets styles to measure
        wrong += _seen(page, name, EVERY)
        page.emulate_media(color_scheme="dark")
        page.evaluate("document.getAnimations().forEach(one => one.finish())")  # colours that are still on their way
        wrong += _seen(page, f"{name}, dark", SEEN)
        page.set_viewport_size(NARROW)
        wrong += _seen(page, f"{name}, narrow", PLACED)
    assert not wrong, "\n".join(wrong)


def _seen(page, name: str, rules) -> list[str]:
    """What is wrong with the page as it looks now."""
    wrong = [f"{name}: {one}" for one in violations(page, rules)]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        wrong.append(f"{name}: it is wider than the window")
    return wrong


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_who_is_not_logged_in_meets_accessible_pages(served_shop, open_as, dark):
    page = open_as("", dark=dark)
    page.goto("/admin/login/")
    assert violations(page) == []
    page.fill("#id_username", "somebody")
    page.fill("#id_password", "wrong")
    page.click("[type=submit]")
    page.wait_for_selector(".errornote")
    assert violations(page) == []
    page.goto("/no/such/page/")
    assert page.title() == "There is no such page · Evenstock"
    assert violations(page) == []


def test_what_a_role_may_not_do_is_said_plainly(served_shop, open_as):
    page = open_as("viewer")
    page.goto("/admin/sync/syncrun/new/")
    assert page.title() == "You may not do that · Evenstock"
    assert violations(page) == []
