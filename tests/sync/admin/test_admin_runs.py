"""What a manager decides in the sync admin, to the row: starting, releasing, discarding, trying again."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.utils import timezone

from backoffice.people.access import REFUSED
from connectors.models import Connection
from connectors.services import CallLog, connection_open
from sync.models import OutboundWrite, SyncRun, TillFeed
from sync.tasks import sync_store
from tests import factories as make
from tests.admin_pages import page
from tests.clock import dated
from tests.sync.builders import AT, STORE_PK, World, world

pytestmark = pytest.mark.django_db
RUNS, WRITES, NEW = "/admin/sync/syncrun/", "/admin/sync/outboundwrite/", "/admin/sync/syncrun/new/"
VIEWS = ("sync.view_syncrun", "sync.view_outboundwrite", "sync.view_tillfeed")


@pytest.fixture
def shop() -> World:
    return world()


@pytest.fixture
def asked():
    """What lies in the queue of the workers for our store, in order; read from the broker itself."""
    queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    before = set(queue.iterdir())

    def read() -> list[dict]:
        found = []
        for path in sorted(set(queue.iterdir()) - before):
            message = json.loads(path.read_text())
            _, kwargs, _ = json.loads(base64.b64decode(message["body"]))
            if message["headers"]["task"] == "sync.tasks.sync_store" and kwargs["store_id"] == STORE_PK:
                found.append(kwargs)
        return found

    return read


# -- starting ----------------------------------------------------------------------------------------------------------


def test_sync_now_asks_a_worker_for_exactly_that_run(shop, admin_client, admin_user, asked):
    page(admin_client, NEW)
    answer = admin_client.post(NEW, {"store": shop.store.pk, "kind": "full", "dry_run": "on"})
    assert (answer.status_code, answer["Location"]) == (302, RUNS)
    assert asked() == [{"store_id": STORE_PK, "kind": "full", "by_id": admin_user.pk, "dry_run": True}]
    assert SyncRun.objects.count() == 2  # nothing runs in the web process


@pytest.fixture
def no_broker():
    """Redis as it is when it is down: nobody listens on its port."""
    from config.celery import app

    Celery(broker="redis://127.0.0.1:9/0").set_current()
    yield
    app.set_current()


def test_workers_that_cannot_be_reached_are_named_and_nothing_is_started(shop, admin_client, asked, no_broker):
    html = admin_client.post(NEW, {"store": shop.store.pk, "kind": "full"}).content.decode()
    assert "The workers can&#x27;t be reached, so nothing was started." in html
    SyncRun.objects.filter(pk=shop.held.pk).update(held_for=["x"])
    TillFeed.objects.all().delete()
    html = admin_client.post(f"{RUNS}{shop.held.pk}/release/", follow=True).content.decode()
    assert "The workers can&#x27;t be reached" in html
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"
    assert LogEntry.objects.count() == 0
    assert asked() == []


def test_sync_now_is_for_shops_in_use_only(shop, admin_client, asked):
    assert admin_client.post(NEW, {"store": shop.till.pk, "kind": "full"}).status_code == 200
    Connection.objects.filter(pk=shop.store.pk).update(is_active=False)
    assert admin_client.post(NEW, {"store": shop.store.pk, "kind": "full"}).status_code == 200
    assert asked() == []


def test_sync_now_says_that_a_sync_is_running(shop, admin_client, asked):
    Connection.objects.filter(pk=shop.store.pk).update(lease_owner="pc:1:x", lease_until=timezone.now() + timedelta(minutes=4))
    html = admin_client.post(NEW, {"store": shop.store.pk, "kind": "full"}).content.decode()
    assert "A sync of “shop” is running." in html
    assert asked() == []


def test_sync_now_says_that_its_till_is_switched_off(shop, admin_client, asked):
    Connection.objects.filter(pk=shop.till.pk).update(is_active=False)
    html = admin_client.post(NEW, {"store": shop.store.pk, "kind": "full"}).content.decode()
    assert "are switched off." in html
    assert asked() == []


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_task_is_refused_while_another_run_holds_the_lease(shop, kind):
    Connection.objects.filter(pk=shop.store.pk).update(lease_owner="pc:1:x", lease_until=timezone.now() + timedelta(minutes=4))
    assert sync_store(store_id=STORE_PK, kind=kind) == "refused"
    assert SyncRun.objects.count() == 2


def test_task_runs_the_sync_for_the_one_who_asked_and_says_how_it_ended(shop, admin_user, tmp_path):
    """The shop does not answer: the run is there, failed, with the reason; nothing is raised at the worker."""
    Connection.objects.filter(pk=shop.till.pk).update(settings={"folder": str(tmp_path)})
    Connection.objects.filter(pk=shop.store.pk).update(
        settings={"url": "http://127.0.0.1:9", "connect_timeout": 1},
        credentials={"consumer_key": "ck_1", "consumer_secret": "cs_1"},
    )
    assert sync_store(store_id=STORE_PK, kind="full", by_id=admin_user.pk) == "failed"
    run = SyncRun.objects.first()
    assert (run.kind, run.state, run.dry_run, run.started_by) == ("full", "failed", False, admin_user)
    assert run.problems.count() == 1
    assert Connection.objects.get(pk=STORE_PK).lease_owner == ""


def test_task_does_not_release_a_run_that_is_no_longer_held(shop):
    SyncRun.objects.filter(pk=shop.held.pk).update(state="done")
    assert sync_store(store_id=STORE_PK, kind="incremental", release_run_id=shop.held.pk) == "refused"
    assert SyncRun.objects.get(pk=shop.held.pk).state == "done"


# -- the page of a run -------------------------------------------------------------------------------------------------


def test_page_of_a_run_says_first_what_is_true(shop, admin_client):
    html = page(admin_client, f"{RUNS}{shop.run.pk}/change/")
    assert html.index("1 pair is in step.") < html.index("Pairs of till item") < html.index("What it could not do")
    assert "took 1 min 23 s" in html
    assert "<dt>Made up count</dt><dd>3</dd>" in html
    assert '<td class="num">7</td>' in html  # the problem's line
    assert f'href="/admin/sync/outboundwrite/?run={shop.run.pk}">all 2 writes' in html
    assert "http-equiv" not in html


def test_page_of_a_running_run_reloads_itself_without_a_script(shop, admin_client):
    SyncRun.objects.filter(pk=shop.run.pk).update(state="running", phase="deliver", message="")
    html = page(admin_client, f"{RUNS}{shop.run.pk}/change/")
    assert '<meta http-equiv="refresh" content="10">' in html
    assert "<strong>At work: writing.</strong>" in html


def test_page_of_a_held_run_shows_the_reasons_the_preview_and_two_buttons(shop, admin_client, client):
    url = f"{RUNS}{shop.held.pk}/change/"
    html = page(admin_client, url)
    assert "2 of 3 products would be sold out." in html
    assert '<td class="num">10</td><td class="num"><b>0</b> <span class="badge warn">▲ sold out</span></td>' in html
    assert '<td class="num">−10</td>' in html
    assert f'{RUNS}{shop.held.pk}/release/"' in html
    assert f'{RUNS}{shop.held.pk}/discard/"' in html

    client.force_login(make.person("viewer", *VIEWS))
    viewed = page(client, url)
    assert "A manager who may release runs decides." in viewed
    assert "/release/" not in viewed


# -- deciding ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def held_file(shop, tmp_path) -> TillFeed:
    """A real export that the guard held: its file lies in the till's folder of held ones."""
    Connection.objects.filter(pk=shop.till.pk).update(settings={"folder": str(tmp_path), "stable_seconds": 0})
    shop.till.refresh_from_db()
    export = tmp_path / "stock_20260302_0900.csv"
    export.write_text("SKU,Name,Quantity\nMUG-1,Mug,0\n")
    dated(export)
    till = opened(shop.till)
    (feed,) = till.feeds()
    till.settle(feed.identity, "held")
    TillFeed.objects.filter(pk=shop.feed.pk).update(identity=feed.identity)
    assert list(opened(shop.till).feeds()) == []
    return TillFeed.objects.get(pk=shop.feed.pk)


