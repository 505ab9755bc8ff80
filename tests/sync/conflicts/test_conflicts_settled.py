"""A person settles a conflict: what is booked, what is owed, what is written down."""

import csv
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from connectors.errors import ConfigError
from connectors.leases import LeaseHeldError, lease_acquire
from connectors.management.base import CommandExit
from inventory.models import Listing, Movement, StockLevel
from sync.conflicts.settle import conflict_resolve, winner_parse, winners_of
from sync.models import SyncConflict, SyncLog, SyncState
from tests import factories as make
from tests.sync.conflicts.test_conflicts import STOCK, edit, edited, only
from tests.sync.shop import INCREMENTAL

pytestmark = pytest.mark.django_db


def settle(shop, winner: str, by=None, reason="counted twice"):
    return conflict_resolve(conflict=only(), winner=winner_parse(winner), by=by, reason=reason, now=shop.clock.now)


def command(*words: object) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command(*map(str, words), stdout=out, stderr=out)
    except CommandExit as end:
        return end.code, out.getvalue() + end.message
    return 0, out.getvalue()


def test_the_till_wins_and_the_next_sync_sets_the_shop_back(open_shop):
    shop = edited(open_shop, 15)
    boss = make.person("boss")
    settled = settle(shop, "pos", by=boss)
    assert (settled.resolution, settled.resolved_by, settled.reason) == ("pos", boss, "counted twice")
    newest = settled.history.first()
    assert (newest.history_user, newest.history_change_reason) == (boss, "counted twice")
    log = SyncLog.objects.get(action="conflict_resolved")
    assert (log.source, log.old_value, log.new_value, log.reason) == ("manual", "25", "10", "counted twice")
    assert SyncState.objects.get(woo_sku="A").sync_status == "pending"
    assert shop.app.writes == []
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    assert shop.sent() == {"A": [-15]}
    assert shop.shown() == STOCK
    assert shop.movements() == []
    assert SyncState.objects.get(woo_sku="A").sync_status == "synced"


def test_the_shop_wins_and_the_till_is_told(open_shop):
    shop = edited(open_shop, 15, till_mode="live")
    boss = make.person("boss")
    settle(shop, "woo", by=boss)
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    assert shop.app.writes == []
    assert shop.movements() == [("A", 15)]
    movement = Movement.objects.get(kind="store")
    assert (movement.by, movement.reason, movement.source) == (boss, "counted twice", shop.store)
    shop.take_in_adjustments()
    assert shop.shelf() == {"A": 25, "B": 10}
    assert shop.shown() == {"A": 25, "B": 10}


def test_a_count_tells_both_sides(open_shop):
    shop = edited(open_shop, 15, till_mode="live")
    settle(shop, "12")
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    shop.take_in_adjustments()
    assert shop.sent() == {"A": [-13]}
    assert shop.shown() == {"A": 12, "B": 10}
    assert shop.shelf() == {"A": 12, "B": 10}
    assert shop.movements() == [("A", 2)]
    assert only().resolution == "count"


def test_what_was_sold_while_it_waited_still_counts(open_shop):
    shop = edited(open_shop, 15)
    shop.app.place_order([("A", 3)])
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync(INCREMENTAL, may_wait=False)
    settle(shop, "pos")
    shop.clock.tick(minutes=1)
    shop.sync(INCREMENTAL)
    assert shop.shown()["A"] == 6
    assert sorted(shop.movements()) == [("A", -3), ("A", -1)]


def test_a_count_ends_a_shelf_below_zero(open_shop):
    shop = open_shop(stock={"A": 1, "B": 10})
    shop.running()
    shop.app.place_order([("A", 1)])
    shop.till.sell("A", 1)
    shop.clock.tick(minutes=5)
    shop.export()
    shop.sync()
    assert winners_of(only()) == ["count", "ignore"]
    settle(shop, "0")
    assert StockLevel.objects.get(item__sku="A").on_hand == 0
    shop.clock.tick(minutes=1)
    shop.sync()
    assert SyncConflict.objects.count() == 1


def test_a_changed_sku_is_noted_and_not_told_again(open_shop):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.app.product_by_sku("A").sku = "A-NEW"
    shop.clock.tick(minutes=5)
    shop.sync()
    conflict_resolve(conflict=only(), winner="noted", by=None, reason="renamed", now=shop.clock.now)
    shop.clock.tick(minutes=5)
    shop.sync()
    assert only().resolution == "noted"
    assert shop.app.writes == []


