"""The hourly conflict check (design.md §5): whether what waits for a person, or for a second look, is still so."""

from django.db.models import Q

from alignment.models import Alignment, Listing
from connectors.errors import ConnectorError
from connectors.leases import LeaseHeldError, LeaseLostError
from connectors.models import Connection
from connectors.services import health_record
from sync.selectors import conflicts_open
from sync.services.order_turns import Clock, order_turn
from sync.services.settle import store_settle, till_settle
from sync.services.states import states_refresh
from sync.services.store_pull import snapshot_apply, snapshot_of


def conflicts_check(*, store: Connection, now: Clock) -> str:
    """Read anew what is suspect or under review, close what has settled itself, and open what went unnoticed. Nothing is written
    to shop or till; what comes to be owed is paid by the outbox sweep. Result: "done", "busy" or "failed"."""
    try:
        with order_turn(store=store, now=now) as ctx:
            for side in ctx.tills:
                till_settle(ctx=ctx, side=side)
            store_settle(ctx=ctx)
            snapshot_apply(ctx=ctx, snapshot=snapshot_of(ctx=ctx, listings=_in_question(store)))
            states_refresh(ctx=ctx)
    except (LeaseHeldError, LeaseLostError):
        return "busy"
    except ConnectorError as error:
        health_record(connection=store, error=error, now=now())
        return "failed"
    health_record(connection=store, error=None, now=now())
    return "done"


def _in_question(store: Connection) -> list[tuple[int, int]]:
    """Result: (remote id, parent remote id) of the listings that are suspect, or about which a conflict is open."""
    reviewed = conflicts_open(store=store).filter(alignment__isnull=False).values("alignment__listing_id")
    aligned = Listing.objects.filter(connection=store, missing_since=None, alignments__status=Alignment.Status.CONFIRMED)
    wanted = aligned.filter(Q(suspect__isnull=False) | Q(pk__in=reviewed))
    return list(wanted.distinct().values_list("remote_id", "parent_remote_id"))
