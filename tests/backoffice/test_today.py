"""“Today”: what is said, what needs whom, who may see it, and how little it asks of the database."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Channel
from backoffice.today.page import today_read
from sync.models import PriceReview
from tests.admin_pages import page
from tests.browser.seed import shop_seed

TODAY, LIVE = reverse("admin:index"), reverse("admin:today_live")


@pytest.fixture
def shop(db):
    now = timezone.now()
    shop_seed(now=now, products=66)
    return now


def someone(login: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=login), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_says_first_what_is_true_then_what_needs_a_person(shop):
    today = today_read(user=User.objects.get(username="manager"), now=shop)
    assert today.overall.sentence == "56 of 61 products agree"
    assert [(todo.button, todo.is_urgent) for todo in today.todo] == [
        ("Look", True),  # held runs are the lead's
        ("Decide", True),
        ("Decide", True),
        ("Decide", False),
        ("Look", False),
        ("Look", False),  # prices are the lead's
    ]
    assert "Till says" in today.todo[1].sentence
    assert [card.said for card in today.cards][2:4] == ["6", "100 %"]
    assert (today.queue, today.inbox) == (2, 0)
    assert [(system.name, system.waiting, system.unknown) for system in today.systems] == [
        ("high-street-till", 0, 0),
        ("web-shop", 1, 1),
    ]


def todos(login: str, key: str) -> list:
    return [todo for todo in today_read(user=User.objects.get(username=login), now=timezone.now()).todo if todo.key == key]


def test_prices_that_wait_are_one_line_for_who_may_see_them_and_a_number_in_the_menu(shop):
    waiting = PriceReview.objects.filter(state="open").count()
    assert waiting > 0
    (todo,) = todos("lead", "prices")
    assert (todo.title, todo.button) == (f"{waiting} price change{'s wait' if waiting > 1 else ' waits'}", "Decide")
    assert [todo.button for todo in todos("viewer", "prices")] == ["Look"]
    assert f'Prices <span class="n warn">{waiting}</span>' in page(someone("viewer"), todo.url)
    PriceReview.objects.update(state="gone")
    assert todos("lead", "prices") == []
    assert "price change" not in today_read(user=User.objects.get(username="lead"), now=timezone.now()).overall.because


def test_that_nobody_is_told_is_said_to_who_may_add_a_channel_while_there_is_none(shop):
    assert todos("lead", "channel") == []
    Channel.objects.update(is_active=False)
    assert todos("manager", "channel") == []
    (todo,) = todos("lead", "channel")
    assert (todo.button, todo.url) == ("Add a channel", f"{reverse('admin:alerts_channel_add')}?kind=email")
    assert todo.sentence == "Alerts are on these pages only. Mail can be sent: say to whom."
    assert todo.title in page(someone("lead"), TODAY)


def test_without_a_mail_server_it_is_said_that_mail_needs_one(shop, settings):
    Channel.objects.all().delete()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", ""
    (todo,) = todos("lead", "channel")
    assert todo.sentence.endswith("set EVENSTOCK_MAIL_URL, then say who gets mail.")
    assert todo.url == reverse("admin:alerts_channel_add")


def test_the_page_holds_to_the_policy_and_names_every_figure(shop):
    html = page(someone("viewer"), TODAY)
    for name in (
        "Sync latency",
        "Alignment coverage",
        "Conflicts a day",
        "Sync success",
        "Inventory accuracy",
        "Changes carried",
    ):
        assert f">{name}</h2>" in html
    assert "Decide" not in html


def test_the_menu_shows_what_waits_and_what_the_reader_may_see(shop):
    html = page(someone("viewer"), TODAY)
    assert 'Conflicts <span class="n bad">3</span>' in html
    assert ">People<" not in html
    assert ">People<" in page(someone("administrator"), TODAY)


def test_without_a_role_there_are_no_figures_and_no_live_part(shop):
    nobody = someone("nobody")
    html = page(nobody, TODAY)
    assert "Your account may not see" in html
    assert "products agree" not in html
    assert nobody.get(LIVE).status_code == 403
    assert Client().get(LIVE).status_code == 302


def test_the_live_part_is_the_same_as_the_pages_and_is_kept_by_nobody(shop):
    viewer = someone("viewer")
    answer = viewer.get(LIVE)
    assert "no-store" in answer["Cache-Control"]
    assert "56 of 61 products agree" in answer.content.decode()
    assert "<nav" not in answer.content.decode()


def test_today_takes_fifteen_statements_at_most_and_other_pages_one_for_the_menu(shop):
    lead = someone("lead")
    for path, most in ((TODAY, 15), (LIVE, 14), (reverse("admin:password_change"), 5)):
        with CaptureQueriesContext(database) as seen:
            page(lead, path) if path != LIVE else lead.get(path)
        assert len(seen) <= most, "\n".join(one["sql"][:160] for one in seen.captured_queries)


@pytest.mark.django_db
def test_an_empty_installation_says_how_to_begin(admin_client):
    html = page(admin_client, TODAY)
    assert "Nothing is connected yet. Connect a till and a shop to begin." in html
    assert "Not known yet" in html


def test_the_menu_leads_to_every_page_there_is(shop):
    """A model nobody has placed is under More, not lost."""
    from django.contrib import admin

    root = someone("root")
    shown: set[str] = set()
    links = set(_links(page(root, TODAY)))
    for link in links:
        shown |= set(_links(root.get(link).content.decode()))
    lists = {reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in admin.site._registry}
    assert lists <= shown | links


def _links(html: str) -> list[str]:
    import re

    navs = re.findall(r'<nav (?:aria-label="Main"|class="tabs").*?</nav>', html, flags=re.DOTALL)
    return [link for nav in navs for link in re.findall(r'href="(/admin/[^"]*)"', nav)]


def test_a_list_knows_its_place_and_its_neighbours(shop):
    html = page(someone("viewer"), reverse("admin:inventory_stocklevel_changelist"))
    assert "<h1>On the shelf</h1>" in html
    assert 'aria-current="page">On the shelf</a>' in html
    assert ">Movements</a>" in html


def test_old_news_do_not_count_as_today(shop):
    later = today_read(user=User.objects.get(username="viewer"), now=shop + timedelta(days=3))
    assert later.cards[0].said == "–"
    assert later.overall.level.word == "Critical"
