"""A manager asks a number why: from the conflict, from the list, back in time, along a row's link; on a phone without scripts."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
NEW_YORK = ZoneInfo("America/New_York")

GIVEN_BACK = """select recorded_at from inventory_movement m join inventory_voucher v on v.id = m.voucher_id
    where v.kind = 'order' and v.document = '5100' and v.number = 2"""


def test_a_manager_asks_a_conflict_why_looks_back_and_follows_an_order(served_shop, open_as):
    page = open_as("manager")
    before = served_shop.ask("select count(*), sum(quantity) from inventory_movement")
    (conflict, listing) = served_shop.ask(
        "select c.id, a.listing_id from sync_syncconflict c join alignment_alignment a on a.id = c.alignment_id "
        "where c.resolved_at is null order by c.difference desc"
    )[0]
    page.goto(f"/admin/sync/syncconflict/{conflict}/change/")
    page.click("text=Why these numbers?")
    page.wait_for_url(f"**/admin/why/listing/{listing}/")
    assert re.match(r"Why does web-shop show \d+\?", page.inner_text("h1"))
    assert "is explained by no order and no write of ours" in page.inner_text(".verdict")
    assert page.is_visible("svg.waterfall")

    given_back = served_shop.ask(GIVEN_BACK)[0][0]
    moment = datetime.fromisoformat(f"{given_back}+00:00").astimezone(NEW_YORK)
    page.fill("#id_at", f"{moment:%Y-%m-%dT%H:%M}")
    page.click("text=Show that moment")
    page.wait_for_load_state()
    assert re.match(r"Why were \d+ on hand\?", page.inner_text("h1"))
    assert "Given back online" in page.inner_text("#movements")
    assert "Received or counted in" not in page.inner_text("#movements")  # that came later
    page.click("#movements >> text=#5100 >> nth=0")
    page.wait_for_load_state()
    assert "5100" in page.inner_text("h1")
    assert served_shop.ask("select count(*), sum(quantity) from inventory_movement") == before  # looking changes nothing
    assert page.complaints == []


def test_each_number_of_the_list_can_be_asked(served_shop, open_as):
    page = open_as("manager")
    page.goto("/admin/sync/syncstate/")
    (till, shop) = page.locator("#result_list tbody tr >> nth=0").locator("a.why").all()
    shown = shop.inner_text().split()[0]
    till_address = till.get_attribute("href")
    shop.click()
    page.wait_for_load_state()
    assert page.inner_text("h1") == f"Why does web-shop show {shown}?"
    page.click("text=All of this item")
    page.wait_for_url(f"**{till_address}")
    assert page.complaints == []


def test_a_moment_that_has_not_come_is_said_without_any_script_on_a_phone(served_shop, open_as):
    page = open_as("viewer", narrow=True, dark=True, scripts=False)
    item = served_shop.ask("select min(item_id) from alignment_alignment")[0][0]
    page.goto(f"/admin/why/item/{item}/?at=2099-01-01T10:00")
    assert page.inner_text("#problem").startswith("That moment has not come yet.")
    assert page.is_visible("#movements")
    assert page.complaints == []


def test_a_product_is_found_by_its_sku_from_the_menu(served_shop, open_as):
    page = open_as("viewer")
    (sku, item) = served_shop.ask("select sku, id from inventory_item order by id limit 1")[0]
    page.goto("/admin/sync/syncstate/")
    page.click("text=Why a number")
    page.fill("#id_q", sku)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/why/item/{item}/")
    page.goto("/admin/why/?q=no+such+thing")
    assert "Neither the till nor the shop has “no such thing”." in page.inner_text("#content-main")
    assert page.complaints == []


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"narrow": True}], ids=["light", "dark", "narrow"])
def test_a_past_moment_is_accessible(served_shop, open_as, look):
    page = open_as("root", **look)  # the pages of now are among `pages.py`
    item, listing = served_shop.ask("select item_id, listing_id from alignment_alignment order by id limit 1")[0]
    (then,) = served_shop.ask(GIVEN_BACK)[0]
    for path in (f"item/{item}/", f"listing/{listing}/"):
        page.goto(f"/admin/why/{path}?at={then[:16].replace(' ', 'T')}")
        assert page.is_visible("text=Back to now")
        assert page.complaints == []
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
