"""Connections in the admin: fields of each kind, secrets that go in and never come out, the test, and who may go live."""

import re
import sys
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test import RequestFactory
from django.utils import timezone
from django.views.debug import ExceptionReporter

from connectors.models import ApiCall, Connection
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page, queries_for

pytestmark = pytest.mark.django_db
LIST, ADD, CALLS = "/admin/connectors/connection/", "/admin/connectors/connection/add/", "/admin/connectors/apicall/"
KEY, SECRET = "ck_f00f00f00f00", "cs_5ecre7va1ue5"
BASICS = {
    "name": "web-shop",
    "mode": "observe",
    "is_active": "on",
    "time_zone": "Europe/Vienna",
    "currency": "EUR",
    "guard_zero_percent": "10",
    "guard_shrink_percent": "20",
}
SHOP = {
    **BASICS,
    "setting__url": "https://shop.example",
    "credential__consumer_key": KEY,
    "credential__consumer_secret": SECRET,
}


@pytest.fixture
def shop() -> Connection:
    return make.store_connection(credentials={"consumer_key": KEY, "consumer_secret": SECRET})


def change_of(connection: Connection) -> str:
    return f"{LIST}{connection.pk}/change/"


def errors_of(html: str) -> dict[str, str]:
    """Field → complaint, as the form shows them."""
    found = re.findall(r'<ul class="errorlist" id="id_(\w+)_error"><li>(.*?)</li>', html)
    return dict(found)


# -- adding and changing -----------------------------------------------------------------------------------------------


def test_adding_asks_for_the_kind_first_and_then_for_its_fields(admin_client):
    choice = page(admin_client, ADD)
    assert re.findall(r'href="\?kind=(\w+)"', choice) == ["pos_csv", "rest_pos", "woocommerce"]
    assert "setting__" not in choice

    shop = page(admin_client, ADD, kind="woocommerce")
    assert 'name="setting__url"' in shop
    assert "Shop address" in shop
    assert "As in the browser: https://shop.example" in shop
    assert 'name="setting__settle_seconds" value="90"' in shop
    till = page(admin_client, ADD, kind="pos_csv")
    assert '<option value="utf-8" selected>' in till
    assert "credential__" not in till


def test_kind_nobody_knows_leads_to_the_choice(admin_client):
    assert "?kind=woocommerce" in page(admin_client, ADD, kind="abacus")
    assert admin_client.post(f"{ADD}?kind=abacus", SHOP).status_code == 200
    assert not Connection.objects.exists()


def test_shop_is_saved_with_what_differs_from_the_defaults(admin_client):
    answer = admin_client.post(f"{ADD}?kind=woocommerce", {**SHOP, "setting__lanes": "3", "setting__per_page": "100"})
    assert answer.status_code == 302
    shop = Connection.objects.get()
    assert (shop.name, shop.kind, shop.mode, shop.currency) == ("web-shop", "woocommerce", "observe", "EUR")
    assert shop.settings == {"url": "https://shop.example", "lanes": 3}
    assert shop.credentials == {"consumer_key": KEY, "consumer_secret": SECRET}


def test_till_is_saved_with_lists_pairs_and_choices(admin_client):
    given = {
        **BASICS,
        "name": "till",
        "setting__folder": "till",
        "setting__preset": "square",
        "setting__delimiter": "\t",
        "setting__columns": "sku = Item #\nquantity = On hand",
        "setting__outlet_columns": "Stock (?P<o>.+)",
        "setting__number_format": "1.234,50",
        "setting__encoding": "utf-8",
        "setting__file_is_complete": "on",
    }
    answer = admin_client.post(f"{ADD}?kind=pos_csv", given)
    assert answer.status_code == 302, errors_of(answer.content.decode())
    till = Connection.objects.get()
    assert till.settings == {
        "folder": "till",
        "preset": "square",
        "delimiter": "\t",
        "columns": {"sku": "Item #", "quantity": "On hand"},
        "outlet_columns": ["Stock (?P<o>.+)"],
        "number_format": "1.234,50",
        "final_newline_required": False,
    }
    assert till.settings_parsed().columns == {"sku": "Item #", "quantity": "On hand"}
    html = page(admin_client, change_of(till))
    assert "sku = Item #\nquantity = On hand" in html
    assert "Stock (?P&lt;o&gt;.+)" in html


