"""What the stores sell."""

from typing import ClassVar

from django.db import models

from connectors.contract import StockManagement
from connectors.models import Connection
from inventory.models.kept import KeptModel, KeptQuerySet


class Listing(KeptModel):
    """A thing a store sells: a product or a variation, known by its remote id, never only by SKU (architecture.md).

    `quantity` is what the store shows as far as we know: the last reading that could be used, from `read_at`, and what orders and
    acknowledged writes have moved since; `baseline` what it should show once every acknowledged write of ours is in it. Both are
    None while unknown. `opened_at` is by the store's clock, as its orders are dated. `suspect` is a
    residual seen once (ledger.md §5). While it is out of sight (gone, or not counted) its baseline is kept, since coming back
    explains nothing; `came_back` until it is found in step again.
    """

    KEPT: ClassVar[frozenset[str]] = frozenset({"baseline"})

    class Management(models.TextChoices):
        OWN = StockManagement.OWN.value, "Counted by the store"
        PARENT = StockManagement.PARENT.value, "Counted by its parent product"
        NONE = StockManagement.NONE.value, "Not counted"

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="listings")
    remote_id = models.PositiveBigIntegerField()
    parent_remote_id = models.PositiveBigIntegerField(default=0)
    kind = models.CharField(max_length=30)
    sku = models.CharField("SKU", max_length=190, blank=True)
    sku_key = models.CharField(max_length=190, blank=True, db_index=True, editable=False)
    name = models.CharField(max_length=500, blank=True)
    barcode = models.CharField(max_length=40, blank=True, db_index=True)
    status = models.CharField(max_length=30, blank=True)
    stock_management = models.CharField(max_length=10, choices=Management)
    backorders = models.BooleanField(default=False)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    sale_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)

    quantity = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    baseline = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    suspect = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    suspected_at = models.DateTimeField(null=True, blank=True)
    came_back = models.BooleanField(default=False, editable=False)
    news_at = models.DateTimeField(null=True, blank=True, help_text="When an order on it last changed, by the store's clock.")
    first_seen_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True, blank=True, db_index=True)

    objects = KeptQuerySet["Listing"].as_manager()

    class Meta:
        ordering = ["connection_id", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="listing_once_per_store")]

    def __str__(self) -> str:
        return self.sku or f"#{self.remote_id}"

    @property
    def counts_stock(self) -> bool:
        """Is it in sight, and may its quantity be written? A store accepts and ignores a write to a listing it doesn't count."""
        return self.stock_management == StockManagement.OWN and self.missing_since is None
