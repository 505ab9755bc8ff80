"""The checklist: each step's state as the rows have it, whoever did what; and who may do something about it."""

import base64
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from alignment.models import Alignment
from backoffice.setup.rows import rows_read
from backoffice.setup.steps import paths
from connectors.models import Connection, ConnectionCheck
from connectors.services import connection_check
from sandbox.server import serve
from sandbox.till import TillApp
from sandbox.till.catalogue import CatalogueRow
from sandbox.woocommerce import StoreApp
from sync.models import OutboundWrite, SyncRun
from tests import factories as make
from tests.admin_pages import page, queries_for
from tests.connectors.scripted import Answer, Scripted
from tests.sync.shop import FULL, INCREMENTAL, product

pytestmark = pytest.mark.django_db
SETUP = "/admin/setup/"
STOCK = {"A": 5, "B": 6, "C": 7}


def steps(place: int = 0) -> dict[str, tuple[str, str]]:
    """Step → its state and its sentence."""
    path = paths(rows_read(now=timezone.now()))[place]
    return {one.key: (one.state.value, one.sentence) for one in path.steps}


def states(place: int = 0) -> str:
    return " ".join(state for state, _ in steps(place).values())


def tested(*connections: Connection) -> None:
    for connection in connections:
        connection_check(connection=Connection.objects.get(pk=connection.pk), now=timezone.now)


@pytest.fixture
def asked():
    """What workers were asked for, read from the broker itself."""
    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    before = set(queue.iterdir())

    def read() -> list[tuple[str, dict]]:
        messages = [json.loads(path.read_text()) for path in sorted(set(queue.iterdir()) - before)]
        said = [(one["headers"]["task"], json.loads(base64.b64decode(one["body"]))[1]) for one in messages]
        # Inboxes are woken from a thread that may still be at an earlier test's.
        return [(task, given) for task, given in said if task != "sync.tasks.inbox_work"]

    return read


# -- the steps, one after the other ------------------------------------------------------------------------------------


def test_with_nothing_there_both_sides_are_next_and_the_rest_is_later():
    assert states() == "next next later later later"


