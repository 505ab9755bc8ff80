"""found/wire.md S1, S2, S4: the door takes bodies within bounds before a thread is kept; no header has two spellings."""

import asyncio
import json
from collections.abc import Callable, Iterable
from itertools import repeat
from threading import Barrier, Event
from typing import Any

import pytest

from config.web.body import Bounds
from config.web.door import Door

BOUNDS = Bounds(anyone=100, grace=0.2, least_rate=1000, together=1500)
Part = tuple[float, bytes]  # after so many seconds, these bytes


class Asked:
    """One request at the door. `parts` come one by one, and then nothing any more; `ends`: the last one says that it is."""

    def __init__(self, *parts: Part, path: str = "/", headers: Iterable[tuple[str, str]] = (), ends: bool = True) -> None:
        self.parts, self.ends, self.taken = list(parts), ends, 0
        self.answer: list[dict[str, Any]] = []
        said = [(name.encode(), value.encode()) for name, value in headers]
        self.scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": said,
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8000), "client": ("203.0.113.7", 4711),
        }  # fmt: skip

    async def receive(self) -> dict[str, Any]:
        if not self.parts:
            return await self.silence()
        seconds, body = self.parts.pop(0)
        await asyncio.sleep(seconds)
        self.taken += len(body)
        return {"type": "http.request", "body": body, "more_body": bool(self.parts) or not self.ends}

    async def silence(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("silence has no end")

    async def send(self, message: dict[str, Any]) -> None:
        self.answer.append(message)

    @property
    def said(self) -> tuple[int, str]:
        """Result: the answer's status and message."""
        return self.answer[0]["status"], json.loads(self.answer[1]["body"])["message"]


class HangsUp(Asked):
    def __init__(self, *parts: Part) -> None:
        super().__init__(*parts, ends=False)

    async def silence(self) -> dict[str, Any]:
        return {"type": "http.disconnect"}


def echo(seen: list[dict[str, Any]]) -> Callable[..., Iterable[bytes]]:
    """An application that says what it was asked."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        seen.append(environ)
        start_response("201 Created", [("X-Length", environ["CONTENT_LENGTH"])])
        return [environ["wsgi.input"].read(), b"!"]

    return app


def knock(
    *asked: Asked, app: Callable[..., Any] | None = None, may_send: int = 0, bounds: Bounds = BOUNDS
) -> list[dict[str, Any]]:
    """Have all of them at one door at once. Result: what reached the application, as WSGI has it."""
    seen: list[dict[str, Any]] = []
    door = Door(app or echo(seen), may_send=lambda _environ: may_send, threads=2, bounds=bounds)

    async def all_at_once() -> None:
        await asyncio.gather(*(door(each.scope, each.receive, each.send) for each in asked))

    asyncio.run(all_at_once())
    return seen


def test_a_whole_request_is_answered_by_the_application():
    asked = Asked((0, b"one, "), (0, b"two"), headers=[("content-type", "text/plain"), ("cookie", "a=1"), ("cookie", "b=2")])
    (environ,) = knock(asked)
    assert asked.answer == [
        {"type": "http.response.start", "status": 201, "headers": [(b"x-length", b"8")]},
        {"type": "http.response.body", "body": b"one, two!"},
    ]
    assert (environ["CONTENT_TYPE"], environ["CONTENT_LENGTH"], environ["HTTP_COOKIE"]) == ("text/plain", "8", "a=1; b=2")
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"], environ["PATH_INFO"]) == ("203.0.113.7", "8000", "/")


def test_a_path_reaches_the_application_byte_by_byte():
    (environ,) = knock(Asked((0, b""), path="/a%2Fb%ff/%C3%A9"))
    assert environ["PATH_INFO"].encode("latin-1") == b"/a/b\xff/\xc3\xa9"


@pytest.mark.parametrize("name", ["x_forwarded-for", "x-forwarded_for", "x_forwarded_for", "x_forwarded_proto"])
def test_a_header_in_another_spelling_than_the_proxys_reaches_nobody(name):
    headers = [(name, "198.51.100.1"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "http")]
    (environ,) = knock(Asked((0, b""), headers=headers))
    assert (environ["HTTP_X_FORWARDED_FOR"], environ["HTTP_X_FORWARDED_PROTO"]) == ("203.0.113.9", "http")


def test_how_the_body_came_is_not_passed_on():
    (environ,) = knock(Asked((0, b"abc"), headers=[("transfer-encoding", "chunked"), ("content_length", "99")]))
    assert environ["CONTENT_LENGTH"] == "3"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_body_that_stops_coming_is_given_up_and_nobody_is_asked():
    asked = Asked((0, b"{"), ends=False)
    assert knock(asked) == []
    assert asked.said == (408, "The request came too slowly to be waited for. Send it again.")


def test_a_body_that_trickles_is_given_up():
    """A byte now and then is never silence: the least rate ends it."""
    asked = Asked(*repeat((0.03, b"x"), 60))
    assert knock(asked) == []
    assert asked.said[0] == 408
    assert asked.taken < 12


def test_a_body_that_comes_fast_enough_may_take_longer_than_the_grace():
    asked = Asked(*repeat((0.05, b"x" * 80), 8))
    assert len(knock(asked, may_send=1000)) == 1
    assert asked.taken == 640


def test_slow_senders_keep_no_thread():
    slow = [Asked((0, b"{"), ends=False) for _ in range(24)]
    quick = [Asked((0.05, b"now")) for _ in range(3)]
    assert len(knock(*slow, *quick)) == 3
    assert {each.answer[0]["status"] for each in quick} == {201}


@pytest.mark.parametrize("named", [True, False], ids=["length named", "no length"])
def test_a_stranger_sends_no_more_than_anyone_may(named):
    asked = Asked((0, b"x" * 100), (0, b"x"), headers=[("content-length", "101")] if named else [])
    assert knock(asked) == []
    assert asked.said == (413, "More than 100 bytes, the most that is taken here.")
    assert asked.taken == (0 if named else 101)
    assert (b"connection", b"close") in asked.answer[0]["headers"]


def test_who_may_send_more_sends_so_much_and_no_more():
    fits, over = Asked((0, b"x" * 500)), Asked((0, b"x" * 501))
    (environ,) = knock(fits, over, may_send=500)
    assert environ["CONTENT_LENGTH"] == "500"
    assert over.said[0] == 413


def test_a_length_that_lies_does_not_count():
    asked = Asked((0, b"x" * 100), (0, b"x" * 100), headers=[("content-length", "5")])
    assert knock(asked) == []
    assert asked.said[0] == 413


def test_large_bodies_together_take_no_more_than_there_is_room_for():
    asked = [Asked((0, b"x" * 600), (0.1, b"")) for _ in range(3)]
    assert len(knock(*asked, may_send=1000)) == 2
    assert sorted(each.answer[0]["status"] for each in asked) == [201, 201, 503]


def test_room_is_given_back_whatever_became_of_the_request():
    large = (0, b"x" * 900)
    answered, slow, over, hung_up, last = (
        Asked(large), Asked(large, ends=False), Asked((0, b"x" * 901)), HangsUp(large), Asked(large),
    )  # fmt: skip
    door = Door(
        echo([]), may_send=lambda _: 900, threads=1, bounds=Bounds(anyone=100, grace=0.1, least_rate=10_000, together=1000)
    )

    async def one_after_another() -> None:
        for each in (answered, slow, over, hung_up, last):
            await door(each.scope, each.receive, each.send)

    asyncio.run(one_after_another())
    assert hung_up.answer == []
    assert [each.answer[0]["status"] for each in (answered, slow, over, last)] == [201, 408, 413, 201]


def test_two_threads_answer_two_requests_at_once():
    both = Barrier(2, timeout=5)

    def app(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        both.wait()
        start_response("200 OK", [])
        return [b""]

    asked = [Asked((0, b"")) for _ in range(2)]
    knock(*asked, app=app)
    assert [each.answer[0]["status"] for each in asked] == [200, 200]


def test_who_reads_the_answer_slowly_keeps_no_thread():
    """With as many slow readers as there are threads, the next one is answered all the same."""
    reads = Event()

    class Slow(Asked):
        async def send(self, message: dict[str, Any]) -> None:
            while not reads.is_set():
                await asyncio.sleep(0.01)
            await super().send(message)

    class Quick(Asked):
        async def send(self, message: dict[str, Any]) -> None:
            reads.set()
            await super().send(message)

    asked = [Slow((0, b"")), Slow((0, b"")), Quick((0.05, b""))]
    knock(*asked)
    assert [each.answer[0]["status"] for each in asked] == [201] * 3


def test_an_application_is_closed_when_it_has_answered_and_when_it_fails():
    closed = []

    class Parts:
        def __iter__(self) -> Any:
            yield b"a"
            raise ValueError("in the middle")

        def close(self) -> None:
            closed.append(True)

    def app(_environ: dict[str, Any], start_response: Any) -> Parts:
        start_response("200 OK", [])
        return Parts()

    asked = Asked((0, b""))
    with pytest.raises(ValueError, match="in the middle"):
        knock(asked, app=app)
    assert (closed, asked.answer) == ([True], [])
