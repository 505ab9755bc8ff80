"""The door in front of Django: it takes a request's body whole, within bounds, before a thread is kept for it.

Threads are few. Whoever sends slowly, or reads the answer slowly, costs memory that is bounded and no thread, so that a few
of them are not felt (engine.md). ASGI on the outside, WSGI on the inside.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from config.web.body import Bounds, HungUpError, Message, Receive, RefusedError, Room, body_read
from config.web.inside import Answer, WsgiApp, ask, environ_of

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")


class Door:
    """An ASGI application that has `app` answer, in one of `threads` threads.

    `may_send`: how many bytes whoever sent that request, as WSGI has it, may send. It is asked in a thread too, and only for a
    body above `bounds.anyone`.
    """

    def __init__(
        self, app: WsgiApp, *, may_send: Callable[[dict[str, Any]], int], threads: int, bounds: Bounds | None = None
    ) -> None:
        self._app, self._may_send = app, may_send
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="web")
        self._room = Room(bounds or Bounds())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with self._room.place() as place:
            try:
                body = await body_read(
                    receive,
                    announced=_announced(scope),
                    place=place,
                    may_send=lambda: self._in_thread(self._may_send, environ_of(scope, b"")),
                )
            except HungUpError:
                return
            except RefusedError as refusal:
                answer = _refusal(refusal)
            else:
                answer = await self._in_thread(ask, self._app, environ_of(scope, body))
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _in_thread(self, work: Callable[..., T], *given: Any) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *given)


def _announced(scope: Scope) -> int:
    """Result: the length by the request's own word; the server has refused what is no number."""
    return int(next((said for name, said in scope["headers"] if name == b"content-length"), b"0"))


def _refusal(refusal: RefusedError) -> Answer:
    """In JSON, as webhooks are answered; a person who reads it in a browser finds the sentence there."""
    body = json.dumps({"message": refusal.message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    return Answer(refusal.status, headers, body)
