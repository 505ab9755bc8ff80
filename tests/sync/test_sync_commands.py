"""connect and inventory_sync as a shop owner meets them: what they say, and their exit codes."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.leases import lease_acquire
from connectors.management.base import CommandExit
from connectors.models import Connection
from connectors.services import connection_save
from sync.models import SyncRun
from tests.clock import dated
from tests.sync.shop import csv_bytes

pytestmark = pytest.mark.django_db
STOCK = {"A": 5, "B": 6, "C": 7}
ROOT = Path(__file__).parents[2]


def command(*words: object, **options: object) -> tuple[int, str]:
    """Result: the exit code, and all it said."""
    out = StringIO()
    try:
        call_command(*map(str, words), stdout=out, stderr=out, **options)
    except CommandExit as end:
        return end.code, out.getvalue() + end.message
    return 0, out.getvalue()


def sold(shop) -> None:
    shop.till.sell("A", 2)
    shop.clock.tick(minutes=30)
    shop.export()


def connect(shop, *words: object) -> tuple[int, str]:
    key = ("--key", shop.app.key, "--secret", shop.app.secret)
    return command("connect", "woocommerce", "--name", "web", "--url", shop.server.url, *key, *words)


def test_a_sync_says_what_it_did(open_shop):
    shop = open_shop(stock=STOCK, hours_ago=1)  # commands go by the machine's own clock
    shop.running()
    sold(shop)
    code, said = command("inventory_sync", "--full")
    assert code == 0
    assert "3 pairs are in step." in said
    assert "1 numbers were written" in said or "1 number was written" in said
    assert shop.shown()["A"] == 3


def test_json_ends_with_one_line_for_programs(open_shop):
    shop = open_shop(stock=STOCK, hours_ago=1)  # commands go by the machine's own clock
    shop.running()
    sold(shop)
    code, said = command("inventory_sync", "--incremental", "--json", verbosity=0)
    answer = json.loads(said.strip().splitlines()[-1])
    assert code == 0
    assert (answer["state"], answer["writes"], answer["store"]) == ("done", 1, "store")


def test_a_dry_run_shows_what_it_would_write(open_shop):
    shop = open_shop(stock=STOCK, hours_ago=1)  # commands go by the machine's own clock
    shop.running()
    sold(shop)
    code, said = command("inventory_sync", "--full", "--dry-run")
    assert code == 0
    assert "A → A: 5 → 3" in said
    assert "Nothing was changed" in said
    assert shop.app.writes == []


def test_bad_rows_are_named_and_end_with_three(open_shop):
    shop = open_shop(stock=STOCK, hours_ago=1)  # commands go by the machine's own clock
    shop.running()
    shop.clock.tick(minutes=30)
    path = shop.exporter.write()
    rows = path.read_bytes().split(b"\r\n")
    path.unlink()
    cells = rows[2].split(b",")
    cells[7] = b"many"
    rows[2] = b",".join(cells)
    shop.drop(b"\r\n".join(rows))
    code, said = command("inventory_sync", "--full")
    assert code == 3
    assert "line 3, B:" in said
    assert shop.shown()["B"] == 6


def test_a_held_run_ends_with_three_and_says_how_to_release_it(open_shop):
    shop = open_shop(stock={f"S{n:02}": 5 for n in range(30)}, hours_ago=1)
    shop.running()
    for n in range(20):
        shop.till.count(f"S{n:02}", 0)
    shop.clock.tick(minutes=30)
    shop.export()
    code, said = command("inventory_sync", "--full")
    held = SyncRun.objects.get(state="held")
    assert code == 3
    assert f"--release {held.pk}" in said
    assert shop.app.writes == []
    code, said = command("inventory_sync", "--release", held.pk)  # held for its export, it had no preview yet
    assert code == 3
    assert "It would set 20 of 30 products to zero" in said
    assert shop.app.writes == []
    code, said = command("inventory_sync", "--release", held.pk)
    assert code == 0
    assert SyncRun.objects.get(pk=held.pk).state == "done"
    assert shop.shown() == shop.expected()


def test_releasing_what_is_not_held_names_what_is(open_shop):
    open_shop(stock=STOCK)
    code, said = command("inventory_sync", "--release", 77)
    assert code == 1
    assert "Run 77 is not held." in said


def test_a_shop_that_is_down_ends_with_one(open_shop):
    shop = open_shop(stock=STOCK, tls=False)
    shop.running()
    shop.server.stop()
    code, said = command("inventory_sync", "--full")
    assert code == 1
    assert "Traceback" not in said
    assert "connection" in said


def test_a_second_sync_ends_with_four_and_changes_nothing(open_shop):
    shop = open_shop(stock=STOCK, hours_ago=1)  # commands go by the machine's own clock
    shop.running()
    runs = SyncRun.objects.count()
    lease_acquire(connection=shop.store, now=timezone.now())
    code, said = command("inventory_sync", "--full")
    assert code == 4
    assert "is running" in said
    assert SyncRun.objects.count() == runs
    assert shop.app.requests == []


def test_without_a_store_it_says_how_to_connect_one(db):
    code, said = command("inventory_sync", "--full")
    assert code == 1
    assert "connect woocommerce" in said


def test_a_store_that_does_not_exist_is_not_made(open_shop):
    open_shop(stock=STOCK)
    code, said = command("inventory_sync", "--full", "--connection", "stroe")
    assert code == 1
    assert "store" in said


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_connecting_a_shop_tests_it_and_begins_in_observe_mode(open_shop, tls):
    shop = open_shop(stock=STOCK, tls=tls)
    ca = ("--set", f"ca_file={shop.server.ca_file}") if tls else ()
    code, said = connect(shop, *ca, "--no-read")
    assert code == 0, said
    assert "✗" not in said
    web = Connection.objects.get(name="web")
    assert web.mode == "observe"
    assert web.currency == "EUR"
    assert shop.app.secret not in said


def test_a_wrong_key_is_not_saved_and_ends_with_one(open_shop):
    shop = open_shop(stock=STOCK)
    wrong = "cs_" + "0" * 40
    ca = ("--set", f"ca_file={shop.server.ca_file}")
    key = ("--key", shop.app.key, "--secret", wrong)
    code, said = command("connect", "woocommerce", "--name", "web", "--url", shop.server.url, *key, *ca)
    assert code == 1
    assert "✗" in said
    assert "→" in said
    assert wrong not in said
    assert not Connection.objects.filter(name="web").exists()
    assert connect(shop, *ca, "--no-read")[0] == 0


@pytest.mark.parametrize("url", ["shop.example", "https://shop.example/wp-json/wc/v3", "https://a:b@shop.example", "ftp://x"])
def test_an_address_that_cannot_be_right_is_not_saved(db, url):
    key = ("--key", "ck_" + "0" * 40, "--secret", "cs_" + "0" * 40)
    code, said = command("connect", "woocommerce", "--name", "web", "--url", url, *key)
    assert code == 1
    assert "address" in said
    assert Connection.objects.count() == 0


def test_a_folder_that_is_not_there_is_named(tmp_path, db):
    code, said = command("connect", "pos_csv", "--folder", tmp_path / "nowhere")
    assert code == 1
    assert "nowhere" in said
    assert "→" in said
    assert Connection.objects.count() == 0


def test_connecting_both_reads_the_catalogue(open_shop, tmp_path):
    shop = open_shop(stock=STOCK)
    Connection.objects.all().delete()
    folder = tmp_path / "other"
    folder.mkdir()
    export = folder / "stock.csv"
    export.write_bytes(csv_bytes([("A", "A", 5), ("B", "B", 6)]))
    dated(export)
    code, said = command("connect", "pos_csv", "--folder", folder, "--set", "stable_seconds=0")
    assert code == 0, said
    code, said = connect(shop, "--set", f"ca_file={shop.server.ca_file}")
    assert code == 0, said
    assert "3 listings, 2 items" in said
    assert [request.body for request in shop.app.writes if request.body != {"update": []}] == []


def test_a_setting_that_is_misspelt_is_refused(tmp_path, db):
    code, said = command("connect", "pos_csv", "--folder", tmp_path, "--set", "stabel_seconds=0")
    assert code == 1
    assert "stabel_seconds" in said
    assert "stable_seconds" in said
    assert Connection.objects.count() == 0


@pytest.mark.slow
@pytest.mark.timeout(300)  # two whole processes, one of which makes the tables: minutes on a busy machine
def test_the_shell_sees_the_exit_code(tmp_path):
    environment = {**os.environ, "EVENSTOCK_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings.embedded"}
    environment.pop("DATABASE_URL", None)
    for words, code in ((["migrate", "--verbosity", "0"], 0), (["inventory_sync", "--full"], 1)):
        ended = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "There is no store yet." in ended.stderr


def test_a_connection_keeps_its_kind(tmp_path, db):
    connection_save(name="web", kind="pos_csv", settings_given={"folder": str(tmp_path)}, credentials={}, mode="live")
    key = ("--key", "ck_" + "0" * 40, "--secret", "cs_" + "0" * 40)
    for words in ((), ("--replace",)):
        code, said = command("connect", "woocommerce", "--name", "web", "--url", "https://shop.example", *key, *words)
        assert code == 1
        assert "already" in said
    assert Connection.objects.get().kind == "pos_csv"
