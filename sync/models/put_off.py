"""Readings that could not be used yet, counted until one can (ledger.md §3, §5)."""

from django.db import models
from django.db.models import Q

from connectors.models import Connection
from inventory.models import Listing, StockLevel


class PutOff(models.Model):
    """One number, of a level at a till or of a listing in a store, whose readings can't be told from something under way: so many
    in a row. It goes with the first reading that is used."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="put_offs")
    level = models.OneToOneField(StockLevel, on_delete=models.CASCADE, null=True, blank=True, related_name="put_off")
    listing = models.OneToOneField(Listing, on_delete=models.CASCADE, null=True, blank=True, related_name="put_off")
    times = models.PositiveIntegerField(default=1, help_text="Readings put off in a row.")
    since = models.DateTimeField(help_text="When the first of them was true.")
    last_at = models.DateTimeField()
    why = models.CharField(max_length=200)

    class Meta:
        ordering = ["since"]
        verbose_name = "number put off"
        verbose_name_plural = "numbers put off"
        constraints = [
            models.CheckConstraint(
                condition=Q(listing__isnull=True, level__isnull=False) | Q(listing__isnull=False, level__isnull=True),
                name="put_off_has_one_target",
            )
        ]

    def __str__(self) -> str:
        return f"{self.listing or self.level}: {self.times} times since {self.since:%Y-%m-%d %H:%M} UTC"
