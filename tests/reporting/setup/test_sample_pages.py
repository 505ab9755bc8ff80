"""A sample export in the admin: what is recognised, columns chosen by a person, and nothing booked or kept by it."""

import re

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from connectors.models import Connection
from inventory.models import Item, Movement
from sync.models import TillFeed

pytestmark = pytest.mark.django_db
GERMAN = "Artikelnummer;Bezeichnung;Lagerstand;Verkaufspreis\r\nA1;Blumentöpfe;4;1.005,00\r\nA2;Erde;viele;3,50\r\n".encode(
    "cp1252"
)


@pytest.fixture
def till(tmp_path):
    return Connection.objects.create(name="till", kind="pos_csv", settings={"folder": str(tmp_path)})


@pytest.fixture
def admin(someone):
    return someone("Administrator")


def upload(client, till, content: bytes, name: str = "list.csv"):
    path = reverse("admin:setup_sample", args=[till.pk])
    return client.post(path, {"file": SimpleUploadedFile(name, content)})


def columns_page(client, till, content: bytes) -> str:
    """The address of the second page."""
    answer = upload(client, till, content)
    assert answer.status_code == 302, re.findall(r"errorlist.*?</ul>", answer.content.decode(), flags=re.DOTALL)
    return answer["Location"]


def form_of(html: str) -> dict[str, str]:
    """What a browser would post of the page's form, as it stands."""
    said = {}
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', html, flags=re.DOTALL):
        chosen = re.findall(r'<option value="([^"]*)" selected', options)
        said[name] = chosen[0] if chosen else re.findall(r'<option value="([^"]*)"', options)[0]
    said |= dict(re.findall(r'<input type="number" name="(\w+)" value="([^"]*)"', html))
    if re.search(r'name="final_newline_required"[^>]*checked', html):
        said["final_newline_required"] = "on"
    return said


def text(answer) -> str:
    return answer.content.decode()


def test_a_column_is_chosen_the_preview_follows_and_only_saving_keeps_it(admin, till):
    path = columns_page(admin, till, GERMAN)
    first = text(admin.get(path))
    assert "No column of the file is the quantity" in first
    assert "Choose the column below" in first
    assert '<option value="cp1252" selected' in first
    said = form_of(first) | {"column_quantity": "=Lagerstand"}
    looked = text(admin.post(path, said | {"look": "yes"}))
    assert "1 row of 2 can&#x27;t be used; 1 reading can." in looked
    assert "Blumentöpfe" in looked
    assert "1005" in looked
    assert "Line 3: the quantity “viele” can&#x27;t be used" in looked
    assert '<option value="1.234,50" selected' in looked
    till.refresh_from_db()
    assert set(till.settings) == {"folder"}

    answer = admin.post(path, form_of(looked) | {"save": "yes"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/setup/")
    till.refresh_from_db()
    assert till.settings["columns"] == {"quantity": "Lagerstand"}
    assert (till.settings["encoding"], till.settings["number_format"]) == ("cp1252", "1.234,50")
    assert set(till.settings) == {"folder", "columns", "encoding", "number_format"}  # what is usual anyway is not kept
    assert till.history.first().history_user.username == "Administrator"
    assert (Item.objects.count(), Movement.objects.count(), TillFeed.objects.count()) == (0, 0, 0)
    assert list((settings.DATA_DIR / "uploads").glob("*.csv")) == []
