"""A broker that hangs is nobody's business but the waker's (reliability.md, case 17)."""

import socket
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from celery import Celery

from config.settings.queue import CELERY_TASK_PUBLISH_RETRY_POLICY, REDIS_OPTIONS
from sync.models import InboundEvent
from sync.services import wake
from tests.factories import store_connection
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
