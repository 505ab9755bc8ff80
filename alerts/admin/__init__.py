"""Alerts, thresholds and channels, in the admin."""

from alerts.admin.alerts import AlertAdmin
from alerts.admin.channels import ChannelAdmin, NotificationAdmin
from alerts.admin.thresholds import ThresholdAdmin
from alerts.admin.timeline import alerts_happened
from sync.admin.conflicts.timeline import SOURCES

__all__ = ["AlertAdmin", "ChannelAdmin", "NotificationAdmin", "ThresholdAdmin"]

SOURCES.append(("alerts.view_alert", alerts_happened))
