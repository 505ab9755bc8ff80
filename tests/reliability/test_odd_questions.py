"""Whatever an address asks, by whoever is logged in: an answer at once, and never an error of ours."""

import time
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import quote, urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import models
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.urls import reverse

from config.wsgi import Utf8Request, application
from connectors.models import Connection
from inventory.models import Item, Listing
from kit.admin.lists import BoundedAdmin
from tests import factories as make
from tests.reliability.addresses import every_address
from tests.reliability.rows import every_row
from tests.reliability.test_every_address import SIGNED, everything

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.every_database]
LONGEST = 2.0  # seconds of processor time
NINES = "9" * 30
# What nothing holds, or only some columns; each found an error of ours, or of Django's, in one place or another.
ODD = (NINES, "9" * 5_000, "²", "(a+)+$", "0001-01-01", "9999-12-31", "0001-01-01 00:00:00+14:00")
KEYS = (NINES, "9" * 5_000, "²", "1e99", "x")
NO_TEXT = "a\x00b"


@pytest.fixture
def rows():
    return every_row()


@pytest.fixture
def root(admin_client) -> Client:
    admin_client.raise_request_exception = False
    return admin_client


@pytest.fixture
def viewer() -> Client:
    person = make.person("viewer")
    person.groups.add(Group.objects.get(name="Viewer"))
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def asked(client: Client, address: str, query: str = "", *, data: dict | None = None) -> int:
    """Result: the status; it came at once."""
    began = time.thread_time()
    address = f"{address}?{query}" if query else address
    answer = client.get(address) if data is None else client.post(address, data)
    if answer.streaming:
        b"".join(answer.streaming_content)
    took = time.thread_time() - began
    assert answer.status_code < 500, (address[:200], answer.status_code)
    assert took < LONGEST, (address[:200], took)
    return answer.status_code


