"""“Today” by keyboard, without scripts, and live."""

import pytest

pytestmark = pytest.mark.browser


def focused(page) -> str:
    return page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")


def test_the_first_tab_offers_to_skip_the_menu(served_shop, open_as):
    page = open_as("manager")
    page.goto("/admin/")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "Sync now"


def test_tabs_go_through_the_menu_in_the_order_it_is_read(served_shop, open_as):
    page = open_as("manager")
    page.goto("/admin/")
    names = page.eval_on_selector_all("#menu nav a", "all => all.map(a => a.textContent.trim())")
    page.focus(".brand")
    seen = []
    for _ in names:
        page.keyboard.press("Tab")
        seen.append(focused(page))
    assert seen == names
    assert names[:2] == ["Today", "Conflicts 3"]


def test_a_conflict_is_two_clicks_from_today(served_shop, open_as):
    page = open_as("manager")
    page.goto("/admin/")
    page.click("#live-todo a:has-text('Decide') >> nth=0")
    page.click(".ways >> text=Till wins")
    page.wait_for_selector("text=Till wins: settle it")


def test_on_a_phone_the_menu_opens_without_any_script(served_shop, open_as):
    page = open_as("manager", narrow=True, scripts=False)
    page.goto("/admin/")
    assert not page.is_visible("#menu")
    page.click("text=Menu")
    assert page.is_visible("#menu >> text=Runs")
    page.click("#menu >> text=Runs")
    assert page.title() == "Runs · Evenstock"


def test_the_page_is_complete_without_scripts(served_shop, open_as):
    page = open_as("viewer", scripts=False)
    page.goto("/admin/")
    assert page.inner_text("#live-verdict strong") == "56 of 61 products agree"
    assert page.is_visible("#live-latency svg")


def test_what_changed_shows_up_without_reloading_and_leaves_open_what_is_being_read(shop, open_as):
    page = open_as("manager")
    page.clock.install()
    page.goto("/admin/")
    page.click("#live-latency summary")
    assert page.inner_text("#live-todo header .sub") == "6 of 8"
    with shop.change() as rows:
        rows.execute("update sync_syncconflict set resolved_at = detected_at, resolution = 'pos' where resolved_at is null")
    with page.expect_response("**/today/live/"):
        page.clock.run_for(16_000)
    page.wait_for_function("!document.querySelector('#live-todo').textContent.includes('Critical')")
    assert page.is_visible("#live-latency table")
    assert page.complaints == []
