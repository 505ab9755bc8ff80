"""One shop on one machine, whose parts are killed, whose broker is broken and whose disk is full: it goes on by itself, and the
web answers meanwhile (found/engine.md E20, E21; found/wire.md I8)."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import pytest

from tests.processes.embedded import Embedded, embedded
from tests.processes.programs import until
from tests.processes.shop import Shop

pytestmark = pytest.mark.timeout(900)


class Watch:
    """Asks the web server again and again, and counts what it did not answer."""

    def __init__(self, here: Embedded) -> None:
        self.here, self.answered, self.silent = here, 0, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(0.2):
            if self.here.answers():
                self.answered += 1
            else:
                self.silent += 1

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[tuple[Embedded, Shop]]:
    with embedded(tmp_path, tmp_path / "data") as scene:
        yield scene


def is_booked(here: Embedded, order: int) -> bool:
    return bool(here.ask("SELECT 1 FROM sync_orderline l JOIN sync_order o ON o.id = l.order_id WHERE o.remote_id = ?", order))


def test_killed_and_poisoned_it_goes_on_and_ends_whole(scene):
    here, shop = scene
    skus = iter(shop.ids)
    before = here.pids()
    assert before.keys() == {"web", "worker", "beat"}
    with Watch(here) as watch:
        for name in ("worker", "beat"):
            here.kill_part(name)
            until(lambda name=name: here.pids().get(name, before[name]) != before[name], seconds=60, what=f"another {name}")
            runs = here.runs_done()
            until(lambda runs=runs: here.runs_done() > runs + 3, seconds=60, what=f"work goes on without the first {name}")
        queue = here.data / "broker" / "queue"
        for number, content in enumerate((b"", b'{"body": "W1td', b"[]", b"\xff", b'{"properties": {}}')):
            (queue / f"0-{number:020d}-bad.celery.msg").write_bytes(content)
        (queue / "0-00000000000000000009-bad.celery.msg").mkdir()
        for file in (here.data / "broker" / "control").glob("*.exchange"):
            file.write_bytes(b"[[")
        order = shop.buy_online(next(skus), 1)
        assert here.tell(order) == 200
        took = until(lambda: is_booked(here, order), seconds=60, what="an order behind broken messages is booked")
        until(lambda: not list(queue.glob("*-bad.*")), seconds=10, what="the broken messages are gone")
    assert watch.silent == 0, f"the web was silent {watch.silent} times, and answered {watch.answered} times"
    after = here.pids()
    assert after["web"] == before["web"]
    here.kill_part("web")
    until(lambda: here.pids().get("web", before["web"]) != before["web"], seconds=60, what="another web")
    until(here.answers, seconds=60, what="the web answers again")
    said = here.said()
    for name in ("worker", "beat", "web"):
        line = f"The {name} ended by itself (code -9, SIGKILL). It is started again in 1 s; everything else goes on."
        assert said.count(line) == 1, said[-2000:]
    assert said.count("ended by itself") == 3
    print(f"\nembedded: booked {took:.1f} s after it was told")

    second = here.run_again("--port", str(here.port))
    assert second.returncode == 1
    assert f"already runs in this folder (process {here.programs.pid('evenstock')})" in second.stderr
    pids = here.pids()
    supervisor = here.programs.pid("evenstock")
    os.kill(supervisor, signal.SIGTERM)
    until(lambda: not here.programs.is_running("evenstock"), seconds=30, what="SIGTERM ends it")
    assert not [pid for pid in pids.values() if Path(f"/proc/{pid}").exists()]


@contextmanager
def tiny_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Result: the file that takes all the room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_ends_nobody_and_with_room_again_it_goes_on(tmp_path):
    with tiny_disk(tmp_path / "disk", megabytes=48) as disk, embedded(tmp_path, disk / "data") as (here, shop):
        before = here.pids()
        first, *more = [shop.buy_online(sku, 1) for sku in list(shop.ids)[:10]]
        with Watch(here) as watch:
            filler = fill(disk)
            refused = [here.tell(order) for order in more]
            time.sleep(15)  # the schedule comes by several times
            filler.unlink()
            until(lambda: here.tell(first) == 200, seconds=60, what="a webhook is kept again")
            until(lambda: is_booked(here, first), seconds=90, what="and worked off")
            runs = here.runs_done()
            until(lambda: here.runs_done() > runs + 3, seconds=60, what="the schedule goes on")
        assert set(refused) == {503}  # never a false 200
        assert watch.silent == 0
        assert here.pids() == before, here.said()[-3000:]
        assert "ended by itself" not in here.said()
        for order in more:  # polled, since no webhook told
            until(lambda order=order: is_booked(here, order), seconds=90, what=f"order {order} is booked all the same")


def test_webhooks_all_the_time_do_not_keep_a_till_waiting(tmp_path):
    """Six a second, as in the case that kept a till waiting for over eight minutes."""
    seconds = float(os.environ.get("SECONDS_OF_WEBHOOKS") or 75)
    with embedded(tmp_path, tmp_path / "data", often=False) as (here, shop):
        order = shop.buy_online(next(iter(shop.ids)), 1)
        began, longest, answers = time.time(), 0, []
        count = int(6 * seconds)
        for number in range(count):
            time.sleep(max(0.0, began + number / 6 - time.time()))
            answers.append(here.tell(order + number))
            longest = max(longest, len(list((here.data / "broker" / "queue").glob("[0-9]*"))))
        ended = time.time()
        told = here.ask("SELECT count(*) FROM sync_inboundevent WHERE topic = 'order.hint'")[0][0]
        until(lambda: not here.ask("SELECT 1 FROM sync_inboundevent WHERE state = 'new'"), seconds=120, what="all is done")
        caught_up = time.time() - ended
        rows = here.ask("SELECT slot, started_at FROM jobs_jobslot WHERE task = 'sync.tasks.feed_poll'")
    during = [(moment(slot), started) for slot, started in rows if began <= moment(slot) <= ended]
    late = [round(moment(started) - due, 1) for due, started in during if started]
    figures = {
        "webhooks": count,
        "kept": told,
        "feeds_due": len(during),
        "feeds_read": len(late),
        "latest_feed_s": max(late, default=None),
        "most_messages_waiting": longest,
        "caught_up_s": round(caught_up, 1),
    }
    print(f"\nembedded: {json.dumps(figures)}")
    assert set(answers) == {200}
    assert len(during) >= 1
    assert len(late) == len(during)
    assert max(late) < 60
    assert longest < 20


def moment(said: str) -> float:
    return datetime.fromisoformat(f"{said}+00:00").timestamp()
