"""What can't be read: noted once, told by name, and forgotten when it can be read again. The rest goes on."""

import logging
from collections.abc import Iterable, Sequence

from django.db.models import Q

from connectors.contract import SetAside as Thing
from connectors.contract import Sort
from connectors.errors import ConnectorError
from sync.models import InboundEvent, SetAside
from sync.turns.context import RunContext

logger = logging.getLogger(__name__)
READ_SINCE = "The order was read since."


def things_set_aside(*, ctx: RunContext, things: Iterable[Thing]) -> None:
    """Note what can't be read. What has no number that can be used is only told of. Call in a transaction."""
    store = ctx.store.connection
    for thing in things:
        if not thing.remote_id:
            ctx.problem(side=ctx.store, subject=thing.name, error=thing.cause, fails_run=False)
            continue
        said = {
            "name": thing.name[:250],
            "code": thing.cause.code[:60],
            "message": thing.cause.message,
            "next_step": thing.cause.next_step,
            "listings": sorted(thing.listings),
        }
        row, is_new = SetAside.objects.get_or_create(
            connection=store, sort=thing.sort, remote_id=thing.remote_id, defaults={**said, "since": ctx.now()}
        )
        is_other = not is_new and any(getattr(row, name) != value for name, value in said.items())
        if is_other:
            SetAside.objects.filter(pk=row.pk).update(**said, told_at=None)
        if is_new or is_other:
            logger.warning("%s of “%s” is set aside: %s", thing.name, store.name, thing.cause)


def things_read(*, ctx: RunContext, sort: Sort, remote_ids: Iterable[int]) -> None:
    """These can be read again, or are gone: nothing is set aside of them any more, nor are webhooks that could not be read."""
    rows = SetAside.objects.filter(connection=ctx.store.connection, sort=sort, remote_id__in=list(remote_ids))
    found = list(rows.values_list("remote_id", flat=True))
    if not found:
        return
    rows.delete()
    if sort == Sort.ORDER:
        events = InboundEvent.objects.filter(connection=ctx.store.connection, resource_id__in=found)
        events.filter(state=InboundEvent.State.FAILED).update(state=InboundEvent.State.IGNORED, note=READ_SINCE)


def things_tell(*, ctx: RunContext, is_whole: bool) -> None:
    """Name in the run what is set aside: what no run has told of yet, and with a whole reading all of it. Between runs there is
    nowhere to tell it: the next run does."""
    if not (ctx.run.pk or ctx.run.dry_run):
        return
    rows = SetAside.objects.filter(connection=ctx.store.connection)
    untold: Sequence[SetAside] = list(rows if is_whole else rows.filter(Q(told_at=None)))
    for row in untold:
        error = ConnectorError(row.message, next_step=row.next_step, code=row.code)
        ctx.problem(side=ctx.store, subject=row.name, error=error, fails_run=False)
    SetAside.objects.filter(pk__in=[row.pk for row in untold]).update(told_at=ctx.now())
    ctx.counts["set_aside"] = rows.count()
