"""Which channel is to tell what: rows of the outbox, made in the transaction that makes the alert worth telling."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.models import Alert, Channel, Notification
from alerts.rules.taking import Taste, takes
from connectors.models import Connection

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that people must hear of."""

    alert: Alert
    occasion: Notification.Occasion


def channel_tastes(*, channels: Collection[Channel]) -> dict[int, Taste]:
    """Result: by channel, what it takes. A till is shown what is about it alone."""
    systems = Channel.connections.through.objects.filter(channel__in=channels).values_list("channel_id", "connection_id")
    only: dict[int, set[int]] = {}
    for channel_id, connection_id in systems:
        only.setdefault(channel_id, set()).add(connection_id)
    tills = {one.pk: str(one.settings.get("till")) for one in channels if one.kind == Channel.Kind.TILL_NOTE}
    known = dict(Connection.objects.filter(name__in=tills.values()).values_list("name", "pk")) if tills else {}
    only |= {pk: {known[name]} if name in known else set() for pk, name in tills.items()}
    return {
        one.pk: Taste(
            min_severity=one.min_severity,
            codes=tuple(one.rules),
            connection_ids=only.get(one.pk),
            is_for_lead=one.is_for_lead,
        )
        for one in channels
    }


def notifications_queue(*, told: Sequence[Told], now: datetime) -> int:
    """Have every channel that tells at once tell of these. Call in the transaction that changes the alerts. Result: rows queued;
    what a channel is to tell already is not queued again."""
    if not told:
        return 0
    channels = list(Channel.objects.filter(is_active=True, pace=Channel.Pace.AT_ONCE))
    tastes = channel_tastes(channels=channels)
    rows = [
        Notification(
            channel=channel,
            alert=each.alert,
            occasion=each.occasion,
            round=each.alert.round,
            severity=each.alert.severity,
            next_attempt_at=now,
            created_at=now,
        )
        for each in told
        for channel in channels
        if _is_for(channel, each)
        and takes(
            tastes[channel.pk],
            code=each.alert.code,
            severity=each.alert.severity,
            connection_id=each.alert.connection_id,
            escalated=each.occasion == Notification.Occasion.ESCALATION,
        )
    ]
    Notification.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    return len(rows)


def _is_for(channel: Channel, told: Told) -> bool:
    """That something is passed to the lead is the lead's news only."""
    return channel.is_for_lead or told.occasion == Notification.Occasion.ALERT
