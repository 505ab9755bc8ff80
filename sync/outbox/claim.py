"""A claim ages (ledger.md §6). A machine that stood still between claim and request wakes when another worker may have taken
its turn, looked its writes up, found nothing, and sent its own: what it had claimed must not go out beside them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from connectors.contract import Outcome, StoreWrite, TillWrite, WriteResult
from connectors.errors import RetryableError
from sync.limits import limits
from sync.turns.context import RunContext


def send_claimed(
    *,
    ctx: RunContext,
    claimed_at: datetime,
    writes: Sequence[StoreWrite] | Sequence[TillWrite],
    send: Callable[[], Sequence[WriteResult]],
) -> Sequence[WriteResult]:
    """Send, unless the claim is too old by now. Result: what became of each write; surely nothing, where it was too old."""
    if ctx.now() <= claimed_at + limits().claim_lasts:
        return send()
    error = RetryableError(
        "Evenstock stood still between the plan and the request, so it was not sent.",
        next_step="It is planned anew.",
        code="claim_too_old",
    )
    return [WriteResult(write.operation_id, Outcome.NOT_SENT, error=error) for write in writes]
