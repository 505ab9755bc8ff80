"""Which of the reports that were sent may leave the database when they are old: never the newest of each, by which the next is
known not to have gone out yet."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from reporting.models import ReportDelivery
from sync.upkeep.archive import Kind

OPEN = (ReportDelivery.State.PENDING, ReportDelivery.State.MAKING, ReportDelivery.State.SENDING)


def kinds(*, before: datetime) -> Iterator[Kind]:
    over = ReportDelivery.objects.filter(created_at__lt=before).exclude(state__in=OPEN)
    newer = ReportDelivery.objects.filter(mail=OuterRef("mail"), every=OuterRef("every"), last__gt=OuterRef("last"))
    yield Kind("reports-sent", over.filter(Q(mail=None) | Q(Exists(newer))), "created_at")
