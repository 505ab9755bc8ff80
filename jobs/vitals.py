"""Is everything alive that nobody would miss at once? Selectors about the schedule and the workers."""

from datetime import datetime, timedelta

from django.db.models import Max

from jobs.models import Heartbeat, JobSlot

SILENT_AFTER = timedelta(seconds=75)  # the schedule gives a sign of life every ten; one broker that hangs may cost it thirty
UNTAKEN_AFTER = timedelta(minutes=5)  # a job is due each minute, and takes seconds


def schedule_silent_since(*, now: datetime) -> datetime | None:
    """Result: since when the schedule (beat) has given no sign of life; None: it lives, or nobody has ever looked for one."""
    last = Heartbeat.objects.filter(name=Heartbeat.SCHEDULE).values_list("at", flat=True).first()
    return last if last is not None and last < now - SILENT_AFTER else None


def workers_silent_since(*, now: datetime) -> datetime | None:
    """Result: since when what is due has waited for a worker; None: workers keep up. While the schedule itself is silent, nothing
    is due, so ask `schedule_silent_since` as well."""
    newest_done = JobSlot.objects.exclude(started_at=None).aggregate(at=Max("started_at"))["at"]
    waiting = JobSlot.objects.filter(state__in=[JobSlot.State.QUEUED, JobSlot.State.SKIPPED], started_at=None)
    if newest_done is not None:
        waiting = waiting.filter(queued_at__gt=newest_done)
    first = waiting.order_by("queued_at").values_list("queued_at", flat=True).first()
    return first if first is not None and first < now - UNTAKEN_AFTER else None
