"""Alerts about a product, as the timeline of its conflicts shows them."""

from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse

from alerts.admin.parts import SEVERITY_TONES
from alerts.models import Alert
from sync.admin.conflicts.timeline import EACH, About, Happening


def alerts_happened(about: About) -> Iterable[Happening]:
    """Result: alerts about the item or the listing that opened in that time, and how they ended."""
    mine = Q(pk=None)
    if about.item:
        mine |= Q(item=about.item)
    if about.listing:
        mine |= Q(listing=about.listing)
    rows = Alert.objects.filter(mine, opened_at__gte=about.since, opened_at__lte=about.until).order_by("-opened_at")
    for alert in rows[:EACH]:
        state = Alert.State(alert.state).label
        yield Happening(
            alert.opened_at,
            f"{alert.get_rule_display()}: {alert.words} {state}.",
            reverse("admin:alerts_alert_change", args=[alert.pk]),
            "Alert",
            SEVERITY_TONES[alert.severity],
        )
