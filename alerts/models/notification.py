"""The outbox of messages: what each channel is to tell, and what became of it."""

import uuid

from django.db import models
from django.db.models import Q

from alerts.models.alert import Alert
from alerts.models.channel import Channel


class Notification(models.Model):
    """One thing that one channel is to tell. Rows of one channel go out together, up to a hundred in one message
    (`delivery` is the same for these). A row that failed three times is held until somebody sends it again."""

    class Occasion(models.TextChoices):
        ALERT = "alert", "Alert"
        ESCALATION = "escalation", "To the lead"
        DIGEST = "digest", "Summary"
        TEST = "test", "Test"

    class State(models.TextChoices):
        PENDING = "pending", "To be sent"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        HELD = "held", "Held: failed three times"
        DROPPED = "dropped", "Not needed any more"

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notifications")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, blank=True, related_name="notifications")
    occasion = models.CharField(max_length=10, choices=Occasion)
    round = models.PositiveIntegerField(default=0)
    severity = models.PositiveSmallIntegerField(choices=Alert.Level)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivery = models.UUIDField(default=uuid.uuid4, editable=False, help_text="The message it went out with.")
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "message"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "alert", "occasion", "round"], condition=Q(alert__isnull=False), name="told_once_a_round"
            )
        ]
        indexes = [
            models.Index(fields=["channel", "next_attempt_at"], condition=Q(state="pending"), name="messages_to_send"),
            models.Index(fields=["state", "claimed_at"], name="messages_being_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_occasion_display()} by {self.channel}"
