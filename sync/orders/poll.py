"""Polling: what webhooks missed (engine.md). The store's own count is checked, trashed orders are read too."""

from datetime import datetime

from django.db.models import Q

from connectors.contract import SetAside
from connectors.models import Connection
from sync.orders.inbox import inbox_work
from sync.orders.turns import Clock, orders_book, orders_tell, turn_use
from sync.selectors import orders_unread_since
from sync.turns.context import RunContext


def orders_poll(*, store: Connection, now: Clock, since: datetime | None = None) -> str:
    """Book every order that changed since the last time, or since then, and tell it on. Result: "done", "busy" when a run is at
    it (runs read the orders themselves), "failed" when the store could not be read: the next poll reads from the same moment.

    What came by webhook is worked off first, so that what is left is what webhooks missed."""
    inbox_work(store=store, now=now)

    def poll(ctx: RunContext) -> None:
        began = now()
        read_until = orders_unread_since(store=store, now=began)
        odd: list[SetAside] = []
        orders = ctx.store.store.read_orders(modified_after=min(read_until, since or read_until), aside=odd.append)
        orders_book(ctx=ctx, orders=orders, told=False, odd=odd)
        unread = Q(orders_read_until=None) | Q(orders_read_until__lt=began)
        Connection.objects.filter(unread, pk=store.pk).update(orders_read_until=began)
        orders_tell(ctx=ctx, remote_ids=[order.remote_id for order in orders])

    return turn_use(store=store, now=now, work=poll)
