"""An alignment file uploaded, looked at, and confirmed or not."""

import pytest

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser

IMPORT = "/admin/alignment/alignment/import/"
HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"
MAY, MAY_NOT = ("manager", "lead", "administrator"), ("nobody", "viewer")
PAIR = """select pair.status, pair.match_type from alignment_alignment pair join inventory_item item on item.id = pair.item_id
    join inventory_listing listing on listing.id = pair.listing_id where item.sku = ? and listing.sku = ?"""


def proposals(shop) -> list[tuple[str, str]]:
    """What waits for a decision, as (item's SKU, listing's SKU)."""
    return shop.ask("""select item.sku, listing.sku from alignment_alignment pair
        join inventory_item item on item.id = pair.item_id
        join inventory_listing listing on listing.id = pair.listing_id where pair.status = 'proposed' order by pair.id""")


def upload(page, text: str) -> None:
    page.goto(IMPORT)
    page.set_input_files("#id_file", {"name": "pairs.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.click("text=Show what it would do")


def pairs(shop) -> list[tuple]:
    return shop.ask("select id, status, match_type, confidence from alignment_alignment order by id")


@pytest.mark.parametrize("login", MAY)
def test_a_file_is_uploaded_looked_at_and_confirmed_and_a_bad_row_is_named_and_left_out(shop, open_as, login):
    (sku, listing), *_ = proposals(shop)
    page = open_as(login)
    page.goto("/admin/alignment/alignment/")
    page.click("text=Import a file")
    upload(page, f"{HEADER}{sku},{listing},exact,1\nno-such-sku,{listing},exact,1\n{sku},{listing},perfect,1\n")
    assert page.title() == "What this file would do · Evenstock"
    assert "Nothing has been applied yet" in page.inner_text("#content")
    rows = page.locator("#result_list tbody tr")
    said = [row.inner_text() for row in rows.all()]
    assert [said[0].split()[0], said[1].split()[0], said[2].split()[0]] == ["3", "4", "2"]
    assert "The till has no item “no-such-sku”." in said[0]
    assert "“perfect” is no match type" in said[1]
    before = shop.ask(PAIR, sku, listing)

    page.click("text=Apply 1 row")

    assert page.inner_text(".messagelist") == (
        "Pairs of “pairs.csv”: 0 created, 1 changed, 0 unchanged. 2 rows were not applied."
    )
    assert (before, shop.ask(PAIR, sku, listing)) == ([("proposed", "fuzzy")], [("confirmed", "exact")])
    assert page.complaints == []


def test_a_cancelled_import_changes_nothing(shop, open_as):
    (sku, listing), *_ = proposals(shop)
    before = pairs(shop)
    page = open_as("manager")
    upload(page, f"{HEADER}{sku},{listing},exact,1\n")
    page.click("text=Cancel")
    assert page.inner_text(".messagelist") == "The import was cancelled; nothing was applied."
    assert pairs(shop) == before
    assert page.complaints == []


def test_a_file_that_is_no_alignment_file_is_refused_with_what_to_do(shop, open_as):
    page = open_as("manager", narrow=True)
    upload(page, "SKU;Name\n1;Mug\n")
    assert "POS SKU" in page.inner_text(".errorlist")
    assert page.title() == "Import an alignment file · Evenstock"


def test_on_a_phone_without_scripts_a_file_is_imported_too(shop, open_as):
    (sku, listing), *_ = proposals(shop)
    page = open_as("manager", narrow=True, scripts=False)
    upload(page, f"{HEADER}{sku},{listing},barcode,0.98\n")
    page.click("text=Apply 1 row")
    assert shop.ask(PAIR, sku, listing) == [("confirmed", "barcode")]


def test_what_changed_since_it_was_looked_at_is_shown_before_anything_is_applied(shop, open_as):
    (sku, listing), *_ = proposals(shop)
    page = open_as("manager")
    upload(page, f"{HEADER}{sku},{listing},exact,1\n")
    with shop.change() as rows:
        rows.execute("update alignment_alignment set status = 'rejected' where status = 'proposed'")
    page.click("text=Apply 1 row")
    assert "Something changed since you looked" in page.inner_text(".messagelist")
    assert shop.ask(PAIR, sku, listing)[0][0] == "rejected"


@pytest.mark.parametrize("login", MAY_NOT)
def test_who_may_only_look_is_offered_no_import_and_gets_none(shop, open_as, post_by_hand, login):
    before = pairs(shop)
    page = open_as(login)
    page.goto("/admin/alignment/alignment/")
    assert page.locator("text=Import a file").count() == 0
    assert post_by_hand(login, IMPORT, till="1", store="2", encoding="utf-8") == 403
    assert post_by_hand(login, f"{IMPORT}{'0' * 32}/", apply="1") == 403
    assert pairs(shop) == before


@pytest.mark.parametrize("look", [{}, {"dark": True}, {"narrow": True}], ids=["light", "dark", "narrow"])
def test_the_preview_is_accessible_and_whole(shop, open_as, look):
    page = open_as("manager", **look)
    upload(page, f"{HEADER}no-such-sku,neither,exact,1\n")
    assert page.title() == "What this file would do · Evenstock"
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert violations(page) == []
