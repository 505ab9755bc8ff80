"""Which channel takes which alert, and when it may be sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts.rules.words import Code, Severity

FOR_LEAD = frozenset({Code.SYNC_FAILED_AGAIN, Code.SCHEDULE_STOPPED})


@dataclass(frozen=True, slots=True)
class Taste:
    """What a channel takes. Empty `codes` and None for `connection_ids`: all."""

    min_severity: int
    codes: Collection[str] = ()
    connection_ids: Collection[int] | None = None
    is_for_lead: bool = False


def takes(taste: Taste, *, code: Code, severity: int, connection_id: int | None, escalated: bool) -> bool:
    """Result: a channel tells of such an alert. An alert about no single system is for every channel, but a till's own."""
    if taste.is_for_lead:
        if not (escalated or code in FOR_LEAD):
            return False
    elif severity < taste.min_severity:
        return False
    if taste.codes and code not in taste.codes:
        return False
    return taste.connection_ids is None or connection_id in taste.connection_ids


@dataclass(frozen=True, slots=True)
class Quiet:
    """A channel's quiet hours: from, to (not included), in its own time zone. They may go over midnight; equal ends mean none."""

    start: time | None
    end: time | None
    time_zone: str
    critical_passes: bool = True


def is_quiet(quiet: Quiet, now: datetime) -> bool:
    """Result: it is within the quiet hours now."""
    if quiet.start is None or quiet.end is None or quiet.start == quiet.end:
        return False
    here = now.astimezone(ZoneInfo(quiet.time_zone)).time()
    if quiet.start < quiet.end:
        return quiet.start <= here < quiet.end
    return here >= quiet.start or here < quiet.end


def may_send(quiet: Quiet, *, severity: int, now: datetime) -> bool:
    """Result: something that serious may be told now."""
    return not is_quiet(quiet, now) or (quiet.critical_passes and severity >= Severity.CRITICAL)


def digest_due(*, weekly: bool, send_at: time, time_zone: str, last_at: datetime, now: datetime) -> bool:
    """Result: a summary is due: its last moment by the channel's clock, today's or this Monday's, is after the last summary."""
    zone = ZoneInfo(time_zone)
    here = now.astimezone(zone)
    day = here.date() - timedelta(days=here.weekday() if weekly else 0)
    moment = datetime.combine(day, send_at, zone)
    if moment > here:
        moment = datetime.combine(day - timedelta(days=7 if weekly else 1), send_at, zone)
    return last_at < moment
