"""The stock ledger (ledger.md): movements, and what they sum up to."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from connectors.models import Connection
from inventory.models.item import Item, Location
from inventory.models.kept import AppendOnlyModel, AppendOnlyQuerySet, KeptModel, KeptQuerySet


class StockLevel(KeptModel):
    """One item at one location, in units.

    `on_hand` is the sum of its movements, `reserved` what is promised but not yet taken, `baseline` what the till should read
    once every acknowledged write of ours is in it, `last_reading` what it did read, true at `read_at`. An item that was never
    counted has neither reading nor baseline: unknown, not zero. One that the till counts no more keeps both.
    """

    KEPT: ClassVar[frozenset[str]] = frozenset({"on_hand", "reserved", "baseline"})

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

    objects = KeptQuerySet["StockLevel"].as_manager()

    class Meta:
        ordering = ["item_id", "location_id"]
        constraints = [models.UniqueConstraint(fields=["item", "location"], name="level_once_per_place")]

    def __str__(self) -> str:
        return f"{self.item} at {self.location}: {self.on_hand.normalize():f}"


class Voucher(AppendOnlyModel):
    """What movements came from: each thing that happened, once. Other apps' rows point at it or are named by its columns; it
    points at none of theirs.

    `document` is what its system calls the thing: an order's id, a feed's identity, a conflict's id; `line` an order's line;
    `number` tells several of one thing apart: an order's states as we counted them, a feed's moment in seconds UTC.
    """

    class Kind(models.TextChoices):
        FEED = "feed", "Till's list"
        ORDER = "order", "Online order"
        LATE = "late", "Online order, aligned later"
        DRIFT = "drift", "Number accepted from the shop"
        CONFLICT = "conflict", "Settled conflict"
        OTHER = "other", "Noted before there were vouchers"

    kind = models.CharField(max_length=10, choices=Kind)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="vouchers")
    document = models.CharField(max_length=250)
    line = models.CharField(max_length=64, blank=True)
    number = models.BigIntegerField(default=0)

    objects = AppendOnlyQuerySet["Voucher"].as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "kind", "document", "line", "number"], name="voucher_once"),
        ]

    def __str__(self) -> str:
        document = self.document if len(self.document) <= 20 else f"{self.document[:16]}…"
        return f"{self.get_kind_display()} {document}{f', line {self.line}' if self.line else ''}"


class Movement(AppendOnlyModel):
    """One row of the ledger: units that moved, once (ledger.md §1). Append-only; `source` is the voucher's connection."""

    class Kind(models.TextChoices):
        OPENING = "opening", "Opening balance"
        TILL = "till", "Till: sale, count or receipt"
        ONLINE = "online", "Online order"
        STORE = "store", "Accepted from the store"

    voucher = models.ForeignKey(Voucher, on_delete=models.PROTECT, related_name="movements")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="movements")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="movements")
    quantity = models.DecimalField(max_digits=14, decimal_places=3, help_text="Signed: what the shelf gained.")
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="movements")
    occurred_at = models.DateTimeField(help_text="When it was true there.")
    recorded_at = models.DateTimeField(help_text="When we wrote it down.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=250, blank=True)

    objects = AppendOnlyQuerySet["Movement"].as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["voucher", "item", "location"], name="movement_once")]
        indexes = [models.Index(fields=["recorded_at"], name="movements_by_time")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():+f} {self.item} ({self.get_kind_display()})"
