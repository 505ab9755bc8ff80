"""A web server that says what a test tells it to, over real HTTP."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

HTML = "text/html; charset=UTF-8"


@dataclass
class Request:
    """One request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """One reply. `cut` sends only so many bytes of the body, `drop` ends the connection without a reply."""

    status: int = 200
    body: Any = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=UTF-8"
    cut: int | None = None
    drop: type[ConnectionError] | None = None

    def payload(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


Script = Callable[[Request], Answer]


class Scripted:
    """A WSGI app. Answers in the order given, the last one for ever; an answer may be a function of the request."""

    def __init__(self, *answers: Answer | Script) -> None:
        self._answers = list(answers)
        self._lock = Lock()
        self.requests: list[Request] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        headers = {key[5:].replace("_", "-").title(): value for key, value in environ.items() if key.startswith("HTTP_")}
        raw = environ["QUERY_STRING"]
        body = environ["wsgi.input"].read()
        query = dict(parse_qsl(raw, keep_blank_values=True))
        request = Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, raw, headers, body)
        with self._lock:
            self.requests.append(request)
            chosen = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        answer = chosen if isinstance(chosen, Answer) else chosen(request)
        if answer.drop:
            raise answer.drop
        payload = answer.payload()
        start(
            f"{answer.status} Said",
            [("Content-Type", answer.content_type), ("Content-Length", str(len(payload))), *answer.headers.items()],
        )
        return [payload] if answer.cut is None else self._cut(payload[: answer.cut])

    def _cut(self, part: bytes) -> Iterator[bytes]:
        yield part
        raise ConnectionAbortedError


def listing(rows: list[dict[str, Any]], *, total: int | None = None) -> Answer:
    """A page of rows with the shop's own count."""
    return Answer(body=rows, headers={"X-WP-Total": str(len(rows) if total is None else total)})
