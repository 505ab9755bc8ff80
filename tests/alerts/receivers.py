"""A mail server and a webhook receiver on this machine: they take what really arrives."""

import json
import socket
import threading
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from werkzeug.wrappers import Request, Response


class _Session(StreamRequestHandler):
    """Just enough of RFC 5321 for one client that means well."""

    server: "MailSink"

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb in ("EHLO", "HELO"):
                self._say("250 sink")
            elif verb == "RCPT" and self.server.refuses and self.server.refuses in line:
                self._say(self.server.refusal)
            elif verb == "DATA":
                self._say("354 go on")
                self._take()
                if self.server.vanishes:
                    return
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if self.server.busy:
            self._say("451 try again later")
            return
        self.server.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
        if not self.server.vanishes:
            self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailSink(ThreadingTCPServer):
    """A mail server that keeps what it takes. `refuses`: a recipient, in the words of `refusal`; `busy`: it takes nothing now;
    `vanishes`: it takes a mail and hangs up without a word."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[EmailMessage] = []
        self.refuses, self.busy, self.vanishes = "", False, False
        self.refusal = "550 no such mailbox"
        self.port: int = self.server_address[1]

    def __enter__(self) -> "MailSink":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


@dataclass
class Hook:
    """A receiver of webhooks, as a WSGI app. `status`: what it answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        request = Request(environ)
        self.got.append((dict(request.headers), request.get_data()))
        return Response("ok", self.status, headers=self.headers)(environ, start)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as here:
        here.bind(("127.0.0.1", 0))
        return int(here.getsockname()[1])
