"""Case 39: who asked for more than they may leaves a line, and nothing else."""

import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backoffice.people.access import REFUSED
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page

pytestmark = pytest.mark.django_db
LOG = "/admin/admin/logentry/"


@pytest.fixture
def viewer(client):
    client.force_login(make.person("viewer", "connectors.view_connection", "alignment.view_alignment"))
    return client


def lines(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "evenstock.audit"]


def test_a_viewer_who_posts_an_edit_of_credentials_is_refused_and_noted(viewer, caplog):
    shop = make.store_connection(credentials={"consumer_key": "ck_1", "consumer_secret": "cs_1"})
    url = f"/admin/connectors/connection/{shop.pk}/change/"
    assert viewer.post(url, {"name": "mine", "credential__consumer_secret": "cs_of-an-intruder"}).status_code == 403
    shop.refresh_from_db()
    assert (shop.name, shop.credentials["consumer_secret"]) == ("shop", "cs_1")
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.action_flag, entry.object_repr) == ("viewer", REFUSED, f"POST {url}")
    assert lines(caplog) == [f"Refused: POST {url}, by viewer, from 127.0.0.1"]
    assert "intruder" not in caplog.text + entry.change_message


def test_a_viewer_who_posts_an_action_is_refused_and_noted(viewer, caplog):
    row = make.alignment(make.item(make.pos_connection()), make.listing(make.store_connection()), status="proposed")
    url = "/admin/alignment/alignment/"
    answer = viewer.post(url, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert answer.status_code == 403
    row.refresh_from_db()
    assert LogEntry.objects.get().object_repr == f"POST {url}"
    assert len(lines(caplog)) == 1


def test_looking_where_one_may_not_is_in_the_log_only(viewer, caplog):
    assert viewer.get(LOG).status_code == 403
    assert lines(caplog) == [f"Refused: GET {LOG}, by viewer, from 127.0.0.1"]
    assert not LogEntry.objects.exists()


def test_a_forged_form_is_noted_too(caplog):
    person = make.person("ada", "connectors.change_connection")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.post("/admin/connectors/connection/1/test/").status_code == 403
    assert LogEntry.objects.get().user == person
    assert len(lines(caplog)) == 1


def test_an_address_with_a_line_break_makes_no_second_line(viewer, caplog):
    assert viewer.post("/admin/connectors/connection/1%0d2026-01-01 ERROR forged/history/1/").status_code in (403, 404)
    assert viewer.post("/admin/connectors/connection/1%0d2026-01-01 ERROR forged/delete/").status_code == 403
    assert "%0D" in lines(caplog)[-1]
    assert not any("\n" in line or "\r" in line for line in lines(caplog))


def test_a_refusal_in_ordinary_use_is_none(admin_client, caplog):
    with caplog.at_level(logging.INFO):
        page(admin_client, "/admin/")
    assert lines(caplog) == []
    assert not LogEntry.objects.exists()


def test_the_administrator_sees_them_and_nobody_edits_them(viewer, admin_client, admin_user):
    viewer.post("/admin/connectors/connection/add/", {})
    LogEntry.objects.create(user=admin_user, action_flag=2, object_repr=EVIL, change_message=EVIL)
    html = page(admin_client, LOG)
    assert "✗</span> Refused" in html
    assert "this account may not do that" in html
    assert "Changed" in html
    for link in filter_links(html):
        page(admin_client, LOG + link.replace("&amp;", "&"))
    entry = LogEntry.objects.filter(action_flag=REFUSED).get()
    page(admin_client, f"{LOG}{entry.pk}/change/")
    for url in (f"{LOG}{entry.pk}/change/", f"{LOG}{entry.pk}/delete/", f"{LOG}add/"):
        assert admin_client.post(url, {"object_repr": "nothing"}).status_code == 403
    entry.refresh_from_db()
    assert entry.object_repr == "POST /admin/connectors/connection/add/"
