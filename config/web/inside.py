"""Behind the door: one whole request as WSGI has it (PEP 3333), answered whole by the application, in one thread."""

import sys
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

Header = tuple[bytes, bytes]
OF_THE_WAY = frozenset({b"content-length", b"transfer-encoding"})  # how the body came; it is whole by now
Environ = dict[str, Any]
WsgiApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: nothing of it waits for whoever reads it."""

    status: int
    headers: list[Header]
    body: bytes


def environ_of(scope: MutableMapping[str, Any], body: bytes) -> Environ:
    """Result: the request as WSGI has it. What is said of the body's length on the way is replaced by what it is.

    A header whose name has an underscore is left out: it would end up under the same key as the one with a hyphen, which only our
    proxy may say (X-Forwarded-For). Of one that is said twice both count, in order, as HTTP has it."""
    host, port = scope.get("server") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": (scope.get("client") or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, said in scope["headers"]:
        if b"_" in name or name in OF_THE_WAY:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        value = said.decode("latin-1")
        environ[key] = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}" if key in environ else value
    return environ


def ask(app: WsgiApp, environ: Environ) -> Answer:
    """Result: what the application answers, to the last byte; its own end has come too (a database connection is free again)."""
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        head[:] = status, headers

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if close := getattr(parts, "close", None):
            close()
    status, headers = head
    return Answer(int(status[:3]), [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers], body)
