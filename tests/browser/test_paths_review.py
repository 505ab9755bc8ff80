"""Matches reviewed with nothing but the keyboard."""

import pytest

pytestmark = pytest.mark.browser

REVIEW = "/admin/alignment/alignment/review/"
MAY, MAY_NOT = ("manager", "lead", "administrator"), ("nobody", "viewer")


def proposed(shop) -> list[int]:
    return [pk for (pk,) in shop.ask("select id from alignment_alignment where status = 'proposed' order by id")]


def status(shop, pk: int) -> str:
    return shop.ask("select status from alignment_alignment where id = ?", pk)[0][0]


def press(page, key: str) -> None:
    """Press a key that sends a decision, and wait for the page after it."""
    with page.expect_navigation():
        page.keyboard.press(key)


def in_focus(page) -> str:
    return page.evaluate("document.activeElement.id")


@pytest.mark.parametrize("login", MAY)
def test_matches_are_accepted_rejected_and_taken_back_by_keyboard_alone(shop, open_as, login):
    first, second, third, fourth = proposed(shop)
    page = open_as(login)
    page.goto(REVIEW)
    assert in_focus(page) == f"pair-{first}"
    press(page, "a")
    assert (status(shop, first), in_focus(page)) == ("confirmed", f"pair-{second}")
    page.keyboard.press("j")
    assert in_focus(page) == f"pair-{third}"
    press(page, "r")
    assert [status(shop, pk) for pk in (second, third, fourth)] == ["proposed", "rejected", "proposed"]
    press(page, "u")
    press(page, "u")
    assert proposed(shop) == [first, second, third, fourth]
    assert page.locator("#undo").count() == 0
    assert page.complaints == []


def test_another_listing_is_chosen_by_its_number_and_that_is_taken_back_too(shop, open_as):
    first, *rest = proposed(shop)
    (item,) = shop.ask("select item_id from alignment_alignment where id = ?", first)[0]
    page = open_as("manager")
    page.goto(REVIEW)
    press(page, "1")
    chosen = """select pair.status, listing.remote_id from alignment_alignment pair
        join inventory_listing listing on listing.id = pair.listing_id where pair.item_id = ? order by pair.id"""
    assert [row[0] for row in shop.ask(chosen, item)] == ["rejected", "confirmed"]
    assert shop.ask(chosen, item)[1][1] == 9000
    assert proposed(shop) == rest
    press(page, "u")
    assert [row[0] for row in shop.ask(chosen, item)] == ["proposed", "rejected"]
    assert page.complaints == []


def test_who_decided_is_kept(shop, open_as):
    first, *_ = proposed(shop)
    page = open_as("manager")
    page.goto(REVIEW)
    press(page, "a")
    newest = """select auth_user.username from alignment_historicalalignment kept
        join auth_user on auth_user.id = kept.history_user_id where kept.id = ? order by kept.history_id desc limit 1"""
    assert shop.ask(newest, first) == [("manager",)]


def test_on_a_phone_without_scripts_the_buttons_do_the_same(shop, open_as):
    first, second, *_ = proposed(shop)
    page = open_as("manager", narrow=True, scripts=False)
    page.goto(REVIEW)
    page.click(f"#pair-{first} [name=accept]")
    page.click(f"#pair-{second} [name=reject]")
    assert (status(shop, first), status(shop, second)) == ("confirmed", "rejected")
    page.click("#undo")
    assert (status(shop, first), status(shop, second)) == ("confirmed", "proposed")


def test_a_viewer_reads_the_matches_and_no_key_decides(shop, open_as, post_by_hand):
    before = proposed(shop)
    page = open_as("viewer")
    page.goto(REVIEW)
    assert page.locator(".review").count() == 4
    assert page.locator("[name=accept], [name=reject], [name=choose], #undo").count() == 0
    for key in "ar1u":
        page.keyboard.press(key)
    assert proposed(shop) == before
    assert page.complaints == []


@pytest.mark.parametrize("login", MAY_NOT)
def test_a_decision_sent_by_hand_is_refused(shop, post_by_hand, login):
    before = proposed(shop)
    for form in ({"pair": str(before[0]), "accept": "1"}, {"accept_from": "0.5"}, {"confirm_from": "0.5"}, {"undo": "1"}):
        assert post_by_hand(login, REVIEW, **form) == 403
    assert proposed(shop) == before
