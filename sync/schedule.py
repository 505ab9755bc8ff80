"""When what runs (design.md §5). Installed once, then the managers' to edit in the admin."""

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from connectors.contract import Side
from connectors.management.base import connections_of

OPENING_HOURS = "6-22"


def schedule_install(*, incremental_every_seconds: int = 0) -> int:
    """Give every store its incremental and its full sync, unless it has them: what a manager changed stays. Result: how many
    jobs were added. `incremental_every_seconds` puts a short interval in place of the quarter of an hour (for the demo)."""
    added = 0
    for store in connections_of(side=Side.STORE):
        quarter_hours = {"minute": "*/15", "hour": OPENING_HOURS}
        night = {"minute": "0", "hour": "3"}
        for kind, crontab in (("incremental", quarter_hours), ("full", night)):
            when: dict[str, object]
            if kind == "incremental" and incremental_every_seconds:
                interval, _ = IntervalSchedule.objects.get_or_create(
                    every=incremental_every_seconds, period=IntervalSchedule.SECONDS
                )
                when = {"interval": interval}
            else:
                schedule, _ = CrontabSchedule.objects.get_or_create(**crontab, timezone=store.time_zone)
                when = {"crontab": schedule}
            _, is_new = PeriodicTask.objects.get_or_create(
                name=f"{kind.capitalize()} sync of {store.name}",
                defaults={"task": "sync.tasks.sync_store", "kwargs": f'{{"store_id": {store.pk}, "kind": "{kind}"}}', **when},
            )
            added += is_new
    return added
