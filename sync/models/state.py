"""Where each pair stands, for people and for other tools (architecture.md, kept names)."""

from django.db import models
from simple_history.models import HistoricalRecords

from alignment.models import Alignment
from connectors.models import Connection


class SyncState(models.Model):
    """The last known figures of one confirmed pair. `pos_quantity` and `woo_quantity` are what till and shop show as far as we
    know: the last reading that could be used, what orders have moved since, and what they have taken in of us; `last_pos_update`
    and `last_woo_update` since when. None: unknown.
    `last_sync` is when both sides were last known to agree; it moves with every run and is kept out of the history."""

    class Status(models.TextChoices):
        SYNCED = "synced", "In step"
        PENDING = "pending", "Waiting"
        CONFLICT = "conflict", "Needs a decision"
        ERROR = "error", "Failed"

    alignment = models.OneToOneField(Alignment, on_delete=models.CASCADE, related_name="sync_state")
    pos = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", verbose_name="till")
    woo = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="+", verbose_name="store")
    pos_sku = models.CharField("POS SKU", max_length=190)
    woo_sku = models.CharField("WooCommerce SKU", max_length=190, blank=True)
    pos_quantity = models.DecimalField("till says", max_digits=14, decimal_places=3, null=True, blank=True)
    woo_quantity = models.DecimalField("shop shows", max_digits=14, decimal_places=3, null=True, blank=True)
    last_pos_update = models.DateTimeField("till changed", null=True, blank=True)
    last_woo_update = models.DateTimeField("shop changed", null=True, blank=True)
    pos_price = models.DecimalField("till's price", max_digits=14, decimal_places=4, null=True, blank=True)
    pos_cost = models.DecimalField("cost", max_digits=14, decimal_places=4, null=True, blank=True)
    woo_price = models.DecimalField("shop's price", max_digits=14, decimal_places=4, null=True, blank=True)
    sync_status = models.CharField("status", max_length=10, choices=Status, default=Status.PENDING, db_index=True)
    reason = models.CharField("why", max_length=300, blank=True)
    last_sync = models.DateTimeField("last in step", null=True, blank=True)

    history = HistoricalRecords(excluded_fields=["last_sync"])

    class Meta:
        ordering = ["pos_sku"]
        constraints = [
            models.UniqueConstraint(
                fields=["pos", "woo", "pos_sku", "woo_sku"], condition=~models.Q(woo_sku=""), name="state_once_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.pos_sku} ↔ {self.woo_sku or 'no SKU'}"