def opened(connection):
    return connection_open(connection=connection, log=CallLog(connection), now=timezone.now)


def test_release_shows_what_it_would_write_and_changes_nothing_yet(shop, admin_client, asked):
    html = page(admin_client, f"{RUNS}{shop.held.pk}/release/")
    assert "2 numbers when it was held" in html
    assert "MUG-ONE" in html
    assert asked() == []
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"


def test_release_lets_the_run_and_its_held_export_go_on(shop, held_file, admin_client, admin_user, asked):
    answer = admin_client.post(f"{RUNS}{shop.held.pk}/release/")
    assert answer["Location"] == f"{RUNS}{shop.held.pk}/change/"
    assert asked() == [
        {"store_id": STORE_PK, "kind": "incremental", "by_id": admin_user.pk, "dry_run": False, "release_run_id": shop.held.pk}
    ]
    assert TillFeed.objects.get(pk=held_file.pk).state == "released"
    assert [feed.identity for feed in opened(shop.till).feeds()] == [held_file.identity]
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"  # the worker takes it from here
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(shop.held.pk))
    assert entry.change_message.startswith("Released. It was held because: 2 of 3 products")


def test_release_of_a_run_whose_export_is_gone_says_so_and_starts_nothing(shop, held_file, admin_client, asked, tmp_path):
    for path in tmp_path.rglob("*20260302*"):
        if path.is_file():
            path.unlink()
    answer = admin_client.post(f"{RUNS}{shop.held.pk}/release/", follow=True)
    assert "no longer holds" in answer.content.decode()
    assert asked() == []
    assert TillFeed.objects.get(pk=held_file.pk).state == "held"
    assert LogEntry.objects.count() == 0


