"""Against the sandbox's till, which knows nothing of us: it exports and imports by its own lights."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from connectors.contract import FeedFate, Outcome, TillWrite
from sandbox.till.export import Exporter
from sandbox.till.imports import Importer
from sandbox.till.shelf import Till
from tests.connectors.pos_csv.conftest import HYDRO, NOW, Drop

ONE, TWO = UUID(int=1, version=4), UUID(int=2, version=4)
SKU = "EH-LIGHT-MOVER"


@pytest.fixture
def shop(drop: Drop) -> Till:
    till = Till(clock=lambda: drop.now)
    till.load_csv(HYDRO / "pos_export.csv")
    return till


def export(drop: Drop, shop: Till) -> None:
    drop.touch(Exporter(shop, drop.root).write())
    drop.now += timedelta(seconds=5)


def test_what_the_till_exports_is_what_we_read(drop: Drop, shop: Till) -> None:
    shop.sell(SKU, 3)
    export(drop, shop)
    (feed,) = drop.till().feeds()
    assert feed.true_at == NOW
    assert {reading.sku: reading.on_hand for reading in feed.readings} == {sku: shop.on_hand(sku) for sku in shop.skus()}
    assert (len(feed.readings), [problem for problem in feed.problems if problem.serious]) == (2554, [])


def test_an_adjustment_is_booked_once_and_seen_in_the_next_export(drop: Drop, shop: Till) -> None:
    connector, importer = drop.till(), Importer(shop, drop.root / "outbound")
    before = shop.on_hand(SKU)
    sold = TillWrite(ONE, SKU, "", Decimal(-2), "Sold online", "512")
    connector.send([sold])
    assert connector.look_up([ONE]) == {ONE: Outcome.UNKNOWN}
    assert [taken.booked for taken in importer.run()] == [1]
    assert connector.look_up([ONE]) == {ONE: Outcome.APPLIED}
    connector.send([sold])
    assert (importer.run(), shop.on_hand(SKU)) == ([], before - 2)
    export(drop, shop)
    (feed,) = connector.feeds()
    assert next(reading.on_hand for reading in feed.readings if reading.sku == SKU) == before - 2
    connector.settle(feed.identity, FeedFate.APPLIED)


def test_a_file_the_till_rejects_took_no_effect_as_a_whole(drop: Drop, shop: Till) -> None:
    connector, importer = drop.till(), Importer(shop, drop.root / "outbound")
    before = shop.on_hand(SKU)
    connector.send([TillWrite(ONE, SKU, "", Decimal(-2), "", ""), TillWrite(TWO, "NO-SUCH-ITEM", "", Decimal(-1), "", "")])
    assert [taken.booked for taken in importer.run()] == [0]
    assert shop.on_hand(SKU) == before
    assert connector.look_up([ONE, TWO]) == {ONE: Outcome.REJECTED, TWO: Outcome.REJECTED}
