"""Online orders as the store last stated them (ledger.md §4)."""

from django.db import models

from connectors.models import Connection
from inventory.models import Listing


class Order(models.Model):
    """An order's newest known state. An older statement that arrives later changes nothing."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="orders")
    remote_id = models.PositiveBigIntegerField()
    number = models.CharField(max_length=60)
    status = models.CharField(max_length=40)
    currency = models.CharField(max_length=3, blank=True)
    created_at = models.DateTimeField(help_text="By the store's clock.")
    modified_at = models.DateTimeField(help_text="By the store's clock.")
    told_at = models.DateTimeField(
        "told by webhook", null=True, blank=True, help_text="The modified time of the newest state that a webhook told."
    )
    state_count = models.PositiveIntegerField("states seen", default=1)

    class Meta:
        ordering = ["-modified_at"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_id"], name="order_once_per_store")]
        indexes = [models.Index(fields=["-modified_at"], name="orders_by_news")]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def note(self) -> str:
        """What is odd about it as a whole; "" where nothing is. Units are units in every currency."""
        expected = self.connection.currency
        if not expected or not self.currency or self.currency == expected:
            return ""
        return f"It is in {self.currency}, the shop's currency is {expected}. Its units count; its amounts are not used."


class OrderLine(models.Model):
    """What one line of an order holds of the store's number now (`taken`), and how much of that the ledger has booked: both in
    what the store counts. Its movements add up to −`booked` × `units_per_listing`."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    remote_id = models.PositiveBigIntegerField()
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="order_lines")
    sku = models.CharField("SKU", max_length=190, blank=True)
    name = models.CharField(max_length=500, blank=True)
    ordered = models.DecimalField(max_digits=14, decimal_places=3)
    taken = models.DecimalField(max_digits=14, decimal_places=3)
    booked = models.DecimalField(max_digits=14, decimal_places=3, default=0, help_text="Units of it that movements carry.")
    units_per_listing = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Units of the item in one of it, as they were when it was booked. Empty: never seen with an alignment.",
    )
    listing_remote_id = models.PositiveBigIntegerField(
        "product's number", default=0, help_text="In the shop's own books; 0: it names none."
    )
    waits = models.BooleanField(
        "waits for an alignment", default=False, help_text="Sold while its product belonged to no item; booked once it does."
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["order_id", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["order", "remote_id"], name="line_once_per_order")]
        indexes = [models.Index(fields=["listing"], condition=models.Q(waits=True), name="lines_waiting")]

    def __str__(self) -> str:
        return f"{self.order} {self.sku or self.name}"

    @property
    def subject(self) -> str:
        """What a conflict is about where no product of the shop belongs to it: the SKU; else this very line."""
        return (self.sku or f"{self.order} line {self.remote_id}: {self.name}")[:190]
