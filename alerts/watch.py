"""The watch over the schedule itself. Nobody else can keep it: when beat is dead, no job is woken any more."""

from datetime import datetime

from alerts.rules.systems import schedule_stopped
from alerts.rules.words import Code
from alerts.services.send import notifications_send
from alerts.services.settle import alerts_settle
from jobs.vitals import schedule_silent_since


def schedule_watch(*, now: datetime) -> bool:
    """Called by every worker twice a minute, without beat's help (`jobs.watch`). Tell people, at once, when beat gives no sign
    of life, and resolve that alert when it is back. Result: the schedule runs, as far as is known."""
    finding = schedule_stopped(schedule_silent_since(now=now))
    done = alerts_settle(findings=[finding] if finding else [], codes=[Code.SCHEDULE_STOPPED], now=now)
    if finding is not None and not done.is_busy:
        notifications_send(now=now)  # the job that sends is not woken either
    return finding is None
