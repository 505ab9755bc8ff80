"""Reports in a browser: from the menu to a period, to a file, to one's mail, and to who gets them by themselves."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


def test_from_the_menu_to_the_period_before_and_its_table_file(shop, open_as):
    page = open_as("viewer")
    page.goto("/admin/")
    page.click("nav[aria-label=Main] >> text=Reports")
    assert page.text_content("#h-report").startswith("Daily report: ")
    page.select_option("#id_period", "weekly")
    page.click("text=Show")
    shown = page.text_content("#h-report")
    assert shown.startswith("Weekly report: ")
    page.click("[rel=prev]")
    before = page.text_content("#h-report")
    assert before.startswith("Weekly report: ")
    assert before != shown
    page.click("[rel=next]")
    assert page.text_content("#h-report") == shown
    with page.expect_download() as download:
        page.click("text=Download a table, CSV")
    assert re.fullmatch(r"sync_report_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    assert page.complaints == []


def test_the_reconciliation_by_keyboard_alone(shop, open_as):
    page = open_as("manager", narrow=True)
    page.goto("/admin/reporting/dailymetric/report/")
    page.focus("#id_part")
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**part=reconciliation")
    assert page.text_content("#h-report").startswith("Reconciliation: ")
    page.click("nav[aria-label='In this report'] >> text=differences")
    assert page.url.endswith("#h-differences")
    assert page.complaints == []


def test_without_an_address_nothing_is_sent_and_it_says_who_can_help(shop, open_as):
    before = shop.ask("select count(*) from reporting_reportdelivery")
    page = open_as("manager")
    page.goto("/admin/reporting/dailymetric/report/?period=weekly")
    page.click("text=Send me this now")
    assert "Your account has no e-mail address." in page.text_content(".messagelist")
    assert page.text_content("#h-report").startswith("Weekly report: ")
    assert shop.ask("select count(*) from reporting_reportdelivery") == before
    assert page.complaints == []


def test_a_lead_chooses_who_gets_a_report_and_a_manager_only_sees_it(shop, open_as):
    page = open_as("lead", narrow=True)
    page.goto("/admin/reporting/reportmail/")
    page.click("text=Add report by mail")
    page.select_option("#id_every", "monthly")
    page.fill("#id_to", "owner@example.com\nbooks@example.com; and more")
    page.click("text=Save >> nth=0")
    assert "is no e-mail address" in page.text_content(".errorlist")
    page.fill("#id_to", "owner@example.com\nbooks@example.com")
    page.click("text=Save >> nth=0")
    assert "owner@example.com and 1 more" in page.text_content("#result_list")
    rows = shop.ask("select every, is_active, since is not null from reporting_reportmail order by id desc")
    assert tuple(rows[0]) == ("monthly", 1, 1)
    assert page.complaints == []
    other = open_as("manager")
    other.goto("/admin/reporting/reportmail/")
    assert "Add report by mail" not in other.content()
    assert other.goto("/admin/reporting/reportmail/add/").status == 403
