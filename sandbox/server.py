"""Serves a WSGI app on the loopback, the way a shop's web server would: threads, HTTP/1.1 with keep-alive, TLS if asked."""

import logging
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from socketserver import TCPServer
from threading import Event, Lock, Thread, current_thread
from typing import IO, Any, Self, cast
from urllib.parse import unquote

from werkzeug.serving import DechunkedInput

from sandbox.tls import Certificate

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
log = logging.getLogger("sandbox")


class _Handler(BaseHTTPRequestHandler):
    """One connection. A reply leaves in one piece, and an app that raises ConnectionError leaves the caller without one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, ValueError):  # the caller hung up, or the server is stopping: nobody is left to tell
            self.close_connection = True

    def _run(self) -> None:
        environ = self._environ()
        head: list[Any] = []
        try:
            parts = self.server.app(environ, lambda status, headers, _exc=None: head.extend((status, headers)))
            self._send(head, parts)
        except ConnectionError as drop:
            self._hang_up(reset=isinstance(drop, ConnectionResetError))
        except Exception:
            log.exception("The sandbox app failed at %s %s", self.command, self.path)
            self._send(["500 Internal Server Error", [("Content-Length", "0")]], [])

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _run  # noqa: N815 - http.server's names

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self.server.scheme,
            "wsgi.input": self._body(),
            "wsgi.input_terminated": True,
            "wsgi.errors": None,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "sandbox.stopping": self.server.stopping,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": self.server.host,
            "SERVER_PORT": str(self.server.port),
            "SERVER_PROTOCOL": self.request_version,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return environ

    def _body(self) -> BytesIO:
        # Read whole before the app runs: an app that ignores its body must not leave it in the way of the next request.
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return BytesIO(DechunkedInput(cast(IO[bytes], self.rfile)).read())
        return BytesIO(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _send(self, head: list[Any], parts: Iterable[bytes]) -> None:
        payload = bytearray()
        broken: ConnectionError | None = None
        try:
            for part in parts:
                payload += part
        except ConnectionError as drop:
            broken = drop
        finally:
            if hasattr(parts, "close"):
                parts.close()
        status, headers = head
        names = {name.lower() for name, _ in headers}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if "content-length" not in names:
            lines.append(f"Content-Length: {len(payload)}")
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        if self.close_connection:
            lines.append("Connection: close")
        self.connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + payload)
        if broken is not None:
            raise broken

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:  # closing with a zero linger time sends RST instead of FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.server.resets.add(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Quiet: the app keeps its own log of requests."""


class _Server(TCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app: WsgiApp, *, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.app, self.host = app, host
        self.scheme = "https" if tls else "http"
        self.stopping = Event()
        self.resets: set[socket.socket] = set()
        self._tls = tls
        self._lock = Lock()
        self._open: dict[Thread, socket.socket] = {}
        super().__init__((host, port), _Handler)
        self.port: int = self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is None:
            return connection, address
        # The handshake is left to the connection's own thread: a silent caller must not keep the others waiting.
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = Thread(target=self._converse, args=(request, client_address), name="sandbox-connection", daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _converse(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            log.debug("A connection from %s broke", client_address)
        finally:
            self.shutdown_request(request)
            with self._lock:
                self._open.pop(current_thread(), None)

    def shutdown_request(self, request: Any) -> None:
        if request in self.resets:
            self.resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def hang_up_all(self) -> None:
        """End every open connection and wait for its thread."""
        self.stopping.set()
        with self._lock:
            waiting = dict(self._open)
        for connection in waiting.values():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # it ended by itself meanwhile
                continue
        for thread in waiting:
            thread.join(timeout=10)


class RunningServer:
    """A served app. `url` has no slash at its end; `ca_file` is set with TLS only. Use it as a context manager, or `stop` it."""

    def __init__(self, server: _Server, certificate: Certificate | None) -> None:
        self._server, self._certificate = server, certificate
        self.host, self.port = server.host, server.port
        self.url = f"{server.scheme}://{server.host}:{server.port}"
        self.ca_file = certificate.ca_file if certificate else None
        self._thread = Thread(target=server.serve_forever, args=(0.02,), name="sandbox-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, end open connections, free the port. Calling it twice is harmless."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.hang_up_all()
        if hasattr(self._server.app, "close"):  # an app with threads of its own
            self._server.app.close()
        if self._certificate:
            self._certificate.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()


def serve(app: WsgiApp, *, host: str = "127.0.0.1", port: int = 0, tls: bool = False) -> RunningServer:
    """Serve `app` in threads of this process. Result: the running server, listening already; port 0 picks a free one."""
    certificate = Certificate(host) if tls else None
    server = _Server(app, host=host, port=port, tls=certificate.server_context() if certificate else None)
    return RunningServer(server, certificate)
