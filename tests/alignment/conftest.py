"""A real shop's till and store, and the alignment its owner drew up."""

import csv
import json
from pathlib import Path

import pytest
from django.conf import settings

from inventory.models import Item, Listing
from kit.statistics import statistics_refresh
from tests import factories


@pytest.fixture
def hydro() -> Path:
    return Path(settings.BASE_DIR) / "sandbox" / "data" / "hydro"


@pytest.fixture
def hydro_file(hydro) -> bytes:
    return (hydro / "pos_shopify_alignment.csv").read_bytes()


@pytest.fixture
def pos(db):
    return factories.pos_connection()


@pytest.fixture
def store(db):
    return factories.store_connection()


@pytest.fixture
def hydro_catalogues(pos, store, hydro):
    """Both catalogues as a first reading leaves them: 2,554 items, 2,875 listings."""
    with (hydro / "pos_export.csv").open(encoding="utf-8-sig", newline="") as file:
        factories.items(pos, [(row["SKU"], row["Description"], row["UPC"]) for row in csv.DictReader(file)])
    factories.listings(store, json.loads((hydro / "store_catalogue.json").read_text()))
    statistics_refresh(Item, Listing, rows=2554 + 2875)
    return pos, store
