"""The review queue in the admin: seen with its margins, decided with a reason by those who may, and by nobody else."""

from decimal import Decimal

import pytest
from django.urls import reverse

from sync.models import OutboundWrite, PricePolicy, PriceReview, PriceWrite, SyncRun, TillPrice
from tests import factories as make
from tests.admin_pages import EVIL, filter_links, page, queries_for
from tests.sync.builders import AT, many, world

pytestmark = pytest.mark.django_db
LIST = reverse("admin:sync_pricereview_changelist")


def review(shop, **fields) -> PriceReview:
    pair = fields.pop("alignment", shop.pair)
    return PriceReview.objects.create(
        **{
            "store": shop.store, "alignment": pair, "price_source": "pos", "currency": "EUR", "source_price": 9,
            "old_price": 5, "new_price": 9, "change_percent": 80, "cost": 4, "margin_before": 20,
            "margin_after": Decimal("55.56"), "why": f"It jumps {EVIL}", "detected_at": AT, **fields,
        }
    )  # fmt: skip


@pytest.fixture
def shop():
    shop = world()
    shop.pair.item.price, shop.pair.item.cost, shop.pair.listing.price = Decimal(9), Decimal(4), Decimal(5)
    shop.pair.item.save()
    shop.pair.listing.save(update_fields=["price"])
    return shop


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> list[dict]:
    """The runs that were asked for; no broker is."""
    found: list[dict] = []
    monkeypatch.setattr("sync.turns.start.current_app.send_task", lambda _task, kwargs: found.append(kwargs))
    return found


def decide_of(row: PriceReview) -> str:
    return reverse("admin:sync_pricereview_decide", args=[row.pk])


def change_of(row: PriceReview) -> str:
    return reverse("admin:sync_pricereview_change", args=[row.pk])


def test_the_list_shows_what_is_open_with_its_margin(shop, admin_client):
    review(shop)
    review(shop, state="rejected", why="an old story")
    html = page(admin_client, LIST)
    for said in ("5 → 9 EUR", "+80 %", "20 % → 55.6 %", "It jumps"):
        assert said in html
    assert "an old story" not in html
    assert "an old story" in page(admin_client, LIST, state="all")
    for link in filter_links(html):
        page(admin_client, LIST + link.replace("&amp;", "&"))
    page(admin_client, LIST, q="mug")


def test_one_is_approved_with_a_reason_only_and_a_run_is_asked_for(shop, admin_client, admin_user, asked):
    row = review(shop)
    assert "Approve…" in page(admin_client, change_of(row))
    assert "<b>9 EUR</b> instead of 5 EUR is written to the shop." in page(admin_client, decide_of(row), verb="approve")
    admin_client.post(decide_of(row), {"verb": "approve", "reason": " "})
    row.refresh_from_db()
    assert (row.state, asked) == ("open", [])
    admin_client.post(decide_of(row), {"verb": "approve", "reason": "new season"})
    row.refresh_from_db()
    assert (row.state, row.decided_by, row.reason) == ("approved", admin_user, "new season")
    assert [(each["store_id"], each["kind"]) for each in asked] == [(shop.store.pk, "incremental")]
    assert "Approve…" not in page(admin_client, change_of(row))
    page(admin_client, change_of(row).replace("/change/", "/history/"))


def test_stale_figures_are_refused_with_the_new_ones(shop, admin_client, asked):
    row = review(shop)
    shop.pair.item.price = Decimal("9.90")
    shop.pair.item.save()
    answer = admin_client.post(decide_of(row), {"verb": "approve", "reason": "yes"}, follow=True)
    assert "The till&#x27;s price is 9.90 by now, it was 9." in answer.content.decode()
    row.refresh_from_db()
    assert (row.state, asked) == ("open", [])


def test_many_are_rejected_at_once(shop, admin_client, asked):
    many(shop, 2)
    rows = [review(shop, alignment=pair) for pair in shop.store.listings.first().alignments.all()]
    rows += [review(shop, alignment=pair) for listing in shop.store.listings.all()[1:] for pair in listing.alignments.all()]
    posted = {"action": "reject", "_selected_action": [row.pk for row in rows]}
    assert "<b>5 EUR</b> stays" in admin_client.post(LIST, posted).content.decode()
    admin_client.post(LIST, {**posted, "reason": "not now"})
    assert set(PriceReview.objects.values_list("state", flat=True)) == {"rejected"}
    assert len(rows) == 3
    assert asked == []