def test_a_shop_goes_from_step_to_step_as_the_rows_do(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    assert states() == "next next later later later"
    tested(shop.store, shop.pos)
    assert states() == "done next later later later"
    assert "No export has arrived yet" in steps()["till"][1]
    shop.export()
    tested(shop.pos)
    assert states() == "done done next later later"

    shop.sync(FULL)
    assert steps()["align"] == ("next", "0 of 3 items have a partner in the shop: 0 %. The goal is over 95 %.")
    shop.align([("A", "A"), ("B", "B")])
    assert states() == "done done next next later"
    assert "66.6 %" in steps()["align"][1]
    shop.align([("C", "C")])
    assert states() == "done done done next later"

    shop.clock.tick(minutes=1)
    shop.till.sell("A", 2)
    shop.export()
    shop.sync(FULL)
    assert states() == "done done done done next"
    assert steps()["shadow"][1] == "A first sync would change 1 number of 3 pairs."
    Connection.objects.filter(pk=shop.store.pk).update(mode="live")
    assert states() == "done done done done done"


def test_pairs_aligned_later_ask_for_another_shadow_run_before_going_live(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    shop.open(pairs=[("A", "A")])
    tested(shop.store, shop.pos)
    shop.sync(FULL)
    assert steps()["shadow"][0] == "done"
    shop.align([("B", "B")])
    assert steps()["shadow"] == (
        "next",
        "A first sync would change 0 numbers of 1 pair. 1 pair was aligned since, and not compared yet: run it again.",
    )
    assert steps()["live"][0] == "later"
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)  # compares it, too, and its rows say so
    assert steps()["shadow"][0] == "done"


def test_settings_that_changed_since_the_test_ask_for_another(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    tested(shop.store)
    assert steps()["shop"][0] == "done"
    store = Connection.objects.get(pk=shop.store.pk)
    store.credentials = {**store.credentials, "webhook_secret": "0" * 32}  # made by us: it reaches nobody else
    store.save()
    assert steps()["shop"][0] == "done"
    store.credentials = {**store.credentials, "consumer_secret": "cs_another"}
    store.save()
    assert steps()["shop"] == ("next", "Its settings have changed since it was tested.")
    assert "cs_another" not in json.dumps(list(ConnectionCheck.objects.values("findings", "mark")))


def test_a_run_under_way_is_shown_with_what_it_is_at(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    shop.export()
    tested(shop.store, shop.pos)
    SyncRun.objects.create(store=shop.store, kind="full", phase="store", started_at=timezone.now() - timedelta(minutes=3))
    assert steps()["align"][0] == "doing"
    assert "A sync is at work: reading the shop, for 3\xa0minutes." in steps()["align"][1]


def test_a_reading_that_failed_says_why(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    shop.export()
    tested(shop.store, shop.pos)
    run = SyncRun.objects.create(
        store=shop.store, kind="full", state="failed", started_at=timezone.now(), finished_at=timezone.now()
    )
    SyncRun.objects.filter(pk=run.pk).update(message="The shop answered 500.")
    assert steps()["align"] == ("wrong", "The last reading failed: The shop answered 500.")


def test_a_matcher_that_finds_nothing_is_said_with_what_to_do(open_shop):
    shop = open_shop(stock={"QX-1": 4}, listed=[product(1, "900", 3, name="Garden hose")], mode="observe")
    shop.export()
    tested(shop.store, shop.pos)
    shop.sync(FULL)
    assert Alignment.objects.count() == 0
    state, sentence = steps()["align"]
    assert state == "wrong"
    assert "1 item and 1 product were read, and no two of them look alike." in sentence


def test_a_guard_that_holds_the_shadow_run_is_told_and_does_not_stand_in_the_way(open_shop):
    stock = {f"S{n:02}": 0 for n in range(12)}
    shop = open_shop(stock=stock, listed=[product(100 + n, sku, 3) for n, sku in enumerate(stock)], mode="observe")
    shop.open()
    tested(shop.store, shop.pos)
    shop.sync(FULL)
    state, sentence = steps()["shadow"]
    assert state == "done"
    assert "The first sync would be held: It would set 12 of 12 products to zero" in sentence
    assert steps()["live"][0] == "next"


def test_a_second_till_asks_which_one_supplies_the_shop(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    make.pos_connection("second")
    assert steps()["till"][0] == "wrong"
    assert "There are 2 tills" in steps()["till"][1]
    make.supply(shop.store, make.location(shop.pos))
    assert steps()["till"][0] == "next"


def test_each_shop_has_its_own_way(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    shop.open()
    tested(shop.store, shop.pos)
    shop.sync(FULL)
    make.store_connection("second", credentials={"consumer_key": "ck_1", "consumer_secret": "cs_1"})
    assert states(0) == "done done done done next"
    assert states(1) == "next done later later later"


def test_a_live_shop_that_was_set_up_by_command_is_done_without_any_click(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    assert states() == "done done done skipped done"


# -- adding a shop -----------------------------------------------------------------------------------------------------


def add(client, kind: str, **fields: str):
    return client.post(reverse("admin:setup_add", args=[kind]), {"name": "web-shop", "time_zone": "UTC", **fields}, follow=True)


def shop_fields(url: str, key: str = "ck_right", secret: str = "cs_right") -> dict[str, str]:
    return {"setting__url": url, "credential__consumer_key": key, "credential__consumer_secret": secret}


@pytest.fixture
def inside(settings):
    settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = True


@pytest.fixture
def outside(settings):
    settings.EVENSTOCK_ALLOW_PRIVATE_NETWORKS = False


@pytest.fixture
def sandbox():
    app = StoreApp(version="10.5")
    app.load([product(1, "A", 3)])
    server = serve(app, tls=False)
    yield app, server.url
    server.stop()


def test_a_shop_is_saved_to_observe_tested_at_once_and_its_findings_told_in_words(someone, sandbox, inside):
    app, url = sandbox
    html = add(someone("Administrator"), "woocommerce", **shop_fields(url, app.key, app.secret)).content.decode()
    for said in (
        "WooCommerce 10.5",
        "the shop has 1 products",
        "no tax is added",
        "webhooks",
        "clock",
        "whole units",
        "may write",
    ):
        assert said in html, said
    shop = Connection.objects.get()
    assert (shop.mode, shop.currency, shop.history.first().history_user.username) == ("observe", "EUR", "Administrator")
    assert app.secret not in html
    assert app.key not in html
    assert [each.body for each in app.writes] == [{"update": []}]
    assert steps()["shop"][0] == "done"


def test_a_wrong_key_is_told_and_shown_nowhere(someone, sandbox, inside):
    _, url = sandbox
    html = add(someone("Administrator"), "woocommerce", **shop_fields(url, "ck_mistyped")).content.decode()
    assert "can't be used yet" in html
    assert "refuses our key" in html
    assert "ck_mistyped" not in html
    assert steps()["shop"][0] == "wrong"
    assert "refuses our key" in steps()["shop"][1]


def test_a_wrong_address_is_told(someone, inside):
    app = Scripted(lambda _: Answer(404, "<h1>Not Found</h1>", content_type="text/html"))
    with serve(app, tls=False) as server:
        html = add(someone("Administrator"), "woocommerce", **shop_fields(server.url)).content.decode()
    assert "WordPress" in html
    assert steps()["shop"][0] == "wrong"


def test_http_in_place_of_https_is_told_with_the_right_address(someone, inside):
    app = Scripted(lambda _: Answer(301, "", headers={"Location": "https://127.0.0.1:1/wp-json/"}))
    with serve(app, tls=False) as server:
        html = add(someone("Administrator"), "woocommerce", **shop_fields(server.url)).content.decode()
    assert steps()["shop"][0] == "wrong"
    assert "https" in steps()["shop"][1]
    assert "Not yet" in html


def test_an_address_inside_the_network_is_never_asked(someone, sandbox, outside):
    app, url = sandbox
    html = add(someone("Administrator"), "woocommerce", **shop_fields(url, app.key, app.secret)).content.decode()
    assert "inside a private network" in html
    assert steps()["shop"][0] == "wrong"
    assert list(app.requests) == []


def test_what_is_typed_wrong_is_said_at_its_field_and_nothing_is_saved(someone):
    answer = add(someone("Administrator"), "woocommerce", **shop_fields("shop.example", "wrong", "cs_geheim"))
    html = answer.content.decode()
    assert "https:// in front" in html
    assert "starts with ck_" in html
    assert "cs_geheim" not in html
    assert not Connection.objects.exists()


def test_a_till_by_api_is_tested_like_a_shop_and_needs_no_export(someone, inside, open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    Connection.objects.filter(pk=shop.pos.pk).update(is_active=False)
    app = TillApp(token="a-secret-token")
    app.stock([CatalogueRow("A", "Pot", "", "Pots", "Maker", Decimal(2), Decimal(5), Decimal(4), timezone.now())])
    server = serve(app, tls=False)
    try:
        fields = {"name": "counter", "setting__url": server.url, "credential__token": "a-secret-token"}
        html = add(someone("Administrator"), "rest_pos", **fields).content.decode()
    finally:
        server.stop()
    assert "The token may book adjustments; none was booked." in html
    assert "a-secret-token" not in html
    assert steps()["till"][0] == "done"


# -- starting and going live -------------------------------------------------------------------------------------------


@pytest.fixture
def ready(open_shop):
    """A shop that is one step from going live."""
    shop = open_shop(stock=STOCK, mode="observe")
    shop.open()
    tested(shop.store, shop.pos)
    shop.sync(FULL)
    return shop


def go(shop) -> str:
    return reverse("admin:setup_go_live", args=[shop.store.pk])


def test_reading_and_the_shadow_run_are_asked_of_a_worker(open_shop, someone, asked):
    shop = open_shop(stock=STOCK, mode="observe")
    manager = someone("Store manager")
    manager.post(reverse("admin:setup_read", args=[shop.store.pk]))
    manager.post(reverse("admin:setup_shadow", args=[shop.store.pk]))
    told = [(task, {name: kwargs[name] for name in kwargs if name != "by_id"}) for task, kwargs in asked()]
    both = {"store_id": shop.store.pk, "kind": "full", "dry_run": False}
    assert sorted(told, key=lambda one: len(one[1])) == [
        ("sync.tasks.sync_store", both),
        ("sync.tasks.sync_store", {**both, "match_again": True}),
    ]
    assert SyncRun.objects.count() == 0


def test_no_shadow_run_is_started_for_a_live_shop(open_shop, someone, asked):
    shop = open_shop(stock=STOCK)
    answer = someone("Store manager").post(reverse("admin:setup_shadow", args=[shop.store.pk]), follow=True)
    assert "is live: a sync would write" in answer.content.decode()
    assert asked() == []


def test_going_live_takes_a_yes_and_tells_what_follows(ready, someone, asked):
    lead = someone("Lead")
    html = page(lead, go(ready))
    for said in ("What happens then", "first full sync starts at once", "EVENSTOCK_PUBLIC_URL", "Tell these tills"):
        assert said in html
    lead.post(go(ready), {"tills": [ready.pos.pk]})
    assert set(Connection.objects.values_list("mode", flat=True)) == {"observe"}
    assert asked() == []

    answer = lead.post(go(ready), {"sure": "on", "tills": [ready.pos.pk]}, follow=True)
    assert "is live. Its first full sync was asked for." in answer.content.decode()
    assert set(Connection.objects.values_list("mode", flat=True)) == {"live"}
    assert Connection.objects.get(pk=ready.store.pk).history.first().history_user.username == "Lead"
    assert sorted(task for task, _ in asked()) == ["sync.tasks.hooks_check", "sync.tasks.sync_store"]
    assert PeriodicTask.objects.filter(name__endswith=" of store").count() >= 5
    assert OutboundWrite.objects.count() == 0  # nothing happened in the request


def test_a_till_may_be_left_observing(ready, someone):
    someone("Lead").post(go(ready), {"sure": "on"})
    assert Connection.objects.get(pk=ready.pos.pk).mode == "observe"
    assert Connection.objects.get(pk=ready.store.pk).mode == "live"


def test_a_shop_that_is_not_ready_is_not_set_live_however_it_is_asked(open_shop, someone, asked):
    shop = open_shop(stock=STOCK, mode="observe")
    answer = someone("Lead").post(go(shop), {"sure": "on"}, follow=True)
    assert "First a shadow run" in answer.content.decode()
    assert Connection.objects.get(pk=shop.store.pk).mode == "observe"
    assert asked() == []


def test_a_manager_starts_runs_and_may_not_add_sample_or_go_live(ready, someone):
    manager = someone("Store manager")
    assert manager.get(go(ready)).status_code == 403
    assert manager.post(go(ready), {"sure": "on"}).status_code == 403
    assert manager.get(reverse("admin:setup_add", args=["woocommerce"])).status_code == 403
    assert manager.post(reverse("admin:setup_connection", args=[ready.store.pk])).status_code == 403
    assert manager.get(reverse("admin:setup_sample", args=[ready.pos.pk])).status_code == 403
    html = page(manager, SETUP)
    assert "Run again" in html
    assert "Go live…" not in html
    assert "Somebody with another role does this" in html
    assert Connection.objects.get(pk=ready.store.pk).mode == "observe"


def test_a_viewer_sees_everything_and_has_no_button_that_does_anything(ready, someone):
    html = page(someone("Viewer"), SETUP)
    assert "formaction" not in html
    assert "Go-live report" in html


# -- what it asks ------------------------------------------------------------------------------------------------------


def test_the_page_asks_little_of_the_database(ready, someone):
    viewer = someone("Viewer")
    viewer.get(SETUP)
    assert queries_for(viewer, SETUP) <= 15
    assert queries_for(viewer, reverse("admin:setup_report", args=[ready.store.pk])) <= 15  # and one for each further till
    assert viewer.get(reverse("admin:setup_parts")).status_code == 200


def test_today_leads_to_the_next_step_until_a_shop_is_live(ready, someone):
    viewer = someone("Viewer")
    html = page(viewer, "/admin/")
    assert "Set up “store”: go live" in html
    Connection.objects.filter(pk=ready.store.pk).update(mode="live")
    assert "Set up “store”" not in page(viewer, "/admin/")


def test_a_share_is_cut_and_never_rounded_up_to_the_goal():
    pos, store = make.pos_connection(last_ok_at=make.SEEN), make.store_connection(last_ok_at=make.SEEN)
    rows = make.items(pos, [(f"S{n}", "", "") for n in range(2000)])
    make.listing(store, "left")
    Alignment.objects.bulk_create(
        Alignment(item=one, listing=make.listing(store, one.sku), match_type="exact", confidence=1, status="confirmed")
        for one in rows[:1900]
    )
    state, sentence = steps()["align"]
    assert (state, sentence[:58]) == ("next", "1,900 of 2,000 items have a partner in the shop: 95 %. The")
    Alignment.objects.create(item=rows[1900], listing=make.listing(store), match_type="exact", confidence=1, status="confirmed")
    assert steps()["align"][0] == "next"  # 95.05 %, cut to 95: no more than the goal
