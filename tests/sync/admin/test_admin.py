"""Every page of the sync admin: it answers, searches, filters, escapes, and costs little."""

import re

import pytest
from django.urls import reverse

from sync.models import Order, OutboundWrite, RunProblem, SyncLog, SyncRun, SyncState, TillFeed
from tests import factories as make
from tests.admin_pages import filter_links, page, queries_for
from tests.sync.builders import World, many, world

MODELS = [Order, OutboundWrite, RunProblem, SyncLog, SyncRun, SyncState, TillFeed]
NAMES = [model._meta.model_name for model in MODELS]
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> World:
    return world()


def list_of(model) -> str:
    return reverse(f"admin:sync_{model._meta.model_name}_changelist")


def change_of(row) -> str:
    return reverse(f"admin:sync_{row._meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_list_search_and_every_filter_answer(shop, admin_client, model):
    html = page(admin_client, list_of(model))
    links = filter_links(html)
    assert links or model is Order
    for link in links:
        page(admin_client, list_of(model) + link.replace("&amp;", "&"))
    page(admin_client, list_of(model), q="mug")


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_change_page_and_history_answer_and_offer_no_editing(shop, admin_client, model):
    for row in model.objects.all():
        html = page(admin_client, change_of(row))
        assert 'name="_save"' not in html
        answer = admin_client.post(change_of(row), {})
        assert answer.status_code == 403
        page(admin_client, change_of(row).replace("/change/", "/history/"))


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_nobody_may_add_or_delete(shop, admin_client, model):
    assert admin_client.get(reverse(f"admin:sync_{model._meta.model_name}_add")).status_code == 403
    row = model.objects.first()
    assert admin_client.post(change_of(row).replace("/change/", "/delete/"), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_list_of_200_rows_takes_few_queries(shop, admin_client, model):
    many(shop, 200)
    assert queries_for(admin_client, list_of(model)) <= 15


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_anonymous_is_sent_to_the_login_and_staff_without_permission_away(shop, client, model):
    for url in (list_of(model), change_of(model.objects.first())):
        answer = client.get(url)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
    client.force_login(make.person("nobody"))
    assert client.get(list_of(model)).status_code == 403


def test_search_finds_by_sku_and_by_name(shop, admin_client):
    many(shop, 3)
    for model in (SyncState, SyncLog, OutboundWrite):
        for query in ("SKU-0001", "Thing 1"):
            html = page(admin_client, list_of(model), q=query)
            assert "SKU-0001" in html
            assert "SKU-0002" not in html


def test_filters_of_pairs_keep_the_right_ones(shop, admin_client):
    many(shop, 1)
    category = page(admin_client, list_of(SyncState), category=shop.pair.item.category)
    assert "MUG-1" in category
    assert "SKU-0000" not in category
    for query, found in (
        ({"woo": shop.store.pk}, True),
        ({"woo": 999}, False),
        ({"pos": shop.till.pk}, True),
        ({"pos": 999}, False),
    ):
        assert ("MUG-1" in page(admin_client, list_of(SyncState), **query)) is found


def plain(html: str) -> str:
    """The page with what its links to the reasons say, and without the links."""
    return re.sub(r'<a class="why"[^>]*>([^<]*)(?:<span class="visually-hidden">[^<]*</span>)?</a>', r"\1", html)


def test_pair_is_shown_as_till_difference_and_shop(shop, admin_client):
    html = page(admin_client, list_of(SyncState))
    assert "<small>till</small><b>12</b>" in plain(html)
    assert '<span class="d up">+3</span>' in html
    assert "<small>shop</small><b>9</b>" in plain(html)
    assert '<span class="badge info"><span aria-hidden="true">→</span> Waiting</span>' in html


def test_unknown_number_is_a_dash_and_never_a_zero(shop, admin_client):
    SyncState.objects.update(woo_quantity=None)
    html = page(admin_client, list_of(SyncState))
    assert "<small>shop</small><b>–</b>" in plain(html)
    assert '<span class="d ">–</span>' in html


def test_history_of_a_pair_tells_the_figures_of_then(shop, admin_client):
    state = SyncState.objects.get()
    html = page(admin_client, change_of(state).replace("/change/", "/history/"))
    assert "<small>till</small><b>12</b>" in plain(html)
    assert "<small>shop</small><b>9</b>" in plain(html)
    assert "Waiting" in html
    assert "<td>Evenstock</td>" in html
    assert f"Full sync {shop.run.pk} of shop" in html


def test_former_version_of_a_pair_cannot_be_posted_back(shop, admin_client):
    state = SyncState.objects.get()
    version = state.history.get().history_id
    url = f"/admin/sync/syncstate/{state.pk}/history/{version}/"
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"pos_sku": "OTHER"}).status_code == 403
    assert SyncState.objects.get().pos_sku == "MUG-1"
    assert state.history.count() == 1


def test_orders_show_their_lines(shop, admin_client):
    html = page(admin_client, change_of(shop.order))
    assert "Mug &lt;script&gt;" in html
