"""A dry run changes nothing; observe mode books what happened and writes nothing."""

from typing import Any

import pytest
from django.apps import apps

from connectors.models import Connection
from sync.models import OutboundWrite, SyncRun
from tests.sync.shop import INCREMENTAL

pytestmark = pytest.mark.django_db
STOCK = {"A": 5, "B": 6, "C": 7}
# A dry run asks the shop, and says so; and it holds the lease while it looks.
ALLOWED = {"sync.SyncRun", "connectors.ApiCall", "sync.RunProblem"}
LEASE = {"lease_epoch", "lease_until", "lease_owner", "last_ok_at"}


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours."""
    rows = {}
    for app in ("connectors", "inventory", "alignment", "sync"):
        for model in apps.get_app_config(app).get_models():
            if model._meta.label not in ALLOWED:
                found = model.objects.order_by("pk").values()
                rows[model._meta.label] = [{name: row[name] for name in row if name not in LEASE} for row in found]
    return rows


@pytest.mark.parametrize("kind", SyncRun.Kind.values)
def test_a_dry_run_says_what_it_would_write_and_changes_nothing(open_shop, kind):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.sell("A", 2)
    shop.till.sell("C", 1)
    shop.app.place_order([("B", 1), ("C", 1)])
    shop.clock.tick(minutes=10)
    shop.export()
    before, shown, files = everything(), shop.shown(), shop.waiting_files()
    run = shop.sync(kind, dry_run=True)
    assert run.preview == [
        {"sku": "A", "woo_sku": "A", "from": "5", "to": "3"},
        {"sku": "C", "woo_sku": "C", "from": "6", "to": "5"},
    ]
    assert (run.state, run.dry_run, run.counts["changes"]) == ("done", True, 2)
    assert SyncRun.objects.get(pk=run.pk).preview == run.preview
    assert everything() == before
    assert shop.app.writes == []
    assert shop.shown() == shown
    assert shop.waiting_files() == files != []
    shop.sync(kind)
    assert shop.sent() == {"A": [-2], "C": [-1]}


def test_observe_books_what_happened_and_writes_nothing_until_it_is_live(open_shop):
    shop = open_shop(stock=STOCK, mode="observe")
    shop.running()
    shop.till.sell("A", 2)
    shop.app.place_order([("B", 1)])
    shop.clock.tick(minutes=10)
    shop.export()
    run = shop.sync()
    assert shop.app.writes == []
    assert shop.shown() == {"A": 5, "B": 5, "C": 7}
    assert shop.movements() == [("A", -2), ("B", -1)]
    assert OutboundWrite.objects.count() == 0
    assert SyncRun.objects.get(pk=run.pk).preview == [{"sku": "A", "woo_sku": "A", "from": "5", "to": "3"}]
    assert "observe" in run.message
    Connection.objects.filter(pk=shop.store.pk).update(mode="live")
    shop.clock.tick(minutes=10)
    run = shop.sync(INCREMENTAL)
    assert shop.sent() == {"A": [-2]}
    assert shop.shown() == {"A": 3, "B": 5, "C": 7}
    assert run.state == "done"


def test_a_till_in_observe_mode_is_not_told_of_online_orders(open_shop):
    shop = open_shop(stock=STOCK, till_mode="observe")
    shop.running()
    shop.app.place_order([("B", 1)])
    shop.clock.tick(minutes=10)
    shop.sync()
    assert shop.waiting_files("outbound") == []
    assert OutboundWrite.objects.filter(connection=shop.pos).count() == 0
