"""What all made-up catalogues share: goods, the ways in which tills and shops write them down, and the files they leave."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

POS_HEADER = ("SKU", "Description", "UPC", "Department", "Vendor", "Cost", "Retail Price", "Qty On Hand", "Last Modified")


@dataclass(frozen=True)
class Good:
    """One thing that can be sold. `family` is what variations of one product share."""

    family: tuple[str, ...]
    option: str
    brand: str
    category: str
    price: float
    facts: dict[str, Any] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True)
class Rates:
    """How much goes wrong. Shares of things."""

    till_barcodes: float = 0.7
    shop_barcodes: float = 0.55
    damaged: float = 0.05
    copied: float = 0.004  # a barcode that somebody took from the neighbour
    same_sku: float = 0.25
    no_vendor: float = 0.05
    only_till: float = 0.05
    only_shop: float = 0.06
    typos: float = 0.02
    same_price: float = 0.8
    variations: float = 0.3


@dataclass
class Made:
    """Two catalogues and what is true of them, by SKU."""

    name: str
    pos: list[dict[str, str]]
    store: list[dict[str, Any]]
    truth: dict[str, str]

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write them as a till and a shop would. Result: the CSV and the JSON file."""
        pos, store = folder / f"{self.name}_pos.csv", folder / f"{self.name}_store.json"
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, POS_HEADER)
        writer.writeheader()
        writer.writerows(self.pos)
        pos.write_text(text.getvalue(), encoding="utf-8")
        store.write_text(json.dumps(self.store), encoding="utf-8")
        return pos, store


def listed(text: str) -> list[str]:
    return text.split(",")


def ean(random: Random, prefix: str = "") -> str:
    """Result: thirteen digits with the right check digit."""
    body = prefix + "".join(random.choice("0123456789") for _ in range(12 - len(prefix)))
    return body + str(-sum(int(char) * (3 if place % 2 else 1) for place, char in enumerate(body)) % 10)


def damaged(code: str, random: Random) -> str:
    """Result: what a spreadsheet leaves of a barcode."""
    digits = code.lstrip("0")
    mantissa = f"{digits[0]}.{digits[1:6]}".rstrip("0")
    return random.choice(
        [f"{mantissa}E+{len(digits) - 1}", digits[:6] + "0" * (len(digits) - 6), f"{mantissa}E+{len(digits) - 1}"]
    )


def written_barcode(code: str, random: Random, rates: Rates) -> str:
    """Result: a barcode as a till exports it."""
    if random.random() < rates.damaged:
        return damaged(code, random)
    kind = random.random()
    if kind < 0.05:
        return f"{code}.0"
    return code.lstrip("0") if kind < 0.3 else code


def mistyped(text: str, random: Random) -> str:
    """Result: the text with two letters swapped, one doubled or one left out."""
    places = [place for place in range(1, len(text) - 1) if text[place].isalpha() and text[place + 1].isalpha()]
    if not places:
        return text
    place = random.choice(places)
    return random.choice([
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + text[place] + text[place:],
        text[:place] + text[place + 1 :],
    ])  # fmt: skip


def shortened(word: str, random: Random) -> str:
    """Result: a word as till clerks shorten it: cut off, or without its vowels."""
    if len(word) < 5 or not word.isalpha():
        return word
    if random.random() < 0.7:
        return word[: random.randint(3, max(4, len(word) - 2))]
    bare = word[0] + "".join(char for char in word[1:] if char.lower() not in "aeiouäöü")
    return bare[:5] if len(bare) >= 3 else word[:4]


def code_of(words: Iterable[str], random: Random) -> str:
    """Result: a SKU made of what the thing is called."""
    return "-".join("".join(char for char in word if char.isalnum())[: random.randint(3, 5)].upper() for word in words if word)


TillName = Callable[[Good, Random], str]
ShopName = Callable[
    [Good, Random], tuple[str, str]
]  # the parent's name and the variation's; the first alone for a simple product