def test_who_may_only_look_decides_nothing(shop, client):
    row = review(shop)
    client.force_login(make.person("clerk", "sync.view_pricereview"))
    assert "Approve…" not in page(client, change_of(row))
    for verb in ("approve", "reject"):
        assert client.get(decide_of(row), {"verb": verb}).status_code == 403
        assert client.post(decide_of(row), {"verb": verb, "reason": "x"}).status_code == 403
        assert client.post(LIST, {"action": verb, "_selected_action": [row.pk], "reason": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.state == "open"


def test_nonsense_decides_nothing(shop, admin_client):
    row = review(shop)
    admin_client.post(decide_of(row), {"verb": "delete", "reason": "x"})
    row.refresh_from_db()
    assert row.state == "open"
    assert admin_client.get(decide_of(row).replace(str(row.pk), "999999"), {"verb": "approve"}).status_code == 404


def test_the_lists_take_few_queries(shop, admin_client):
    many(shop, 60)
    run = SyncRun.objects.first()
    for write in OutboundWrite.objects.filter(listing__isnull=False):
        PriceWrite.objects.create(write=write, price_from=5, price_to=6, barcode="4006381333931")
    for item in shop.till.items.all():
        TillPrice.objects.create(
            connection=shop.till, item=item, alignment=shop.pair, run=run, price_to=5, created_at=AT, state="applied"
        )
        review(shop, state="written")
    assert queries_for(admin_client, f"{LIST}?state=all") <= 15
    for name in ("pricewrite", "tillprice", "outboundwrite"):
        assert queries_for(admin_client, reverse(f"admin:sync_{name}_changelist")) <= 15
    page(admin_client, reverse("admin:sync_pricewrite_change", args=[PriceWrite.objects.first().pk]))
    page(admin_client, reverse("admin:sync_tillprice_change", args=[TillPrice.objects.first().pk]))
    assert "price 5 → 6" in page(admin_client, reverse("admin:sync_outboundwrite_changelist"))


def test_a_rule_is_made_with_what_must_be_said_and_kept_with_history(shop, admin_client):
    add = reverse("admin:sync_pricepolicy_add")
    asked = {
        "connection": shop.store.pk, "price_source": "pos", "till_includes_tax": "unknown", "store_includes_tax": "unknown",
        "rounding": "currency", "band_percent": "20", "min_margin_percent": "0", "guard_percent": "30",
    }  # fmt: skip
    answer = admin_client.post(add, asked)
    assert "Say whether tax is in the till&#x27;s prices." in answer.content.decode()
    assert not PricePolicy.objects.exists()
    assert admin_client.post(add, {**asked, "till_includes_tax": "true"}).status_code == 302
    policy = PricePolicy.objects.get()
    assert (policy.price_source, policy.till_includes_tax, policy.history.count()) == ("pos", True, 1)
    page(admin_client, reverse("admin:sync_pricepolicy_changelist"))
    html = page(admin_client, add)
    assert f'<option value="{shop.till.pk}"' not in html


def test_a_held_runs_preview_shows_prices(shop, admin_client):
    shop.held.preview = [{"sku": "MUG-1", "woo_sku": "MUG-ONE", "from": "", "to": "5.50", "field": "price"}]
    shop.held.save()
    assert "5.50" in page(admin_client, reverse("admin:sync_syncrun_change", args=[shop.held.pk]))


def test_a_price_sync_is_not_started_while_nobody_owns_prices(shop, admin_client, asked):
    new = reverse("admin:sync_syncrun_new")
    html = admin_client.post(new, {"store": shop.store.pk, "kind": "prices"}).content.decode()
    assert "Nobody has said who owns the prices" in html
    assert asked == []
    PricePolicy.objects.create(connection=shop.store, price_source="pos", till_includes_tax=True)
    admin_client.post(new, {"store": shop.store.pk, "kind": "prices"})
    assert [each["kind"] for each in asked] == ["prices"]
