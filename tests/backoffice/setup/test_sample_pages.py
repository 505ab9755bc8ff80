"""A sample export in the admin: what is recognised, columns chosen by a person, and nothing booked or kept by it."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from connectors.models import Connection
from inventory.models import Item, Movement
from sync.models import TillFeed

pytestmark = pytest.mark.django_db
GERMAN = "Artikelnummer;Bezeichnung;Lagerstand;Verkaufspreis\r\nA1;Blumentöpfe;4;1.005,00\r\nA2;Erde;viele;3,50\r\n".encode(
    "cp1252"
)


@pytest.fixture(autouse=True)
def data(settings, tmp_path):
    """A data folder of the test's own."""
    settings.DATA_DIR = tmp_path
    (tmp_path / "exchange").mkdir()
    return tmp_path


@pytest.fixture
def till(data):
    return Connection.objects.create(name="till", kind="pos_csv", settings={"folder": str(data / "exchange")})


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


def test_a_column_is_chosen_the_preview_follows_and_only_saving_keeps_it(admin, till, data):
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
    assert list((data / "uploads").glob("*.csv")) == []


def test_everything_is_recognised_of_an_ordinary_file(admin, till):
    html = text(
        admin.get(columns_page(admin, till, b"SKU,Item Name,GTIN,Price,Current Quantity Main\nA1,Pot,4006381333931,3.50,4\n"))
    )
    assert "All is well: 1 row can be read." in html
    assert "column names as square writes them" in html
    assert "As recognised: SKU" in html
    assert "As recognised: quantity at Main: Current Quantity Main" in html


def test_products_the_till_does_not_count_are_shown_and_their_column_can_be_chosen(admin, till):
    path = columns_page(admin, till, b"SKU,Name,Flag,Qty\nCUP-1,Cup,Yes,5\nPRINT-1,Print,No,0\n")
    first = text(admin.get(path))
    assert "not counted" not in first
    looked = text(admin.post(path, form_of(first) | {"column_tracked": "=Flag", "look": "yes"}))
    assert "All is well: 2 rows can be read. 1 row is of products that the till doesn&#x27;t count, by “Flag”" in looked
    assert '<td class="num">not counted</td>' in looked
    admin.post(path, form_of(looked) | {"save": "yes"})
    till.refresh_from_db()
    assert till.settings["columns"] == {"tracked": "Flag"}


def test_numbers_that_nothing_tells_apart_are_asked_about_in_the_preview(admin, till):
    path = columns_page(admin, till, b"SKU;Name;Qty\nBREAD-1;Bread;12,000\nCUP-1;Cup;3\n")
    first = text(admin.get(path))
    assert "1 row of 2 can&#x27;t be used; 1 reading can." in first
    assert "it could be 12 or 12000, and no number of the file tells" in first
    looked = text(admin.post(path, form_of(first) | {"number_format": "1.234,50", "look": "yes"}))
    assert "All is well: 2 rows can be read." in looked
    admin.post(path, form_of(looked) | {"save": "yes"})
    till.refresh_from_db()
    assert till.settings["number_format"] == "1.234,50"


def test_a_column_may_be_left_out_and_a_choice_that_reads_nothing_is_not_saved(admin, till):
    path = columns_page(admin, till, b"SKU,Name,Qty,Price\nA1,Pot,4,3.50\n")
    said = form_of(text(admin.get(path)))
    assert "3.5" not in text(admin.post(path, said | {"column_price": "-", "look": "yes"})).split("The first lines")[1]
    answer = text(admin.post(path, said | {"column_quantity": "=Name", "save": "yes"}))
    assert "Nothing was saved" in answer
    till.refresh_from_db()
    assert set(till.settings) == {"folder"}
    assert till.history.count() == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14[Content_Types].xml", "an Excel workbook (xlsx)"),
        (b"PK\x03\x04\x14stock.csv", "a zip archive"),
        (b"%PDF-1.7", "a PDF"),
        (b" \n", "The file is empty."),
    ],
)
def test_another_sort_of_file_is_called_what_it_is_and_not_kept(admin, till, data, content, says):
    answer = upload(admin, till, content, "stock.csv")
    assert answer.status_code == 200
    assert says in text(answer)
    assert list((data / "uploads").glob("*.csv")) == []


def test_an_empty_upload_is_refused(admin, till):
    assert "The submitted file is empty." in text(upload(admin, till, b""))


def test_a_file_over_the_limit_is_refused(admin, till, settings):
    settings.EVENSTOCK_UPLOAD_LIMIT = 100
    assert "the limit is" in text(upload(admin, till, b"SKU,Qty\n" + b"A,1\n" * 100))


def test_a_sample_belongs_to_one_person_and_one_till(admin, someone, till):
    path = columns_page(admin, till, b"SKU,Qty\nA1,4\n")
    other = Connection.objects.create(name="other", kind="pos_csv", settings={"folder": "x"})
    assert admin.get(path.replace(f"/{till.pk}/", f"/{other.pk}/")).status_code == 404
    colleague = someone("Lead")
    assert colleague.get(path).status_code == 403
    token = path.rstrip("/").rsplit("/", 1)[-1]
    assert admin.get(path.replace(token, "0" * 32))["Location"] == reverse("admin:setup_sample", args=[till.pk])


def test_what_a_file_says_is_text_and_never_markup(admin, till):
    html = text(
        admin.get(columns_page(admin, till, b"SKU,Name,Qty,<script>alert(1)</script>\nA1,<script>alert(1)</script>,4,x\n"))
    )
    assert "<script>alert(1)</script>" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_till_by_api_and_a_shop_have_no_sample(admin):
    api = Connection.objects.create(name="api", kind="rest_pos", settings={"url": "https://till.example"})
    assert admin.get(reverse("admin:setup_sample", args=[api.pk])).status_code == 404
