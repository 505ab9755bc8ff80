"""The till's statements, each applied once."""

from django.db import models

from connectors.models import Connection
from sync.models.run import SyncRun


class TillFeed(models.Model):
    """One complete statement of a till: a file. Equal content has an equal identity and is applied once."""

    class State(models.TextChoices):
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        REFUSED = "refused", "Refused"
        HELD = "held", "Held: waiting for a manager"
        RELEASED = "released", "Released by a manager"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="feeds")
    identity = models.CharField(max_length=100, help_text="SHA-256 of the content.")
    name = models.CharField(max_length=250)
    state = models.CharField(max_length=10, choices=State)
    true_at = models.DateTimeField(help_text="When the till's numbers were true.")
    received_at = models.DateTimeField()
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="feeds")
    rows = models.PositiveIntegerField(default=0)
    good_rows = models.PositiveIntegerField(default=0)
    figures = models.JSONField(default=dict, blank=True, help_text="What the guards compare the next file with.")
    seen_again = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["-true_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "identity"], name="feed_once")]

    def __str__(self) -> str:
        return self.name
