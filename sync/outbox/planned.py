"""What a run in observe mode would have written, kept row by row for the go-live report."""

from collections.abc import Iterable
from decimal import Decimal

from kit.bulk import chunks
from sync.models import PlannedChange, SyncRun
from sync.turns.context import RunContext

Row = tuple[int, PlannedChange.Field, Decimal | None, Decimal | None]  # pair, field, what is shown, what should be
ZERO = Decimal(0)


def planned_begin(*, ctx: RunContext) -> None:
    """Forget what the store's former runs would have written, where this one says it anew."""
    if _is_kept(ctx):
        PlannedChange.objects.filter(run__store=ctx.store.connection).delete()


def planned_add(*, ctx: RunContext, rows: Iterable[Row]) -> None:
    """Keep these, where the run reads both sides whole and writes nothing, as the store is in observe mode."""
    if not _is_kept(ctx):
        return
    for chunk in chunks(rows):
        PlannedChange.objects.bulk_create(
            [
                PlannedChange(
                    run=ctx.run, alignment_id=pair, field=field, shows=shows, target=target,
                    size=ZERO if target is None else abs(target - (shows or ZERO)),
                )
                for pair, field, shows, target in chunk
            ]
        )  # fmt: skip


def _is_kept(ctx: RunContext) -> bool:
    """A dry run has no row yet, and its own preview."""
    return bool(ctx.run.pk) and ctx.writes_nothing and ctx.run.kind != SyncRun.Kind.INCREMENTAL
