"""Webhooks: who is told of what, and the telling itself, over HTTP from a thread of its own (recordings e01–e21)."""

import base64
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5, sha256
from threading import Condition, Thread
from typing import Any

import urllib3

from sandbox.faults import Faults
from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.rest import php_json

log = logging.getLogger("sandbox")

HOOKS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["wp_trash_post", "woocommerce_trash_order"],
    "order.restored": ["untrashed_post", "woocommerce_untrash_order"],
    "product.created": ["woocommerce_process_product_meta", "woocommerce_new_product", "woocommerce_new_product_variation"],
    "product.updated": ["woocommerce_process_product_meta", "woocommerce_update_product", "woocommerce_update_product_variation"],
    "product.deleted": ["wp_trash_post"],
    "product.restored": ["untrashed_post"],
}
FAILURES_BEFORE_DISABLED = 5
WORDPRESS = "6.8.5"


@dataclass
class Webhook:
    """One subscription. `failures` is what REST never shows."""

    id: int
    topic: str
    delivery_url: str
    secret: str
    created: int
    name: str = ""
    status: str = "active"
    modified: int | None = None
    failures: int = 0


@dataclass
class Delivery:
    """One thing to tell. It is due at a moment of `time.monotonic`; `ping` says hello to a new webhook."""

    hook: Webhook
    resource_id: int
    due: float
    ping: bool = False
    spared: bool = False


