"""The addresses of webhooks."""

from typing import Any

from sandbox.woocommerce.clock import SiteClock
from sandbox.woocommerce.errors import RestError, not_in
from sandbox.woocommerce.fields import ITEM_METHODS
from sandbox.woocommerce.hooks import HOOKS, Hooks, Webhook
from sandbox.woocommerce.paging import choice, paged
from sandbox.woocommerce.rest import CREATE, READ_LIST, Call, Reply, Route, item_routes

STATUSES = ["active", "paused", "disabled"]


class WebhookRoutes:
    """Webhooks one at a time and in a list. The secret goes in and never comes out."""

    def __init__(self, hooks: Hooks, clock: SiteClock) -> None:
        self._hooks, self._clock = hooks, clock

    def routes(self) -> list[Route]:
        """Result: the addresses below /wp-json."""
        return [
            Route(("GET",), "/wc/v3/webhooks", self.list_webhooks, READ_LIST),
            Route(("POST",), "/wc/v3/webhooks", self.create_webhook, CREATE),
            *item_routes("/wc/v3/webhooks/<int:number>", get=self.get_webhook, edit=self.put_webhook, delete=self.delete_webhook),
        ]

    def list_webhooks(self, call: Call) -> Reply:
        status = choice(call.query, "status", ["all", *STATUSES], "all")
        falling = choice(call.query, "order", ["asc", "desc"], "desc") == "desc"
        found = [hook for hook in self._hooks.hooks.values() if status in ("all", hook.status)]
        by_id = choice(call.query, "orderby", ["date", "id", "title"], "date") == "id"
        found.sort(key=lambda hook: hook.id if by_id else hook.created, reverse=falling)
        page = paged(found, call.query)
        return Reply([self._row(call, hook) for hook in page.rows], headers=page.headers(call.url, call.query))

    def create_webhook(self, call: Call) -> Reply:
        body = call.body
        topic = str(body.get("topic") or "")
        if topic not in HOOKS:
            message = "Webhook topic is required and must be valid."
            raise RestError(400, "woocommerce_rest_shop_webhook_invalid_topic", message)
        hook = self._hooks.create(
            topic=topic,
            delivery_url=_delivery_url(body),
            secret=str(body.get("secret") or ""),
            name=str(body.get("name") or "Webhook created"),
            status=_status(body) or "active",
        )
        shown = self._row(call, hook)
        hook.modified = hook.created
        return Reply(shown, 201, [("Location", f"{call.base}/wp-json/wc/v3/webhooks/{hook.id}")])

    def get_webhook(self, call: Call, number: int) -> Reply:
        return Reply(self._row(call, self._hook(number)))

    def put_webhook(self, call: Call, number: int) -> Reply:
        """Changing the status keeps the count of failures (e11)."""
        hook, body = self._hook(number, missing=400), call.body
        if body.get("delivery_url") is not None:
            hook.delivery_url = _delivery_url(body)
        if body.get("topic") in HOOKS:
            hook.topic = body["topic"]
        hook.status = _status(body) or hook.status
        hook.name = str(body.get("name") or hook.name)
        hook.secret = str(body.get("secret") or hook.secret)
        hook.modified = self._clock.now()
        return Reply(self._row(call, hook))

    def delete_webhook(self, call: Call, number: int) -> Reply:
        hook = self._hook(number)
        if not call.flag("force"):
            raise RestError(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
        del self._hooks.hooks[number]
        return Reply(self._row(call, hook))

    def _hook(self, number: int, *, missing: int = 404) -> Webhook:
        if number not in self._hooks.hooks:
            raise RestError(missing, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return self._hooks.hooks[number]

    def _row(self, call: Call, hook: Webhook) -> dict[str, Any]:
        resource, _, event = hook.topic.partition(".")
        modified = hook.modified
        address = f"{call.base}/wp-json/wc/v3/webhooks"
        return {
            "id": hook.id,
            "name": hook.name,
            "status": hook.status,
            "topic": hook.topic,
            "resource": resource,
            "event": event,
            "hooks": HOOKS[hook.topic],
            "delivery_url": hook.delivery_url,
            "date_created": self._clock.local(hook.created),
            "date_created_gmt": self._clock.gmt(hook.created),
            "date_modified": None if modified is None else self._clock.local(modified),
            "date_modified_gmt": None if modified is None else self._clock.gmt(modified),
            "_links": {
                "self": [{"href": f"{address}/{hook.id}", "targetHints": {"allow": ITEM_METHODS}}],
                "collection": [{"href": address}],
            },
        }


def _status(body: dict[str, Any]) -> str:
    status = body.get("status")
    if status is not None and status not in STATUSES:
        raise not_in("status", STATUSES)
    return str(status or "")


def _delivery_url(body: dict[str, Any]) -> str:
    url = str(body.get("delivery_url") or "")
    if not url.startswith(("http://", "https://")):
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise RestError(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", message)
    return url
