"""“Why this number”: what the page says, its links, past moments, bad input, who may see it, and what it asks of the database."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alignment.models import Alignment
from inventory.models import Item, Listing, Movement, StockLevel
from kit.admin.parts import number
from sync.models import Order, OutboundWrite, SyncConflict, TillFeed
from sync.why.words import zone_of
from tests import factories as make
from tests.admin_pages import EVIL, page
from tests.browser.seed import shop_seed
from tests.ledger import booked, keeping, moved


@pytest.fixture
def shop(db):
    now = timezone.now()
    shop_seed(now=now, products=66)
    return now


def someone(login: str = "viewer") -> Client:
    client = Client()
    client.force_login(User.objects.get(username=login), backend="django.contrib.auth.backends.ModelBackend")
    return client


def item_url(item: Item) -> str:
    return reverse("admin:inventory_item_why", args=[item.pk])


def listing_url(listing: Listing) -> str:
    return reverse("admin:inventory_listing_why", args=[listing.pk])


def words(html: str) -> str:
    """What the page says, without its pictures and tags."""
    main = html.split('id="content-main"')[1]
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]*>", " ", main, flags=re.DOTALL))


def balances(html: str, part: str) -> list[Decimal]:
    """The column “Left” of one part of the page."""
    cells = re.findall(r'<td class="num what">([^<]*)</td>', html.split(f'id="{part}"')[1].split("</section>")[0])
    return [Decimal(cell.replace("−", "-")) for cell in cells]


def test_a_product_with_a_conflict_says_what_is_odd_and_what_comes_next(shop):
    conflict = SyncConflict.objects.filter(resolved_at=None).order_by("-difference").first()
    listing, level = conflict.alignment.listing, StockLevel.objects.get(item=conflict.alignment.item_id)
    html = page(someone(), listing_url(listing))
    said, lie = words(html), number(level.on_hand)
    assert f"<h1>Why does web-shop show {number(listing.quantity)}?</h1>" in html
    assert f"web-shop shows {number(listing.quantity)} and should show {lie}, because {lie} lie on the shelf." in said
    assert "+15 in the shop is explained by no order and no write of ours. Nothing is written until somebody decides." in said
    assert reverse("admin:sync_syncconflict_change", args=[conflict.pk]) in html
    assert balances(html, f"shop-{listing.pk}")[-1] == listing.quantity
    assert balances(html, "movements")[-1] == level.on_hand


def test_every_row_leads_to_where_it_came_from(shop):
    item = Item.objects.order_by("pk").first()
    html = page(someone("administrator"), item_url(item))
    order, feed = Order.objects.get(number="5100"), TillFeed.objects.get(name="export_1.csv")
    manager = User.objects.get(username="manager")
    for view, key in (("sync_order", order.pk), ("sync_tillfeed", feed.pk), ("auth_user", manager.pk)):
        assert f'href="{reverse(f"admin:{view}_change", args=[key])}"' in html
    said = words(html)
    assert "Sold online · #5100" in said
    assert "Given back online · #5100" in said
    assert "Counted by a person · Maya Brandt" in said
    assert f'href="{reverse("admin:auth_user_change", args=[manager.pk])}"' not in page(someone("viewer"), item_url(item))


def test_the_picture_says_the_same_in_words(shop):
    item = Item.objects.order_by("pk")[3]
    html = page(someone(), item_url(item))
    level = StockLevel.objects.get(item=item)
    described = re.search(r'<desc id="fall-desc">([^<]*)</desc>', html)[1]
    assert described.startswith(
        f"First counted +{number(level.on_hand + 2)}; At the till: sales, counts, receipts −2; On hand {number(level.on_hand)}"
    )
    assert described.endswith(f"web-shop shows {number(level.on_hand)}.")
    assert html.count('class="waterfall"') == 1


def test_a_past_moment_shows_the_ledger_of_then_and_no_more(shop):
    sale = Movement.objects.filter(kind="till", voucher__document="export of 40").get()
    at = (sale.recorded_at - timedelta(minutes=5)).astimezone(UTC).isoformat()
    html = page(someone(), item_url(sale.item), at=at)
    level = StockLevel.objects.get(item=sale.item)
    assert f"<h1>Why were {number(level.on_hand + 2)} on hand?</h1>" in html
    assert balances(html, "movements") == [level.on_hand + 2] * 2
    assert "Back to now" in html


def test_the_minute_that_the_page_names_is_in_it_also_the_one_that_is_not_over(shop):
    sale = Movement.objects.filter(kind="till", voucher__document="export of 40").get()
    zone = zone_of(sale.item.connection)
    html = page(someone(), item_url(sale.item), at=f"{sale.recorded_at.astimezone(zone):%Y-%m-%dT%H:%M}")
    assert balances(html, "movements")[-1] == StockLevel.objects.get(item=sale.item).on_hand
    assert "Back to now" in page(someone(), item_url(sale.item), at=f"{timezone.now().astimezone(zone):%Y-%m-%dT%H:%M}")


def test_what_was_not_kept_of_a_past_moment_is_unknown_and_what_histories_keep_is_told(shop):
    pair = Alignment.objects.filter(status="confirmed").order_by("pk")[50]
    now = timezone.now()
    booked([moved(
        item=pair.item, location=StockLevel.objects.get(item=pair.item).location, quantity=Decimal(-1), kind="till",
        source=pair.item.connection, of="later", occurred_at=now, recorded_at=now + timedelta(hours=1),
    )])  # fmt: skip
    html = page(someone(), listing_url(pair.listing), at=now.isoformat())
    said = words(html)
    count = StockLevel.objects.get(item=pair.item).on_hand
    assert f"web-shop showed {number(count)}, as last noted" in said
    assert "unknown: it was not kept, so what the shop should have shown is unknown, too" in said
    write = OutboundWrite.objects.get(listing=pair.listing)
    assert f"−2 to make it {number(write.planned_to)}, sent " in said
    assert reverse("admin:sync_outboundwrite_change", args=[write.pk]) in html


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"at": "tomorrow"}, "“tomorrow” is no moment that can be used."),
        ({"at": "2026-13-45T99:99"}, "is no moment that can be used."),
        ({"at": "0001-01-01T00:00"}, "is no moment that can be used."),
        ({"at": "9999-12-31T23:59"}, "is no moment that can be used."),
        ({"at": "2099-01-01T00:00"}, "That moment has not come yet. Choose one in the past."),
        ({"at": "2001-01-01T00:00"}, "Nothing is known of that moment: it was first counted"),
        ({"day": "yesterday"}, "“yesterday” is no day."),
        ({"day": "9999-12-31"}, "“9999-12-31” is no day."),
        ({"at": EVIL}, "is no moment that can be used."),
    ],
)
def test_what_cannot_be_used_is_said_and_the_page_shows_what_is_so_now(shop, query, said):
    item = Item.objects.order_by("pk")[3]
    answer = words(page(someone(), item_url(item), **query))
    assert said in answer
    assert "Below is what is so now." in answer


@pytest.mark.parametrize("before", ["0", "-1", "x", "9" * 30, "999999999"])
def test_a_page_that_is_not_there_shows_no_movements_wrongly(shop, before):
    item = Item.objects.order_by("pk")[3]
    html = page(someone(), item_url(item), before=before)
    assert balances(html, "movements")[-1] in (0, StockLevel.objects.get(item=item).on_hand)


def test_a_listing_of_no_item_says_so(shop):
    html = page(someone(), listing_url(Listing.objects.get(remote_id=9000)))
    assert "web-shop shows 3, and it belongs to no item of the till." in html


def test_what_is_not_there_is_not_found(shop):
    for view in ("inventory_item_why", "inventory_listing_why"):
        assert someone().get(reverse(f"admin:{view}", args=[987_654])).status_code == 404


def test_an_item_that_nobody_has_counted_says_so(db):
    make.person("ann", "inventory.view_movement")
    item = make.item(make.pos_connection(), "NEW-1", name=EVIL)
    said = words(page(someone("ann"), item_url(item)))
    assert "Nothing is known of it yet: the till has not counted it." in said
    assert "Nothing is known of it yet. Let the till count it first." in words(
        page(someone("ann"), item_url(item), at="2026-01-01T10:00")
    )


# Finding it


def test_a_sku_or_a_barcode_leads_straight_to_its_page(shop):
    item = Item.objects.exclude(barcode="").order_by("pk").first()
    for called in (item.sku, item.barcode, item.sku.lower()):
        answer = someone().get(reverse("admin:why"), {"q": called})
        assert (answer.status_code, answer.headers.get("Location")) == (302, item_url(item)), called


def test_a_part_of_a_name_lists_what_comes_close_and_an_unknown_one_is_told_so(shop):
    item = Item.objects.order_by("pk").first()
    html = page(someone(), reverse("admin:why"), q=item.name.split()[-1][:4])
    assert "These come close" in html
    assert item_url(item) in html
    assert "Neither the till nor the shop has “zzqqxx”." in page(someone(), reverse("admin:why"), q="zzqqxx")
    assert "Neither" not in page(someone(), reverse("admin:why"))


@pytest.mark.parametrize(
    "view", ["inventory_item", "inventory_stocklevel", "inventory_listing", "alignment_alignment", "sync_syncstate"]
)
def test_lists_lead_to_why(shop, view):
    html = page(someone(), reverse(f"admin:{view}_changelist"))
    assert re.search(r'href="/admin/why/(item|listing)/\d+/"', html)


@pytest.mark.parametrize("model", [Item, Listing, Alignment])
def test_pages_lead_to_why(shop, model):
    key = model.objects.order_by("pk").first().pk
    html = page(someone(), reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[key]))
    assert re.search(r'href="/admin/why/(item|listing)/\d+/"', html)


# Who, and at what cost


def test_only_who_may_see_the_ledger_may_ask(shop):
    item, listing = Item.objects.order_by("pk").first(), Listing.objects.order_by("pk").first()
    paths = (item_url(item), listing_url(listing), reverse("admin:why"))
    for login, may in (("nobody", False), ("viewer", True), ("manager", True), ("lead", True)):
        assert [someone(login).get(path).status_code for path in paths] == [200 if may else 403] * 3
    assert [someone("lead").post(path).status_code for path in paths] == [405] * 3
    assert [Client().get(path).status_code for path in paths] == [302] * 3
    clerk = make.person("clerk")
    clerk.groups.add(Group.objects.create(name="Desk"))
    clerk.user_permissions.add(Permission.objects.get(codename="view_movement"))
    html = page(someone("clerk"), item_url(item))
    assert "Sold online · #5100" in words(html)
    assert "/sync/order/" not in html  # who may not look at orders is not sent there


@pytest.mark.parametrize("query", [{}, {"at": "2026-01-01T00:00"}, {"at": "x"}, {"day": "2026-02-01"}, {"before": "1"}])
def test_a_page_asks_little_of_the_database(shop, query):
    item = Item.objects.order_by("pk").first()
    if query.get("at", "").startswith("2026"):
        query = {"at": (shop - timedelta(hours=40)).isoformat()}
    for url in (item_url(item), listing_url(item.alignments.get().listing)):
        client = someone()
        client.get(url)
        with CaptureQueriesContext(database) as seen:
            page(client, url, **query)
        assert len(seen) <= 15, "\n".join(one["sql"][:160] for one in seen.captured_queries)


# Many movements


@pytest.fixture
def busy(db):
    """2,500 movements over 50 days, 50 a day."""
    make.person("ann", "inventory.view_movement")
    item = make.item(make.pos_connection(time_zone="Europe/Berlin"), "BUSY-1")
    place = make.location(item.connection)
    first = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
    booked(
        moved(
            item=item, location=place, quantity=Decimal(9_000 if not n else -1 if n % 3 else 2), kind="till" if n else "opening",
            source=item.connection, of=f"m{n}", occurred_at=first + timedelta(days=n // 50, minutes=5 * (n % 50)),
            recorded_at=first + timedelta(days=n // 50, minutes=5 * (n % 50)),
        )
        for n in range(2500)
    )  # fmt: skip
    make.level(item, sum(Movement.objects.values_list("quantity", flat=True)), place=place)
    return item


def test_many_movements_are_told_by_days_in_pages_whose_balances_join(busy):
    client, url, seen_days, carried = someone("ann"), item_url(busy), 0, None
    address, pages = url, 0
    while address:
        html = client.get(address).content.decode()
        left = balances(html, "movements")
        assert carried is None or left[-1] == carried
        carried = left[0]
        seen_days += html.count("?day=")
        older = re.search(r'href="([^"]*before=[^"]*)">Older', html)
        address = older[1].replace("&amp;", "&") if older else ""
        pages += 1
    assert pages == 4
    assert seen_days == 50 + 1 - 1  # the first day's opening stands beside that day's row
    assert balances(client.get(url).content.decode(), "movements")[-1] == StockLevel.objects.get(item=busy).on_hand


def test_a_day_is_told_row_by_row_with_what_was_carried(busy):
    html = page(someone("ann"), item_url(busy), day="2026-01-11")
    of_day = Movement.objects.filter(recorded_at__date="2026-01-11")
    before = sum(Movement.objects.filter(recorded_at__date__lt="2026-01-11").values_list("quantity", flat=True))
    left = balances(html, "movements")
    assert len(left) == 52  # carried, fifty rows, and the sum
    assert (left[0], left[-1]) == (before, before + sum(of_day.values_list("quantity", flat=True)))


def test_thousandths_add_up_exactly_however_many(busy):
    place, at = StockLevel.objects.get(item=busy).location, datetime(2026, 3, 1, tzinfo=UTC)
    booked(
        moved(
            item=busy, location=place, quantity=Decimal("0.137") if n % 2 else Decimal("-0.036"), kind="till",
            source=busy.connection, of=f"t{n}", occurred_at=at, recorded_at=at,
        )
        for n in range(3000)
    )  # fmt: skip
    exact = sum(Movement.objects.filter(item=busy).values_list("quantity", flat=True))
    with keeping():
        StockLevel.objects.filter(item=busy).update(on_hand=exact)
    html = page(someone("ann"), item_url(busy))
    assert "The kept sum differs" not in html
    assert balances(html, "movements")[-1] == exact


def test_a_kept_sum_that_differs_from_the_ledger_is_not_hidden(busy):
    with keeping():
        StockLevel.objects.filter(item=busy).update(on_hand=1)
    assert "The kept sum differs from the ledger." in page(someone("ann"), item_url(busy))
