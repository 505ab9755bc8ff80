"""Upload → preview of every row's effect → confirm."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alignment.models import Alignment
from kit.files.uploads import uploads_expire
from tests import factories

HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"
UPLOAD = "/admin/alignment/alignment/import/"


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "uploads"


@pytest.fixture
def manager(client, db):
    rights = ("alignment.view_alignment", "alignment.add_alignment", "alignment.change_alignment")
    client.force_login(factories.person("manager", *rights))
    return client


@pytest.fixture
def mugs(pos, store):
    for sku in ("MUG-1", "MUG-2"):
        factories.item(pos, sku, name=f"Mug {sku}")
        factories.listing(store, sku)
    return pos, store


@pytest.fixture
def send(pos, store):
    """Uploads this text as a file."""

    def upload(client: Client, text: str | bytes, name: str = "pairs.csv", encoding: str = "utf-8"):
        content = text if isinstance(text, bytes) else text.encode()
        data = {"file": SimpleUploadedFile(name, content), "till": pos.pk, "store": store.pk, "encoding": encoding}
        return client.post(UPLOAD, data)

    return upload


def fingerprint(page) -> str:
    return re.search(r'name="fingerprint" value="(\w+)"', page.content.decode())[1]


def test_real_file_is_previewed_confirmed_and_gone(manager, hydro_catalogues, send, hydro_file, uploads):
    preview = send(manager, hydro_file).url
    page = manager.get(preview)
    text = page.content.decode()
    assert "1,355 rows, between till and shop: 1,355 would be applied. Nothing has been applied yet." in text
    assert text.count("<tr><td") == 200
    assert "Page 1 of 7" in text
    assert not Alignment.objects.exists()
    done = manager.post(preview, {"fingerprint": fingerprint(page), "apply": "1"}, follow=True)
    assert "Pairs of “pairs.csv”: 1355 created, 0 changed, 0 unchanged." in done.content.decode()
    assert Alignment.objects.filter(status="confirmed").count() == 1355
    entry = Alignment.history.first()
    assert (entry.history_user.username, entry.history_change_reason) == ("manager", "import of pairs.csv")
    assert list(uploads.iterdir()) == []
    again = manager.get(preview, follow=True)
    assert "This upload is not there any more." in again.content.decode()


def test_problems_come_first_each_with_its_reason_and_can_be_filtered(manager, mugs, send):
    rows = "MUG-1,MUG-1,exact,1\nMUG-9,MUG-2,exact,1\nMUG-2,MUG-2,exact,9\n"
    preview = send(manager, HEADER + rows).url
    text = manager.get(preview).content.decode()
    assert text.index("no item “MUG-9”") < text.index("Mug MUG-1")
    assert "is no number from 0 to 1" in text
    assert [row.row.line for row, _ in manager.get(preview).context["rows"]] == [3, 4, 2]
    assert [row.row.line for row, _ in manager.get(preview, {"effect": "create"}).context["rows"]] == [2]
    assert [row.row.line for row, _ in manager.get(preview, {"effect": "nonsense"}).context["rows"]] == [3, 4, 2]
    page = manager.get(preview)
    done = manager.post(preview, {"fingerprint": fingerprint(page)}, follow=True)
    assert "1 created, 0 changed, 0 unchanged. 2 rows were not applied." in done.content.decode()
    assert Alignment.objects.count() == 1


def test_what_changed_since_the_preview_is_shown_again_and_not_applied(manager, mugs, send):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    seen = fingerprint(manager.get(preview))
    pos, store = mugs
    factories.alignment(factories.item(pos, "OTHER"), store.listings.get(sku="MUG-1"))
    answer = manager.post(preview, {"fingerprint": seen}, follow=True)
    assert "Something changed since you looked" in answer.content.decode()
    assert "is confirmed as item “OTHER”" in answer.content.decode()
    assert Alignment.objects.count() == 1


@pytest.mark.parametrize("fingerprint", [{}, {"fingerprint": ""}, {"fingerprint": "0" * 64}])
def test_a_confirmation_of_something_else_applies_nothing(manager, mugs, send, fingerprint):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    manager.post(preview, fingerprint)
    assert not Alignment.objects.exists()


def test_cancelling_forgets_the_file(manager, mugs, send, uploads):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    assert "nothing was applied" in manager.post(preview, {"cancel": "1"}, follow=True).content.decode()
    assert list(uploads.iterdir()) == []
    assert not Alignment.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"POS SKU,Shop SKU\nA,B\n", "“WooCommerce SKU”, “Match Type”, “Confidence” are missing"),
        ((HEADER + "MUG-1,ÉLITE,exact,1\n").encode("cp1252"), "Choose the encoding Windows (cp1252)"),
        (b"PK\x03\x04", "not a CSV file"),
        (b"", "empty"),
    ],
)
def test_an_unusable_file_is_refused_with_its_reason_and_not_kept(manager, mugs, send, uploads, content, words):
    answer = send(manager, content)
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not uploads.exists()


def test_a_file_over_the_limit_is_refused(manager, mugs, send, uploads, settings):
    settings.EVENSTOCK_UPLOAD_LIMIT = 100
    answer = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n" * 10)
    assert "the limit is 0 MB" in answer.content.decode()
    assert not uploads.exists()


def test_another_encoding_is_read_when_chosen(manager, mugs, send, pos, store):
    factories.item(pos, "ÉLITE")
    content = (HEADER + "ÉLITE,MUG-1,manual,1\n").encode("cp1252")
    page = manager.get(send(manager, content, encoding="cp1252").url)
    assert page.context["plan"].counts.create == 1


@pytest.mark.parametrize(
    "rights",
    [
        ("alignment.view_alignment",),
        ("alignment.view_alignment", "alignment.add_alignment"),
        ("alignment.view_alignment", "alignment.change_alignment"),
    ],
)
def test_every_step_wants_both_permissions(manager, mugs, send, rights, uploads):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    seen = fingerprint(manager.get(preview))
    viewer = Client()
    viewer.force_login(factories.person("viewer", *rights))
    assert viewer.get(UPLOAD).status_code == 403
    assert send(viewer, HEADER + "MUG-1,MUG-1,exact,1\n").status_code == 403
    assert viewer.get(preview).status_code == 403
    assert viewer.post(preview, {"fingerprint": seen}).status_code == 403
    assert viewer.post(preview, {"cancel": "1"}).status_code == 403
    assert "Import a file" not in viewer.get(reverse("admin:alignment_alignment_changelist")).content.decode()
    assert len(list(uploads.iterdir())) == 1
    assert not Alignment.objects.exists()


def test_rights_taken_away_between_the_steps_count(manager, mugs, send, django_user_model):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    seen = fingerprint(manager.get(preview))
    django_user_model.objects.get(username="manager").user_permissions.clear()
    assert manager.post(preview, {"fingerprint": seen}).status_code == 403
    assert not Alignment.objects.exists()


def test_a_stranger_is_sent_to_the_login(client, mugs, send):
    assert "/login/" in client.get(UPLOAD).url
    assert "/login/" in send(client, HEADER).url


def test_an_upload_belongs_to_its_session(manager, mugs, send):
    preview = send(manager, HEADER + "MUG-1,MUG-1,exact,1\n").url
    seen = fingerprint(manager.get(preview))
    other = Client()
    other.force_login(factories.person("other", "alignment.add_alignment", "alignment.change_alignment"))
    answer = other.post(preview, {"fingerprint": seen}, follow=True)
    assert "This upload is not there any more." in answer.content.decode()
    assert not Alignment.objects.exists()
    assert manager.get(preview).status_code == 200


@pytest.mark.parametrize("token", ["..", "x", "0" * 32])
def test_a_made_up_address_shows_no_file(manager, mugs, token):
    answer = manager.get(f"{UPLOAD}{token}/", follow=True)
    assert answer.status_code == 404 or b"This upload is not there any more." in answer.content


def test_a_forged_form_is_refused(mugs, db):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(factories.person("m", "alignment.add_alignment", "alignment.change_alignment"))
    assert strict.post(UPLOAD, {"file": SimpleUploadedFile("a.csv", b"x")}).status_code == 403


def test_the_file_is_kept_under_our_own_name_readable_by_us_only(manager, mugs, send, uploads):
    send(manager, HEADER + "MUG-1,MUG-1,exact,1\n", name="../../evil.csv")
    (kept,) = uploads.iterdir()
    assert re.fullmatch(r"[0-9a-f]{32}\.csv", kept.name)
    assert (kept.stat().st_mode & 0o777, uploads.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_second_upload_replaces_the_first_and_forgotten_ones_expire(manager, mugs, send, uploads):
    send(manager, HEADER + "MUG-1,MUG-1,exact,1\n")
    send(manager, HEADER + "MUG-2,MUG-2,exact,1\n")
    (kept,) = uploads.iterdir()
    now = timezone.now()
    os.utime(kept, (now.timestamp(),) * 2)
    assert uploads_expire(now=now + timedelta(minutes=119)) == 0
    assert uploads_expire(now=now + timedelta(minutes=121)) == 1
    assert list(uploads.iterdir()) == []


def test_markup_in_names_skus_and_file_names_is_shown_as_text(manager, pos, store, send):
    evil = "<script>alert(1)</script>"
    factories.item(pos, "A", name=evil)
    factories.listing(store, "B", name=evil)
    rows = f"A,B,exact,1\n{evil},B,exact,1\nA,{evil},exact,1\nA,B,{evil},1\nA,B,exact,{evil}\n"
    text = manager.get(send(manager, HEADER + rows, name="<script>.csv").url).content.decode()
    assert "&lt;script&gt;" in text
    assert evil not in text
    assert "<script>.csv" not in text


def test_our_pages_need_no_inline_script_or_style():
    folder = Path(settings.BASE_DIR) / "templates" / "admin" / "alignment"
    pages = list(folder.rglob("*.html"))
    assert len(pages) >= 5
    for page in pages:
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|https?://", page.read_text()), page.name


def test_the_form_offers_only_connections_in_use_of_the_right_side(manager, pos, store):
    factories.pos_connection("old-till", is_active=False)
    fields = manager.get(UPLOAD).context["form"].fields
    assert list(fields["till"].queryset) == [pos]
    assert list(fields["store"].queryset) == [store]
