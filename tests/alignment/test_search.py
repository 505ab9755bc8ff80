"""What a search in a list finds whose rows are about products: pairs stand for all such lists."""

import pytest
from django.contrib import admin
from django.test import RequestFactory

from alignment.models import Alignment
from kit.admin import search
from sync.models import SyncState
from tests.factories import item, listing, pos_connection, store_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def pairs():
    till, store = pos_connection(), store_connection()
    for sku, name, theirs, title in (
        ("MUG-1", "Blue mug", "ES-MUG-1", "Mug, blue"),
        ("POT-1", "Blue pot", "ES-POT-1", "Tea pot"),
        ("POT-2", "Red pot", "ES-MUG-RED", "Crock"),
    ):
        ours, other = item(till, sku, name=name), listing(store, theirs, name=title)
        pair = Alignment.objects.create(item=ours, listing=other, status="confirmed", match_type="exact", confidence=1)
        SyncState.objects.create(alignment=pair, pos=till, woo=store, pos_sku=sku, woo_sku=theirs)


def found(model: type, words: str) -> list[str]:
    shown = admin.site._registry[model]
    rows = model.objects.select_related("item" if model is Alignment else "alignment__item").order_by("pk")
    rows, _ = shown.get_search_results(RequestFactory().get("/"), rows, words)
    return [str(getattr(row, "alignment", row).item.sku) for row in rows]


FINDS = [
    ("blue", ["MUG-1", "POT-1"]),
    ("BLUE pot", ["POT-1"]),  # both words in one thing, whatever the case
    ("mug", ["MUG-1", "POT-2"]),  # in the item, or in the listing
    ("es-pot tea", ["POT-1"]),  # SKU and name of one thing
    ("blue tea", []),  # the item says one, the listing the other
    ('"blue pot"', ["POT-1"]),
    ('"', []),
    ("100%_", []),
    ("", ["MUG-1", "POT-1", "POT-2"]),
]


@pytest.mark.parametrize(("words", "skus"), FINDS)
@pytest.mark.parametrize("model", [Alignment, SyncState], ids=["directly", "over a pair"])
def test_all_words_stand_in_one_thing(pairs, model, words, skus):
    assert found(model, words) == skus


def test_where_too_many_are_meant_the_database_joins(pairs, monkeypatch):
    monkeypatch.setattr(search, "MOST", 1)
    assert found(Alignment, "blue") == ["MUG-1", "POT-1"]


def test_each_table_is_looked_through_once(pairs, django_assert_num_queries):
    with django_assert_num_queries(2):  # what is meant, then the rows
        assert found(SyncState, "crock") == ["POT-2"]