class Hooks:
    """The webhooks of a shop and what waits to be delivered. Bodies are built at delivery time (e04).

    `latency` (seconds) is how long the shop's cron takes; `paused` holds everything back until it is unset by `resume`.
    """

    def __init__(self, clock: SiteClock, *, version: str, faults: Faults, body_of: Callable[[str, int], dict[str, Any]]) -> None:
        self.hooks: dict[int, Webhook] = {}
        self.latency = 0.0
        self.timeout = 60.0
        self.site_url = "http://127.0.0.1"
        self._clock, self._version, self._faults, self._body_of = clock, version, faults, body_of
        self._change = Condition()
        self._waiting: list[Delivery] = []
        self._busy = False
        self._paused = False
        self._closing = False
        self._thread: Thread | None = None

    def create(self, *, topic: str, delivery_url: str, secret: str, name: str, status: str) -> Webhook:
        """Result: the new webhook; a ping is on its way to it."""
        with self._change:
            number = max(self.hooks, default=0) + 1
            hook = Webhook(number, topic, delivery_url, secret or secrets.token_hex(25), self._clock.now(), name, status)
            self.hooks[number] = hook
            if status == "active":
                self._waiting.append(Delivery(hook, 0, time.monotonic(), ping=True))
            self._wake()
        return hook

    def announce(self, topic: str, resource_id: int) -> None:
        """Something happened. What waits for the same webhook and thing already is not queued twice
        (woocommerce_answers.md 23)."""
        with self._change:
            waiting = {(delivery.hook.id, delivery.resource_id) for delivery in self._waiting}
            for hook in self.hooks.values():
                if hook.topic == topic and hook.status == "active" and (hook.id, resource_id) not in waiting:
                    self._waiting.append(Delivery(hook, resource_id, time.monotonic() + self.latency))
            self._wake()

    def pause(self) -> None:
        """Deliver nothing until `resume`."""
        with self._change:
            self._paused = True

    def resume(self) -> None:
        """Deliver what has been held back, and go on."""
        with self._change:
            self._paused = False
            self._wake()

    @property
    def waiting(self) -> int:
        """Deliveries that are still to be made."""
        with self._change:
            return len(self._waiting) + self._busy

    def wait_idle(self, seconds: float = 5.0) -> bool:
        """Wait until everything is delivered. Result: whether it is, after that many seconds at most."""
        with self._change:
            return self._change.wait_for(lambda: not self._waiting and not self._busy, timeout=seconds)

    def close(self) -> None:
        """End the thread; what waits goes on waiting, and is delivered if the shop is used again."""
        with self._change:
            self._closing = True
            self._change.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(timeout=5)
        with self._change:
            self._closing = False

    def _wake(self) -> None:
        if self._waiting and self._thread is None and not self._closing:
            self._thread = Thread(target=self._work, name="sandbox-webhooks", daemon=True)
            self._thread.start()
        self._change.notify_all()

    def _work(self) -> None:
        while True:
            with self._change:
                delivery = self._next()
                if delivery is None:
                    return
                self._busy = True
            try:
                self._deliver(delivery)
            except Exception:
                log.exception("A webhook delivery failed inside the sandbox")
            finally:
                with self._change:
                    self._busy = False
                    self._change.notify_all()

    def _next(self) -> Delivery | None:
        """Wait for a delivery that is due and take it out of the queue; None when closing. Call it with the lock held."""
        while not self._closing:
            now = time.monotonic()
            due = None if self._paused else next((one for one in self._waiting if one.due <= now), None)
            if due is not None:
                self._waiting.remove(due)
                return due
            soonest = min((one.due for one in self._waiting), default=now + 60) - now
            self._change.wait(60 if self._paused else max(soonest, 0.001))
        return None

    def _deliver(self, delivery: Delivery) -> None:
        hook = delivery.hook
        if hook.status != "active" or self.hooks.get(hook.id) is not hook:
            return
        if delivery.ping:
            self._post(hook, f"webhook_id={hook.id}".encode(), {"Content-Type": "application/x-www-form-urlencoded"})
            return
        fault = None if delivery.spared else self._faults.take_for_webhook(hook.topic)
        if fault is not None and fault.kind == "webhook_lost":
            return
        if fault is not None and fault.kind in ("webhook_late", "webhook_reordered"):
            self._postpone(delivery, fault.seconds if fault.kind == "webhook_late" else 0.0)
            return
        for _ in range(2 if fault is not None else 1):
            self._tell(hook, delivery.resource_id)

    def _postpone(self, delivery: Delivery, seconds: float) -> None:
        """Late: due again after `seconds`. Reordered (0 s): behind everything that waits now."""
        delivery.spared = True
        with self._change:
            delivery.due = time.monotonic() + seconds
            self._waiting.append(delivery)

    def _tell(self, hook: Webhook, resource_id: int) -> None:
        resource, _, event = hook.topic.partition(".")
        body = php_json(self._body_of(hook.topic, resource_id)).encode()
        signed = hmac.new(hook.secret.encode(), body, sha256).digest()
        # WooCommerce hashes the webhook's number and the second: deliveries of one second share their id (v_w03).
        delivery_id = md5(f"{hook.id}{self._clock.now()}".encode(), usedforsecurity=False).hexdigest()
        status = self._post(
            hook,
            body,
            {
                "Content-Type": "application/json",
                "X-WC-Webhook-Source": f"{self.site_url}/",
                "X-WC-Webhook-Topic": hook.topic,
                "X-WC-Webhook-Resource": resource,
                "X-WC-Webhook-Event": event,
                "X-WC-Webhook-Signature": base64.b64encode(signed).decode(),
                "X-WC-Webhook-ID": str(hook.id),
                "X-WC-Webhook-Delivery-ID": delivery_id,
            },
        )
        self._judge(hook, succeeded=200 <= status <= 302)

    def _judge(self, hook: Webhook, *, succeeded: bool) -> None:
        with self._change:
            if succeeded:
                hook.failures = 0
            elif hook.failures > FAILURES_BEFORE_DISABLED:
                hook.status, hook.modified = "disabled", self._clock.now()
            else:
                hook.failures += 1

    def _post(self, hook: Webhook, body: bytes, headers: dict[str, str]) -> int:
        """Result: the status that came back; 0 for none."""
        agent = f"WooCommerce/{self._version} Hookshot (WordPress/{WORDPRESS})"
        common = {"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "deflate, gzip, br, zstd", "Connection": "close"}
        with urllib3.PoolManager(num_pools=1) as pool:
            try:
                reply = pool.request(
                    "POST",
                    hook.delivery_url,
                    body=body,
                    headers=common | headers,
                    redirect=False,
                    retries=False,
                    timeout=self.timeout,
                )
            except urllib3.exceptions.HTTPError:
                return 0
            return int(reply.status)
