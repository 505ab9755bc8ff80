"""`python -m sandbox till`: one till on a port, and with a drop folder when one is named."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread
from typing import Any

from sandbox.server import serve
from sandbox.till.api import TillApp
from sandbox.till.folder import DropFolder


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("till", help="a till: POS API, and a drop folder when --folder is given")
    add_till_options(parser)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--load", type=Path, metavar="CSV", help="opening stock, in the till's export format")
    parser.add_argument("--generate", type=int, default=0, metavar="N", help="make up N items")
    parser.set_defaults(run=run)


def add_till_options(parser: argparse.ArgumentParser) -> None:
    """What the till and the whole shop are both asked."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--folder", type=Path, help="where exports go and adjustments come from (outbound/)")
    parser.add_argument("--export-every", type=float, default=60, metavar="SECONDS", help="0: never by itself")
    parser.add_argument("--encoding", default="utf-8", help="of the exports")
    parser.add_argument("--token", default="till-token", help="the POS API's bearer token")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Prints one JSON line when ready."""
    till = TillApp(token=options.token)
    if options.load:
        till.load_csv(options.load)
    till.generate(options.generate)
    with ended_by_signal() as stop, serve(till, host=options.host, port=options.port) as running:
        folder = str(options.folder.resolve()) if options.folder else ""
        ready = {"till_url": running.url, "token": till.token, "folder": folder}
        with in_background(stop, drop_folder(till, options).run) if options.folder else nullcontext():
            say(ready)
            stop.wait()
    return 0


def drop_folder(till: TillApp, options: argparse.Namespace) -> DropFolder:
    return DropFolder(till, options.folder, export_every=options.export_every, encoding=options.encoding)


def say(ready: dict[str, Any]) -> None:
    """One JSON line for whoever started us."""
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()


@contextmanager
def ended_by_signal() -> Iterator[Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def in_background(stop: Event, *lives: Callable[[Event], object]) -> Iterator[None]:
    """Run each in a thread of its own; on leaving, set `stop` and wait for them."""
    threads = [Thread(target=life, args=(stop,), daemon=True) for life in lives]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=5)
