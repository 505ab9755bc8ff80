"""The embedded setup's broker of files: what is broken in it ends nobody, and what is written in it is whole."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Consumer, Exchange, Producer, Queue
from kombu.exceptions import ChannelError

from jobs import broker
from tests.clock import dated
from tests.jobs.post import Post

pytestmark = pytest.mark.ticking  # messages are named, and so ordered, by the time at which they were sent
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path)
    yield post
    post.connection.release()


WHOLE = Post.message()
BROKEN = {
    "empty": b"",
    "cut off": WHOLE[:-9],
    "zeros, as after a power cut": bytes(len(WHOLE)),
    "no text": b"\xff\xfe\x00",
    "no JSON": b"hello",
    "null": b"null",
    "a list": b"[1, 2]",
    "a number": b"17",
    "an empty object": b"{}",
    "no properties": Post.message(properties=None),
    "properties of another shape": Post.message(properties=[1]),
    "no delivery tag": Post.message(properties={"delivery_info": {"exchange": "", "routing_key": "work"}}),
    "a delivery tag that is no word": Post.message(
        properties={"delivery_tag": [], "delivery_info": {"exchange": "", "routing_key": "work"}}
    ),
    "no route": Post.message(properties={"delivery_tag": "t1"}),
    "an odd route": Post.message(properties={"delivery_tag": "t1", "delivery_info": [1]}),
    "a body that is no base64": Post.message(body="%%%"),
    "a body of another shape": Post.message(body={"a": 1}),
    "no body": Post.message(body=None),
    "headers of another shape": Post.message(headers=[1]),
    "an unknown encoding": Post.message(
        properties={"delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": ""}, "body_encoding": "rot13"}
    ),
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_message_is_dropped_with_one_line_and_the_next_is_taken(post, caplog, content):
    post.put(content)
    post.send("whole")
    assert post.receive() == "whole"
    assert post.files() == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "What is due is asked for again." in caplog.text


def test_a_message_with_every_part_is_none_of_those(post, caplog):
    post.put(post.message("mine"))
    assert post.receive() == "mine"
    assert caplog.records == []


def _folder(path: Path) -> None:
    path.mkdir()


def _link_into_nowhere(path: Path) -> None:
    path.symlink_to("/nowhere")


def _link_to_an_endless_file(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _pipe_that_nobody_writes(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("lay", [_folder, _link_into_nowhere, _link_to_an_endless_file, _pipe_that_nobody_writes])
def test_what_is_no_file_is_dropped_and_the_next_is_taken(post, lay: Callable[[Path], None], caplog):
    lay(post.waiting / "0-00000000000000000001-odd.work.msg")
    post.send("whole")
    assert post.receive() == "whole"
    assert post.files() == []
    assert len(caplog.records) == 1


def test_a_folder_with_something_in_it_is_left_alone_and_said_once(post, caplog, monkeypatch):
    monkeypatch.setattr(broker.Channel, "_told", set())
    full = post.waiting / "0-00000000000000000001-odd.work.msg"
    full.mkdir()
    (full / "kept").touch()
    for body in ("one", "two"):
        post.send(body)
        assert post.receive() == body
    assert (full / "kept").exists()
    assert len(caplog.records) == 1


def test_a_giant_is_dropped_without_being_read_whole(post, monkeypatch, caplog):
    monkeypatch.setattr(broker, "LARGEST", 100)
    with post.put(b"").open("wb") as giant:
        giant.truncate(2**40)  # a file of a terabyte, all of it holes
    assert post.receive() is None
    assert post.files() == []
    assert len(caplog.records) == 1


def test_a_file_that_may_not_be_read_is_dropped(post, monkeypatch, caplog):
    path = post.put(WHOLE)
    read = broker._content

    def refuse(asked: Path) -> bytes:
        if asked == path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(asked)

    monkeypatch.setattr(broker, "_content", refuse)  # root may read anything
    post.send("whole")
    assert post.receive() == "whole"
    assert post.files() == []
    assert "Permission denied" in caplog.text


def test_a_message_that_another_consumer_took_is_passed_over_without_a_word(post, monkeypatch, caplog):
    post.put(post.message("theirs"))
    post.send("mine")
    read = broker._content

    def taken_meanwhile(asked: Path) -> bytes:
        said = read(asked)
        if "broken" in asked.name:
            asked.unlink()
        return said

    monkeypatch.setattr(broker, "_content", taken_meanwhile)
    assert post.receive() == "mine"
    assert caplog.records == []


def test_each_message_goes_to_one_of_two_readers(post):
    other = post.queue.bind(post.connection.channel())
    for number in range(20):
        post.send(number)
    got = [message.payload for message in (queue.get(no_ack=True) for _ in range(10) for queue in (post.queue, other))]
    assert got == list(range(20))
    assert post.receive() is None


def test_a_lower_number_goes_first_and_then_the_oldest(post):
    for body, priority in (("w1", 9), ("s1", 0), ("w2", 9), ("s2", 0)):
        post.send(body, priority=priority)
    assert [post.receive() for _ in range(4)] == ["s1", "s2", "w1", "w2"]


def test_what_waited_from_before_an_upgrade_is_taken(post):
    post.put(post.message("older"), name="354612_0c7c1a5e-1f6e-4d0e-8d0d-3f9b4d1f0a11.work.msg")
    assert post.receive() == "older"


def test_a_draft_is_no_message_and_the_drafts_of_the_dead_are_swept(post):
    young = dated(post.put(b"half", name=f".young.work.msg{broker.DRAFT}"))
    old = post.put(b"half", name=f".old.work.msg{broker.DRAFT}")
    os.utime(old, (1, 1))
    assert post.receive() is None
    assert young.exists()
    assert not old.exists()


def test_a_full_disk_leaves_no_half_message_and_the_sender_is_told(post, monkeypatch):
    post.send("before")

    def full(_self: Path, _text: str) -> int:
        _self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ChannelError, match="No space left on device"):
            post.send("lost")
    assert len(post.files()) == 1
    post.send("after")
    assert [post.receive() for _ in range(3)] == ["before", "after", None]


FULL = """
import resource
import sys
from pathlib import Path
from tests.clock import dated
from tests.jobs.post import Post
from kombu.exceptions import ChannelError
post = Post(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    post.send("lost")
except ChannelError as error:
    print(error)
print(post.files())
"""


def test_a_write_that_the_system_cuts_off_leaves_nothing(tmp_path):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[1:] == ["[]"], done.stderr
    assert os.strerror(errno.EFBIG) in done.stdout


def test_a_folder_that_was_deleted_is_made_again(post):
    post.waiting.rmdir()
    assert post.receive() is None
    post.send("whole")
    assert post.receive() == "whole"


def test_a_message_whose_worker_was_killed_comes_again_and_says_so(post):
    post.send("heavy")
    message = post.queue.get()
    assert "redelivered" not in message.delivery_info
    message.requeue()
    again = post.queue.get(no_ack=True)
    assert (again.payload, again.delivery_info["redelivered"]) == ("heavy", True)


def test_a_message_that_a_full_disk_does_not_take_back_keeps_its_consumer_from_nothing(post, monkeypatch, caplog):
    post.channel.basic_qos(prefetch_count=1)
    post.send("heavy")
    message = post.queue.get()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(broker, "_write", full)
        message.requeue()
    assert "No space left on device" in caplog.text
    assert post.channel.qos.can_consume()


BROKEN_LISTS = [b"", b'[["wor', b"{}", b"17", b'[["work"]]', b"[[1, 2, 3]]", b"\xff"]


@pytest.mark.parametrize("content", BROKEN_LISTS)
def test_a_broken_list_of_queues_loses_no_message_and_is_mended_by_the_next_process(post, content):
    file = post.control / "work.exchange"
    file.write_bytes(content)
    post.send("whole")
    assert post.receive() == "whole"
    post.connection.transport.state.clear()  # as in another process
    post.queue.declare()
    assert json.loads(file.read_text()) == [["work", "", "work"]]


def test_a_list_of_queues_that_is_a_folder_stops_nobody(post):
    file = post.control / "work.exchange"
    file.unlink()
    file.mkdir()
    post.connection.transport.state.clear()
    post.queue.declare()
    post.send("whole")
    assert post.receive() == "whole"


def test_a_queue_that_is_deleted_is_off_the_list_with_what_waited_in_it(post):
    other = Queue("other", Exchange("work"), routing_key="work")(post.channel)
    other.declare()
    post.send("both")
    other.delete()
    post.send("one")
    assert json.loads((post.control / "work.exchange").read_text()) == [["work", "", "work"]]
    assert [name.partition(".")[2] for name in post.files()] == ["work.msg", "work.msg"]


def test_a_queue_that_is_on_the_list_is_not_written_again(post, monkeypatch):
    Queue("other", Exchange("work"), routing_key="work")(post.channel).declare()
    monkeypatch.setattr(broker, "_write", None)
    for _ in range(2):
        post.connection.transport.state.clear()  # as in another process
        post.queue.declare()


def test_what_is_sent_to_all_reaches_all_who_are_bound_by_any_process(post):
    (post.control / "all.exchange").write_text(json.dumps([["", "", "elsewhere"]]))
    everybody = Exchange("all", type="fanout")
    Queue("here", everybody)(post.channel).declare()
    Producer(post.channel).publish("hello", exchange=everybody, declare=[everybody])
    assert sorted(name.partition(".")[2] for name in post.files()) == ["elsewhere.msg", "here.msg"]


def test_ten_messages_take_a_second_and_not_ten(post, monkeypatch):
    """A worker that takes one at a time looks again after each, and rests between two looks."""
    rests: list[float] = []
    got: list[Any] = []
    pending: list[Any] = []

    def work(body: Any, message: Any) -> None:
        got.append(body)
        pending.append(message)

    def rest(seconds: float) -> None:
        rests.append(seconds)
        pending.pop().ack()

    monkeypatch.setattr("kombu.transport.virtual.base.sleep", rest)
    with Consumer(post.channel, [post.queue], callbacks=[work]) as consumer:
        consumer.qos(prefetch_count=1)
        for number in range(10):
            post.send(number)
        for _ in range(10):
            post.connection.drain_events(timeout=2)
    assert got == list(range(10))
    assert sum(rests) <= 1.0
