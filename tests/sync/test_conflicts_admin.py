"""Conflicts in the admin: seen, filtered, settled with a reason by those who may, and by nobody else."""

import pytest
from django.urls import reverse

from sync.models import SyncConflict, SyncPolicy
from tests import factories as make
from tests.admin_pages import filter_links, page, queries_for
from tests.sync.builders import AT, EVIL, world

pytestmark = pytest.mark.django_db
LIST = reverse("admin:sync_syncconflict_changelist")


def conflict(shop, **fields) -> SyncConflict:
    return SyncConflict.objects.create(
        **{
            "store": shop.store, "alignment": shop.pair, "conflict_type": "quantity_mismatch", "pos_value": "4",
            "woo_value": "19", "difference": 15, "drift_class": "critical", "why": f"Nobody knows {EVIL}", "detected_at": AT,
            **fields,
        }
    )  # fmt: skip


@pytest.fixture
def shop():
    return world()


def settle_of(row: SyncConflict) -> str:
    return reverse("admin:sync_syncconflict_settle", args=[row.pk])


def change_of(row: SyncConflict) -> str:
    return reverse("admin:sync_syncconflict_change", args=[row.pk])


def test_the_list_shows_what_is_open_unless_asked_for_more(shop, admin_client):
    conflict(shop, conflict_type="sku_changed", drift_class="minor", resolved_at=AT, resolution="noted", why="an old story")
    conflict(shop)
    html = page(admin_client, LIST)
    assert "Nobody knows" in html
    assert EVIL not in html
    assert "an old story" not in html
    assert "an old story" in page(admin_client, LIST, state="all")
    assert "an old story" in page(admin_client, LIST, state="person")
    assert "an old story" not in page(admin_client, LIST, state="rule")
    for link in filter_links(html):
        page(admin_client, LIST + link.replace("&amp;", "&"))
    page(admin_client, LIST, q="mug")


def test_the_list_takes_few_queries(shop, admin_client):
    for sku in range(100):
        conflict(shop, resolved_at=AT, resolution="pos", why=str(sku))
    assert queries_for(admin_client, f"{LIST}?state=all") <= 15


def test_one_is_settled_with_a_reason_only(shop, admin_client, admin_user):
    row = conflict(shop)
    assert "Till wins" in page(admin_client, change_of(row))
    shop.pair.listing.baseline = 4
    shop.pair.listing.save()
    html = page(admin_client, settle_of(row), winner="pos")
    assert "goes back to 4" in html
    admin_client.post(settle_of(row), {"winner": "pos", "reason": " "})
    row.refresh_from_db()
    assert row.resolved_at is None
    admin_client.post(settle_of(row), {"winner": "pos", "reason": "counted"})
    row.refresh_from_db()
    assert (row.resolution, row.resolved_by, row.reason) == ("pos", admin_user, "counted")
    shop.pair.listing.refresh_from_db()
    assert shop.pair.listing.baseline == 19
    assert "Till wins" not in page(admin_client, change_of(row))
    page(admin_client, change_of(row).replace("/change/", "/history/"))


def test_a_count_from_the_page_is_asked_about_and_booked(shop, admin_client):
    row = conflict(shop)
    make_supply(shop)
    html = page(admin_client, settle_of(row), winner="count", count="12")
    assert "Counted: 12" in html
    admin_client.post(settle_of(row), {"winner": "12", "reason": "counted"})
    row.refresh_from_db()
    assert row.resolution == "count"
    shop.level.refresh_from_db()
    assert shop.level.on_hand == 12


def make_supply(shop) -> None:
    shop.store.supply.get_or_create(location=shop.level.location)
    shop.pair.listing.baseline = 4
    shop.pair.listing.save()


def test_nonsense_settles_nothing(shop, admin_client):
    row = conflict(shop)
    for winner in ("", "nobody", "noted", "-3"):
        answer = admin_client.post(settle_of(row), {"winner": winner, "reason": "x"}, follow=True)
        assert answer.status_code == 200
    row.refresh_from_db()
    assert row.resolved_at is None


def test_many_are_settled_at_once(shop, admin_client):
    row = conflict(shop, conflict_type="sku_changed", drift_class="minor")
    other = conflict(shop, conflict_type="unmanaged_stock")
    asked = {"action": "note", "_selected_action": [row.pk, other.pk]}
    html = admin_client.post(LIST, asked).content.decode()
    assert "It is noted" in html
    admin_client.post(LIST, {**asked, "reason": "renamed"})
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.resolution, other.resolution) == ("noted", "")


def test_who_may_only_look_settles_nothing(shop, client):
    row = conflict(shop)
    client.force_login(make.person("clerk", "sync.view_syncconflict"))
    assert "Till wins" not in page(client, change_of(row))
    assert client.post(settle_of(row), {"winner": "pos", "reason": "x"}).status_code == 403
    assert client.post(LIST, {"action": "till_wins", "_selected_action": [row.pk], "reason": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.resolved_at is None


def test_a_rule_is_made_and_kept_with_history(shop, admin_client):
    add = reverse("admin:sync_syncpolicy_add")
    answer = admin_client.post(add, {"category": "Pots", "policy": "manual_review", "minor_to": "3", "review_major": "unknown"})
    assert answer.status_code == 302
    rule = SyncPolicy.objects.get()
    assert (rule.category, rule.policy, rule.minor_to, rule.review_major) == ("Pots", "manual_review", 3, None)
    assert rule.history.count() == 1
    again = admin_client.post(add, {"category": "Pots", "policy": "pos_wins", "review_major": "unknown"})
    assert again.status_code == 200
    assert SyncPolicy.objects.count() == 1
    page(admin_client, reverse("admin:sync_syncpolicy_changelist"))