def test_discard_writes_nothing_and_says_who(shop, admin_client, admin_user, asked):
    page(admin_client, f"{RUNS}{shop.held.pk}/discard/")
    admin_client.post(f"{RUNS}{shop.held.pk}/discard/")
    run = SyncRun.objects.get(pk=shop.held.pk)
    assert (run.state, run.decided_by) == ("discarded", admin_user)
    assert run.message.startswith("Discarded. It was held because: 2 of 3 products")
    assert asked() == []
    assert OutboundWrite.objects.filter(state="pending").count() == 0
    assert LogEntry.objects.get().change_message == "Discarded"


@pytest.mark.parametrize("verb", ["release", "discard"])
def test_deciding_twice_does_nothing_the_second_time(shop, admin_client, asked, verb):
    SyncRun.objects.filter(pk=shop.held.pk).update(state="done")
    answer = admin_client.post(f"{RUNS}{shop.held.pk}/{verb}/", follow=True)
    assert "is not held any more: done" in answer.content.decode()
    assert SyncRun.objects.get(pk=shop.held.pk).state == "done"
    assert asked() == []
    assert LogEntry.objects.count() == 0


def test_held_export_is_released_alone_too(shop, held_file, admin_client, asked):
    html = page(admin_client, f"/admin/sync/tillfeed/{held_file.pk}/change/")
    assert "Use it all the same" in html
    admin_client.post(f"/admin/sync/tillfeed/{held_file.pk}/release/")
    assert TillFeed.objects.get(pk=held_file.pk).state == "released"
    assert Connection.objects.get(pk=shop.till.pk).lease_owner == ""
    assert LogEntry.objects.get().change_message == "Released"
    again = admin_client.post(f"/admin/sync/tillfeed/{held_file.pk}/release/", follow=True)
    assert "is not held: Released by a manager" in again.content.decode()
    assert asked() == []


