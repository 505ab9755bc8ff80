"""`python -m sandbox …`: a pretend shop in a process of its own, steered over HTTP (see sandbox.gateway)."""

import argparse
import signal
import sys
from collections.abc import Sequence
from threading import Event
from typing import Any

from sandbox.server import RunningServer, serve
from sandbox.shop import add_parser as add_shop_parser
from sandbox.till.cli import add_parser as add_till_parser
from sandbox.woocommerce import StoreApp
from sandbox.woocommerce.app import KEY, SECRET, VERSIONS

Subparsers = Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Result: the exit code; 0 after a stop that was asked for."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for add in (add_parser, add_till_parser, add_shop_parser):  # each part that can run alone adds its command
        add(subparsers)
    arguments = parser.parse_args(argv)
    result: int = arguments.run(arguments)
    return result


def run_until_stopped(server: RunningServer, ready: str) -> int:
    """Say on one line that the server is ready, then serve until SIGTERM or SIGINT. Result: exit code 0."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sys.stdout.write(f"{ready}\n")
    sys.stdout.flush()
    with server:
        stop.wait()
    return 0


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `store`."""
    store = subparsers.add_parser("store", help="a WooCommerce store")
    store.add_argument("--host", default="127.0.0.1")
    store.add_argument("--port", type=int, default=0, help="0: any free one")
    store.add_argument("--version", choices=sorted(VERSIONS), default="10.5")
    store.add_argument("--load", metavar="FILE", help="a catalogue, such as sandbox/data/hydro/store_catalogue.json")
    store.add_argument("--generate", type=int, metavar="N", help="invent N products instead")
    store.add_argument("--seed", type=int, default=1)
    store.add_argument("--time-zone", default="Europe/Amsterdam")
    store.add_argument("--basic-over-http", action="store_true", help="accept passwords without TLS, as no real store does")
    store.add_argument("--tls", action="store_true")
    store.add_argument("--key", default=KEY)
    store.add_argument("--secret", default=SECRET)
    for name in ("latency", "page-cost", "row-cost", "item-cost"):
        store.add_argument(f"--{name}", type=float, default=0.0, metavar="SECONDS")
    store.add_argument("--concurrency", type=int, default=0, help="requests worked on at once; 0: no limit")
    store.set_defaults(run=_run_store)


def _run_store(arguments: argparse.Namespace) -> int:
    app = StoreApp(
        version=arguments.version,
        basic_over_http=arguments.basic_over_http,
        time_zone=arguments.time_zone,
        seed=arguments.seed,
    )
    app.add_key("read_write", key=arguments.key, secret=arguments.secret)
    if arguments.load:
        app.load(arguments.load)
    elif arguments.generate:
        app.generate(products=arguments.generate, seed=arguments.seed)
    names = ("latency", "page_cost", "row_cost", "item_cost", "concurrency")
    app.settings.set(**{name: getattr(arguments, name) for name in names})
    server = serve(app, host=arguments.host, port=arguments.port, tls=arguments.tls)
    certificate = f" {server.ca_file}" if server.ca_file else ""
    return run_until_stopped(server, f"store {server.url} {arguments.key} {arguments.secret}{certificate}")
