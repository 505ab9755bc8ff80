"""What a shop had before an upgrade it has after it, to the last unit: also where the upgrade was broken off."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django_celery_beat.models import PeriodicTask

from inventory.ledger.keeper import Entry, Paper, book
from inventory.models import Listing, Movement, StockLevel, Voucher
from jobs.models import Heartbeat, JobSlot
from jobs.schedule import schedule_install
from sync.models import OrderLine, TillFeed
from tests.clock import NOW
from tests.migrations.databases import Databases
from tests.migrations.facts import FACTS, OTHERWISE, facts_found, facts_said
from tests.migrations.fixture import MADE, TWO_TILLS, Old

apply = Migration.apply
ONE_TILL = pytest.mark.parametrize("old", [MADE], indirect=True, ids=["one_till"])
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[MADE, TWO_TILLS], ids=["one_till", "two_tills"])
def old(request: pytest.FixtureRequest) -> Old:
    return Old.read(request.param)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: pytest.FixtureRequest) -> Iterator[Databases]:
    with django_db_blocker.unblock():
        made = Databases(tmp_path_factory.mktemp("databases"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def empty(databases: Databases) -> str:
    """A database of then with nothing in it."""
    name = databases.make()
    with databases.using(name):
        Old.read().migrate()
    return name


@pytest.fixture(scope="module")
def kept(databases: Databases, empty: str, old: Old) -> str:
    """The old shop's database, which stays as it is."""
    name = databases.make(like=empty)
    with databases.using(name):
        old.restore()
    return name


@pytest.fixture(scope="module")
def upgraded(databases: Databases, kept: str) -> str:
    """The old shop's database after the upgrade."""
    name = databases.make(like=kept)
    with databases.using(name):
        assert still_to_do()
        call_command("migrate", verbosity=0)
        assert still_to_do() == []
    return name


@pytest.fixture
def shop(databases: Databases, kept: str) -> Iterator[str]:
    """A copy of the old shop's database, which is the database now."""
    name = databases.make(like=kept)
    with databases.using(name):
        yield name


@pytest.fixture
def new_shop(databases: Databases, upgraded: str) -> Iterator[str]:
    """A copy of the shop's database after the upgrade, which is the database now."""
    name = databases.make(like=upgraded)
    with databases.using(name):
        yield name


def assert_all_is_there(old: Old) -> None:
    said, found = facts_said(old), facts_found(old)
    for name, answer in said.items():
        assert found[name] == answer, name