def test_held_export_waits_while_a_run_works_on_its_till(shop, held_file, admin_client):
    Connection.objects.filter(pk=shop.till.pk).update(lease_owner="pc:1:x", lease_until=timezone.now() + timedelta(minutes=4))
    answer = admin_client.post(f"/admin/sync/tillfeed/{held_file.pk}/release/", follow=True)
    assert "Another sync of “till” is running" in answer.content.decode()
    assert TillFeed.objects.get(pk=held_file.pk).state == "held"


# -- trying again ------------------------------------------------------------------------------------------------------


def test_try_again_asks_for_a_reason_and_releases_the_newest_refusal_of_that_product(shop, admin_client, admin_user):
    newest = OutboundWrite.objects.create(
        connection=shop.store,
        listing=shop.refused.listing,
        run=shop.run,
        state="rejected",
        planned_from=8,
        planned_to=5,
        created_at=AT,
    )
    chosen = {"action": "try_again", "_selected_action": [shop.refused.pk]}
    question = admin_client.post(WRITES, chosen)
    assert question.status_code == 200
    assert "<script>alert" not in question.content.decode()
    assert "Say why" in admin_client.post(WRITES, {**chosen, "reason": " "}).content.decode()
    assert not OutboundWrite.objects.filter(is_released=True).exists()

    admin_client.post(WRITES, {**chosen, "reason": "The product is published again"})
    assert list(OutboundWrite.objects.filter(is_released=True)) == [newest]
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(shop.refused.pk))
    assert entry.change_message == "Tried again: The product is published again"


def test_try_again_leaves_alone_what_was_not_refused(shop, admin_client):
    applied = OutboundWrite.objects.get(state="applied")
    answer = admin_client.post(WRITES, {"action": "try_again", "_selected_action": [applied.pk], "reason": "x"}, follow=True)
    assert "None of these was." in answer.content.decode()
    assert not OutboundWrite.objects.filter(is_released=True).exists()
    assert LogEntry.objects.count() == 0


# -- who may -----------------------------------------------------------------------------------------------------------


def test_viewer_may_look_but_decide_nothing(shop, client, asked):
    client.force_login(make.person("viewer", *VIEWS))
    page(client, WRITES)
    refused = [
        client.get(NEW),
        client.post(NEW, {"store": shop.store.pk, "kind": "full"}),
        client.get(f"{RUNS}{shop.held.pk}/release/"),
        client.post(f"{RUNS}{shop.held.pk}/release/"),
        client.post(f"{RUNS}{shop.held.pk}/discard/"),
        client.post(f"/admin/sync/tillfeed/{shop.feed.pk}/release/"),
        client.post(WRITES, {"action": "try_again", "_selected_action": [shop.refused.pk], "reason": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"
    assert TillFeed.objects.get(pk=shop.feed.pk).state == "held"
    assert not OutboundWrite.objects.filter(is_released=True).exists()
    assert asked() == []
    assert set(LogEntry.objects.values_list("action_flag", flat=True)) == {REFUSED}  # nothing but that it was refused


def test_anonymous_posts_lead_to_the_login_without_effect(shop, client, asked):
    for url in (
        NEW,
        f"{RUNS}{shop.held.pk}/release/",
        f"{RUNS}{shop.held.pk}/discard/",
        f"/admin/sync/tillfeed/{shop.feed.pk}/release/",
    ):
        answer = client.post(url, {"store": shop.store.pk, "kind": "full"})
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"
    assert asked() == []


def test_looking_never_changes(shop, admin_client, asked):
    """A link in a mail must not decide anything: only a posted form does."""
    admin_client.get(f"{RUNS}{shop.held.pk}/release/")
    admin_client.get(f"{RUNS}{shop.held.pk}/discard/")
    assert admin_client.get(f"/admin/sync/tillfeed/{shop.feed.pk}/release/").status_code == 405
    assert SyncRun.objects.get(pk=shop.held.pk).state == "held"
    assert TillFeed.objects.get(pk=shop.feed.pk).state == "held"
    assert asked() == []
