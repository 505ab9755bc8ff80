"""What a manager may decide about what the engine holds back: a feed, a run, a refused write."""

from collections.abc import Callable, Iterable
from datetime import datetime

from connectors.errors import ConfigError
from connectors.leases import lease_acquire
from connectors.services import CallLog, connection_open
from sync.limits import limits
from sync.models import OutboundWrite, SyncRun, TillFeed
from sync.selectors import last_try_of, writes_newest


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
        try:
            log.flush()
        finally:  # also while the database is away
            lease.release()


def run_feeds_release(*, run: SyncRun, now: Callable[[], datetime]) -> list[TillFeed]:
    """Release every feed that this run holds, before it goes on. Result: those feeds. Raises as `feed_release` does."""
    feeds = list(run.feeds.filter(state=TillFeed.State.HELD).select_related("connection"))
    for feed in feeds:
        feed_release(feed=feed, now=now)
    return feeds


def writes_retry(*, writes: Iterable[OutboundWrite]) -> int:
    """Let what was refused, or failed again and again, be tried anew with the next run, whatever the engine's pause says. It is
    the newest attempt of a listing or a level that holds it back, so that one is released. Result: how many were."""
    held = [write for write in writes if write_is_held(write)]
    newest = [
        *writes_newest(target="listing_id", ids={write.listing_id for write in held if write.listing_id}).values(),
        *writes_newest(target="level_id", ids={write.level_id for write in held if write.level_id}).values(),
    ]
    again = OutboundWrite.objects.filter(pk__in=[write.pk for write in newest if write_is_held(write)], is_released=False)
    return again.update(is_released=True)


def write_is_held(write: OutboundWrite) -> bool:
    """Was it refused, or did it fail so often that it is not tried again by itself for long?"""
    return write.state in OutboundWrite.FAILED and last_try_of(write).is_bad(attempts=limits().attempts)