def still_to_do() -> list[tuple[str, str]]:
    executor = MigrationExecutor(connection)
    return [(step.app_label, step.name) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def test_the_old_shop_has_something_of_all_that_an_upgrade_may_meet():
    old = Old.read(MADE)

    def has(table: str, *columns: str) -> set[object]:
        rows = [tuple(row[column] for column in columns) for row in old.rows(table)]
        return {row[0] if len(columns) == 1 else row for row in rows}

    assert has("inventory_movement", "kind") == {"opening", "till", "online", "store"}
    assert {said.split()[0] for said in has("inventory_movement", "reference")} == {"feed", "order", "drift", "conflict"}
    assert any(said.endswith(" aligned") for said in has("inventory_movement", "reference"))
    states = {(row["state"], "listing" if row["listing_id"] else "level") for row in old.rows("sync_outboundwrite")}
    assert states >= {(state, "listing") for state in ("pending", "sending", "unknown", "rejected", "not_sent", "applied")}
    assert states >= {(state, "level") for state in ("pending", "sending", "unknown", "applied")}
    assert {(row["level_id"] is None, row["listing_id"] is None) for row in old.rows("sync_putoff")} == {
        (True, False),
        (False, True),
    }
    assert has("sync_syncrun", "state") >= {"running", "held", "done"}
    assert has("sync_tillfeed", "state") >= {"applied", "applying", "held"}
    assert has("sync_pricereview", "state") >= {"open", "approved", "rejected"}
    assert has("sync_tillprice", "state") >= {"pending", "unknown"}
    assert has("sync_inboundevent", "state") >= {"new", "failed", "done"}
    assert has("alerts_alert", "state") >= {"open", "snoozed", "resolved"}
    resolutions = {(row["resolution"], row["resolved_by_id"] is None) for row in old.rows("sync_syncconflict")}
    assert resolutions >= {("", True), ("pos", True), ("woo", True), ("woo", False), ("count", False), ("ignored", False)}
    assert len([row for row in old.rows("alignment_listing") if row["suspect"]]) >= 2
    assert len({row["store_id"] for row in old.rows("alignment_storelocation")}) == 2
    assert len({row["location_id"] for row in old.rows("alignment_storelocation")}) == 1


def test_two_old_tills_have_skus_in_common_and_are_told_things():
    old = Old.read(TWO_TILLS)
    tills = {row["id"]: row["name"] for row in old.rows("connectors_connection") if row["kind"] != "woocommerce"}
    items = old.rows("inventory_item")
    skus = {name: {row["sku"] for row in items if row["connection_id"] == till} for till, name in tills.items()}
    assert len(skus["counter"]) == 30
    assert skus["counter"] <= skus["high-street"]
    assert sorted(tills[row["connection_id"]] for row in old.rows("inventory_location")) == ["counter", "counter", "high-street"]
    told = {(tills[row["connection_id"]], row["state"]) for row in old.rows("sync_outboundwrite") if row["level_id"]}
    assert told >= {("high-street", "unknown"), ("counter", "sending"), ("counter", "pending"), ("counter", "applied")}
    assert {tills.get(row["connection_id"], "a shop") for row in old.rows("sync_putoff")} == {"counter", "high-street", "a shop"}
    assert {row["state"] for row in old.rows("sync_tillprice")} == {"pending", "unknown", "applied"}
    assert len({row["store_id"] for row in old.rows("sync_syncrun") if row["state"] == "running"}) == 2


def test_every_table_of_then_is_asked_about(old):
    assert old.tables.keys() - OTHERWISE <= {fact.name for fact in FACTS}


def test_an_upgrade_loses_nothing(new_shop, old):
    assert_all_is_there(old)


@ONE_TILL
def test_after_an_upgrade_nothing_that_is_booked_can_be_booked_again(new_shop, old):
    """By the names that the engine gives to what it comes across again: a list that was half applied, a booked order."""
    applying = TillFeed.objects.get(state="applying")
    number = int(applying.true_at.timestamp())
    again = Paper(kind=Voucher.Kind.FEED, connection_id=applying.connection_id, document=applying.identity, number=number)
    half = Movement.objects.filter(source=applying.connection, reason=applying.name)
    assert [is_refused(again, row.item_id, row.location_id) for row in half] == [True] * 3
    references = {row["reference"] for row in old.rows("inventory_movement")}
    lines = OrderLine.objects.filter(order__state_count=1).exclude(booked=0).select_related("order", "listing")
    assert len(lines) > 5
    for line in lines:
        row = Movement.objects.filter(kind="online", item__alignments__listing=line.listing).first()
        is_late = f"order {line.order.remote_id} line {line.remote_id} state 1 aligned" in references
        kind = Voucher.Kind.LATE if is_late else Voucher.Kind.ORDER
        said = {"connection_id": line.order.connection_id, "document": str(line.order.remote_id), "line": str(line.remote_id)}
        assert is_refused(Paper(kind=kind, number=1, **said), row.item_id, row.location_id), line
        assert not is_refused(Paper(kind=kind, number=2, **said), row.item_id, row.location_id), line


def is_refused(paper: Paper, item: int, place: int) -> bool:
    """Result: can't so many units be booked there under such a voucher? What can is booked."""
    level = StockLevel.objects.get(item=item, location=place)
    before = level.on_hand
    entry = Entry(paper=paper, level=level, units=Decimal(1), kind=Movement.Kind.ONLINE, occurred_at=NOW)
    try:
        with transaction.atomic():
            book([entry], at=NOW)
    except IntegrityError:
        return True
    level.refresh_from_db()
    assert level.on_hand == before + 1
    return False


@ONE_TILL
def test_after_an_upgrade_new_rows_find_free_numbers(new_shop):
    job = JobSlot.objects.create(job="Full sync", task="sync.tasks.sync_store", slot=NOW, queued_at=NOW)
    beat = Heartbeat.objects.create(name="other", at=NOW)
    listing = Listing.objects.create(connection_id=2, remote_id=77_777, kind="simple", stock_management="own", first_seen_at=NOW)
    for row in (job, beat, listing):
        assert row.pk == max(type(row).objects.values_list("pk", flat=True))


@ONE_TILL
def test_after_an_upgrade_the_schedule_is_as_the_managers_left_it(new_shop, old):
    before = {row["id"]: row["date_changed"] for row in old.rows("django_celery_beat_periodictask")}
    assert schedule_install() == 0
    assert {row.pk: row.date_changed.isoformat() for row in PeriodicTask.objects.all()} == before


class PowerCutError(BaseException):
    """Not an Exception: nobody gets to tidy up."""


def all_but_the_end(step: Migration, *args: Any, **kwargs: Any) -> None:
    apply(step, *args, **kwargs)
    raise PowerCutError


@pytest.mark.every_database
@pytest.mark.slow
def test_an_upgrade_that_dies_at_the_end_of_each_step_does_it_again_and_goes_on(shop, old, monkeypatch):
    steps = still_to_do()
    while steps:
        with monkeypatch.context() as patch:
            patch.setattr(Migration, "apply", all_but_the_end)
            with pytest.raises(PowerCutError):
                MigrationExecutor(connection).migrate(steps[:1])
        assert still_to_do() == steps
        MigrationExecutor(connection).migrate(steps[:1])
        steps = steps[1:]
    call_command("migrate", verbosity=0)
    assert still_to_do() == []
    assert_all_is_there(old)


@pytest.mark.every_database
@pytest.mark.slow
@ONE_TILL
def test_an_upgrade_that_is_killed_goes_on(shop, databases, old):
    killed_while("Applying inventory.0007", databases.url(shop))
    assert ("inventory", "0008_movements_have_vouchers") in still_to_do()
    call_command("migrate", verbosity=0)
    assert_all_is_there(old)


def killed_while(it_says: str, url: str) -> None:
    """Start the upgrade in a process of its own, and kill that as soon as it says so."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--no-color"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as upgrade:
        said = b""
        while it_says.encode() not in said and (more := os.read(upgrade.stdout.fileno(), 4096)):
            said += more
        upgrade.send_signal(signal.SIGKILL)
    assert it_says.encode() in said, said
    assert upgrade.returncode == -signal.SIGKILL
