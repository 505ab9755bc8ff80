"""What takes one page: a refused write tried again, and a threshold edited in its list."""

import pytest

pytestmark = pytest.mark.browser

WRITES, THRESHOLDS = "/admin/sync/outboundwrite/", "/admin/alerts/threshold/"


def refused(shop) -> list[tuple[int, int]]:
    return shop.ask("select id, is_released from sync_outboundwrite where state = 'rejected' order by id")


def thresholds(shop) -> list[tuple]:
    return shop.ask("select category, low_stock_below, price_percent from alerts_threshold order by id")


@pytest.mark.parametrize("login", ["manager", "lead", "administrator"])
def test_a_refused_write_is_tried_again_with_a_reason(shop, open_as, login):
    (first, _), (second, _) = refused(shop)
    page = open_as(login)
    page.goto(f"{WRITES}?state__exact=rejected")
    page.check(f"input[name=_selected_action][value='{first}']")
    page.select_option("select[name=action]", "try_again")
    page.click("button[name=index]")
    assert "locked by another plugin" in page.inner_text("#content-main")
    assert refused(shop) == [(first, 0), (second, 0)]
    page.fill("#id_reason", "Unlocked in the shop")
    page.click("button.go")
    assert page.inner_text(".messagelist") == "1 will be tried again with the next sync."
    assert refused(shop) == [(first, 1), (second, 0)]
    assert shop.ask("select change_message from django_admin_log order by id desc limit 1") == [
        ("Tried again: Unlocked in the shop",)
    ]
    assert page.complaints == []


@pytest.mark.parametrize("login", ["nobody", "viewer"])
def test_who_may_only_look_tries_nothing_again(shop, open_as, post_by_hand, login):
    before = refused(shop)
    page = open_as(login)
    page.goto(WRITES)
    assert page.locator("select[name=action]").count() == 0
    assert post_by_hand(login, WRITES, action="try_again", _selected_action=str(before[0][0]), index="0", reason="x") == 403
    assert refused(shop) == before


@pytest.mark.parametrize(("login", "narrow", "scripts"), [("lead", False, True), ("administrator", True, False)])
def test_a_threshold_is_edited_in_the_list_and_kept_in_its_history(shop, open_as, login, narrow, scripts):
    assert thresholds(shop) == [("Lighting", 4, None)]
    page = open_as(login, narrow=narrow, scripts=scripts)
    page.goto(THRESHOLDS)
    page.fill("[name=form-0-low_stock_below]", "6")
    page.fill("[name=form-0-price_percent]", "15")
    page.click("[name=_save]")
    assert page.inner_text(".messagelist") == "1 threshold was changed successfully."
    assert thresholds(shop) == [("Lighting", 6, 15)]
    newest = """select kept.low_stock_below, auth_user.username from alerts_historicalthreshold kept
        join auth_user on auth_user.id = kept.history_user_id order by history_id desc limit 1"""
    assert shop.ask(newest) == [(6, login)]
    assert page.complaints == []


def test_a_limit_below_zero_is_refused_beside_its_field(shop, open_as):
    page = open_as("lead")
    page.goto(THRESHOLDS)
    page.fill("[name=form-0-low_stock_below]", "-1")
    page.click("[name=_save]")
    assert "greater than or equal to 0" in page.inner_text("#result_list .errorlist")
    assert thresholds(shop) == [("Lighting", 4, None)]


@pytest.mark.parametrize("login", ["nobody", "viewer", "manager"])
def test_who_may_not_edit_thresholds_reads_them_and_is_refused_by_hand(shop, open_as, post_by_hand, login):
    pk = shop.ask("select id from alerts_threshold")[0][0]
    page = open_as(login)
    page.goto(THRESHOLDS)
    assert page.locator("[name=form-0-low_stock_below]").count() == 0
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(pk), "form-0-low_stock_below": "1"}
    assert post_by_hand(login, THRESHOLDS, _save="Save", **form) == 403
    assert post_by_hand(login, f"{THRESHOLDS}{pk}/change/", low_stock_below="1") == 403
    assert thresholds(shop) == [("Lighting", 4, None)]
