"""Which alerts and messages may leave the database when they are old: those whose cause is gone. Their history stays."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from alerts.models import Alert, Notification
from sync.upkeep.archive import Kind

State, Occasion = Notification.State, Notification.Occasion


def kinds(*, before: datetime) -> Iterator[Kind]:
    """A message about an alert goes with it, never before: by it, nobody is told twice."""
    gone = Alert.objects.filter(Q(resolved_at=None) | Q(resolved_at__lt=before), cause_gone_at__lt=before)
    waiting = Notification.objects.filter(alert=OuterRef("pk"), state__in=(State.PENDING, State.SENDING))
    yield Kind("alerts", gone.exclude(Exists(waiting)), "opened_at", children=("notifications",))
    sent = Notification.objects.filter(alert=None, state__in=(State.SENT, State.DROPPED), created_at__lt=before)
    newer = Notification.objects.filter(channel=OuterRef("channel"), occasion=Occasion.DIGEST, state=State.SENT)
    followed = Exists(newer.filter(sent_at__gt=OuterRef("sent_at")))  # a summary tells what is new since the last one
    yield Kind("messages", sent.filter(~Q(occasion=Occasion.DIGEST) | Q(state=State.DROPPED) | Q(followed)), "created_at")