def make(
    name: str,
    goods: Sequence[Good],
    *,
    till_name: TillName,
    shop_name: ShopName,
    seed: int,
    rates: Rates,
    barcode: Callable[[Random], str] = ean,
    codes: Callable[[Good, str, Random], tuple[str, str]] | None = None,
) -> Made:
    """Result: both catalogues. `codes` gives the SKUs of till and shop, from a good and its barcode."""
    random = Random(seed)
    goods = list(goods)
    random.shuffle(goods)
    families = sorted({good.family for good in goods})
    parents = {family for family in families if random.random() < rates.variations}
    pos: list[dict[str, str]] = []
    store: list[dict[str, Any]] = []
    truth: dict[str, str] = {}
    ids: dict[tuple[str, ...], int] = {}
    used: set[str] = set()
    last_code = ean(random)
    for number, good in enumerate(goods):
        place = random.random()
        in_till, in_shop = place >= rates.only_shop, place < rates.only_shop or place >= rates.only_shop + rates.only_till
        true_code = barcode(random)
        code = last_code if random.random() < rates.copied else true_code
        last_code = true_code
        till_sku, shop_sku = codes(good, true_code, random) if codes else _codes(good, number, random, rates)
        while till_sku in used or shop_sku in used:
            till_sku, shop_sku = f"{till_sku}{random.randint(0, 9)}", f"{shop_sku}{random.randint(0, 9)}"
        used |= {till_sku, shop_sku}
        if in_till:
            pos.append(_row(good, till_sku, code, till_name(good, random), random, rates))
        if in_shop:
            shop_code = true_code if random.random() < rates.shop_barcodes else ""
            under = ids if good.family in parents else None
            store += _products(good, shop_sku, shop_code, shop_name(good, random), under, number, random, rates)
        if in_till and in_shop:
            truth[till_sku] = shop_sku
    random.shuffle(pos)
    return Made(name, pos, store, truth)


def _codes(good: Good, number: int, random: Random, rates: Rates) -> tuple[str, str]:
    words = [good.brand, *good.family[1:], good.option]
    shop = code_of(words, random)
    if random.random() < rates.same_sku:
        return random.choice([shop, shop.lower(), shop.replace("-", ""), shop.replace("-", " ")]), shop
    return str(10000 + number * 7), shop


def _row(good: Good, sku: str, code: str, name: str, random: Random, rates: Rates) -> dict[str, str]:
    if random.random() < rates.typos:
        name = mistyped(name, random)
    return {
        "SKU": sku,
        "Description": name,
        "UPC": written_barcode(code, random, rates) if random.random() < rates.till_barcodes else "",
        "Department": good.category,
        "Vendor": "" if random.random() < rates.no_vendor else good.brand,
        "Cost": f"{good.price * 0.6:.2f}",
        "Retail Price": f"{good.price:.2f}",
        "Qty On Hand": str(random.randint(0, 60)),
        "Last Modified": "2026-02-11 09:00",
    }


def _products(
    good: Good, sku: str, code: str, names: tuple[str, str], parents: dict[tuple[str, ...], int] | None, number: int,
    random: Random, rates: Rates,
) -> list[dict[str, Any]]:  # fmt: skip
    price = good.price if random.random() < rates.same_price else good.price * random.choice([0.8, 0.9, 0.95, 1.05, 1.1, 1.25])
    common = {"sale_price": "", "backorders": "no", "status": "publish", "categories": [good.category]}
    product = {
        "id": 100_000 + number, "parent_id": 0, "type": "simple", "sku": sku, "name": " ".join(filter(None, names)),
        "global_unique_id": code, "regular_price": f"{price:.2f}", "manage_stock": True, "stock_quantity": 5, **common,
    }  # fmt: skip
    if parents is None or not names[1]:
        return [product]
    made = []
    if good.family not in parents:
        parents[good.family] = 500_000 + number
        unsold = {"sku": "", "global_unique_id": "", "regular_price": "", "manage_stock": False, "stock_quantity": None}
        made.append({**product, **unsold, "id": parents[good.family], "type": "variable", "name": names[0]})
    made.append({**product, "type": "variation", "parent_id": parents[good.family], "name": names[1]})
    return made


def harder(rates: Rates, **changes: float) -> Rates:
    return replace(rates, **changes)
