"""The outbox of messages: claimed, committed, sent, recorded; no mail and no request inside a transaction.

A message whose worker died is sent again: told twice is better than not told.
"""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import F, QuerySet

from alerts.channels.email import email_deliver
from alerts.channels.message import Message
from alerts.channels.settings import EmailSettings, TillNoteSettings, WebhookSecrets, WebhookSettings
from alerts.channels.till_note import till_note_deliver
from alerts.channels.webhook import webhook_deliver
from alerts.models import Alert, Channel, Notification
from alerts.rules.taking import Quiet, digest_due, is_quiet
from alerts.rules.words import Severity
from alerts.selectors.messages import digest_of, message_of
from alerts.services.queue import channel_tastes
from connectors.errors import ConnectorError

logger = logging.getLogger(__name__)
State, Occasion = Notification.State, Notification.Occasion
BATCH = 100  # alerts in one message
FLOOD = 500  # so many at once are told in one message, which lists the first hundred and counts the rest
ATTEMPTS = 3
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5))
LOST_AFTER = timedelta(minutes=10)  # longer than any channel takes


@dataclass(slots=True)
class Sent:
    """What one pass did, by number. Messages, and rows that came to nothing."""

    messages: int = 0
    failed: int = 0
    dropped: int = 0


def notifications_send(*, now: datetime) -> Sent:
    """Tell what is due, channel by channel. A channel that fails waits; the others go on. Result: what was done."""
    _recover(now)
    _digests_queue(now)
    sent = Sent()
    for channel in Channel.objects.filter(notifications__in=_due(now)).distinct().order_by("pk"):
        while batch := _claim(channel, now, sent):
            if not _deliver(channel, batch, now):
                sent.failed += 1
                break
            sent.messages += 1
    return sent


def channel_test(*, channel: Channel, by: User, now: datetime) -> ConnectorError | None:
    """Send a test at once, whatever the hour. Result: why it did not go out; None: it did."""
    row = Notification.objects.create(
        channel=channel, occasion=Occasion.TEST, severity=Severity.LOW, state=State.SENDING, attempts=ATTEMPTS,
        next_attempt_at=now, created_at=now, claimed_at=now,
    )  # fmt: skip
    message = Message(row.delivery, f"Test of “{channel}”", f"Sent by {by}. If you can read this, alerts reach you.")
    try:
        _transport(channel, message, now)
    except ConnectorError as error:
        _record(channel, [row], error, now)
        return error
    _record(channel, [row], None, now)
    return None


def notifications_retry(*, notifications: Sequence[Notification], now: datetime) -> int:
    """Have held ones sent again. Result: how many."""
    held = Notification.objects.filter(pk__in=[row.pk for row in notifications], state=State.HELD)
    return held.exclude(occasion=Occasion.TEST).update(state=State.PENDING, attempts=0, next_attempt_at=now)


def quiet_of(channel: Channel) -> Quiet:
    return Quiet(channel.quiet_from, channel.quiet_to, channel.time_zone, channel.critical_passes)


def _due(now: datetime) -> QuerySet[Notification]:
    return Notification.objects.filter(state=State.PENDING, next_attempt_at__lte=now)


def _recover(now: datetime) -> None:
    """What a worker had begun and never ended."""
    lost = Notification.objects.filter(state=State.SENDING, claimed_at__lt=now - LOST_AFTER)
    why = "Its worker was killed while it was sent; it may have arrived."
    lost.filter(attempts__gte=ATTEMPTS).update(state=State.HELD, error=why)
    lost.filter(attempts__lt=ATTEMPTS).update(state=State.PENDING, next_attempt_at=now, error=why)


def _claim(channel: Channel, now: datetime, sent: Sent) -> list[Notification]:
    """Result: rows that go out in one message, claimed; none when nothing may be told now."""
    due = _due(now).filter(channel=channel)
    over = due.filter(alert__isnull=False).exclude(alert__state=Alert.State.OPEN)
    sent.dropped += Notification.objects.filter(pk__in=list(over.values_list("pk", flat=True))).update(state=State.DROPPED)
    if not channel.is_active:
        sent.dropped += due.update(state=State.DROPPED)
        return []
    quiet = quiet_of(channel)
    if is_quiet(quiet, now):
        if not channel.critical_passes:
            return []
        due = due.filter(severity__gte=Severity.CRITICAL)
    digest = due.filter(occasion=Occasion.DIGEST).order_by("pk").values_list("pk", flat=True)[:1]
    pks = list(digest) or _one_message(due)
    delivery = uuid.uuid4()
    Notification.objects.filter(pk__in=pks, state=State.PENDING).update(
        state=State.SENDING, claimed_at=now, attempts=F("attempts") + 1, delivery=delivery
    )
    claimed = Notification.objects.filter(delivery=delivery).select_related("alert__connection")
    return list(claimed.order_by("-severity", "pk"))


