"""A whole shop in one process: web store, till, drop folder and the people in it. It knows of no alignment: that is yours."""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from sandbox.crowd import Crowd, Offer, StorefrontError
from sandbox.server import serve
from sandbox.till import TillApp
from sandbox.till.cli import add_till_options, ended_by_signal, in_background, say
from sandbox.till.folder import DropFolder
from sandbox.woocommerce import StoreApp
from sandbox.woocommerce.app import KEY, SECRET, VERSIONS
from sandbox.woocommerce.errors import RestError

HYDRO = Path(__file__).parent / "data" / "hydro"


class StoreDoor:
    """The way into the sandbox store for the crowd: people walk in at the front, so they meet no fault of the API."""

    def __init__(self, store: StoreApp) -> None:
        self._store = store

    def offers(self) -> list[Offer]:
        with self._store.catalogue.lock:
            return [
                Offer(product.id, product.shown_quantity)
                for product in self._store.catalogue.products.values()
                if product.type in ("simple", "variation")
                and product.price
                and (product.parent or product).status == product.status == "publish"
            ]

    def place_order(self, lines: Sequence[tuple[int, int]], *, oversell: bool) -> int:
        try:
            if oversell:
                return self._store.place_order(lines).id
            return self._store.checkout.check_out([{"id": id_, "quantity": n} for id_, n in lines]).id
        except (RestError, KeyError) as refusal:
            raise StorefrontError(str(refusal)) from refusal

    def cancel_order(self, order_id: int) -> None:
        self._store.change_order(order_id, status="cancelled")

    def refund_order(self, order_id: int) -> None:
        line = self._store.order(order_id).lines[0]
        self._store.refund_order(order_id, {line.id: 1})


class Shop:
    """Both systems of one shop and what goes on between them and the world.

    `crowd.rate` may be changed while it runs; 0 is a quiet shop. Without a folder there are no exports and no imports.
    """

    def __init__(
        self,
        store: StoreApp,
        till: TillApp,
        *,
        folder: Path | None = None,
        rate: float = 0,
        oversell: bool = False,
        export_every: float = 60,
        encoding: str = "utf-8",
        seed: int = 0,
    ) -> None:
        self.store, self.till = store, till
        self.crowd = Crowd(till, StoreDoor(store), Random(seed), rate=rate, oversell=oversell)
        self.folder = DropFolder(till, folder, export_every=export_every, encoding=encoding) if folder else None
        till.controls["crowd"] = self._set_crowd
        if self.folder:
            till.controls["export"] = self._export

    @property
    def lives(self) -> list[Callable[[Event], object]]:
        """What goes on by itself: each is to be run in a thread with an event that ends it."""
        return [self.crowd.run, *([self.folder.run] if self.folder else [])]

    def _set_crowd(self, given: Any) -> dict[str, float]:
        self.crowd.rate = float(given["rate"])
        return {"rate": self.crowd.rate}

    def _export(self, _given: Any) -> dict[str, str]:
        assert self.folder is not None, "the control is there only with a folder"
        return {"name": self.folder.exporter.write().name}


def stock_shop(store: StoreApp, till: TillApp, load: str) -> None:
    """Fill both: `hydro` is the sample garden shop; a number makes up so many items, alike on both sides.

    Raises ValueError for anything else.
    """
    if load == "hydro":
        till.load_csv(HYDRO / "pos_export.csv")
        store.load(HYDRO / "store_catalogue.json")
    elif load.isascii() and load.isdigit():
        till.generate(int(load))
        store.load(listed_like(till))
    else:
        raise ValueError(f"There is nothing called {load!r} to load: say hydro, or a number of items.")


def listed_like(till: TillApp) -> list[dict[str, Any]]:
    """Every item of the till as a product of the store, with the same SKU, price and (whole, not negative) quantity."""
    return [
        {
            "id": 100 + number,
            "sku": row.sku,
            "name": row.name,
            "regular_price": str(row.price or ""),
            "manage_stock": True,
            "stock_quantity": max(0, int(row.on_hand.to_integral_value())),
            "global_unique_id": row.barcode,
        }
        for number, row in enumerate(till.snapshot()[1])
    ]


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("shop", help="store, till, drop folder and customers in one process")
    add_till_options(parser)
    parser.add_argument("--store-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--till-port", type=int, default=0, help="0: any free one")
    parser.add_argument("--load", default="hydro", help="hydro, or a number of items to make up, alike on both sides")
    parser.add_argument("--crowd", type=float, default=0, metavar="RATE", help="deeds a minute; 0: nobody comes")
    parser.add_argument("--oversell", action="store_true", help="customers buy what is not there, too")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same customers")
    parser.add_argument("--version", choices=sorted(VERSIONS), default="10.5", help="of WooCommerce")
    parser.add_argument("--basic-over-http", action="store_true", help="accept passwords without TLS, as no real store does")
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--secret", default=SECRET)
    parser.add_argument("--state-file", type=Path, metavar="FILE", help="the ready line goes here too, and goes away at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """A whole shop until SIGTERM or SIGINT. Prints one JSON line with addresses and keys when ready."""
    store = StoreApp(version=options.version, basic_over_http=options.basic_over_http, seed=options.seed)
    store.add_key("read_write", key=options.key, secret=options.secret)
    till = TillApp(token=options.token, seed=options.seed)
    stock_shop(store, till, options.load)
    shop = Shop(
        store,
        till,
        folder=options.folder,
        rate=options.crowd,
        oversell=options.oversell,
        export_every=options.export_every,
        encoding=options.encoding,
        seed=options.seed,
    )
    with ended_by_signal() as stop, closing(store):
        at_store = serve(store, host=options.host, port=options.store_port)
        with at_store, serve(till, host=options.host, port=options.till_port) as at_till, in_background(stop, *shop.lives):
            ready = {
                "store_url": at_store.url,
                "key": options.key,
                "secret": options.secret,
                "till_url": at_till.url,
                "token": till.token,
                "folder": str(options.folder.resolve()) if options.folder else "",
                "pid": os.getpid(),
            }
            with noted(options.state_file, ready):
                say(ready)
                stop.wait()
    return 0


@contextmanager
def noted(path: Path | None, ready: dict[str, Any]) -> Iterator[None]:
    """While the shop is open, a file says where it is."""
    if path is None:
        yield
        return
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(ready), encoding="utf-8")
    part.rename(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
