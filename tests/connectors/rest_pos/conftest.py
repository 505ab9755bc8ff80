"""A sandbox till behind real HTTP, and the connector that talks to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import CallRecord, Context, Feed
from connectors.rest_pos.settings import RestPosCredentials, RestPosSettings
from connectors.rest_pos.till import RestPosTill
from connectors.settings.allowed import folders_allowed
from sandbox.server import RunningServer, serve
from sandbox.till import TillApp
from sandbox.till.catalogue import CatalogueRow

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def tick(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Place:
    """One running till, and a connector on it."""

    app: TillApp
    server: RunningServer
    clock: Clock
    till: RestPosTill
    calls: list[CallRecord] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def feed(self, since: Feed | dict[str, Any] | None = None) -> Feed | None:
        """What the till says next; at most one feed."""
        kept = since.figures if isinstance(since, Feed) else since
        feeds = list(self.till.feeds(since=kept))
        assert len(feeds) <= 1
        return feeds[0] if feeds else None

    def asked(self) -> list[str]:
        """Method and path of each request so far."""
        return [f"{entry.method} {entry.path}" for entry in self.app.requests]


def row(sku: str, on_hand: int | str, **fields: Any) -> CatalogueRow:
    """One item of a till."""
    known = {
        "name": f"{sku} pot",
        "barcode": "4006381333931",
        "department": "Pots",
        "vendor": "Maker",
        "cost": Decimal("2.00"),
        "price": Decimal("5.50"),
    }
    return CatalogueRow(sku=sku, on_hand=Decimal(on_hand), modified_at=NOON, **{**known, **fields})


def shown(feed: Feed | None) -> dict[tuple[str, str], Decimal | None]:
    """What a feed says lies where."""
    assert feed is not None
    return {(reading.sku, reading.location): reading.on_hand for reading in feed.readings}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Make a till with items A (10), B (4) and C (0); other `rows` as given."""
    running: list[RunningServer] = []

    def build(
        *,
        rows: list[CatalogueRow] | None = None,
        locations: tuple[str, ...] = ("Main",),
        token: str = "",
        tls: bool = False,
        till_clock: Callable[[], datetime] | None = None,
        url: str = "",
        **settings: Any,
    ) -> Place:
        clock = Clock()
        app = TillApp(locations=locations, clock=till_clock or clock.now)
        app.stock([row("A", 10), row("B", 4), row("C", 0)] if rows is None else rows)
        server = serve(app, tls=tls)
        running.append(server)
        calls: list[CallRecord] = []
        slept: list[float] = []
        given = {"url": url or server.url, "ca_file": server.ca_file or "", "read_timeout": 2, **settings}
        till = RestPosTill(
            Context(
                settings=RestPosSettings.model_validate(given),
                credentials=RestPosCredentials(token=token or app.token),
                record=calls.append,
                now=clock.now,
                folders=folders_allowed(),
                allow_private=True,
            ),
            sleep=slept.append,
        )
        return Place(app, server, clock, till, calls, slept)

    yield build
    for server in running:
        server.stop()


@pytest.fixture
def served() -> Iterator[Callable[..., RunningServer]]:
    """Serve any app."""
    running: list[RunningServer] = []

    def start(app: Any) -> RunningServer:
        running.append(serve(app))
        return running[-1]

    yield start
    for server in running:
        server.stop()
