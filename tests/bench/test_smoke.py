"""The benchmarks still run: a tiny shop that costs next to nothing, and their report has the promised shape."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench import matching
from tests.bench.catalogue import Catalogue
from tests.bench.engine import Engine, Sync
from tests.bench.full_sync import Rig, full_sync_measure, ours
from tests.bench.report import Measured, page
from tests.bench.shop import NOTHING, RECORDED, Shop

SECONDS = 0.002


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", ["10.5", "10.2"])
def test_every_way_leaves_the_store_with_the_tills_numbers_and_the_report_names_each_ratio(tmp_path: Path, version: str) -> None:
    cost = replace(RECORDED, latency=SECONDS, page_cost=0, row_cost=0, item_cost=0)
    measured = full_sync_measure(
        folder=tmp_path,
        catalogue=Catalogue(simple=30, variable=2),
        version=version,
        quick=True,
        say=lambda _what: None,
        cost=cost,
    )

    assert [(share.percent, share.changed) for share in measured.shares] == [(0, 0), (5, 2), (100, 38)]
    assert measured.shares[0].floor.requests == (2 if version == "10.5" else 3)
    assert measured.others["b1"].requests == 38
    assert measured.others["b3"].requests == 76
    sync = Sync(items=10_000, seconds=1.0, rss_mb=100.2, statements=100)
    engine = Engine("sqlite", sync, replace(sync, items=100_000, seconds=11.0))
    said = json.loads(json.dumps(Measured(measured, [engine]).as_json()))
    assert {share: set(ratios) for share, ratios in said["full_sync"].items()} == {
        share: {"floor", "b1", "b2", "b3"} for share in ("0", "5", "100")
    }
    assert said["engine"] == {"sqlite": {"seconds_100k": 11.0, "rss_mb": 100, "growth": 1.1}}
    assert "| 100 % (38) |" in page(Measured(measured, [engine]))


@pytest.mark.django_db(transaction=True)
def test_a_sync_that_finds_nothing_new_asks_the_database_little_and_rewrites_no_row_but_for_when_it_was_read(
    tmp_path: Path,
) -> None:
    shop = Catalogue(simple=2000, variable=0)
    with Shop(shop.store_file(tmp_path / "store.json")) as store:
        rig = Rig(store, shop, tmp_path, cost=NOTHING)
        rig.exports.write(rig.shows)
        with CaptureQueriesContext(connection) as asked:
            ours(rig.store)

    said = [query["sql"] for query in asked if query["sql"].startswith(("SELECT", "INSERT", "UPDATE", "DELETE"))]
    assert len(said) <= 111  # 76, and 9 for every thousand pairs
    rewritten = [sql for sql in said if sql.startswith(('UPDATE "inventory_listing"', 'UPDATE "inventory_stocklevel"'))]
    assert len(rewritten) == 4
    assert all('SET "read_at" = ' in sql for sql in rewritten)


def test_the_matchers_benchmark_measures_a_small_catalogue() -> None:
    measured = matching.measure("300")
    assert (measured.items, measured.listings) == (287, 284)
    assert min(measured.precision, measured.recall, measured.top1) > 0.9
    assert f"| 300 | 287 × 284 | {measured.precision:.2%} |" in matching.table([measured])
    assert Measured(None, [], matching=[measured]).as_json()["matching"]["300"]["items"] == 287
