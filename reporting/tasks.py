"""What the workers do for reports."""

from celery import shared_task
from django.utils import timezone

from reporting.mails.send import reports_mail as mail_reports
from reporting.metrics.record import metrics_record as record_metrics


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator] # celery has no types
def metrics_record() -> int:
    """Write down today's figures. Result: rows written."""
    return record_metrics(now=timezone.now())


@shared_task(ignore_result=True, soft_time_limit=240, time_limit=300)  # type: ignore[untyped-decorator] # celery has no types
def reports_mail() -> int:
    """Send the reports that are due. Result: how many mails went out."""
    return mail_reports(now=timezone.now()).sent
