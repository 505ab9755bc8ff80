"""A run that ends in the middle of something: the next one finishes it, and nothing is booked or told twice."""

import pytest

from connectors.pos_csv.till import PosCsvTill
from inventory.models import Movement, StockLevel
from kit.bulk import chunks
from sync.models import OutboundWrite, SyncRun, TillFeed
from sync.tills import read as till_pull
from tests.sync.shop import INCREMENTAL, problems

pytestmark = pytest.mark.django_db
STOCK = {f"S{n}": 20 for n in range(6)}


class PowerCutError(BaseException):
    """Not an Exception: nobody gets to tidy up."""


def cut(monkeypatch, owner, name: str, *, before: bool, call: int = 1) -> None:
    """The power goes before or after the so-manieth call of a method takes effect."""
    plain, calls = getattr(owner, name), []

    def method(*args, **kwargs):
        calls.append(name)
        if len(calls) == call and before:
            raise PowerCutError
        result = plain(*args, **kwargs)
        if len(calls) == call:
            raise PowerCutError
        return result

    monkeypatch.setattr(owner, name, method)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_broken_off_while_the_till_is_told_it_is_told_once(open_shop, monkeypatch, before):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("S1", 2)])
    shop.clock.tick(minutes=5)
    with monkeypatch.context() as patch:
        cut(patch, PosCsvTill, "send", before=before)
        with pytest.raises(PowerCutError):
            shop.sync()
    assert len(shop.waiting_files("outbound")) == (0 if before else 1)
    assert OutboundWrite.objects.get(connection=shop.pos).state == "sending"
    for _ in range(2):
        shop.clock.tick(minutes=5)
        shop.sync(INCREMENTAL)
        shop.take_in_adjustments()
    shop.clock.tick(minutes=5)
    shop.export()
    run = shop.sync()
    assert run.state == "done"
    assert shop.shelf()["S1"] == 18
    assert shop.shown()["S1"] == 18
    assert shop.movements() == [("S1", -2)]
    assert SyncRun.objects.filter(state="running").count() == 0


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_broken_off_as_an_export_is_filed_away_it_is_booked_once(open_shop, monkeypatch, before):
    shop = open_shop(stock=STOCK)
    shop.running()
    shop.till.sell("S1", 2)
    shop.clock.tick(minutes=5)
    shop.export()
    with monkeypatch.context() as patch:
        cut(patch, PosCsvTill, "settle", before=before)
        with pytest.raises(PowerCutError):
            shop.sync()
    assert len(shop.waiting_files("processing")) == (1 if before else 0)
    shop.app.place_order([("S1", 1)])
    shop.clock.tick(minutes=5)
    run = shop.sync()
    assert run.state == "done"
    assert shop.waiting_files("processing") == []
    assert sorted(shop.movements()) == [("S1", -2), ("S1", -1)]
    assert shop.shown()["S1"] == 17


@pytest.mark.parametrize("call", [1, 2, 3])
def test_broken_off_in_the_middle_of_an_export_the_rest_is_booked_later(open_shop, monkeypatch, call):
    shop = open_shop(stock=STOCK)
    shop.running()
    for sku in STOCK:
        shop.till.sell(sku, 1)
    shop.clock.tick(minutes=5)
    shop.export()
    monkeypatch.setattr(till_pull, "chunks", lambda rows: chunks(rows, 2))
    with monkeypatch.context() as patch:
        cut(patch, till_pull.TillChunk, "apply", before=True, call=call)
        with pytest.raises(PowerCutError):
            shop.sync()
    assert Movement.objects.filter(kind="till").count() == (call - 1) * 2
    assert TillFeed.objects.filter(state="applying").count() == 1
    shop.clock.tick(minutes=5)
    assert shop.sync().state == "done"
    assert shop.movements() == [(sku, -1) for sku in STOCK]
    assert shop.shown() == shop.expected()
    assert TillFeed.objects.filter(state="applied").count() == 2


def test_an_adjustment_that_nobody_imports_is_told_of_and_its_item_waits(open_shop):
    shop = open_shop(stock=STOCK, till_mode="live")
    shop.running()
    shop.app.place_order([("S1", 2)])
    shop.clock.tick(minutes=5)
    shop.sync()
    shop.till.sell("S1", 1)
    shop.till.sell("S2", 1)
    shop.clock.tick(minutes=30)
    shop.export()
    assert problems(shop.sync()) == []
    shop.clock.tick(hours=5)
    run = shop.sync()
    assert problems(run) == [("till", None, "adjustments_waiting")]
    assert run.state == "done"
    assert shop.shown() == {**STOCK, "S1": 18, "S2": 19}
    assert StockLevel.objects.get(item__sku="S1").on_hand == 18
