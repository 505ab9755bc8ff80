"""The shop in a process of its own, and its customers: what they did is the truth that everything is compared with."""

import csv
import json
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import requests
from woocommerce.oauth import OAuth

from tests.processes.programs import Programs

ITEMS = 60


class Shop:
    """A store and a till behind HTTP. Till and store begin alike; every deed of a customer is written down here."""

    def __init__(self, programs: Programs, folder: Path, python: str) -> None:
        command = (python, "-m", "sandbox", "shop", "--load", str(ITEMS), "--folder", str(folder), "--export-every", "2")
        process = programs.start("shop", *command, read=True)
        assert process.stdout
        said = json.loads(process.stdout.readline() or b"{}")
        self.folder = folder
        self.store_url, self.key, self.secret = said["store_url"], said["key"], said["secret"]
        self.till_url, self.token = said["till_url"], said["token"]
        self.wire = requests.Session()
        self.opening = self.till()
        self.ids = {row["sku"]: row["id"] for row in self._rows("products")}
        self.orders: dict[int, dict[str, int]] = {}  # order → SKU → units
        self.sold_at_till: Counter[str] = Counter()

    # What customers do

    def buy_online(self, sku: str, units: int) -> int:
        """Result: the order's number."""
        said = self._control(self.store_url, "checkout", lines=[{"id": self.ids[sku], "quantity": units}])
        if "order_id" not in said:  # not enough there
            return 0
        self.orders[said["order_id"]] = {sku: units}
        return int(said["order_id"])

    def buy_at_till(self, sku: str, units: int) -> None:
        self._control(self.till_url, "sell", sku=sku, n=units)
        self.sold_at_till[sku] += units

    def deliver(self, sku: str, units: int) -> None:
        self._control(self.till_url, "receive", sku=sku, n=units)
        self.sold_at_till[sku] -= units

    # What it shows

    def till(self) -> dict[str, Decimal]:
        rows = requests.get(
            f"{self.till_url}/v1/levels",
            {"after": 0, "limit": 1000},
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
        ).json()["data"]
        return {row["sku"]: Decimal(row["on_hand"]) for row in rows}

    def store(self) -> dict[str, int]:
        return {row["sku"]: row["stock_quantity"] for row in self._rows("products")}

    def sent(self) -> Counter[str]:
        """How often each operation id was sent to the store and to the till."""
        sent: Counter[str] = Counter()
        for request in requests.get(f"{self.store_url}/__sandbox/requests", timeout=30).json():
            for row in (request["body"] or {}).get("update", ()) if isinstance(request["body"], dict) else ():
                sent.update(one["value"] for one in row.get("meta_data", ()))
        for path in (self.folder / "outbound").glob("**/[!.]*.csv"):
            if ".sent" in path.parts:  # the engine's own copies
                continue
            with path.open(encoding="utf-8-sig", newline="") as lines:
                sent.update(row["Operation ID"] for row in csv.DictReader(lines))
        return sent

    def export(self) -> None:
        self._control(self.till_url, "export")

    def _rows(self, route: str) -> list[dict[str, Any]]:
        address = f"{self.store_url}/wp-json/wc/v3/{route}?per_page=100&orderby=id&order=asc&page=1"
        signed = OAuth(address, self.key, self.secret, version="v3", method="GET").get_oauth_url()
        rows: list[dict[str, Any]] = requests.get(signed, timeout=30).json()
        return rows

    def _control(self, url: str, name: str, **given: Any) -> Any:
        answer = self.wire.post(f"{url}/__sandbox/{name}", json=given, timeout=30)
        answer.raise_for_status()
        return answer.json()


class Customers:
    """Come and go in a thread of their own, the same ones for the same seed."""

    def __init__(self, shop: Shop, *, seed: int, pause: float) -> None:
        self.shop, self.rng, self.pause = shop, Random(seed), pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._come, daemon=True)
        self.error: Exception | None = None

    def __enter__(self) -> "Customers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        if self.error:
            raise self.error

    def _come(self) -> None:
        skus = sorted(self.shop.ids)
        try:
            while not self._stop.is_set():
                sku, units = skus[int(len(skus) * self.rng.random() ** 2)], self.rng.choice((1, 1, 2))
                match self.rng.choice(("online", "online", "till", "till", "delivery")):
                    case "online":
                        self.shop.buy_online(sku, units)
                    case "till":
                        self.shop.buy_at_till(sku, units)
                    case _:
                        self.shop.deliver(sku, self.rng.choice((6, 12)))
                time.sleep(self.rng.expovariate(1 / self.pause))
        except Exception as error:  # noqa: BLE001 - told by the test
            self.error = error
