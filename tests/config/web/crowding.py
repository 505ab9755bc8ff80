"""Senders who never finish and connections that say nothing, against a web server on this machine; and how it fares meanwhile."""

import base64
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256

import requests

SLOW = b"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"


@contextmanager
def slow_bodies(port: int, count: int, *, path: str = "/webhook/order") -> Iterator[list[socket.socket]]:
    """So many requests whose body begins and never goes on."""
    with idle_connections(port, count) as links:
        for link in links:
            link.sendall(SLOW.replace(b"{path}", path.encode()))
        yield links


@contextmanager
def idle_connections(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections on which nothing is said."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(count)]


def webhook(address: str, secret: str, order_id: int) -> requests.Response:
    body = json.dumps({"order_id": order_id, "items": []}).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), body, sha256).digest()).decode()
    headers = {"Content-Type": "application/json", "X-WC-Webhook-Signature": signature}
    return requests.post(f"{address}/webhook/order", data=body, headers=headers, timeout=10)


def took(ask: Callable[[int], requests.Response], *, times: int = 20) -> float:
    """Result: the longest of so many answers in seconds, each of which must be a good one."""
    longest = 0.0
    for number in range(times):
        began = time.monotonic()
        answer = ask(number)
        longest = max(longest, time.monotonic() - began)
        assert answer.status_code == 200, answer.text
    return longest


def longest_waits(address: str, secret: str) -> dict[str, float]:
    """Result: the longest of 20 answers, in seconds, by what was asked."""
    return {
        "health": took(lambda _: requests.get(f"{address}/healthz", timeout=10)),
        "login": took(lambda _: requests.get(f"{address}/admin/login/", timeout=10)),
        "webhook": took(lambda number: webhook(address, secret, 7000 + number)),
    }
