"""Conflicts in the admin: seen, filtered, settled with a reason by those who may, and by nobody else."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert
from alignment.models import Alignment
from connectors.leases import lease_acquire
from inventory.models import Listing, Movement, StockLevel
from sync.admin.conflicts import settle_many as settle_page
from sync.conflicts import settle as conflicts_service
from sync.conflicts.booking import Booking
from sync.models import Order, OutboundWrite, SyncConflict, SyncLog, SyncPolicy
from tests import factories as make
from tests.admin_pages import filter_links, page, queries_for
from tests.ledger import booked, keeping, moved
from tests.sync.builders import AT, EVIL, world
from tests.sync.builders import many as many_rows

pytestmark = pytest.mark.django_db
LIST = reverse("admin:sync_syncconflict_changelist")
MANY = reverse("admin:sync_syncconflict_settle_many")


def conflict(shop, **fields) -> SyncConflict:
    """As a second look leaves it: the account shows by how much."""
    Listing.objects.filter(alignments=fields.get("alignment", shop.pair)).update(suspect=15)
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


def test_an_action_that_was_not_chosen_is_asked_for(shop, admin_client):
    conflict(shop)
    answer = admin_client.post(LIST, {"action": "", "index": "0"}, follow=True)
    assert answer.status_code == 200
    assert "Items must be selected" in answer.content.decode()
    assert admin_client.head(LIST).status_code == 200


def test_the_list_takes_few_queries(shop, admin_client):
    for sku in range(100):
        conflict(shop, resolved_at=AT, resolution="pos", why=str(sku))
    assert queries_for(admin_client, f"{LIST}?state=all") <= 15


def seen_on(html: str, field: str = "seen") -> str:
    """The fingerprint that a page carries of what it shows."""
    found = re.search(rf'name="{field}" value="([^"]*)"', html)
    assert found
    return found[1]


def four_lie_there(shop, sku="MUG-1"):
    """On the shelf and at the till; the shop should show them."""
    with keeping():
        StockLevel.objects.filter(item__sku=sku).update(on_hand=4, baseline=4)
        Listing.objects.filter(alignments__item__sku=sku).update(baseline=4, quantity=19)


def settle(client, row, winner, reason="counted", **fields):
    """As a person does: look, then confirm."""
    html = page(client, settle_of(row), winner=winner, **fields)
    said = {"winner": winner, "because": "x", "reason": reason, "seen": seen_on(html), **fields}
    return client.post(settle_of(row), said, follow=True)


def test_one_is_settled_after_its_preview_and_with_a_reason(shop, admin_client, admin_user):
    row = conflict(shop)
    four_lie_there(shop)
    assert "Till wins" in page(admin_client, change_of(row))
    html = page(admin_client, settle_of(row), winner="pos")
    assert "The till wins: the shop&#x27;s 19 goes back to 4 with the next sync." in html
    assert 'value="Till wins, decided by admin" checked' in html
    for lacking in ({"reason": "counted"}, {"seen": seen_on(html), "reason": " "}):
        admin_client.post(settle_of(row), {"winner": "pos", **lacking})
        row.refresh_from_db()
        assert row.resolved_at is None
    settle(admin_client, row, "pos")
    row.refresh_from_db()
    assert (row.resolution, row.resolved_by, row.reason) == ("pos", admin_user, "counted")
    assert LogEntry.objects.get().change_message == "Settled: counted"
    shop.pair.listing.refresh_from_db()
    assert shop.pair.listing.baseline == 19
    html = page(admin_client, change_of(row))
    assert "Till wins</a>" not in html
    assert "The till won" in html
    page(admin_client, change_of(row).replace("/change/", "/history/"))


def test_the_reason_that_is_chosen_already_will_do(shop, admin_client):
    row = conflict(shop)
    four_lie_there(shop)
    html = page(admin_client, settle_of(row), winner="woo")
    said = {"winner": "woo", "seen": seen_on(html), "because": "Shop wins, decided by admin", "reason": ""}
    admin_client.post(settle_of(row), said)
    row.refresh_from_db()
    assert (row.resolution, row.reason) == ("woo", "Shop wins, decided by admin")
    assert Movement.objects.get().reason == "Shop wins, decided by admin"


def test_what_changed_since_the_preview_is_shown_anew_and_not_written(shop, admin_client):
    row = conflict(shop)
    four_lie_there(shop)
    html = page(admin_client, settle_of(row), winner="pos")
    with keeping():
        StockLevel.objects.update(on_hand=3)  # one was sold at the till
    answer = admin_client.post(settle_of(row), {"winner": "pos", "seen": seen_on(html), "reason": "counted"})
    row.refresh_from_db()
    assert row.resolved_at is None
    said = answer.content.decode()
    assert "Its numbers have changed since you looked." in said
    assert "goes back to 3" in said
    assert seen_on(said) != seen_on(html)
    admin_client.post(settle_of(row), {"winner": "pos", "seen": seen_on(said), "reason": "counted"})
    row.refresh_from_db()
    assert row.resolution == "pos"


def test_the_second_of_two_people_is_told(shop, admin_client):
    row = conflict(shop)
    four_lie_there(shop)
    html = page(admin_client, settle_of(row), winner="woo")
    settle(admin_client, row, "pos")
    answer = admin_client.post(settle_of(row), {"winner": "woo", "seen": seen_on(html), "reason": "mine"}, follow=True)
    assert "It is settled already: The till won." in answer.content.decode()
    row.refresh_from_db()
    assert (row.resolution, Movement.objects.count()) == ("pos", 0)


def test_a_count_from_the_page_is_asked_about_and_booked(shop, admin_client):
    row = conflict(shop)
    four_lie_there(shop)
    assert "How many lie on the shelf" in page(admin_client, settle_of(row), winner="count")
    html = page(admin_client, settle_of(row), winner="count", count="12")
    assert "Counted: 12" in html
    settle(admin_client, row, "count", count="12")
    row.refresh_from_db()
    assert row.resolution == "count"
    assert StockLevel.objects.get().on_hand == 12


@pytest.mark.parametrize(
    ("way", "label"), [("higher", "Keep the higher"), ("merge", "Both changes count"), ("ignore", "Leave it")]
)
def test_the_other_ways_are_on_the_page_too(shop, admin_client, way, label):
    row = conflict(shop)
    four_lie_there(shop)
    assert label in page(admin_client, change_of(row))
    settle(admin_client, row, way)
    row.refresh_from_db()
    assert row.resolution == {"higher": "higher", "merge": "merge", "ignore": "ignored"}[way]
    assert row.is_left == (way == "ignore")
    assert StockLevel.objects.get().on_hand == (4 if way == "ignore" else 19)
    if way == "ignore":
        assert "1 left as it is" in page(admin_client, LIST)
        assert "MUG-1" in page(admin_client, LIST, state="left")


OFFERED = {
    "quantity_mismatch": (["pos", "woo", "count", "ignore", "higher", "merge"], ""),
    "simultaneous_sale": (["count", "ignore"], "Count the shelf."),
    "unmanaged_stock": (["ignore"], "Tick “Manage stock” on it in the shop"),
    "listing_deleted": (["ignore"], "Restore it in the shop, or reject its pair"),
    "sku_changed": (["noted"], "Nothing is wrong with the pair: note it."),
    "unsettled": ([], "It goes with the answer"),
    "price_mismatch": ([], "Decide it under Prices."),
}


@pytest.mark.parametrize("kind", OFFERED)
def test_each_kind_offers_what_makes_sense_and_says_what_to_do_otherwise(shop, admin_client, kind):
    row = conflict(shop, conflict_type=kind)
    four_lie_there(shop)
    html = page(admin_client, change_of(row))
    ways, instead = OFFERED[kind]
    assert list(dict.fromkeys(re.findall(r'winner=(\w+)"|name="winner" value="(\w+)"', html))) == [
        ("", way) if way == "count" else (way, "") for way in ways
    ]
    assert instead in html
    page(admin_client, LIST)
    for link in re.findall(r'<a class="btn" href="(/[^"]+)"', html):
        assert admin_client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_what_is_not_aligned_leads_to_aligning_it(shop, admin_client):
    lonely = make.listing(shop.store, "LONELY")
    row = conflict(shop, alignment=None, listing=lonely, conflict_type="missing_alignment", difference=None, pos_value="")
    html = page(admin_client, change_of(row))
    link = f"{reverse('admin:alignment_alignment_add')}?listing={lonely.pk}"
    assert f'href="{link}">Align it…' in html
    assert "LONELY" in admin_client.get(link).content.decode()
    settle(admin_client, row, "noted")
    row.refresh_from_db()
    assert row.resolution == "noted"


def test_a_number_that_moved_again_says_so_instead_of_offering_buttons(shop, admin_client):
    row = conflict(shop)
    four_lie_there(shop)
    Listing.objects.update(suspect=19)
    html = page(admin_client, change_of(row))
    assert "it was off by +15, by now it is +19" in html
    assert "winner=pos" not in html


def test_nonsense_settles_nothing(shop, admin_client):
    row = conflict(shop)
    for winner in ("", "nobody", "noted", "-3"):
        answer = admin_client.post(settle_of(row), {"winner": winner, "reason": "x", "seen": "x"}, follow=True)
        assert answer.status_code == 200
    row.refresh_from_db()
    assert row.resolved_at is None


# The timeline


def test_the_timeline_tells_what_happened_newest_first_with_links(shop, admin_client):
    now = timezone.now()
    row = conflict(shop, detected_at=now - timedelta(hours=1))
    four_lie_there(shop)
    common = {"item": shop.pair.item, "location": shop.level.location, "source": shop.till, "occurred_at": now}
    for n in range(20):
        at = now - timedelta(minutes=n)
        booked([moved(quantity=-1, kind="till", of=f"{n}", recorded_at=at, reason=f"sold {n} {EVIL}", **common)])
    booked([moved(quantity=9, kind="till", of="old", recorded_at=now - timedelta(days=99), reason="long ago", **common)])
    SyncLog.objects.create(
        alignment=shop.pair, at=now, source="woo", action="qty_update", old_value="4", new_value="19", reason="edited"
    )
    OutboundWrite.objects.update(created_at=now, answered_at=now)
    Order.objects.update(modified_at=now - timedelta(hours=2))
    conflict(shop, conflict_type="sku_changed", resolved_at=AT, resolution="noted")
    Alert.objects.create(
        rule="critical_drift", subject="x", severity=40, title="x", words="It is far off.", item=shop.pair.item, since=now,
        opened_at=now, last_seen_at=now,
    )  # fmt: skip
    html = page(admin_client, change_of(row))
    line = html[html.index('<ol class="line">') : html.index("</ol>")]
    for said in ("Movement", "Changed value", "Write", "Order", "Earlier conflict", "Alert", "This conflict", "Reading"):
        assert f">{said}</a>" in line, said
    assert "long ago" not in line
    assert line.count(">Movement</a>") == 12
    times = re.findall(r'<time datetime="([^"]+)"', line)
    assert times == sorted(times, reverse=True)
    for link in set(re.findall(r'href="([^"]+)"', line)):
        assert admin_client.get(link).status_code == 200, link


def test_the_timeline_keeps_what_its_reader_may_not_see(shop, client):
    row = conflict(shop)
    Order.objects.update(modified_at=AT)
    client.force_login(make.person("clerk", "sync.view_syncconflict"))
    html = page(client, change_of(row))
    assert ">This conflict</a>" in html
    for said in ("Movement", "Order", "Write", "Reading", "Alert"):
        assert f">{said}</a>" not in html


def test_the_page_of_one_takes_few_queries(shop, admin_client):
    row = conflict(shop, detected_at=timezone.now())
    four_lie_there(shop)
    assert queries_for(admin_client, change_of(row)) <= 20


# Many


def crowd(shop, many: int, **fields) -> list[SyncConflict]:
    """So many pairs of 4 on the shelf where the shop shows 19."""
    many_rows(shop, many)
    pairs = list(Alignment.objects.filter(item__sku__startswith="SKU-").order_by("pk"))
    place = shop.level.location
    with keeping():
        StockLevel.objects.bulk_create(StockLevel(item=one.item, location=place, on_hand=4, baseline=4) for one in pairs)
        Listing.objects.filter(sku__startswith="SKU-").update(baseline=4, quantity=19)
    made = [conflict(shop, alignment=pair, **fields) for pair in pairs]
    OutboundWrite.objects.all().delete()
    return made


def confirm(client, html: str, winner: str, **fields):
    said = {"winner": winner, "chosen": seen_on(html, "chosen"), "confirm": "1", "because": "Counted the shelf", **fields}
    return client.post(MANY, said, follow=True)


def act(client, action: str, rows, **fields):
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows], **fields}).content.decode()


def test_many_are_settled_after_one_preview_and_the_others_are_left_out_with_the_reason(shop, admin_client, admin_user):
    rows = crowd(shop, 3)
    renamed = conflict(shop, conflict_type="sku_changed", drift_class="minor")
    html = act(admin_client, "shop_wins", [*rows, renamed])
    assert "3 will be settled: shop wins." in html
    assert "3 movements are booked in the ledger, +45 in all." in html
    assert "“SKU changed” can&#x27;t be settled so. Nothing is wrong with the pair: note it." in html
    assert not SyncConflict.objects.exclude(resolved_at=None).exists()
    answer = confirm(admin_client, html, "woo")
    assert "3 settled. What follows is told with the next sync." in answer.content.decode()
    assert set(
        SyncConflict.objects.filter(pk__in=[row.pk for row in rows]).values_list("resolution", "reason", "resolved_by")
    ) == {("woo", "Counted the shelf", admin_user.pk)}
    renamed.refresh_from_db()
    assert renamed.resolved_at is None
    assert set(StockLevel.objects.filter(item__sku__startswith="SKU-").values_list("on_hand", flat=True)) == {19}
    assert Movement.objects.count() == SyncLog.objects.filter(action="conflict_resolved").count() == 3
    assert SyncConflict.history.filter(history_user=admin_user).count() == LogEntry.objects.count() == 3


def test_those_that_changed_since_the_preview_are_shown_anew_and_the_others_are_settled(shop, admin_client):
    rows = crowd(shop, 3)
    html = act(admin_client, "till_wins", rows)
    with keeping():
        StockLevel.objects.filter(item=rows[1].alignment.item).update(on_hand=2)
    said = confirm(admin_client, html, "pos").content.decode()
    assert "2 settled." in said
    assert "Not settled yet: the numbers of one have changed since you looked." in said
    assert "1 will be settled: till wins." in said
    rows[1].refresh_from_db()
    assert rows[1].resolved_at is None
    assert "1 settled." in confirm(admin_client, said, "pos").content.decode()


def test_a_page_of_the_preview_keeps_what_was_seen_on_the_others(shop, admin_client, monkeypatch):
    monkeypatch.setattr(settle_page, "PER_PAGE", 2)
    rows = crowd(shop, 4)
    html = act(admin_client, "till_wins", rows)
    assert "SKU-0003" not in html
    with keeping():
        StockLevel.objects.filter(item=rows[0].alignment.item).update(on_hand=2)
    second = admin_client.post(MANY, {"winner": "pos", "chosen": seen_on(html, "chosen"), "page": "2"}).content.decode()
    assert "SKU-0003" in second
    assert "SKU-0000" not in second
    said = confirm(admin_client, second, "pos").content.decode()
    assert "3 settled." in said
    rows[0].refresh_from_db()
    assert rows[0].resolved_at is None  # its new number was on no page that was shown


def test_all_that_the_filter_finds_are_settled_not_just_a_page(shop, admin_client):
    rows = crowd(shop, 120)
    html = act(admin_client, "leave", rows[:1], select_across="1")
    assert "120 will be settled: leave it as it is." in html
    assert "Nothing is written to either side." in html
    assert "120 settled." in confirm(admin_client, html, "ignore").content.decode()
    assert SyncConflict.objects.filter(is_left=True).count() == 120


def test_a_count_for_many_is_asked_for_first(shop, admin_client):
    rows = crowd(shop, 2)
    html = act(admin_client, "set_count", rows)
    assert "How many lie on the shelf of each of the 2" in html
    html = admin_client.post(MANY, {"winner": "count", "count": "0", "chosen": seen_on(html, "chosen")}).content.decode()
    assert "2 will be settled: set to a count of 0." in html
    confirm(admin_client, html, "count", count="0")
    assert set(StockLevel.objects.filter(item__sku__startswith="SKU-").values_list("on_hand", flat=True)) == {0}


@pytest.mark.every_database
@pytest.mark.slow
def test_a_preview_of_thousands_takes_few_queries_and_settling_them_few_each(shop, admin_client, django_assert_max_num_queries):
    rows = crowd(shop, 400)
    with django_assert_max_num_queries(15):
        html = act(admin_client, "till_wins", rows[:1], select_across="1")
    assert html.count("goes back to 4") == 100
    with django_assert_max_num_queries(80):  # two transactions of 200
        confirm(admin_client, html, "pos")
    assert SyncConflict.objects.filter(resolution="pos").count() == 400


def test_what_is_cut_off_half_way_is_settled_or_open_and_nothing_between(shop, admin_client, monkeypatch):
    rows = crowd(shop, 5)
    html = act(admin_client, "shop_wins", rows)
    monkeypatch.setattr(conflicts_service, "AT_ONCE", 2)
    real, calls = Booking.save, []

    def killed(self):
        real(self)
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Booking, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        confirm(admin_client, html, "woo")
    done = set(SyncConflict.objects.exclude(resolved_at=None).values_list("alignment__item", flat=True))
    assert len(done) == Movement.objects.count() == 2
    assert set(StockLevel.objects.filter(on_hand=19).values_list("item", flat=True)) == done
    assert set(Listing.objects.filter(baseline=19).values_list("alignments__item", flat=True)) == done
    monkeypatch.setattr(Booking, "save", real)
    assert "3 settled" in confirm(admin_client, act(admin_client, "shop_wins", rows), "woo").content.decode()


def test_a_store_that_a_run_works_on_is_left_open(shop, admin_client):
    rows = crowd(shop, 2)
    html = act(admin_client, "till_wins", rows)
    lease_acquire(connection=shop.store, now=timezone.now())
    said = confirm(admin_client, html, "pos").content.decode()
    assert "2 left open: Another sync of “shop” is running" in said
    assert not SyncConflict.objects.exclude(resolved_at=None).exists()


def test_who_may_only_look_settles_nothing(shop, client):
    row = conflict(shop)
    four_lie_there(shop)
    client.force_login(make.person("clerk", "sync.view_syncconflict"))
    assert "Till wins" not in page(client, change_of(row))
    assert "Till wins" not in page(client, LIST)
    assert client.get(settle_of(row), {"winner": "pos"}).status_code == 403
    assert client.post(settle_of(row), {"winner": "pos", "reason": "x", "seen": "x"}).status_code == 403
    assert client.post(MANY, {"winner": "pos", "chosen": f"{row.pk}:x", "confirm": "1", "reason": "x"}).status_code == 403
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