def test_each_complaint_lands_at_its_field_and_nothing_is_saved(admin_client):
    given = {
        **SHOP,
        "setting__url": "shop.example",
        "setting__lanes": "9",
        "credential__consumer_key": SECRET,
        "time_zone": "Mars",
    }
    html = admin_client.post(f"{ADD}?kind=woocommerce", given).content.decode()
    complaints = errors_of(html)
    assert complaints == {
        "setting__url": "Write the shop&#x27;s address with https:// in front, like https://shop.example.",
        "setting__lanes": "Input should be less than or equal to 4",
        "credential__consumer_key": "The consumer key starts with ck_: copy the upper one of the two.",
        "time_zone": "“Mars” is no time zone. Use a name such as Europe/Vienna or America/New_York.",
    }
    assert SECRET not in html
    assert not Connection.objects.exists()


def test_what_is_missing_is_asked_for_once(admin_client):
    html = admin_client.post(f"{ADD}?kind=woocommerce", BASICS).content.decode()
    required = ("setting__url", "credential__consumer_key", "credential__consumer_secret")
    assert errors_of(html) == dict.fromkeys(required, "This field is required.")


def test_empty_credential_keeps_the_stored_one_and_a_new_one_replaces_it(shop, admin_client):
    given = {**SHOP, "name": "shop", "credential__consumer_key": "", "credential__consumer_secret": "cs_new"}
    assert admin_client.post(change_of(shop), given).status_code == 302
    shop.refresh_from_db()
    assert shop.credentials == {"consumer_key": KEY, "consumer_secret": "cs_new"}


def test_kind_of_a_connection_never_changes(shop, admin_client):
    admin_client.post(f"{change_of(shop)}?kind=pos_csv", {**SHOP, "kind": "pos_csv"})
    shop.refresh_from_db()
    assert shop.kind == "woocommerce"


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_secrets_never_come_out_again(shop, admin_client, client):
    admin_client.post(change_of(shop), {**SHOP, "name": "shop", "setting__lanes": "1"})
    version = shop.history.first().history_id
    viewer = make.person("viewer", "connectors.view_connection")
    pages = [LIST, change_of(shop), f"{LIST}{shop.pk}/history/", f"{LIST}{shop.pk}/history/{version}/"]
    for who in (None, viewer):
        user = admin_client if who is None else client
        if who:
            client.force_login(who)
        for url in pages:
            html = user.get(url).content.decode()
            assert KEY not in html, url
            assert SECRET not in html, url
    assert "Kept; type a new one to replace it." in page(admin_client, change_of(shop))
    assert "Kept: consumer key, consumer secret." in page(client, change_of(shop))


def test_secrets_are_in_no_table_but_encrypted(admin_client):
    admin_client.post(f"{ADD}?kind=woocommerce", SHOP)
    with database.cursor() as cursor:
        for table in database.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            text = str(cursor.fetchall())
            assert SECRET not in text, table
            assert KEY not in text, table


def test_log_names_the_field_and_not_the_value(shop, admin_client):
    admin_client.post(change_of(shop), {**SHOP, "name": "shop", "credential__consumer_secret": "cs_other", "setting__lanes": "3"})
    message = LogEntry.objects.get().get_change_message()
    assert "Consumer secret" in message
    assert "Lanes" in message
    assert "cs_other" not in message
    assert "settings" in str(shop.history.first().diff_against(shop.history.last()).changed_fields)


def test_error_page_of_a_failed_save_holds_no_secret(admin_user, monkeypatch):
    """A save that breaks: what Django would report of it."""
    from django.contrib import admin

    from connectors.admin import ConnectionAdmin

    request = RequestFactory().post(f"{ADD}?kind=woocommerce", SHOP)
    request.user = admin_user
    request._dont_enforce_csrf_checks = True

    def breaks(self, *args, **kwargs):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(Connection, "save", breaks)
    try:
        ConnectionAdmin(Connection, admin.site).changeform_view(request)
    except RuntimeError:
        reporter = ExceptionReporter(request, *sys.exc_info())
        told = reporter.get_traceback_text() + reporter.get_traceback_html()
    assert "the disk is full" in told
    assert SECRET not in told
    assert KEY not in told


def test_wrong_secret_is_not_shown_in_the_form_that_comes_back(shop, admin_client):
    html = admin_client.post(change_of(shop), {**SHOP, "credential__consumer_secret": "typed-wrong"}).content.decode()
    assert "starts with cs_" in html
    assert "typed-wrong" not in html


# -- going live --------------------------------------------------------------------------------------------------------


