"""What is made once in a process and used for world after world: three servers, a drop folder, and the connections of a world."""

import base64
import hmac
import random
import shutil
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management.color import no_style
from django.db import connection as database
from django.http import HttpResponse
from django.test import Client

from connectors.http import door as http
from connectors.http.door import HttpDoor
from connectors.models import Connection
from connectors.pos_csv import outbound
from connectors.rest_pos.till import RestPosTill
from connectors.services import connection_save
from sandbox.server import RunningServer, serve
from sync.api import webhooks
from tests.simulation.clock import SimClock
from tests.simulation.crash import Mortal
from tests.simulation.tills import FileTill
from tests.simulation.wire import Wire
from tests.simulation.world import World

SECRET = "whsec-0123456789abcdef"


class Bench:
    """The outside of a world, as the product meets it. Only clocks are replaced, and the broker that would wake a worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.wires, self.till_wire = [Wire(), Wire()], Wire()
        self.servers: list[RunningServer] = [serve(wire) for wire in self.wires]
        self.till_server = serve(self.till_wire)
        self.mortal = Mortal()
        self.client = Client(raise_request_exception=False, headers={"host": "localhost"})
        self._replaced = pytest.MonkeyPatch()

    def close(self) -> None:
        self._replaced.undo()
        for server in (*self.servers, self.till_server):
            server.stop()

    def empty(self) -> None:
        """Forget the world before: every row, every file."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        models = {"alignment", "connectors", "inventory", "sync"}
        tables = [name for name in database.introspection.table_names() if name.partition("_")[0] in models]
        database.ops.execute_sql_flush(database.ops.sql_flush(no_style(), tables, reset_sequences=True, allow_cascade=True))

    def begin(self, world: World, rng: random.Random, *, settle: float, till_settle: float) -> None:
        """Have the servers serve this world, by its clock."""
        random.seed(rng.random())  # the HTTP door's pauses are drawn from there
        clock = world.clock
        for wire, web in zip(self.wires, world.webs, strict=False):
            wire.begin(
                web.app,
                clock,
                rng,
                settle=settle,
                busy=world.during_a_request,
                told=lambda words: world.told(words),
                served=lambda path, web=web: world.served(web, path),
            )
        self.till_wire.begin(
            world.till, clock, rng, settle=till_settle, busy=world.during_a_request, told=lambda words: world.told(words)
        )
        self._set_clocks(world, clock)

    def _set_clocks(self, world: World, clock: SimClock) -> None:
        self._replaced.undo()
        replace = self._replaced.setattr
        for function in (HttpDoor.__init__, RestPosTill.__init__):
            self._replaced.setitem(function.__kwdefaults__, "sleep", clock.sleep)
        replace(http, "time", SimpleNamespace(monotonic=lambda: clock.at.timestamp()))
        replace(http, "_IDLE", 1e9)  # the servers keep a connection open for as long as it takes
        replace(webhooks, "timezone", SimpleNamespace(now=clock.now))
        replace(webhooks, "inbox_wake", lambda **_: None)
        if isinstance(till := world.till, FileTill):
            # The file system's own clock can't be set.
            replace(outbound, "moved_at", lambda path, **_: till.moved_at[path.name])

    def connect(
        self, world: World, *, settle: float, till_settle: float, whole_every: float
    ) -> tuple[Connection, list[Connection]]:
        """Result: the till's connection and those of the world's stores."""
        files = {"folder": str(self.folder), "stable_seconds": 0}
        api = {"url": self.till_server.url, "settle_seconds": till_settle, "lanes": 1, "complete_every_hours": whole_every}
        by_files = isinstance(world.till, FileTill)
        till = connection_save(
            name="till",
            kind=world.till.kind,
            settings_given=files if by_files else api,
            credentials={} if by_files else {"token": world.till.token},
            mode="live",
        )
        return till, [
            connection_save(
                name=f"store-{number}",
                kind="woocommerce",
                settings_given={"url": self.servers[number].url, "settle_seconds": settle, "lanes": 1},
                credentials={"consumer_key": web.app.key, "consumer_secret": web.app.secret, "webhook_secret": SECRET},
                mode="live",
            )
            for number, web in enumerate(world.webs)
        ]

    def tell(self, number: int, body: bytes) -> HttpResponse:
        """A store's webhook comes to our address, signed."""
        signature = base64.b64encode(hmac.new(SECRET.encode(), body, sha256).digest()).decode()
        headers = {"X-WC-Webhook-Topic": "order.updated", "X-WC-Webhook-Signature": signature}
        address = f"/webhooks/woocommerce/store-{number}/"
        return self.client.post(address, body, content_type="application/json", headers=headers)
