"""`price_sync` as a command and as a job."""

import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django_celery_beat.models import PeriodicTask

from connectors.leases import lease_acquire
from connectors.management.base import CommandExit
from inventory.models import Item
from jobs.schedule import schedule_install
from sync.models import OutboundWrite, PricePolicy, SyncRun
from sync.outbox.sweep import outbox_work
from sync.tasks import price_sync

pytestmark = pytest.mark.django_db
EARLIER = {"hours_ago": 2}  # commands and jobs look at the real clock


def ran(*arguments: str) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("price_sync", *arguments, stdout=out, stderr=err)
    except CommandExit as end:
        return end.code, f"{out.getvalue()}{err.getvalue()}{end.message}"
    return 0, out.getvalue() + err.getvalue()


def test_the_command_syncs_and_says_so(priced):
    till = priced(options=EARLIER)
    till.reprice(MUG="5.50")
    code, said = ran("--connection", "store", "--json")
    assert code == 0
    assert "1 price was written to the shop." in said
    assert json.loads(said.strip().splitlines()[-1])["prices_written"] == 1
    assert till.shown()["MUG"] == "5.50"


def test_a_dry_run_shows_prices_and_writes_none(priced):
    till = priced(options=EARLIER)
    till.reprice(MUG="5.50")
    code, said = ran("--dry-run")
    assert code == 0
    assert "0 numbers and 1 price would be written" in said
    assert "MUG → MUG: price 5 → 5.50" in said
    assert till.shop.app.writes == []


def test_without_an_owner_the_command_says_what_to_do(priced):
    priced(price_source="none")
    code, said = ran()
    assert (code, "Nobody has said who owns the prices" in said) == (1, True)


def test_a_store_that_is_taken_refuses(priced):
    till = priced()
    lease_acquire(connection=till.shop.store, now=till.shop.clock.now())
    assert ran()[0] == 4


def test_a_rule_that_contradicts_itself_fails_and_writes_nothing(priced):
    till = priced(till_includes_tax=True, store_includes_tax=False)
    till.reprice(MUG="5.50")
    code, said = ran()
    assert code == 1
    assert "nobody has said the rate" in said
    assert till.shop.app.writes == []


def test_the_job_runs_at_four_by_the_stores_own_clock(priced):
    till = priced()
    till.shop.store.time_zone = "Europe/Paris"
    till.shop.store.save()
    schedule_install()
    job = PeriodicTask.objects.get(task="sync.tasks.price_sync")
    assert (job.crontab.hour, job.crontab.minute, str(job.crontab.timezone)) == ("4", "0", "Europe/Paris")
    assert json.loads(job.kwargs) == {"store_id": till.shop.store.pk}


def test_the_job_is_off_while_nobody_owns_prices(priced):
    till = priced(price_source="none", options=EARLIER)
    assert price_sync(till.shop.store.pk) == "off"
    assert not SyncRun.objects.filter(kind="prices").exists()
    PricePolicy.objects.update(price_source="pos")
    till.reprice(MUG="5.50")
    assert price_sync(till.shop.store.pk) == "done"
    assert till.shown()["MUG"] == "5.50"


@pytest.mark.parametrize("changed_again", [False, True])
def test_what_a_busy_shop_put_off_goes_out_between_runs_unless_it_is_another_price_by_then(priced, changed_again):
    till = priced(options={"lanes": 1})
    till.reprice(MUG="5.50")
    till.shop.app.faults.arm("rate_limit", method="POST", path="products/batch", retry_after="300")
    till.sync(may_wait=False)
    assert OutboundWrite.objects.get(listing__sku="MUG", carries_number=False).state == "pending"
    till.shop.clock.tick(minutes=10)
    if changed_again:
        Item.objects.filter(sku="MUG").update(price=Decimal("5.75"))
    till.shop.store.rests_until = None
    till.shop.store.save()
    outbox_work(store=till.shop.store, now=till.shop.clock.now)
    assert till.shown()["MUG"] == ("5" if changed_again else "5.50")
    assert till.shop.shown() == till.shop.expected()