def test_going_live_takes_a_permission_of_its_own(shop, client, clock):
    client.force_login(make.person("clerk", "connectors.view_connection", "connectors.change_connection"))
    assert client.post(change_of(shop), {**SHOP, "name": "shop", "mode": "live"}).status_code == 302
    shop.refresh_from_db()
    assert shop.mode == "observe"

    permissions = ("connectors.view_connection", "connectors.change_connection", "connectors.go_live")
    client.force_login(make.person("manager", *permissions))
    clock.shift(1)
    client.post(change_of(shop), {**SHOP, "name": "shop", "mode": "live"})
    shop.refresh_from_db()
    assert shop.mode == "live"
    change = shop.history.first()
    assert (change.history_user.username, change.mode, change.prev_record.mode) == ("manager", "live", "observe")
    assert "Mode" in LogEntry.objects.first().get_change_message()


def test_stopping_a_live_connection_takes_the_same_permission(client):
    shop = make.store_connection(mode="live", credentials={"consumer_key": KEY, "consumer_secret": SECRET})
    client.force_login(make.person("clerk", "connectors.view_connection", "connectors.change_connection"))
    client.post(change_of(shop), {**SHOP, "name": "shop", "mode": "observe"})
    shop.refresh_from_db()
    assert shop.mode == "live"


def test_viewer_sees_settings_and_changes_nothing(shop, client):
    client.force_login(make.person("viewer", "connectors.view_connection"))
    html = page(client, change_of(shop))
    assert "https://shop.example" in html
    assert 'name="_save"' not in html
    assert "Test connection" not in html
    version = shop.history.first().history_id
    posts = [change_of(shop), f"{LIST}{shop.pk}/test/", f"{LIST}{shop.pk}/history/{version}/", f"{ADD}?kind=woocommerce", ADD]
    assert [client.post(url, {**SHOP, "name": "taken"}).status_code for url in posts] == [403] * len(posts)
    assert client.get(ADD).status_code == 403
    assert client.post(LIST, {"action": "delete_selected", "_selected_action": [shop.pk]}).status_code == 403
    shop.refresh_from_db()
    assert (shop.name, shop.settings) == ("shop", {"url": "https://shop.example"})
    assert shop.history.count() == 1
    assert not ApiCall.objects.exists()


def test_former_version_cannot_be_posted_back_even_by_an_administrator(shop, admin_client):
    version = shop.history.first().history_id
    url = f"{LIST}{shop.pk}/history/{version}/"
    page_html = admin_client.get(url).content.decode()
    assert "https://shop.example" in page_html
    assert admin_client.post(url, {**SHOP, "name": "taken"}).status_code == 403
    shop.refresh_from_db()
    assert shop.name == "shop"


def test_anonymous_is_sent_to_the_login(shop, client):
    for url in (LIST, ADD, change_of(shop), f"{LIST}{shop.pk}/test/", CALLS):
        for answer in (client.get(url), client.post(url, SHOP)):
            assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
    assert Connection.objects.count() == 1


# -- the test ----------------------------------------------------------------------------------------------------------


def test_test_of_a_till_says_what_it_found(admin_client, tmp_path):
    till = Connection.objects.create(name="till", kind="pos_csv", settings={"folder": str(tmp_path)})
    html = page(admin_client, change_of(till))
    assert f'action="{LIST}{till.pk}/test/"' in html
    answer = admin_client.post(f"{LIST}{till.pk}/test/")
    assert answer.status_code == 200
    assert '<span class="badge ok">✓ Good</span>' in answer.content.decode()


def test_test_of_a_folder_that_is_not_there_says_what_to_do(admin_client, tmp_path):
    till = Connection.objects.create(name="till", kind="pos_csv", settings={"folder": str(tmp_path / "gone")})
    html = admin_client.post(f"{LIST}{till.pk}/test/").content.decode()
    assert "“till” can't be used yet." in html
    assert '<span class="badge bad">✗ Not yet</span>' in html


def test_test_of_a_shop_that_does_not_answer_says_so_and_logs_the_requests(admin_client):
    shop = Connection.objects.create(
        name="shop",
        kind="woocommerce",
        settings={"url": "http://127.0.0.1:9", "connect_timeout": 1},
        credentials={"consumer_key": KEY, "consumer_secret": SECRET},
    )
    html = admin_client.post(f"{LIST}{shop.pk}/test/").content.decode()
    assert "✗ Not yet" in html
    assert SECRET not in html
    assert ApiCall.objects.filter(connection=shop, status=0).exists()
    assert SECRET not in str(list(ApiCall.objects.values()))


