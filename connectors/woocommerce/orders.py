"""Reading a shop's orders as they are now."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.contract import Aside, OrderState, SetAside
from connectors.errors import PartialReadError, RejectedError
from connectors.http.pacing import Pacer
from connectors.woocommerce.client import Client, Page
from connectors.woocommerce.mapping import ORDER_FIELDS, order_or_aside
from connectors.woocommerce.pages import Collection, asides_tell, read_all


def orders_read(
    client: Client, pacer: Pacer, *, modified_after: datetime, overlap: timedelta, per_page: int, aside: Aside
) -> Sequence[OrderState]:
    """Result: every order modified after then, those in the trash too. Reads `overlap` further back: the shop's filter is
    strictly greater, counts whole seconds, and goes by the shop's own clock. Raises PartialReadError after two walks that
    missed rows, and UnreadableError where too many can't be read."""
    try:
        return _orders_once(client, pacer, modified_after - overlap, per_page, aside)
    except PartialReadError:
        return _orders_once(client, pacer, modified_after - overlap, per_page, aside)


def orders_read_by_id(client: Client, remote_ids: Iterable[int], aside: Aside) -> Sequence[OrderState]:
    """Result: these orders as they are now, trashed ones too; one that is gone is left out. One request each: a list leaves
    out what is in the trash."""
    found: list[OrderState] = []
    for remote_id in remote_ids:
        try:
            order = order_or_aside({"id": remote_id} | client.one(f"orders/{remote_id}", {"_fields": ORDER_FIELDS}))
        except RejectedError as gone:
            if gone.code != "woocommerce_rest_shop_order_invalid_id":
                raise
            continue
        if isinstance(order, SetAside):
            aside(replace(order, remote_id=remote_id))
        else:
            found.append(order)
    return found


def _orders_once(client: Client, pacer: Pacer, since: datetime, per_page: int, aside: Aside) -> Sequence[OrderState]:
    # A time without a zone is local to the shop unless flagged, and one with a zone and the flag finds nothing
    # (woocommerce_answers.md 2)
    naive = since.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    params = {"modified_after": naive, "dates_are_gmt": "true", "orderby": "id", "order": "asc", "_fields": ORDER_FIELDS}
    collections = [Collection("orders", {**params, "status": status}) for status in ("any", "trash")]
    seen: dict[int, OrderState] = {}
    odd: list[SetAside] = []

    def found(collection: Collection, page: Page | None) -> Iterable[Collection]:
        for order in map(order_or_aside, page.rows if page else ()):
            collection.saw(order.remote_id)
            if isinstance(order, SetAside):
                odd.append(order)
                continue
            known = seen.get(order.remote_id)
            if known is None or known.modified_at <= order.modified_at:
                seen[order.remote_id] = order
        return ()

    read_all(client, pacer, collections, found, per_page=per_page)
    for collection in collections:
        collection.check(may_grow=True)
    asides_tell(odd, of=len(seen) + len(odd), aside=aside)
    return list(seen.values())
