"""The demo's shop, from the outside: its process, and what a customer would see in it. Reads HTTP and files, not our tables."""

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import requests
from woocommerce.oauth import OAuth

from jobs.processes import Children, Program

HYDRO = Path("sandbox") / "data" / "hydro"
ALIGNMENT = HYDRO / "pos_shopify_alignment.csv"


@dataclass(frozen=True, slots=True)
class Shop:
    """Where the pretend shop is, and the keys to it."""

    store_url: str
    key: str
    secret: str
    till_url: str
    folder: Path

    def export(self) -> str:
        """Have the till write an export now. Result: its file name."""
        return str(self._control("export")["name"])

    def open_doors(self, *, customers_per_minute: float) -> None:
        """Let customers in: they buy at the till and in the store."""
        self._control("crowd", rate=customers_per_minute)

    def _control(self, name: str, **given: Any) -> Any:
        answer = requests.post(f"{self.till_url}/__sandbox/{name}", json=given, timeout=10)
        answer.raise_for_status()
        return answer.json()


def shop_start(children: Children, *, folder: Path) -> Shop:
    """Start the pretend shop, with nobody in it yet. Raises RuntimeError if it won't start."""
    command = [sys.executable, "-m", "sandbox", "shop", "--load", "hydro", "--folder", str(folder), "--export-every", "20"]
    process = children.start(Program("shop", command, comes_again=False), stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("The pretend shop did not start; its last words are above.")
    said = json.loads(line)
    return Shop(said["store_url"], said["key"], said["secret"], said["till_url"], folder)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the store shows against what the till's export says, over the pairs whose listing counts its stock."""

    compared: int
    wrong: tuple[str, ...]

    @property
    def converged(self) -> bool:
        return bool(self.compared) and not self.wrong


def shop_verify(shop: Shop, *, export: Path) -> Verdict:
    """Read the store as any client would, and the till's own export, and compare every pair of the alignment file."""
    with export.open(encoding="utf-8", newline="") as file:
        till = {row["SKU"]: row["Qty On Hand"] for row in csv.DictReader(file)}
    listed = {row["sku"]: row for row in _store_rows(shop)}
    compared, wrong = 0, []
    with ALIGNMENT.open(encoding="utf-8", newline="") as file:
        for pair in csv.DictReader(file):
            listing = listed[pair["WooCommerce SKU"]]
            if listing["manage_stock"] is not True:
                continue
            compared += 1
            if listing["stock_quantity"] != max(0, int(Decimal(till[pair["POS SKU"]]))):
                wrong.append(pair["POS SKU"])
    return Verdict(compared, tuple(wrong))


def _store_rows(shop: Shop) -> list[dict[str, Any]]:
    """Result: every product and variation, read page by page with nothing of our own in between."""
    rows: list[dict[str, Any]] = []
    for route in ("products", "variations"):
        address = f"{shop.store_url}/wp-json/wc/v3/{route}?per_page=100&orderby=id&order=asc&page="
        for page in count(1):
            signed = OAuth(f"{address}{page}", shop.key, shop.secret, version="v3", method="GET").get_oauth_url()
            answer = requests.get(signed, timeout=30)
            answer.raise_for_status()
            if not (found := answer.json()):
                break
            rows.extend(found)
    return rows
