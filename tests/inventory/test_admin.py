"""Items, locations, stock and movements in the admin: looked at, never edited."""

from decimal import Decimal

import pytest
from django.urls import reverse

from inventory.models import Movement
from tests import factories
from tests.ledger import booked, moved

MODELS = ["item", "location", "stocklevel", "movement"]


def list_page(model: str) -> str:
    return reverse(f"admin:inventory_{model}_changelist")


@pytest.fixture
def pos(db):
    return factories.pos_connection()


@pytest.fixture
def shelf(pos, now):
    """Sixty items with a level and a movement each."""
    for n in range(60):
        level = factories.level(factories.item(pos, f"SKU-{n:02}", name="<script>x</script>"), "2.500")
        movement = moved(
            item=level.item,
            location=level.location,
            quantity=Decimal("2.5") if n % 2 else Decimal(-1),
            kind=Movement.Kind.TILL,
            source=pos,
            of=f"file-{n}",
            occurred_at=now,
            recorded_at=now,
        )
        booked([movement])
    return pos


@pytest.mark.parametrize("model", MODELS)
def test_a_list_costs_few_queries_and_shows_markup_as_text(admin_client, shelf, model, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        page = admin_client.get(list_page(model))
    assert page.status_code == 200
    assert "<script>x</script>" not in page.content.decode()


@pytest.mark.parametrize("model", MODELS)
def test_lists_want_a_login_and_the_permission(client, db, model):
    assert client.get(list_page(model)).status_code == 302
    client.force_login(factories.person("nobody"))
    assert client.get(list_page(model)).status_code == 403
    client.force_login(factories.person("viewer", f"inventory.view_{model}"))
    assert client.get(list_page(model)).status_code == 200


@pytest.mark.parametrize("model", ["item", "stocklevel", "movement"])
def test_not_even_a_superuser_edits_what_the_engine_owns(admin_client, shelf, model):
    row = {"item": shelf.items.first(), "stocklevel": shelf.items.first().levels.get(), "movement": Movement.objects.first()}[
        model
    ]
    change = reverse(f"admin:inventory_{model}_change", args=[row.pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"sku": "x", "quantity": "9", "on_hand": "9"}).status_code == 403
    assert admin_client.get(reverse(f"admin:inventory_{model}_add")).status_code == 403
    assert admin_client.post(reverse(f"admin:inventory_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    answer = admin_client.post(list_page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert answer.status_code == 403
    assert type(row).objects.count() == 60


def test_a_location_may_get_a_better_name_and_nothing_else(admin_client, shelf):
    place = shelf.locations.get()
    admin_client.post(reverse("admin:inventory_location_change", args=[place.pk]), {"name": "Cellar", "remote_name": "stolen"})
    place.refresh_from_db()
    assert (place.name, place.remote_name) == ("Cellar", "")


def test_an_item_shows_its_stock_and_leads_to_its_movements(admin_client, shelf):
    item = shelf.items.get(sku="SKU-07")
    page = admin_client.get(reverse("admin:inventory_item_change", args=[item.pk])).content.decode()
    assert "Main street" in page
    link = f"{list_page('movement')}?item__id__exact={item.pk}"
    assert link in page
    movements = admin_client.get(link)
    assert [str(movement) for movement in movements.context["cl"].result_list] == ["+2.5 SKU-07 (Till: sale, count or receipt)"]


def test_items_are_found_by_their_partner(admin_client, pos, now):
    store = factories.store_connection()
    done, waiting, _ = (factories.item(pos, sku) for sku in ("DONE", "WAITING", "LONELY"))
    factories.item(pos, "GONE", missing_since=now)
    listing = factories.listing(store)
    factories.alignment(done, listing)
    factories.alignment(waiting, listing, status="proposed")

    def skus(partner: str) -> list[str]:
        page = admin_client.get(list_page("item"), {"partner": partner})
        return [item.sku for item in page.context["cl"].result_list]

    assert skus("none") == ["LONELY", "WAITING"]
    assert skus("proposed") == ["WAITING"]
    assert skus("confirmed") == ["DONE"]


@pytest.mark.parametrize(("model", "term"), [("item", "SKU-07"), ("stocklevel", "sku-07"), ("movement", "file-7")])
def test_lists_can_be_searched(admin_client, shelf, model, term):
    assert admin_client.get(list_page(model), {"q": term}).context["cl"].result_count == 1
