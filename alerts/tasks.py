"""What the workers do for alerts."""

from celery import shared_task
from django.utils import timezone

from alerts.services.evaluate import alerts_round as round_of_alerts


@shared_task(ignore_result=True, soft_time_limit=240, time_limit=300)  # type: ignore[untyped-decorator] # celery has no types
def alerts_round() -> int:
    """Look, resolve, try again, tell. Result: alerts opened."""
    return round_of_alerts(now=timezone.now()).opened
