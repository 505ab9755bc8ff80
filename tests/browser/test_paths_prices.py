"""A price change approved, or rejected, by those who may."""

import pytest

pytestmark = pytest.mark.browser

REVIEWS = "/admin/sync/pricereview/"
MAY, MAY_NOT = ("lead", "administrator"), ("nobody", "viewer", "manager")


def reviews(shop) -> list[tuple[int, str]]:
    return shop.ask("select id, state from sync_pricereview order by id")


def decided(shop, pk: int) -> tuple[str, str, str]:
    """State, reason, and who decided."""
    return shop.ask(
        """select state, reason, auth_user.username from sync_pricereview
        left join auth_user on auth_user.id = decided_by_id where sync_pricereview.id = ?""",
        pk,
    )[0]


@pytest.mark.parametrize("login", MAY)
def test_a_price_is_approved_after_what_follows_was_read_and_a_worker_is_woken(shop, open_as, login):
    (up, _), (down, _) = reviews(shop)
    page = open_as(login)
    page.goto(REVIEWS)
    page.click("#result_list tr:has-text('38.90') th a")
    page.click("text=Approve…")
    assert page.title() == "Approve 1 price change? · Evenstock"
    assert "38.90 USD instead of 29.90 USD is written to the shop." in page.inner_text("#content-main")
    assert reviews(shop) == [(up, "open"), (down, "open")]
    page.fill("#id_reason", "The supplier charges more")
    page.click("button.go")
    assert page.inner_text(".messagelist") == "1 approved. It is written as soon as a worker takes it up."
    assert decided(shop, up) == ("approved", "The supplier charges more", login)
    assert decided(shop, down) == ("open", "", None)
    assert [(task, asked["kind"]) for task, asked in shop.asked_of_workers()] == [("sync.tasks.sync_store", "incremental")]
    assert page.locator("text=Approve…").count() == 0
    assert page.complaints == []


def test_on_a_phone_without_scripts_a_price_below_cost_is_rejected_and_nothing_is_written(shop, open_as):
    (up, _), (down, _) = reviews(shop)
    page = open_as("lead", narrow=True, scripts=False)
    page.goto(f"{REVIEWS}{down}/change/")
    page.click("text=Reject…")
    assert "below cost" in page.inner_text("#content-main")
    page.fill("#id_reason", "We don't sell below cost")
    page.click("button.go")
    assert page.inner_text(".messagelist") == "1 rejected. Nothing is asked again until the price changes."
    assert decided(shop, down) == ("rejected", "We don't sell below cost", "lead")
    assert decided(shop, up) == ("open", "", None)
    assert shop.asked_of_workers() == []


def test_several_are_approved_from_the_list_with_one_reason(shop, open_as):
    page = open_as("lead")
    page.goto(REVIEWS)
    page.check("#action-toggle")
    page.select_option("select[name=action]", "approve")
    page.click("button[name=index]")
    page.fill("#id_reason", "Both are right")
    page.click("button.go")
    assert [state for _, state in reviews(shop)] == ["approved", "approved"]
    assert page.complaints == []


def test_a_price_that_changed_meanwhile_is_not_approved(shop, open_as):
    (up, _), _ = reviews(shop)
    page = open_as("lead")
    page.goto(f"{REVIEWS}{up}/decide/?verb=approve")
    with shop.change() as rows:
        rows.execute("update inventory_item set price = 45 where price = 38.9")
    page.fill("#id_reason", "Right")
    page.click("button.go")
    assert "The till's price is 45 by now, it was 38.90." in page.inner_text(".messagelist")
    assert decided(shop, up) == ("open", "", None)


@pytest.mark.parametrize("login", MAY_NOT)
def test_who_may_not_decide_sees_no_button_and_is_refused_by_hand(shop, open_as, post_by_hand, login):
    before = reviews(shop)
    pk = before[0][0]
    page = open_as(login)
    page.goto(f"{REVIEWS}{pk}/change/")
    assert page.locator("text=Approve…").count() == 0
    assert post_by_hand(login, f"{REVIEWS}{pk}/decide/", verb="approve", reason="x") == 403
    assert post_by_hand(login, REVIEWS, action="approve", _selected_action=str(pk), index="0", reason="x") == 403
    assert reviews(shop) == before
    assert shop.asked_of_workers() == []
