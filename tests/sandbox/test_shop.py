"""One process is a whole shop: store, till, drop folder and people, from one ready line to a clean end."""

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
import requests

from sandbox.crowd import Crowd
from sandbox.shop import Shop, StoreDoor, stock_shop
from sandbox.till import TillApp
from sandbox.woocommerce import StoreApp

ROOT = Path(__file__).parents[2]
HEADER = "Operation ID,SKU,Location,Quantity Change,Reason,Reference\n"


@pytest.fixture
def store():
    store = StoreApp()
    store.load(
        [
            {"id": 101, "sku": "A", "name": "A", "regular_price": "2.50", "manage_stock": True, "stock_quantity": 9},
            {"id": 102, "sku": "", "name": "V", "type": "variable"},
            {
                "id": 103,
                "parent_id": 102,
                "sku": "V-1",
                "name": "1L",
                "regular_price": "5",
                "manage_stock": True,
                "stock_quantity": 0,
            },
            {
                "id": 104,
                "sku": "D",
                "name": "D",
                "regular_price": "1",
                "status": "draft",
                "manage_stock": True,
                "stock_quantity": 5,
            },
            {"id": 105, "sku": "N", "name": "N", "regular_price": "1", "manage_stock": False},
        ]
    )
    yield store
    store.close()


@pytest.fixture
def till():
    till = TillApp()
    till.generate(3)
    return till


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def test_customers_see_what_is_on_sale(store):
    assert [(offer.id, offer.available) for offer in StoreDoor(store).offers()] == [(101, 9), (103, 0), (105, None)]


def test_customers_order_only_what_the_store_shows(store, till):
    crowd = Crowd(till, StoreDoor(store), Random(1), weights={"web_order": 1})
    deeds = [crowd.step() for _ in range(40)]
    assert all(deed.done for deed in deeds)
    assert (store.quantity(101), store.quantity(103)) == (0, 0)
    lines = [line for order in store.book.orders.values() for line in order.lines]
    assert sum(line.quantity for line in lines if line.product.id == 101) == 9
    assert {line.product.id for line in lines if line.quantity < 1} == set()
    assert {line.product.id for line in lines} == {101, 105}
    assert till.happenings == []


def test_customers_who_oversell_take_the_store_below_zero(store, till):
    crowd = Crowd(till, StoreDoor(store), Random(1), weights={"web_order": 1}, oversell=True)
    for _ in range(20):
        assert crowd.step().done
    assert store.quantity(103) < 0


def test_a_cancelled_order_gives_its_stock_back_and_is_not_touched_again(store, till):
    door = StoreDoor(store)
    crowd = Crowd(till, door, Random(1), weights={"web_cancel": 1})
    crowd._orders.append(door.place_order([(101, 3)], oversell=False))
    assert store.quantity(101) == 6
    assert crowd.step().done
    assert store.quantity(101) == 9
    assert crowd.step().done is False


def test_a_refunded_unit_is_back_on_the_shelf(store, till):
    door = StoreDoor(store)
    crowd = Crowd(till, door, Random(1), weights={"web_refund": 1})
    crowd._orders.append(door.place_order([(101, 3)], oversell=False))
    assert crowd.step().done
    assert store.quantity(101) == 7


def test_a_store_that_refuses_is_walked_away_from(store, till):
    class Stale(StoreDoor):
        """Shows shelves as they were a moment ago."""

        def offers(self):
            return [type(offer)(offer.id, 5) for offer in super().offers() if offer.id == 103]

    deed = Crowd(till, Stale(store), Random(1), weights={"web_order": 1}).step()
    assert deed.done is False
    assert "not enough stock" in deed.what
    assert store.book.orders == {}


def test_the_sample_shop_is_loaded_on_both_sides(till):
    store, till = StoreApp(), TillApp()
    stock_shop(store, till, "hydro")
    assert len(till.skus()) == 2554
    assert till.on_hand("EH-LIGHT-MOVER") == 8
    assert store.product_by_sku("FF-SAUCE-5GAL").quantity == 81


