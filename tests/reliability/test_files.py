"""Cases 30, 31 and 38 through the whole path: upload, page, export; and what is too large to be a file of ours."""

import csv
import gzip
import io
import re
import tracemalloc
import unicodedata
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from alignment.models import Alignment
from tests import factories as make

pytestmark = pytest.mark.django_db
UPLOAD, LIST = "/admin/alignment/alignment/import/", "/admin/alignment/alignment/"
HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"
CAFE = unicodedata.normalize("NFC", "CAFÉ-1")
AWKWARD = ["007", "1E5", "0012.50", "🌱-SEED", CAFE, "日本-1", "A  B", 'Q"1', "C,D", "1-2", "+49", "=1+1", "@home"]


@pytest.fixture
def sides(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    return make.pos_connection(), make.store_connection()


@pytest.fixture
def upload(admin_client, sides):
    def send(content: bytes, name: str = "pairs.csv"):
        file = SimpleUploadedFile(name, content)
        return admin_client.post(UPLOAD, {"file": file, "till": sides[0].pk, "store": sides[1].pk, "encoding": "utf-8"})

    return send


def csv_file(rows) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return HEADER.encode() + out.getvalue().encode()


def exported(client) -> list[dict[str, str]]:
    chosen = list(Alignment.objects.values_list("pk", flat=True))
    answer = client.post(LIST, {"action": "export", "_selected_action": chosen})
    text = b"".join(answer.streaming_content).decode("utf-8-sig") if answer.streaming else answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_text_is_the_same_from_the_file_through_the_pages_to_the_export(upload, admin_client, sides):
    for sku in AWKWARD:
        make.item(sides[0], sku)
        make.listing(sides[1], sku)
    page = admin_client.get(upload(csv_file([(sku, sku, "exact", "1") for sku in AWKWARD])).url)
    seen = re.search(r'name="fingerprint" value="(\w+)"', page.content.decode())[1]
    admin_client.post(page.request["PATH_INFO"], {"fingerprint": seen})
    assert sorted(Alignment.objects.values_list("item__sku", "listing__sku")) == sorted((sku, sku) for sku in AWKWARD)

    rows = exported(admin_client)
    assert sorted(row["POS SKU"].removeprefix("'") for row in rows) == sorted(AWKWARD)
    guarded = {row["POS SKU"] for row in rows if row["POS SKU"].startswith("'")}
    assert guarded == {"'=1+1", "'@home"}  # +49 is a number
    assert {row["POS SKU"] for row in rows} == {row["WooCommerce SKU"] for row in rows}

    again = csv_file([(row["POS SKU"], row["WooCommerce SKU"], "exact", "1") for row in rows])
    page = admin_client.get(upload(again).url).content.decode()
    assert set(re.findall(r'class="badge \w+"><span aria-hidden="true">.</span> (\w+)</span>', page)) == {"Unchanged"}


def test_two_ways_to_write_an_accent_are_two_texts_and_neither_becomes_the_other(sides):
    decomposed = unicodedata.normalize("NFD", CAFE)
    make.item(sides[0], CAFE)
    make.item(sides[0], decomposed)
    assert decomposed != CAFE
    assert sorted(sides[0].items.values_list("sku", flat=True)) == sorted([CAFE, decomposed])


HUGE = {
    "a gzip bomb": gzip.compress(b"0" * 50_000_000),
    "a cell of 10 MB": HEADER.encode() + b'A,"' + b"B" * 10_000_000 + b'",exact,1\n',
    "a million rows": HEADER.encode() + b"A,B,exact,1\n" * 1_000_000,
    "more than the limit": HEADER.encode() + b"x" * 20_971_520,
}


@pytest.mark.parametrize("what", list(HUGE))
def test_what_is_too_large_is_refused_before_it_is_parsed_and_memory_stays_bounded(upload, what, tmp_path, monkeypatch):
    content = HUGE[what]
    upload(HEADER.encode())  # loads what a first request loads
    if what != "a cell of 10 MB":  # that one is found by the parser, which stops there
        monkeypatch.setattr("kit.files.table._rows", lambda *_: pytest.fail("it was parsed"))
    tracemalloc.start()
    try:
        answer = upload(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 200
    assert 'class="errorlist' in answer.content.decode()
    assert peak < 10 * max(len(content), 10_000_000)  # as the test sends it, as it arrives, as text: at most 200 MB of 20
    assert list(Path(tmp_path).rglob("*.csv")) == []
    assert not Alignment.objects.exists()


def test_no_name_of_a_persons_choice_is_ever_a_path(upload, sides, tmp_path):
    make.item(sides[0], "A")
    make.listing(sides[1], "B")
    for name in ("../../x.csv", "/etc/passwd", "..\\..\\x.svg", "<svg onload=alert(1)>.csv"):
        assert upload(f"{HEADER}A,B,exact,1\n".encode(), name).status_code == 302
    files = [path.name for path in Path(tmp_path).rglob("*") if path.is_file()]
    assert len(files) == 1  # each upload of a session replaces its last
    assert re.fullmatch(r"[0-9a-f]{32}\.csv", files[0])
