"""What the workers do for reports."""

from celery import shared_task
from django.utils import timezone

from reporting import services


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator] # celery has no types
def metrics_record() -> int:
    """Write down today's figures. Result: rows written."""
    return services.metrics_record(now=timezone.now())
