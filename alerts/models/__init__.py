from alerts.models.alert import Alert
from alerts.models.channel import Channel
from alerts.models.notification import Notification
from alerts.models.threshold import Threshold

__all__ = ["Alert", "Channel", "Notification", "Threshold"]
