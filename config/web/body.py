"""A request's body, taken whole: bounded in bytes, in time and in what all of them take together. Nothing here knows Django."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a body may be. `anyone`: bytes that everybody may send. `grace`: seconds before `least_rate`, in bytes a second,
    counts. `together`: bytes that all bodies above `anyone` may take at once."""

    anyone: int = 64 * 1024
    grace: float = 10.0
    least_rate: int = 16 * 1024
    together: int = 128 * 1024 * 1024


class RefusedError(Exception):
    """A request is sent away at the door. `status` and `message` are the answer."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


class HungUpError(Exception):
    """Whoever asked is gone before the body was whole: there is nobody to answer."""


class Room:
    """How much of memory the bodies above what anyone may send take at present. For one event loop."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds, self._taken = bounds, 0

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """One request's place in it, given back in the end."""
        place = Place(self)
        try:
            yield place
        finally:
            self._taken -= place.size

    def take(self, size: int) -> None:
        """Raises RefusedError (503) where there is no room for so many bytes more."""
        if self._taken + size > self.bounds.together:
            raise RefusedError(503, "Too many large requests at once. Send it again in a minute.")
        self._taken += size


class Place:
    """What one large body takes of the room."""

    def __init__(self, room: Room) -> None:
        self.bounds, self._room, self.size = room.bounds, room, 0

    def grow(self, size: int) -> None:
        """Take as much as a body of that size needs; what anyone may send needs none. Raises RefusedError (503)."""
        if size > self.bounds.anyone:
            self._room.take(size - self.size)
            self.size = size


async def body_read(receive: Receive, *, announced: int, place: Place, may_send: Callable[[], Awaitable[int]]) -> bytes:
    """Result: the whole body. `announced`: bytes by the request's own word, 0 where it says nothing. `may_send`, the most that
    its sender may send, is asked at most once, and only for a body above what anyone may send.

    Raises RefusedError (408: too slow, 413: too large, 503: no room) or HungUpError. A body that is too large is refused as soon
    as that is known: before any of it is read where it says so."""
    bounds, now = place.bounds, asyncio.get_running_loop().time
    parts: list[bytes] = []
    began, most, size, is_whole = now(), bounds.anyone, 0, False
    while True:
        if max(size, announced) > most == bounds.anyone:
            most = max(most, await may_send())
        if max(size, announced) > most:
            raise RefusedError(413, f"More than {most} bytes, the most that is taken here.")
        place.grow(size)
        if is_whole:
            return b"".join(parts)
        message = await _next(receive, seconds=bounds.grace + size / bounds.least_rate - (now() - began))
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        is_whole = not message.get("more_body")


async def _next(receive: Receive, *, seconds: float) -> Message:
    try:
        message = await asyncio.wait_for(receive(), max(0.0, seconds))
    except TimeoutError:
        raise RefusedError(408, "The request came too slowly to be waited for. Send it again.") from None
    if message["type"] != "http.request":
        raise HungUpError
    return message
