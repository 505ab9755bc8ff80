"""found/wire.md S1, S4, S5 on the web server itself, as `manage.py run` starts it; with the image's settings: tests/processes."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from jobs.processes import embedded_programs
from tests.config.web.crowding import idle_connections, longest_waits, slow_bodies
from tests.processes.programs import ROOT, Programs, free_port, until

pytestmark = pytest.mark.slow
SECRET = "crowded-secret-0123456789"
SHOP = f"""
from connectors.models import Connection
Connection.objects.create(name="store", kind="woocommerce", settings={{"url": "http://127.0.0.1:9"}},
    credentials={{"consumer_key": "ck_1", "consumer_secret": "cs_1", "webhook_secret": "{SECRET}"}})
"""
FELT = 1.0  # seconds; a page's answer takes a hundredth of it, on a machine that has nothing else to do


@dataclass
class Served:
    port: int
    folder: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.address}/healthz", timeout=2).ok
        except requests.RequestException:
            return False


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("web")
    here = Served(free_port(), folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "DATABASE_", "EVENSTOCK_"))}
    environment = {**kept, "EVENSTOCK_DATA_DIR": str(folder / "data"), "EVENSTOCK_LOG_LEVEL": "ERROR", "TMPDIR": str(folder)}
    for words in (("migrate", "-v0"), ("shell", "-v0", "-c", SHOP)):
        subprocess.run(
            [*embedded_programs(host="", port=0)[0].command[:1], "manage.py", *words], cwd=ROOT, env=environment, check=True
        )
    with Programs(folder, environment) as programs:
        programs.start("web", *embedded_programs(host="127.0.0.1", port=here.port)[0].command)
        until(here.answers, seconds=60, what="the web server answers")
        longest_waits(here.address, SECRET)  # its first pages are slow
        yield here


def felt(served: Served) -> dict[str, float]:
    """Result: what took longer than it may."""
    return {asked: seconds for asked, seconds in longest_waits(served.address, SECRET).items() if seconds > FELT}


@pytest.mark.parametrize("path", ["/webhook/order", "/admin/login/"])
def test_two_slow_sockets_do_not_stop_the_site(served, path):
    with slow_bodies(served.port, 2, path=path):
        assert felt(served) == {}


def test_slow_senders_and_idle_connections_are_not_felt(served, capsys):
    with slow_bodies(served.port, 24), idle_connections(served.port, 1000):
        waits = longest_waits(served.address, SECRET)
    with capsys.disabled():
        print(f"\n24 slow bodies, 1,000 idle connections; longest of 20 answers in seconds: {json.dumps(waits)}")
    assert max(waits.values()) < FELT


def test_a_slow_sender_is_told_and_sent_away_and_an_idle_connection_is_closed(served):
    with slow_bodies(served.port, 1) as (slow,), idle_connections(served.port, 1) as (idle,):
        answer = b"".join(iter(lambda: slow.recv(4000), b""))  # to its end
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"Send it again." in answer
        assert idle.recv(4000) == b""


@pytest.mark.parametrize("named", [True, False], ids=["length named", "no length"])
def test_a_stranger_leaves_no_file_behind(served, named):
    """300 MB to the login page made a temporary file of 315 MB; now it is sent away within what anyone may send."""
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + b"A" * 300_000
    head = "Content-Length: 300000000" if named else "Transfer-Encoding: chunked"
    before = set(served.folder.rglob("*"))
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as link:
        form = "Content-Type: multipart/form-data; boundary=x"
        link.sendall(f"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{form}\r\n{head}\r\n\r\n".encode())
        link.sendall(part if named else f"{len(part):x}\r\n".encode() + part + b"\r\n")
        assert link.recv(4000).startswith(b"HTTP/1.1 413 ")
    assert {path.suffix for path in set(served.folder.rglob("*")) - before} <= {".sqlite3-wal", ".sqlite3-shm"}
