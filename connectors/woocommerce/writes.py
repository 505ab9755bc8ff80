"""Writing to a shop: which writes go together, and what became of each."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.contract import Outcome, StockManagement, StoreReading, StoreWrite, WriteBatch, WriteResult
from connectors.errors import ConfigError, ConnectorError, RejectedError, RetryableError, UnknownOutcomeError
from connectors.http.pacing import Pacer, split_evenly
from connectors.wire import label
from connectors.woocommerce.client import Client, refusal
from connectors.woocommerce.mapping import item_from, reading_from, receipt_from


def batches_plan(writes: Sequence[StoreWrite], pacer: Pacer) -> Iterator[WriteBatch]:
    """Cut `writes` into requests: products together, variations by parent, the largest first so that the small ones fill the
    end of each lane. Sizes follow the pacer as it stands when a batch is drawn."""
    by_parent: dict[int, deque[StoreWrite]] = defaultdict(deque)
    for write in writes:
        by_parent[write.parent_remote_id].append(write)
    products = _Share(by_parent.pop(0, deque()), pacer)
    groups = deque(sorted(by_parent.items(), key=lambda group: -len(group[1])))
    while products.rest or groups:
        if products.rest and (not groups or products.size() >= min(len(groups[0][1]), pacer.batch)):
            yield WriteBatch(0, products.take())
            continue
        parent, rest = groups[0]
        yield WriteBatch(parent, [rest.popleft() for _ in range(min(len(rest), pacer.batch))])
        if not rest:
            groups.popleft()


class _Share:
    """Writes to be shared out evenly; the plan is made anew when the pace changes."""

    def __init__(self, rest: deque[StoreWrite], pacer: Pacer) -> None:
        self.rest, self._pacer = rest, pacer
        self._pace, self._left = (0, 0), 0

    def size(self) -> int:
        pace = (self._pacer.lanes, self._pacer.batch)
        if pace != self._pace or self._left < 1:
            self._pace, self._left = pace, split_evenly(len(self.rest), lanes=pace[0], most=pace[1])
        return -(-len(self.rest) // self._left)

    def take(self) -> list[StoreWrite]:
        taken = [self.rest.popleft() for _ in range(self.size())]
        self._left -= 1
        return taken


def batch_send(client: Client, batch: WriteBatch) -> Sequence[WriteResult]:
    """Result: one result per write; never raises for what the shop or the network did. A batch is no transaction
    (woocommerce_answers.md 12): without a clean reply, every write in it has an unknown outcome."""
    if not batch.writes:
        return []
    parent = batch.parent_remote_id
    endpoint = f"products/{parent}/variations/batch" if parent else "products/batch"
    try:
        reply = client.change(endpoint, {"update": [item_from(write) for write in batch.writes]}, items=len(batch.writes))
        items = _items(reply)
    except UnknownOutcomeError as error:
        return _all(batch, Outcome.UNKNOWN, error)
    except (RetryableError, ConfigError) as error:
        return _all(batch, Outcome.NOT_SENT, error)
    except ConnectorError as error:
        return _all(batch, Outcome.REJECTED, error)
    return [_result(write, _item_of(write, items), parent) for write in batch.writes]


def _all(batch: WriteBatch, outcome: Outcome, error: ConnectorError) -> list[WriteResult]:
    return [WriteResult(write.operation_id, outcome, error=error, is_of_batch=True) for write in batch.writes]


def _item_of(write: StoreWrite, items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The answer to this write. A stock and a price write may concern the same product: then the receipt tells which."""
    same = [item for item in items if item.get("id") == write.remote_id]
    return next((item for item in same if receipt_from(item) == str(write.operation_id)), same[0] if same else None)


def _items(reply: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rows = reply.get("update")
    if not isinstance(rows, list):
        raise UnknownOutcomeError(
            "The shop answered a change without saying what it changed.",
            next_step="We look whether it arrived before doing more.",
            code="no_items",
        )
    return [row for row in rows if isinstance(row, dict)]


def _result(write: StoreWrite, item: Mapping[str, Any] | None, parent: int) -> WriteResult:
    if item is None:
        return _unknown(write, "The shop's answer leaves this one out.", "item_missing")
    if isinstance(item.get("error"), dict):
        return WriteResult(write.operation_id, Outcome.REJECTED, error=_refused(item["error"]))
    try:
        reading = reading_from(item, parent_remote_id=parent)
    except ConnectorError as error:
        return _unknown(write, error.message, error.code)
    objection = _ignored(write, reading)
    if objection:
        return WriteResult(write.operation_id, Outcome.REJECTED, reading=reading, error=objection)
    if reading.receipt == str(write.operation_id):
        return WriteResult(write.operation_id, Outcome.APPLIED, reading=reading)
    if reading.receipt:
        return _unknown(write, "The shop's answer carries another receipt than ours.", "other_receipt")
    # Calling it unknown would be worse: no later look could find a receipt, and the same difference would go out again.
    return WriteResult(write.operation_id, Outcome.APPLIED, reading=reading, error=_no_receipt())


def _ignored(write: StoreWrite, reading: StoreReading) -> RejectedError | None:
    """WooCommerce accepts and ignores what it doesn't count (woocommerce_answers.md 5, 10)."""
    if write.carries_number:
        if reading.stock_management is StockManagement.NONE:
            return RejectedError(
                "The shop does not manage this product's stock, so it ignored the change.",
                next_step="Switch on “Track stock quantity” at the product, or stock management in the shop's settings.",
                code="stock_not_managed",
            )
        if reading.stock_management is StockManagement.PARENT:
            return RejectedError(
                "This variation takes its stock from its product, so the shop ignored the change.",
                next_step="Align the item with the product, or let the variation manage its own stock.",
                code="stock_of_parent",
            )
    if not write.carries_number and write.price is not None and reading.price != write.price:
        return RejectedError(
            f"The shop shows {reading.price} instead of the price {write.price} we sent.",
            next_step="Look at the product's price in the shop; a plugin may own it.",
            code="price_not_taken",
        )
    return None


def _refused(error: Mapping[str, Any]) -> ConnectorError:
    """An item's own error. Its `data` may be a number instead of an object (woocommerce_answers.md 21)."""
    data = error.get("data")
    status = data.get("status") if isinstance(data, dict) else None
    code, text = label(error.get("code"), most=60), label(error.get("message"), most=1000)
    if code in ("woocommerce_rest_invalid_product_id", "woocommerce_rest_product_variation_invalid_parent"):
        return RejectedError(
            "It is a variation of another product now.", next_step="Read the shop's products again, then align anew.", code=code
        )
    if code == "woocommerce_rest_product_variation_invalid_id":
        return RejectedError("It was deleted in the shop.", next_step="Align the item anew, or restore it.", code=code)
    said = refusal(status if isinstance(status, int) else 400, code, text)
    return said if isinstance(said, RejectedError) else RejectedError(said.message, next_step=said.next_step, code=code)


def _unknown(write: StoreWrite, message: str, code: str) -> WriteResult:
    error = UnknownOutcomeError(message, next_step="We look whether the change arrived before doing more.", code=code)
    return WriteResult(write.operation_id, Outcome.UNKNOWN, error=error)


def _no_receipt() -> ConfigError:
    return ConfigError(
        "The shop changed the number but did not keep our receipt.",
        next_step="A plugin hides private fields from the API: without them a cut-off change can't be traced.",
        code="receipt_not_kept",
    )
