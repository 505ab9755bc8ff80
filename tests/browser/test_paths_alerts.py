"""An alert acknowledged: resolved with what was done, snoozed, assigned."""

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = pytest.mark.browser

ALERTS = "/admin/alerts/alert/"
MAY, MAY_NOT = ("manager", "lead", "administrator"), ("nobody", "viewer")


def alerts(shop) -> list[tuple]:
    """State, notes, who resolved it and who looks after it: the worst first."""
    return shop.ask("""select state, notes, done.username, theirs.username from alerts_alert
        left join auth_user done on done.id = resolved_by_id left join auth_user theirs on theirs.id = assigned_to_id
        order by severity desc""")


UNTOUCHED = ("open", "", None, None)


@pytest.mark.parametrize("login", MAY)
def test_an_alert_is_resolved_with_what_was_done_and_leaves_the_list(shop, open_as, login):
    page = open_as(login)
    page.goto("/admin/")
    page.click("#menu >> text=Alerts")
    page.click("#result_list tbody tr >> nth=0 >> th a")
    page.click("text=Resolve…")
    page.fill("textarea[name=notes]", "Counted: there are 4")
    page.click("button.go")
    assert page.inner_text(".messagelist") == "1 resolved."
    assert alerts(shop) == [("resolved", "Counted: there are 4", login, None), UNTOUCHED, UNTOUCHED]
    page.click("text=Open again…")
    page.click("button.go")
    assert alerts(shop)[0][0] == "open"
    assert page.complaints == []


def test_without_saying_what_was_done_nothing_is_resolved(shop, open_as):
    page = open_as("manager", scripts=False)
    page.goto(ALERTS)
    page.click("#result_list tbody tr >> nth=0 >> th a")
    page.click("text=Resolve…")
    page.fill("textarea[name=notes]", "  ")
    page.click("button.go")
    assert page.inner_text(".errorlist") == "This field is required."
    assert alerts(shop) == [UNTOUCHED] * 3


def test_on_a_phone_without_scripts_an_alert_is_snoozed_for_a_day(shop, open_as):
    page = open_as("manager", narrow=True, scripts=False)
    page.goto(ALERTS)
    page.click("#result_list tbody tr >> nth=0 >> th a")
    page.click("text=Snooze…")
    page.click("button.go")
    assert [row[0] for row in alerts(shop)] == ["snoozed", "open", "open"]
    ((until,),) = shop.ask("select snoozed_until from alerts_alert where state = 'snoozed'")
    assert round((datetime.fromisoformat(f"{until}+00:00") - datetime.now(UTC)) / timedelta(hours=1)) == 24
    page.goto(ALERTS)
    assert page.locator("#result_list tbody tr").count() == 2


def test_all_are_assigned_from_the_list_at_once(shop, open_as):
    page = open_as("manager")
    page.goto(ALERTS)
    page.check("#action-toggle")
    page.select_option("select[name=action]", "assign")
    page.click("button[name=index]")
    page.select_option("select[name=to]", label="lead")
    page.click("button.go")
    assert page.inner_text(".messagelist") == "3 assigned."
    assert alerts(shop) == [("open", "", None, "lead")] * 3
    assert page.complaints == []


@pytest.mark.parametrize("login", MAY_NOT)
def test_who_may_only_look_sees_no_button_and_is_refused_by_hand(shop, open_as, post_by_hand, login):
    pk = shop.ask("select max(id) from alerts_alert")[0][0]
    page = open_as(login)
    page.goto(f"{ALERTS}{pk}/change/")
    assert page.locator("text=Resolve…").count() == 0
    for verb in ("resolve", "snooze", "assign", "reopen"):
        form = {"said": "1", "notes": "x", "hours": "1", "to": "1"}
        assert post_by_hand(login, f"{ALERTS}{pk}/handle/{verb}/", **form) == 403
        assert post_by_hand(login, ALERTS, action=verb, _selected_action=str(pk), index="0", **form) == 403
    assert alerts(shop) == [UNTOUCHED] * 3