@pytest.mark.parametrize("winner", ["", "till", "-1", "nan", "1.0001", "1e12"])
def test_nonsense_is_no_winner(winner):
    with pytest.raises(ConfigError):
        winner_parse(winner)


def test_it_is_settled_once_and_with_a_reason(open_shop):
    shop = edited(open_shop, 15)
    stale = only()
    with pytest.raises(ConfigError, match="why"):
        settle(shop, "pos", reason=" ")
    with pytest.raises(ConfigError, match="can't be settled so"):
        conflict_resolve(conflict=only(), winner="noted", by=None, reason="x", now=shop.clock.now)
    settle(shop, "pos")
    baseline = Listing.objects.get(sku="A").baseline
    with pytest.raises(ConfigError, match="settled already"):
        conflict_resolve(conflict=stale, winner="woo", by=None, reason="too late", now=shop.clock.now)
    assert Listing.objects.get(sku="A").baseline == baseline == 25
    assert shop.movements() == []
    assert SyncLog.objects.filter(action="conflict_resolved").count() == 1


def test_nobody_settles_while_a_sync_runs(open_shop):
    shop = edited(open_shop, 15)
    lease_acquire(connection=shop.pos, now=shop.clock.now())
    with pytest.raises(LeaseHeldError):
        settle(shop, "woo")
    assert only().resolved_at is None
    assert shop.movements() == []


def test_the_command_settles_and_says_what_follows(open_shop):
    shop = edited(open_shop, 15, hours_ago=1)
    code, said = command("resolve_conflict", "--sku", "A", "--winner", "pos", "--dry-run")
    assert (code, said) == (
        0, "A: The till wins: the shop's 25 goes back to 10 with the next sync. Nothing was changed: a dry run.\n",
    )  # fmt: skip
    assert only().resolved_at is None
    code, said = command("resolve_conflict", "--sku", "A", "--winner", "pos", "--reason", "counted")
    assert (code, only().resolution, only().reason) == (0, "pos", "counted")
    shop.sync(INCREMENTAL)
    assert shop.shown() == STOCK
    code, said = command("resolve_conflict", "--sku", "A", "--winner", "pos")
    assert code == 1
    assert "Nothing about “A” waits" in said


def test_the_command_is_refused_while_a_sync_runs(open_shop):
    shop = edited(open_shop, 15, hours_ago=1)
    lease_acquire(connection=shop.store, now=timezone.now())
    code, said = command("resolve_conflict", "--sku", "A", "--winner", "pos")
    assert code == 4
    assert "Another sync of “store” is running" in said
    assert only().resolved_at is None


def test_the_file_lists_what_waits_and_no_spreadsheet_runs_it(open_shop, tmp_path):
    shop = edited(open_shop, -9, hours_ago=1)
    Listing.objects.filter(sku="A").update(sku="=1+1")
    code, said = command("detect_conflicts", "--out", tmp_path, "--no-read")
    assert (code, said.startswith("1 open conflicts in ")) == (0, True)
    path = tmp_path / f"conflicts_{timezone.localdate():%Y%m%d}.csv"
    with path.open(encoding="utf-8-sig", newline="") as lines:
        (row,) = csv.DictReader(lines)
    assert (row["type"], row["class"], row["pos_value"], row["woo_value"]) == ("quantity_mismatch", "major", "10", "1")
    assert (row["difference"], row["percent"], row["woo_sku"]) == ("-9", "-90", "'=1+1")
    assert shop.app.writes == []


def test_detecting_reads_both_sides_and_writes_to_neither(open_shop, tmp_path):
    shop = open_shop(stock=STOCK, hours_ago=1)
    shop.running()
    edit(shop, "A", 5)
    shop.clock.tick(minutes=5)
    shop.sync(may_wait=False)
    code, said = command("detect_conflicts", "--out", tmp_path)
    assert (code, said.startswith("1 open conflicts")) == (0, True)
    assert only().difference == 5
    assert shop.app.writes == []
    code, said = command("detect_conflicts", "--out", tmp_path / "none")
    assert code == 1
