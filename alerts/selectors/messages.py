"""What messages say, from the alerts as they are now."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from alerts.channels.message import SHOWN, Line, Message
from alerts.models import Alert, Channel
from alerts.rules.taking import Taste, takes
from alerts.rules.words import RULES

MOST_LINES = 100


def page_link(name: str, *arguments: object) -> str:
    """Result: the whole address of an admin page; "" where nobody has said how Evenstock is reached."""
    return f"{settings.EVENSTOCK_PUBLIC_URL}{reverse(name, args=arguments)}" if settings.EVENSTOCK_PUBLIC_URL else ""


def line_of(alert: Alert) -> Line:
    return Line(
        alert_id=alert.pk,
        severity=alert.severity,
        rule=alert.rule,
        rule_title=RULES[alert.code].title,
        title=alert.title,
        words=alert.words,
        next_step=alert.next_step,
        system=alert.connection.name if alert.connection else "",
        link=page_link("admin:alerts_alert_change", alert.pk),
        since=date_format(timezone.localtime(alert.since), "j M Y H:i"),
    )


def message_of(*, alerts: Sequence[Alert], delivery: UUID, to_lead: bool) -> Message:
    """Result: one message about these alerts, the most serious first; it lists a hundred and counts the rest."""
    ordered = sorted(alerts, key=lambda alert: (-alert.severity, alert.opened_at, alert.pk))
    worst = SHOWN[ordered[0].severity][1]
    if len(ordered) == 1:
        subject = f"{worst}: {RULES[ordered[0].code].title} – {ordered[0].title}"
    else:
        subject = f"{worst}: {len(ordered)} alerts"
    intro = "This has lasted too long, or failed again and again, so it comes to you." if to_lead else ""
    return _message(delivery, subject, intro, ordered)


def open_alerts() -> QuerySet[Alert]:
    """Result: what waits for people, the most serious first."""
    return Alert.objects.filter(state=Alert.State.OPEN).select_related("connection")


def digest_of(*, channel: Channel, taste: Taste, since: datetime, delivery: UUID) -> Message | None:
    """Result: a summary of what is open for this channel, and of what has gone since; None: there is nothing to tell."""
    found = [
        alert
        for alert in open_alerts()
        if takes(taste, code=alert.code, severity=alert.severity, connection_id=alert.connection_id, escalated=False)
    ]
    gone = Alert.objects.filter(cause_gone_at__gt=since, opened_at__gt=since, severity__gte=channel.min_severity).count()
    if not found and not gone:
        return None
    fresh = sum(1 for alert in found if alert.opened_at > since)
    period = "week" if channel.pace == Channel.Pace.WEEKLY else "day"
    count = f"{len(found)} open alert{'' if len(found) == 1 else 's'}" if found else "all is well"
    went = f" {gone} came and went by {'itself' if gone == 1 else 'themselves'}." if gone else ""
    return _message(delivery, f"Your {period}: {count}", f"{fresh} new since the last summary.{went}", found)


def _message(delivery: UUID, subject: str, intro: str, ordered: Sequence[Alert]) -> Message:
    totals = Counter(RULES[alert.code].title for alert in ordered)
    return Message(
        delivery=delivery,
        subject=subject,
        intro=intro,
        lines=[line_of(alert) for alert in ordered[:MOST_LINES]],
        more=max(0, len(ordered) - MOST_LINES),
        totals=totals.most_common(),
        link=page_link("admin:alerts_alert_changelist"),
    )
