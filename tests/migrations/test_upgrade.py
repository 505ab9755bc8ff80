"""What a shop had before an upgrade it has after it, to the last unit: also where the upgrade was broken off."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.migrations.databases import Databases
from tests.migrations.facts import facts_found, facts_said
from tests.migrations.fixture import Old

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def old() -> Old:
    return Old.read()


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: pytest.FixtureRequest) -> Iterator[Databases]:
    with django_db_blocker.unblock():
        made = Databases(tmp_path_factory.mktemp("databases"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def kept(databases: Databases, old: Old) -> str:
    """The old shop's database, which stays as it is."""
    name = databases.make()
    with databases.using(name):
        old.restore()
    return name


@pytest.fixture
def shop(databases: Databases, kept: str) -> Iterator[str]:
    """A copy of the old shop's database, which is the database now."""
    name = databases.make(like=kept)
    with databases.using(name):
        yield name


def assert_all_is_there(old: Old) -> None:
    said, found = facts_said(old), facts_found()
    for name, answer in said.items():
        assert found[name] == answer, name


def still_to_do() -> list[tuple[str, str]]:
    executor = MigrationExecutor(connection)
    return [(step.app_label, step.name) for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def test_the_old_shop_has_something_of_all_that_an_upgrade_may_meet(old):
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


def test_an_upgrade_loses_nothing(shop, old):
    assert still_to_do()
    call_command("migrate", verbosity=0)
    assert still_to_do() == []
    assert_all_is_there(old)


@pytest.mark.slow
def test_an_upgrade_that_was_stopped_after_any_step_goes_on(shop, old):
    steps = still_to_do()
    while steps:
        call_command("migrate", *steps[0], verbosity=0)
        assert still_to_do() == steps[1:]
        steps = steps[1:]
    call_command("migrate", verbosity=0)
    assert_all_is_there(old)


@pytest.mark.slow
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
