"""What another process may do to the shop, besides what any REST client can: `POST /__sandbox/<name>`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.order import Order

if TYPE_CHECKING:
    from sandbox.woocommerce.app import StoreApp

Given = dict[str, Any]
Control = Callable[[Given], Any]


def store_controls(store: "StoreApp") -> dict[str, Control]:
    """Result: the controls of that shop by name. Each takes the JSON object sent and gives the one to answer."""

    def on_order(act: Callable[[Order], None]) -> Control:
        def control(given: Given) -> Given:
            order = store.order(int(given["id"]))
            act(order)
            return {"order_id": order.id, "status": order.status}

        return control

    def check_out(given: Given) -> Given:
        """A shopper buys. The answer of a refusal is the one the shopper sees."""
        pay_by = given.get("payment_method", "cod")
        try:
            order = store.checkout.check_out(given["lines"], payment_method=pay_by, draft=bool(given.get("draft")))
        except RestError as refusal:
            return refusal.body()
        return {"order_id": order.id, "status": order.status, "order_key": order.key, "payment_method": order.payment_method}

    def set_quantity(given: Given) -> Given:
        store.set_quantity(int(given["id"]), int(given["quantity"]))
        return given

    def steer_hooks(given: Given) -> Given:
        """`latency` in seconds, `paused` yes or no."""
        store.hooks.latency = float(given.get("latency", store.hooks.latency))
        if "paused" in given:
            (store.hooks.pause if given["paused"] else store.hooks.resume)()
        known = [asdict(hook) for hook in store.hooks.hooks.values()]
        return {"latency": store.hooks.latency, "waiting": store.hooks.waiting, "hooks": known}

    def steer_cache(given: Given) -> Given:
        """A page cache in front of the shop: `on` yes or no, and what `PageCache` takes."""
        options = dict(given)
        if options.pop("on", True):
            store.cache_pages(**options)
        else:
            store.page_cache = None
        return {"on": store.page_cache is not None}

    def steer_shop(given: Given) -> Given:
        """Switches of the shop itself."""
        store.keys.basic_over_http = bool(given.get("basic_over_http", store.keys.basic_over_http))
        store.race_gap = float(given.get("race_gap", store.race_gap))
        store.catalogue.cost_enabled = bool(given.get("cost_enabled", store.catalogue.cost_enabled))
        return {
            "basic_over_http": store.keys.basic_over_http,
            "race_gap": store.race_gap,
            "cost_enabled": store.catalogue.cost_enabled,
        }

    return {
        "checkout": check_out,
        "cancel_unpaid": lambda _given: {"cancelled": [order.id for order in store.checkout.cancel_unpaid()]},
        "finish": on_order(store.checkout.finish),
        "pay": on_order(store.checkout.pay),
        "cancel": on_order(lambda order: store.book.update(order, {"status": "cancelled"})),
        "refund": on_order(lambda order: store.refund_order(order.id)),
        "quantity": set_quantity,
        "hooks": steer_hooks,
        "page_cache": steer_cache,
        "shop": steer_shop,
    }