def test_a_made_up_shop_is_alike_on_both_sides():
    store, till = StoreApp(), TillApp()
    stock_shop(store, till, "50")
    assert {sku: store.product_by_sku(sku).quantity for sku in till.skus()} == {sku: till.on_hand(sku) for sku in till.skus()}
    assert store.product_by_sku("GEN-000001").regular_price == str(till.item("GEN-000001").price)


@pytest.mark.parametrize("load", ["", "-1", "hydra"])
def test_nothing_else_can_be_loaded(load):
    with pytest.raises(ValueError, match="nothing called"):
        stock_shop(StoreApp(), TillApp(), load)


def test_a_shop_without_a_folder_neither_exports_nor_imports(store, till):
    shop = Shop(store, till)
    assert shop.folder is None
    assert len(shop.lives) == 1
    assert "export" not in till.controls


@pytest.fixture
def start(tmp_path):
    """Start `python -m sandbox …` and give its process and ready line; killed at the end if it still lives."""
    started = []

    def start(*argv):
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *map(str, argv)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, json.loads(process.stdout.readline())

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process, number):
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_shop_opens_with_one_line_lives_and_ends_cleanly(start, tmp_path, number):
    folder, state = tmp_path / "drop", tmp_path / "shop.json"
    began = time.monotonic()
    process, ready = start(
        *("shop", "--load", "hydro", "--folder", folder, "--crowd", 3000, "--export-every", 1, "--basic-over-http"),
        *("--state-file", state),
    )
    took = time.monotonic() - began
    assert json.loads(state.read_text()) == ready
    assert ready["pid"] == process.pid
    assert ready["folder"] == str(folder)
    assert took < 5, "half a second on an idle machine"

    token = {"Authorization": f"Bearer {ready['token']}"}
    wait_for(lambda: requests.get(f"{ready['till_url']}/v1/sales", headers=token, timeout=5).json()["data"])
    keys = (ready["key"], ready["secret"])
    wait_for(lambda: requests.get(f"{ready['store_url']}/wp-json/wc/v3/orders", auth=keys, timeout=5).json())
    exports = wait_for(lambda: list(folder.glob("pos_export_*.csv")))
    assert exports[0].read_text(encoding="utf-8").count("\n") == 2555

    end(process, number)
    assert not state.exists()
    assert list(folder.glob("*.part")) == []


def test_a_quiet_shop_does_what_it_is_told_and_nothing_else(start, tmp_path):
    folder = tmp_path / "drop"
    process, ready = start("shop", "--load", 3, "--folder", folder, "--export-every", 0)
    till, token = ready["till_url"], {"Authorization": f"Bearer {ready['token']}"}
    operation = UUID(int=1)
    (folder / "outbound" / "a.csv.part").write_text(HEADER + f"{operation},GEN-000001,,4,Web order,512\n")
    (folder / "outbound" / "a.csv.part").rename(folder / "outbound" / "a.csv")
    wait_for((folder / "outbound" / "imported" / "a.csv").exists)
    booked = requests.get(f"{till}/v1/adjustments/{operation}", headers=token, timeout=5).json()
    assert (booked["delta"], booked["reference"]) == ("4", "512")
    assert requests.get(f"{till}/v1/sales", headers=token, timeout=5).json()["data"] == []
    assert list(folder.glob("*.csv")) == []
    name = requests.post(f"{till}/__sandbox/export", timeout=5).json()["name"]
    assert [path.stem for path in folder.glob("*.csv")] == [name.removesuffix(".csv")]
    assert requests.post(f"{till}/__sandbox/crowd", json={"rate": 6000}, timeout=5).json() == {"rate": 6000}
    wait_for(lambda: requests.get(f"{till}/v1/sales", headers=token, timeout=5).json()["data"])
    end(process, signal.SIGTERM)


def test_a_till_alone_serves_a_file_it_was_given(start, tmp_path):
    export = ROOT / "sandbox" / "data" / "hydro" / "pos_export.csv"
    process, ready = start("till", "--load", export, "--token", "other")
    answer = requests.get(f"{ready['till_url']}/v1/items?limit=1", headers={"Authorization": "Bearer other"}, timeout=5)
    assert Decimal(answer.json()["data"][0]["price"]) == Decimal("32.50")
    end(process, signal.SIGTERM)
