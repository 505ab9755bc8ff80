"""Alerts, thresholds and channels, in the admin."""

from alerts.admin.alerts import AlertAdmin
from alerts.admin.channels import ChannelAdmin, NotificationAdmin
from alerts.admin.thresholds import ThresholdAdmin

__all__ = ["AlertAdmin", "ChannelAdmin", "NotificationAdmin", "ThresholdAdmin"]
