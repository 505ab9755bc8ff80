"""A broker of files for a test, and what may lie in its folder."""

import base64
import json
from pathlib import Path
from typing import Any

from kombu import Connection, Exchange, Producer, Queue

QUEUE = Queue("work", Exchange("work"), routing_key="work")


class Post:
    """A broker of its own, with one sender and one reader."""

    def __init__(self, folder: Path) -> None:
        self.waiting, self.control = folder / "queue", folder / "control"
        for made in (self.waiting, self.control):
            made.mkdir()
        self.connection = Connection(
            "filesystem://localhost",
            transport="jobs.broker:Transport",
            transport_options={
                "data_folder_in": str(self.waiting),
                "data_folder_out": str(self.waiting),
                "control_folder": str(self.control),
            },
        )
        self.connection.transport.state.clear()  # kombu keeps one for the process
        self.channel = self.connection.channel()
        self.queue = QUEUE(self.channel)
        self.queue.declare()

    def send(self, body: object, **more: Any) -> None:
        Producer(self.channel).publish(body, exchange="work", routing_key="work", declare=[self.queue], **more)

    def receive(self) -> Any:
        message = self.queue.get(no_ack=True)
        return message and message.payload

    def files(self) -> list[str]:
        return sorted(path.name for path in self.waiting.iterdir())

    def put(self, content: bytes, name: str = "0-00000000000000000001-broken.work.msg") -> Path:
        """Lay a file into the folder, before all others."""
        path = self.waiting / name
        path.write_bytes(content)
        return path

    @staticmethod
    def message(said: object = "hello", **changed: Any) -> bytes:
        """Result: a message as it lies in the folder, with parts of it changed; with None, left out."""
        properties = {
            "delivery_tag": "t1",
            "delivery_info": {"exchange": "work", "routing_key": "work"},
            "body_encoding": "base64",
            "priority": 0,
        }
        whole = {
            "body": base64.b64encode(json.dumps(said).encode()).decode(),
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {},
            "properties": properties,
        }
        whole |= changed
        return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()
