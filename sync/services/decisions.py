"""What a manager may decide about what the engine holds back: a feed, a run, a refused write."""

from collections.abc import Callable, Iterable
from datetime import datetime

from connectors.errors import ConfigError
from connectors.leases import lease_acquire
from connectors.services import CallLog, connection_open
from sync.models import OutboundWrite, SyncRun, TillFeed


def feed_release(*, feed: TillFeed, now: Callable[[], datetime]) -> None:
    """Offer a held feed to the engine again; the next run uses it without asking its guards. Raises ConfigError when the till no
    longer has it, or it is not held; LeaseHeldError while a run works on that till."""
    if feed.state != TillFeed.State.HELD:
        raise ConfigError(f"“{feed.name}” is not held: {feed.get_state_display()}.", next_step="There is nothing to release.")
    lease = lease_acquire(connection=feed.connection, now=now())
    log = CallLog(feed.connection)
    try:
        till = connection_open(connection=feed.connection, log=log, now=now)
        # First the file: broken off in between, the guard holds it again. The other way round nobody would look at it again.
        if not till.release(feed.identity):
            raise ConfigError(f"The till no longer holds “{feed.name}”.", next_step="Export again, and let the new file be read.")
        held = TillFeed.objects.filter(pk=feed.pk, state=TillFeed.State.HELD)
        held.update(state=TillFeed.State.RELEASED)
        feed.refresh_from_db()
    finally:
        log.flush()
        lease.release()


def run_feeds_release(*, run: SyncRun, now: Callable[[], datetime]) -> list[TillFeed]:
    """Release every feed that this run holds, before it goes on. Result: those feeds. Raises as `feed_release` does."""
    feeds = list(run.feeds.filter(state=TillFeed.State.HELD).select_related("connection"))
    for feed in feeds:
        feed_release(feed=feed, now=now)
    return feeds


def writes_retry(*, writes: Iterable[OutboundWrite]) -> int:
    """Let refused writes to the shop be tried again with the next run, whatever the engine's pause says. An earlier refusal of
    the same number would hold it back as well, so it is released too. Result: how many rows were."""
    released = 0
    for write in writes:
        if write.state != OutboundWrite.State.REJECTED or write.listing_id is None:
            continue
        same = OutboundWrite.objects.filter(
            listing_id=write.listing_id, planned_to=write.planned_to, state=OutboundWrite.State.REJECTED, is_released=False
        )
        released += same.update(is_released=True)
    return released
