"""The stock ledger (design.md §3): movements, and what they sum up to."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from connectors.models import Connection
from inventory.models.item import Item, Location


class StockLevel(models.Model):
    """One item at one location, in units.

    `on_hand` is the sum of its movements, `reserved` what is promised but not yet taken, `baseline` what the till should read
    once every acknowledged write of ours is in it, `last_reading` what it did read, true at `read_at`. An item that was never
    counted has neither reading nor baseline: unknown, not zero. One that the till counts no more keeps both.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="levels")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="levels")
    on_hand = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    reserved = models.DecimalField(max_digits=14, decimal_places=3, default=0)
    baseline = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    last_reading = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    uncounted_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The till lists the item and counts it no more. Its last number stands.",
    )

    class Meta:
        ordering = ["item_id", "location_id"]
        constraints = [models.UniqueConstraint(fields=["item", "location"], name="level_once_per_place")]

    def __str__(self) -> str:
        return f"{self.item} at {self.location}: {self.on_hand.normalize():f}"


class AppendOnlyError(Exception):
    """Somebody tried to change or delete a row of the ledger. Write a movement that corrects it instead."""


class MovementQuerySet(models.QuerySet["Movement"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Movements are never changed. Write a correcting movement.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Movements are never deleted. Write a correcting movement.")


class Movement(models.Model):
    """One row of the ledger: units that moved, once (design.md §3.1). Append-only."""

    class Kind(models.TextChoices):
        OPENING = "opening", "Opening balance"
        TILL = "till", "Till: sale, count or receipt"
        ONLINE = "online", "Online order"
        STORE = "store", "Accepted from the store"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="movements")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="movements")
    quantity = models.DecimalField(max_digits=14, decimal_places=3, help_text="Signed: what the shelf gained.")
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="movements")
    reference = models.CharField(max_length=250, help_text="What it came from: a file, or an order line at one of its states.")
    occurred_at = models.DateTimeField(help_text="When it was true there.")
    recorded_at = models.DateTimeField(help_text="When we wrote it down.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=250, blank=True)

    objects = MovementQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["source", "reference"], name="movement_once")]
        indexes = [models.Index(fields=["recorded_at"], name="movements_by_time")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():+f} {self.item} ({self.get_kind_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Movements are never changed. Write a correcting movement.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Movements are never deleted. Write a correcting movement.")