def _one_message(due: QuerySet[Notification]) -> list[int]:
    pks = list(due.order_by("-severity", "pk").values_list("pk", flat=True))
    return pks if len(pks) > FLOOD else pks[:BATCH]


def _deliver(channel: Channel, batch: list[Notification], now: datetime) -> bool:
    """Send one message and write down what became of it. Result: it went out, or there was nothing to say."""
    alerts = [row.alert for row in batch if row.alert is not None]
    if alerts:
        message: Message | None = message_of(alerts=alerts, delivery=batch[0].delivery, to_lead=channel.is_for_lead)
    else:
        taste = channel_tastes(channels=[channel])[channel.pk]
        message = digest_of(channel=channel, taste=taste, since=_last_digest(channel, now), delivery=batch[0].delivery)
    if message is None:
        Notification.objects.filter(pk__in=[row.pk for row in batch]).update(state=State.DROPPED)
        return True
    try:
        _transport(channel, message, now)
    except ConnectorError as error:
        _record(channel, batch, error, now)
        logger.warning("“%s” could not tell: %s", channel, error)
        return False
    _record(channel, batch, None, now)
    return True


def _transport(channel: Channel, message: Message, now: datetime) -> None:
    given, secrets = channel.settings_parsed(), channel.secrets_parsed()
    if isinstance(given, EmailSettings):
        email_deliver(given, message)
    elif isinstance(given, WebhookSettings) and isinstance(secrets, WebhookSecrets):
        webhook_deliver(given, secrets, message, now)
    elif isinstance(given, TillNoteSettings):
        till_note_deliver(given, message, lambda: now)


def _record(channel: Channel, batch: Sequence[Notification], error: ConnectorError | None, now: datetime) -> None:
    rows = Notification.objects.filter(pk__in=[row.pk for row in batch], state=State.SENDING)
    if error is None:
        rows.update(state=State.SENT, sent_at=now, error="")
        Channel.objects.filter(pk=channel.pk).update(last_ok_at=now, last_error="")
        return
    said = str(error)[:1000]
    rows.filter(attempts__gte=ATTEMPTS).update(state=State.HELD, error=said)
    for attempts, pause in enumerate(BACKOFF, start=1):
        rows.filter(attempts=attempts).update(state=State.PENDING, next_attempt_at=now + pause, error=said)
    Channel.objects.filter(pk=channel.pk).update(last_error=said)


def _last_digest(channel: Channel, now: datetime) -> datetime:
    """Result: when the last summary went out; a day or a week ago, where none did."""
    sent = Notification.objects.filter(channel=channel, occasion=Occasion.DIGEST, state=State.SENT).order_by("-sent_at")
    last = sent.values_list("sent_at", flat=True).first()
    span = timedelta(days=7 if channel.pace == Channel.Pace.WEEKLY else 1)
    return last or now - span


def _digests_queue(now: datetime) -> None:
    """Queue the summaries that are due. A new channel's first one comes at its next moment."""
    digests = Channel.objects.filter(is_active=True).exclude(pace=Channel.Pace.AT_ONCE)
    digests.filter(digest_sent_at=None).update(digest_sent_at=now)
    for channel in digests.order_by("pk"):
        last, weekly = channel.digest_sent_at or now, channel.pace == Channel.Pace.WEEKLY
        is_due = digest_due(weekly=weekly, send_at=channel.send_at, time_zone=channel.time_zone, last_at=last, now=now)
        if is_due and Channel.objects.filter(pk=channel.pk, digest_sent_at=last).update(digest_sent_at=now):
            Notification.objects.create(
                channel=channel, occasion=Occasion.DIGEST, severity=Severity.LOW, next_attempt_at=now, created_at=now
            )
