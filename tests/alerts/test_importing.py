"""Thresholds from a file: shown first, row by row, then applied; and back into a file that a spreadsheet can't run."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from alerts.models import Threshold
from alerts.services.importing import COLUMNS, thresholds_apply, thresholds_plan
from alignment.errors import AlignmentChangedError
from kit.errors import FileError
from tests import factories as make
from tests.admin_pages import EVIL, page

pytestmark = pytest.mark.django_db
IMPORT = reverse("admin:alerts_threshold_import")
EXPORT = reverse("admin:alerts_threshold_export")
HEADER = ",".join(COLUMNS)


def plan(*lines: str, header: str = HEADER):
    return thresholds_plan(content="\n".join([header, *lines]).encode(), encoding="utf-8", limit=10_000_000)


def effects(*lines: str, header: str = HEADER) -> list[str]:
    return [row.effect.value for row in plan(*lines, header=header).rows]


def test_rows_are_created_changed_and_left_as_they_are(shop):
    Threshold.objects.create(category="Cups", low_stock_below=3, price_percent=5)
    Threshold.objects.create(connection=shop.till, file_within_hours=8)
    made = plan(",,,1,,,,,", ",,,,,,,,", ",Cups,,4.5,no,,,5,", "till,,,,,,,,8", ',,MUG-1,"2,5",yes,,,,')
    assert [row.effect.value for row in made.rows] == ["create", "change", "unchanged", "create"]
    assert made.rows[1].changes == (("Low below", "3", "4.5"), ("Tell when sold out", "", "no"))
    assert thresholds_apply(plan=made, by=None, reason="test") == 3
    cups = Threshold.objects.get(category="Cups")
    assert (cups.low_stock_below, cups.out_of_stock, cups.price_percent) == (4.5, False, 5)
    mug = Threshold.objects.get(item=shop.item)
    assert (mug.low_stock_below, mug.out_of_stock) == (2.5, True)
    till = Threshold.objects.get(connection=shop.till)
    assert (cups.history.count(), till.history.count()) == (2, 1)
    assert mug.history.first().history_change_reason == "test"
    assert effects(",Cups,,4.5,no,,,5,", ',,MUG-1,"2,5",yes,,,,') == ["unchanged", "unchanged"]


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_inherits(shop):
    Threshold.objects.create(category="Cups", low_stock_below=3, price_percent=5)
    thresholds_apply(plan=plan(",Cups,,", header="Connection,Category,SKU,Low below"), by=None, reason="test")
    cups = Threshold.objects.get()
    assert (cups.low_stock_below, cups.price_percent) == (None, 5)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nowhere,,,1,,,,,", "There is no connection “nowhere”."),
        (",Nothing,,1,,,,,", "The till has no category “Nothing”."),
        (",,NOPE,1,,,,,", "The till has no item “NOPE”."),
        (",,TWICE,1,,,,,", "Several tills have an item “TWICE”."),
        (",Cups,MUG-1,1,,,,,", "It names a category and a product."),
        (",Cups,,-1,,,,,", "Low below: “-1” is no number from zero up."),
        (",Cups,,1E5,,,,,", "Low below: “1E5” is no number from zero up."),
        (',Cups,,"1,234.56",,,,,', "Low below: “1,234.56” is no number from zero up."),
        (",Cups,,,maybe,,,,", "Tell when sold out: “maybe” is neither yes nor no."),
        (",Cups,,,,,,,0", "File within hours: Ensure this value is greater than or equal to 1."),
        (",Cups,,,,,,,7.5", "File within hours: “7.5” value must be an integer."),
        (",Cups", "The row has fewer cells than the header."),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_the_others_count(shop, line, said):
    other = make.pos_connection("other")
    for till in (shop.till, other):
        make.item(till, "TWICE")
    bad, good = plan(line, ",Cups,,9,,,,,").rows
    assert (bad.line, bad.effect.value, bad.message) == (2, "error", said)
    assert bad.next_step
    assert good.effect.value == "create"


def test_a_till_named_tells_items_apart(shop):
    other = make.pos_connection("other")
    make.item(shop.till, "TWICE")
    mine = make.item(other, "TWICE")
    (row,) = plan("other,,TWICE,1,,,,,").rows
    assert row.scope == (other.pk, "", mine.pk)


def test_the_same_scope_twice_counts_once(shop):
    made = plan(",Cups,,1,,,,,", ",Cups,,2,,,,,")
    assert [row.effect.value for row in made.rows] == ["create", "error"]
    assert made.rows[1].message == "Line 2 is about the same."


def test_what_changed_since_the_plan_is_not_overwritten(shop):
    made = plan(",Cups,,1,,,,,", ",,,2,,,,,")
    Threshold.objects.create(category="Cups", low_stock_below=7)
    with pytest.raises(AlignmentChangedError):
        thresholds_apply(plan=made, by=None, reason="test")
    assert Threshold.objects.count() == 1


def test_a_file_without_its_columns_is_refused():
    with pytest.raises(FileError, match="“SKU” is missing"):
        plan("a,b", header="Connection,Category")


class TestPages:
    def upload(self, client, *lines: str) -> str:
        file = SimpleUploadedFile(f"limits {EVIL}.csv", "\n".join([HEADER, *lines]).encode())
        answer = client.post(IMPORT, {"file": file, "encoding": "utf-8"})
        assert answer.status_code == 302, answer.content.decode()
        return answer["Location"]

    def test_nothing_is_applied_before_it_is_confirmed(self, shop, admin_client, admin_user):
        page(admin_client, IMPORT)
        where = self.upload(admin_client, ",Cups,,4,,,,,", f",,{EVIL},1,,,,,")
        html = page(admin_client, where)
        assert "Low below: inherited → 4" in html
        assert "The till has no item" in html
        assert not Threshold.objects.exists()
        fingerprint = re.search(r'name="fingerprint" value="(\w+)"', html)[1]
        admin_client.post(where, {"fingerprint": fingerprint, "apply": "1"})
        row = Threshold.objects.get()
        assert (row.low_stock_below, row.history.first().history_user) == (4, admin_user)

    def test_a_plan_that_became_another_is_shown_again(self, shop, admin_client):
        where = self.upload(admin_client, ",Cups,,4,,,,,")
        fingerprint = re.search(r'name="fingerprint" value="(\w+)"', page(admin_client, where))[1]
        Threshold.objects.create(category="Cups", low_stock_below=1)
        admin_client.post(where, {"fingerprint": fingerprint, "apply": "1"})
        assert Threshold.objects.get().low_stock_below == 1

    def test_it_can_be_cancelled(self, shop, admin_client):
        where = self.upload(admin_client, ",Cups,,4,,,,,")
        admin_client.post(where, {"cancel": "1"})
        assert admin_client.get(where).status_code == 302
        assert not Threshold.objects.exists()

    def test_what_is_exported_can_be_imported_and_not_run(self, shop, admin_client):
        Threshold.objects.create(category="=HYPERLINK(1)", low_stock_below=4)
        Threshold.objects.create(item=shop.item, price_percent=12.5, out_of_stock=False)
        answer = admin_client.get(EXPORT)
        text = answer.content.decode("utf-8-sig")
        assert text.splitlines() == [HEADER, ",'=HYPERLINK(1),,4,,,,,", ",,MUG-1,,no,,,12.5,"]
        shop.put(shop.item, category="=HYPERLINK(1)")
        again = thresholds_plan(content=answer.content, encoding="utf-8", limit=10_000_000)
        assert [row.effect.value for row in again.rows] == ["unchanged", "unchanged"]

    def test_who_may_only_look_can_export_and_not_import(self, client):
        client.force_login(make.person("viewer", "alerts.view_threshold"))
        assert client.get(EXPORT).status_code == 200
        assert client.get(IMPORT).status_code == 403
        assert client.post(IMPORT).status_code == 403
