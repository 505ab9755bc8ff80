"""The hourly conflict check (engine.md): whether what waits for a person, or for a second look, is still so."""

from django.db.models import Q

from alignment.models import Alignment
from connectors.models import Connection
from inventory.models import Listing
from sync.orders.turns import Clock, turn_use
from sync.outbox.settle import store_settle, till_settle
from sync.selectors import conflicts_open
from sync.standing.states import states_refresh
from sync.stores.read import snapshot_apply, snapshot_of
from sync.turns.context import RunContext


def conflicts_check(*, store: Connection, now: Clock) -> str:
    """Read anew what is suspect or under review, close what has settled itself, and open what went unnoticed. Nothing is written
    to shop or till; what comes to be owed is paid by the outbox sweep. Result: "done", "busy" or "failed"."""

    def check(ctx: RunContext) -> None:
        for side in ctx.tills:
            till_settle(ctx=ctx, side=side)
        store_settle(ctx=ctx)
        snapshot_apply(ctx=ctx, snapshot=snapshot_of(ctx=ctx, listings=_in_question(store)))
        states_refresh(ctx=ctx)

    return turn_use(store=store, now=now, work=check)


def _in_question(store: Connection) -> list[tuple[int, int]]:
    """Result: (remote id, parent remote id) of the listings that are suspect, or about which a conflict is open."""
    reviewed = conflicts_open(store=store).filter(alignment__isnull=False).values("alignment__listing_id")
    aligned = Listing.objects.filter(connection=store, missing_since=None, alignments__status=Alignment.Status.CONFIRMED)
    wanted = aligned.filter(Q(suspect__isnull=False) | Q(pk__in=reviewed))
    return list(wanted.distinct().values_list("remote_id", "parent_remote_id"))