def test_test_with_credentials_that_are_missing_says_what_to_do(admin_client):
    shop = make.store_connection()
    html = admin_client.post(f"{LIST}{shop.pk}/test/").content.decode()
    assert "The credentials of “shop” are not right" in html
    assert "Correct them under Connections" in html


def test_test_is_never_run_by_a_link(shop, admin_client):
    assert admin_client.get(f"{LIST}{shop.pk}/test/").status_code == 405
    assert admin_client.post(f"{LIST}999/test/").status_code == 404
    assert not ApiCall.objects.exists()


# -- lists -------------------------------------------------------------------------------------------------------------


def test_list_says_how_each_one_fares(admin_client):
    now = timezone.now()
    make.store_connection("fine", last_ok_at=now)
    make.store_connection("broken", failures_in_row=3, last_error=f"No answer. {EVIL}", last_ok_at=now)
    make.store_connection("resting", is_active=False)
    make.store_connection("fresh", mode="live")
    make.store_connection("busy", lease_owner="pc:1:x", lease_until=now + timedelta(minutes=5), last_ok_at=now)
    make.store_connection("dead", lease_owner="pc:1:x", lease_until=now - timedelta(minutes=5), last_ok_at=now)
    html = page(admin_client, LIST)
    rows = {re.search(r"/change/\"[^>]*>(\w+)<", row)[1]: row for row in re.findall(r"<tr><td.*?</tr>", html, flags=re.DOTALL)}
    for name, words in {
        "fine": "✓</span> Answers",
        "broken": "✗</span> Failed 3 times in a row",
        "resting": "Not in use",
        "fresh": "Not asked yet",
        "busy": "Working now, seen 0",
        "dead": "Broke off 10",
    }.items():
        assert words in rows[name], name
    assert "Live" in rows["fresh"]
    assert "Observe" in rows["fine"]
    assert "No answer." in rows["broken"]

    for query, names in (("failing", {"broken"}), ("answers", {"fine", "busy", "dead"}), ("new", {"fresh", "resting"})):
        filtered = page(admin_client, LIST, health=query)
        assert set(re.findall(r"/change/\?[^\"]*\"[^>]*>(\w+)<", filtered)) == names
    for link in filter_links(html):
        page(admin_client, LIST + link.replace("&amp;", "&"))
    assert "broken" not in page(admin_client, LIST, q="fine")


def test_unreadable_credentials_are_no_reason_for_an_error_page(shop, admin_client):
    with database.cursor() as cursor:
        cursor.execute("UPDATE connectors_connection SET credentials = %s", ['"lost"'])
    page(admin_client, LIST)
    html = page(admin_client, change_of(shop))
    assert "Kept;" not in html


def test_requests_are_listed_filtered_and_found(shop, admin_client):
    at = timezone.now()
    for status, path in ((200, "/wp-json/fine"), (404, f"/wp-json/{EVIL}"), (503, "/wp-json/overrun"), (0, "/wp-json/silent")):
        ApiCall.objects.create(connection=shop, at=at, method="GET", path=path, status=status, latency_ms=12, error=EVIL)
    html = page(admin_client, CALLS)
    assert "No reply" in html
    for link in filter_links(html):
        page(admin_client, CALLS + link.replace("&amp;", "&"))
    shown = {
        query: {name for name in ("fine", "alert(1)", "overrun", "silent") if name in page(admin_client, CALLS, reply=query)}
        for query in ("errors", "0", "2", "4", "5")
    }
    assert shown == {
        "errors": {"alert(1)", "overrun", "silent"},
        "0": {"silent"},
        "2": {"fine"},
        "4": {"alert(1)"},
        "5": {"overrun"},
    }
    assert "overrun" not in page(admin_client, CALLS, q="silent")
    call = ApiCall.objects.first()
    page(admin_client, f"{CALLS}{call.pk}/change/")
    assert admin_client.post(f"{CALLS}{call.pk}/change/", {}).status_code == 403
    assert admin_client.get(f"{CALLS}add/").status_code == 403


def test_lists_of_200_rows_take_few_queries(admin_client):
    shops = [make.store_connection(f"shop-{number}") for number in range(200)]
    ApiCall.objects.bulk_create(
        [ApiCall(connection=shop, at=timezone.now(), method="GET", path="/x", status=200, latency_ms=1) for shop in shops]
    )
    assert queries_for(admin_client, LIST) <= 15
    assert queries_for(admin_client, CALLS) <= 15
