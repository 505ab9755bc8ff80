"""What changed, one row per changed value."""

from django.db import models

from alignment.models import Alignment
from sync.models.run import SyncRun


class SyncLog(models.Model):
    """One value that changed at one side: from what, to what, why, in which run. Values are kept as text, exactly."""

    class Source(models.TextChoices):
        POS = "pos", "Till"
        WOO = "woo", "Shop"
        MANUAL = "manual", "A person"
        ENGINE = "sync_engine", "Evenstock"

    class Action(models.TextChoices):
        QUANTITY = "qty_update", "Quantity"
        PRICE = "price_update", "Price"
        RESOLVED = "conflict_resolved", "Conflict resolved"

    alignment = models.ForeignKey(Alignment, on_delete=models.PROTECT, related_name="log")
    run = models.ForeignKey(SyncRun, on_delete=models.SET_NULL, null=True, blank=True, related_name="log")
    at = models.DateTimeField(db_index=True)
    source = models.CharField(max_length=12, choices=Source)
    action = models.CharField(max_length=20, choices=Action)
    old_value = models.CharField(max_length=40, blank=True)
    new_value = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "log entry"
        verbose_name_plural = "log entries"

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.old_value or '–'} → {self.new_value or '–'}"