def list_of(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def texts_of(model: type[models.Model]) -> list[str]:
    """Result: the way to a text of its own, and to one of what it leads to, where there are such."""
    own = [one.name for one in model._meta.concrete_fields if isinstance(one, models.CharField | models.TextField)]
    ways = [
        f"{field.name}__{text.name}"
        for field in model._meta.concrete_fields
        if field.related_model
        for text in field.related_model._meta.concrete_fields
        if isinstance(text, models.CharField | models.TextField)
    ]
    return [*own[:1], *ways[-1:]]


# -- lists -----------------------------------------------------------------------------------------------------------


def test_every_list_is_within_bounds_whoever_wrote_it():
    assert len(admin.site._registry) > 40
    assert {type(one).__module__.split(".")[0] for one in admin.site._registry.values()} > {"django", "django_celery_beat"}
    assert [model for model, one in admin.site._registry.items() if not isinstance(one, BoundedAdmin)] == []
    assert [model for model, one in admin.site._registry.items() if type(one).__mro__[1] is not BoundedAdmin] == []


def test_a_list_takes_no_look_up_but_its_filters(rows, root, viewer):
    for model in admin.site._registry:
        texts = texts_of(model)
        for name in (*(f"{text}__regex" for text in texts), "pk__gt", "pk__regex", "nothing"):
            answer = root.get(list_of(model), {name: "(a+)+$"})
            assert (answer.status_code, answer.get("Location")) in ((302, f"{list_of(model)}?e=1"), (400, None)), (model, name)
        assert asked(viewer, list_of(model), urlencode({"pk__regex": "(a+)+$"})) in (302, 403)
        assert asked(root, list_of(model), urlencode({"e": 1, "pk__regex": "("})) == 400


def test_whoever_is_refused_a_look_up_is_told_and_sees_the_list(rows, viewer):
    answer = viewer.get("/admin/inventory/item/", {"name__regex": "("}, follow=True)
    assert answer.redirect_chain == [("/admin/inventory/item/?e=1", 302)]
    assert "can&#x27;t be asked for that" in answer.content.decode()


LISTS = {
    "q": ("a " * 150, "'", '"', "\\", "%", "a" * 301, "a " * 50_000),
    "p": (NINES, "9" * 5_000, "0", "-1", "x"),
    "o": (".".join(["1"] * 5_000), NINES, f"-{NINES}", "9" * 5_000, "--1", "-1.-2"),
    "all": ("",),
    "_to_field": ("id", "password", "nothing"),
    "_popup": ("1",),
    "_facets": ("True",),
    "e": ("1",),
}


@pytest.mark.parametrize("who", ["viewer", "root"])
def test_a_list_answers_whatever_page_order_and_search_it_is_asked_for(rows, request, who):
    client = request.getfixturevalue(who)
    for model in admin.site._registry:
        if asked(client, list_of(model)) == 403:
            continue
        for name, values in LISTS.items():
            for value in values if who == "root" else values[:1]:
                asked(client, list_of(model), urlencode({name: value}))
        asked(client, list_of(model), urlencode({"all": "", "p": NINES, "o": "1", "_popup": 1, "_to_field": "id", "q": "a"}))


def filters_of(model: type[models.Model], user: User) -> list[str]:
    """Result: the names that its filters take."""
    model_admin = admin.site._registry[model]
    asking = RequestFactory().get("/")
    asking.user = user
    shown = [name for spec in model_admin.get_changelist_instance(asking).filter_specs for name in spec.expected_parameters()]
    return [*shown, *(one.parameter_name for one in model_admin.list_filter if hasattr(one, "parameter_name"))]


def test_a_filter_answers_whatever_it_is_asked_for(rows, root, admin_user):
    tried = 0
    for model in admin.site._registry:
        for name in dict.fromkeys(filters_of(model, admin_user)):
            for value in ODD:
                asked(root, list_of(model), urlencode({name: value}))
                tried += 1
    assert tried > 800


def test_an_action_on_rows_that_cannot_be_changes_nothing(rows, root):
    before = everything()
    for model, model_admin in admin.site._registry.items():
        asking = RequestFactory().get("/")
        asking.user = User.objects.get(username="admin")
        for action in model_admin.get_actions(asking):
            for key in KEYS:
                data = {"action": action, "_selected_action": [key], "index": NINES, "select_across": "0"}
                assert asked(root, list_of(model), data=data | {"index": "0"}) == 400, (model, action, key[:40])
    assert everything() == before


# -- pages of a row ----------------------------------------------------------------------------------------------------


def at(address: str, key: str) -> str:
    return address.replace("KEY", quote(key, safe=""))


@pytest.mark.parametrize("who", ["viewer", "root"])
def test_a_page_of_a_row_that_cannot_be_is_not_there(rows, request, who):
    client = request.getfixturevalue(who)
    of_row = [one for one in every_address({model: SimpleNamespace(pk="KEY") for model in rows}) if "KEY" in one]
    versions = {
        model: SimpleNamespace(pk=row.pk, history=SimpleNamespace(first=lambda: SimpleNamespace(pk="KEY")))
        for model, row in rows.items()
    }
    of_version = [one for one in every_address(versions) if "KEY" in one]
    assert len(of_row) > 150
    assert len(of_version) > 8
    for address in (*of_row, *of_version):
        for key in KEYS if who == "root" else KEYS[:1]:
            assert asked(client, at(address, key)) in (301, 302, 403, 404, 405), (address, key[:40])


# -- every page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch) -> set[str]:
    """What pages read from their addresses, by name; to be emptied before each."""
    names: set[str] = set()

    class Told(QueryDict):
        def __getitem__(self, name):
            names.add(name)
            return super().__getitem__(name)

        def getlist(self, name, default=None):
            names.add(name)
            return super().getlist(name, default)

        def __contains__(self, name):
            names.add(name)
            return super().__contains__(name)

    monkeypatch.setattr("django.core.handlers.wsgi.QueryDict", Told)
    return names


@pytest.mark.parametrize("who", ["viewer", "root"])
def test_a_page_answers_whatever_it_reads_from_its_address(rows, request, who, reads):
    client = request.getfixturevalue(who)
    lists = {list_of(model) for model in admin.site._registry}  # asked above
    read: set[str] = set()
    for address in (*every_address(rows), *(reverse(f"admin:{view}", args=[rows[model].pk]) for view, model in PAGES)):
        reads.clear()
        if address in SIGNED | lists or address.endswith("/add/"):  # those of lists are asked above, those of new rows below
            continue
        if asked(client, address) in (301, 302, 403, 404, 405):
            continue
        of_page = set(reads)
        reads.clear()
        asked(client, address, urlencode(USUAL))
        of_page |= reads - USUAL.keys()  # those are looked for as the address is read
        read |= of_page
        for name in of_page - DJANGOS:
            for value in ODD:
                asked(client, address, urlencode({**USUAL, name: value}))
    assert {"q", "at", "day", "before", "till", "store", "format", "period", "until"} <= read


PAGES = (
    ("inventory_item_why", Item),
    ("inventory_listing_why", Listing),
    ("setup_report", Connection),
)  # whose row no address tells
DJANGOS = {"_popup", "_to_field", "_changelist_filters"}  # on the page of a row; asked of lists above
USUAL = {"period": "daily", "kind": "woocommerce", "verb": "approve", "winner": "pos"}  # some pages read others only beside these


def test_a_new_rows_form_is_filled_in_as_far_as_it_fits(rows, root, admin_user):
    asking = RequestFactory().get("/")
    asking.user = admin_user
    tried = 0
    for model, model_admin in admin.site._registry.items():
        if model_admin.has_add_permission(asking):
            for name in model_admin.get_form(asking).base_fields:
                for value in ODD:
                    asked(root, f"{list_of(model)}add/", urlencode({"kind": "woocommerce", name: value}))
                    tried += 1
    assert tried > 400
    html = root.get("/admin/alignment/alignment/add/", {"item": rows[Item].pk}).content.decode()
    assert f'<option value="{rows[Item].pk}" selected>' in html


@pytest.mark.parametrize(
    "until", ["0001-01-01", "0001-01-08", "9999-12-31", "9999-12-01", "1900-02-28", "2026-02-30", "x", NINES]
)
@pytest.mark.parametrize("period", ["daily", "weekly", "monthly", "x"])
def test_a_report_of_any_day_is_made_or_refused(root, period, until):
    make.store_connection()
    for format_ in ("", "md", "csv", "html", "x"):
        asked(root, "/admin/reporting/dailymetric/report/", urlencode({"period": period, "until": until, "format": format_}))


# -- what is no text ---------------------------------------------------------------------------------------------------


def test_what_is_no_text_is_refused_at_every_address(rows, root):
    before = everything()
    for address in every_address(rows):
        if address in SIGNED:
            continue
        assert asked(root, address, f"q={quote(NO_TEXT)}") == 400, address
        assert asked(root, address, f"{quote(NO_TEXT)}=1") == 400, address
        assert asked(root, address, data={"name": NO_TEXT}) == 400, address
        assert asked(root, address, data={NO_TEXT: "1"}) == 400, address
    assert everything() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_COOKIE": 'sessionid="aaaaaaaaaaaa\\000"'},
        {"HTTP_USER_AGENT": NO_TEXT},
        {"CONTENT_TYPE": "text/plain; charset=utf-7", "QUERY_STRING": "q=+2AA-"},
        {"CONTENT_TYPE": "text/plain; charset=unicode_escape", "QUERY_STRING": r"q=\ud800"},
        {"PATH_INFO": "/admin/why/\x00"},
    ],
)
def test_what_is_no_text_is_refused_wherever_it_stands(headers):
    answer = Client(raise_request_exception=False).get("/admin/login/", **headers)
    assert answer.status_code == 400
    assert "That can't be read" in answer.content.decode()
    assert "default-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("charset", ["hex", "zip", "utf-7", "unicode_escape", "utf-16", "idna", "made-up", "UTF-8", ""])
def test_a_request_is_read_as_utf8_whatever_it_says(charset):
    asking = RequestFactory()._base_environ(
        PATH_INFO="/healthz", QUERY_STRING="q=%C3%A9+2AA-", CONTENT_TYPE=f"text/plain; charset={charset}"
    )
    assert Utf8Request(asking).GET["q"] == "é 2AA-"
    statuses = []
    assert b"ok" in b"".join(application(asking, lambda status, _: statuses.append(status)))
    assert statuses == ["200 OK"]


def test_a_login_of_no_text_is_refused_and_counts_nothing(client):
    assert client.post("/admin/login/", {"username": NO_TEXT, "password": "x"}).status_code == 400
    assert client.post("/admin/login/", {"username": "x", "password": NO_TEXT}).status_code == 400
    assert everything()["axes.AccessAttempt"] == []


def test_a_form_that_breaks_off_is_refused(client):
    class Gone(BytesIO):
        def read(self, *_: int) -> bytes:
            raise OSError("gone")

    answer = client.generic("POST", "/admin/login/", b"x" * 10, "application/x-www-form-urlencoded", **{"wsgi.input": Gone()})
    assert answer.status_code == 400
