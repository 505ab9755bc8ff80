"""A broker that hangs is nobody's business but the waker's (reliability.md, case 17), and a wake-up on its way is enough."""

import errno
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from celery import Celery
from django.db import OperationalError, connection
from kombu import Queue

from config.settings.queue import CELERY_TASK_PUBLISH_RETRY_POLICY, REDIS_OPTIONS
from connectors.errors import RetryableError
from connectors.models import Connection
from jobs import broker as broker_of_files
from sync.models import InboundEvent, SyncRun
from sync.orders import wake
from sync.orders.inbox import inbox_work
from sync.orders.wake import inbox_wake, run_wake
from sync.turns import start
from sync.turns.start import run_request
from tests.factories import store_connection
from tests.jobs.post import Post
from tests.sync.hooked import post, share_secret

pytestmark = pytest.mark.django_db


class SilentBroker:
    """Takes connections and says nothing, as a stopped Redis does."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.was_called, self.was_given_up = Event(), Event()
        self.complaints: list[str] = []  # of whoever called
        self._calls: list[socket.socket] = []
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                call, _ = self._listener.accept()
            except OSError:
                return
            self._calls.append(call)
            self.was_called.set()

    def complain(self, words: str, *about: object) -> None:
        self.complaints.append(words % about)
        self.was_given_up.set()

    def hang_up(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends the thread's wait
        self._listener.close()
        for call in self._calls:
            call.close()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentBroker]:
    silent = SilentBroker()
    app = Celery("test", broker=f"redis://127.0.0.1:{silent.port}/0", set_as_current=False)
    patient = {**REDIS_OPTIONS, "socket_timeout": 60, "socket_connect_timeout": 60}  # longer than the slowest machine posts
    app.conf.update(broker_transport_options=patient, task_publish_retry_policy=CELERY_TASK_PUBLISH_RETRY_POLICY)
    monkeypatch.setattr(wake, "current_app", app)
    monkeypatch.setattr(wake, "_waker", wake.Waker())
    monkeypatch.setattr(wake.logger, "warning", silent.complain)
    yield silent
    silent.hang_up()
    silent.was_given_up.wait(5)
    app.close()


def test_webhooks_are_answered_while_the_broker_hangs(broker):
    store = store_connection("store", credentials={"consumer_key": "ck_1", "consumer_secret": "cs_1"})
    share_secret(store)
    answers = [post(b'{"id": %d}' % number).status_code for number in range(20)]
    assert answers == [200] * 20
    assert InboundEvent.objects.filter(state="new").count() == 20
    assert broker.was_called.wait(5), broker.complaints  # somebody did try to wake a worker …
    assert broker.complaints == []  # … and still waits: nobody waited for it


# One wake-up for a store is as good as a hundred (found/engine.md E21)


class Waiting:
    """What waits for a worker in a broker of files. It is sent as soon as it is asked for, by whoever asks."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.post = Post(folder)
        app = Celery("test", broker="filesystem://localhost", set_as_current=False)
        options = self.post.connection.transport_options
        app.conf.update(broker_transport="jobs.broker:Transport", broker_transport_options=options)
        self.app = app
        monkeypatch.setattr(wake, "current_app", app)
        monkeypatch.setattr(wake, "_waker", self)

    def wake(self, store_id: int) -> None:
        """In place of the thread that sends it."""
        self.app.send_task(wake.TASK, kwargs={"store_id": store_id}, **wake.HOW)

    def count(self) -> int:
        return len(self.post.files())


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    here = Waiting(tmp_path, monkeypatch)
    yield here
    here.post.connection.release()
    here.app.close()


@pytest.fixture
def store() -> Connection:
    connection = store_connection("store", credentials={"consumer_key": "ck_1", "consumer_secret": "cs_1"})
    share_secret(connection)
    return connection


def test_twenty_webhooks_of_a_store_are_one_message(waiting, store):
    assert [post(b'{"id": %d}' % number).status_code for number in range(20)] == [200] * 20
    assert InboundEvent.objects.count() == 20
    assert waiting.count() == 1


def test_each_store_is_woken(waiting, store, now):
    other = store_connection("other")
    for _ in range(3):
        inbox_wake(store_id=store.pk, now=now)
        inbox_wake(store_id=other.pk, now=now)
    assert waiting.count() == 2


def test_what_comes_while_a_worker_looks_wakes_again(waiting, store, now):
    """Between taking a message and the last look nothing can be lost: it is marked as taken before the first look."""
    inbox_wake(store_id=store.pk, now=now)
    looks: list[str] = []

    def tell_meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        if "sync_inboundevent" in sql:
            looks.append(sql)
            if len(looks) == 1:
                inbox_wake(store_id=store.pk, now=now)
        return execute(sql, *rest)

    with connection.execute_wrapper(tell_meanwhile):
        assert inbox_work(store=store, now=lambda: now) == "done"
    assert looks
    assert waiting.count() == 2


def test_a_message_that_got_lost_holds_back_no_other_for_longer_than_a_minute(waiting, store, now):
    for seconds in (0, 59, 61, 119, 122):
        inbox_wake(store_id=store.pk, now=now + timedelta(seconds=seconds))
    assert waiting.count() == 3


def test_a_clock_that_was_set_back_holds_back_no_message(waiting, store, now):
    inbox_wake(store_id=store.pk, now=now)
    inbox_wake(store_id=store.pk, now=now - timedelta(hours=1))
    assert waiting.count() == 2


def test_a_database_that_does_not_answer_wakes_all_the_same(waiting, store, now):
    def down(*_: Any) -> Any:
        raise OperationalError("database is locked")

    with connection.execute_wrapper(down):
        inbox_wake(store_id=store.pk, now=now)
    assert waiting.count() == 1


@pytest.mark.ticking  # messages are ordered by the time at which they were sent
def test_the_schedule_goes_before_webhooks_and_killed_runs(waiting, store, now):
    inbox_wake(store_id=store.pk, now=now)
    run_wake(store_id=store.pk, kind="full")
    waiting.app.send_task("sync.tasks.feed_poll", retry=False, ignore_result=True)  # as beat does
    names = [Queue("celery")(waiting.post.channel).get(no_ack=True).headers["task"] for _ in range(3)]
    assert names == ["sync.tasks.feed_poll", wake.TASK, wake.SYNC]


def test_a_sync_that_a_full_disk_keeps_from_the_workers_was_not_started_and_says_so(waiting, store, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(start, "current_app", waiting.app)
    monkeypatch.setattr(broker_of_files, "_write", full)
    with pytest.raises(RetryableError) as refused:
        run_request(store=store, kind=SyncRun.Kind.FULL, by=None)
    assert refused.value.message == "The workers can't be reached, so nothing was started."
    assert "the disk is not full" in refused.value.next_step
    assert waiting.count() == 0
