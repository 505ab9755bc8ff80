"""What the till sells, and where it lies."""

from django.db import models

from connectors.models import Connection


class Item(models.Model):
    """A thing the till sells. `sku` is the till's text, kept exactly; `sku_key` is the same for spellings that differ only in
    case, spaces and separators."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="items")
    sku = models.CharField("SKU", max_length=190)
    sku_key = models.CharField(max_length=190, db_index=True, editable=False)
    name = models.CharField(max_length=500, blank=True)
    barcode = models.CharField(max_length=40, blank=True, db_index=True)
    category = models.CharField(max_length=190, blank=True)
    vendor = models.CharField(max_length=190, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    first_seen_at = models.DateTimeField()
    missing_since = models.DateTimeField(
        null=True,
        blank=True,
        db_index=True,
        help_text="The till's complete exports leave it out since then. Missing is not zero.",
    )

    class Meta:
        ordering = ["sku"]
        constraints = [models.UniqueConstraint(fields=["connection", "sku"], name="item_sku_once_per_till")]
        indexes = [models.Index(fields=["sku"], name="items_by_sku")]

    def __str__(self) -> str:
        return self.sku


class Location(models.Model):
    """A place that holds stock at a till: outlet, warehouse. `remote_name` "" is the only place of a till that names none."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="locations")
    remote_name = models.CharField("the till's name for it", max_length=190, blank=True)
    name = models.CharField(max_length=190)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["connection", "remote_name"], name="location_once_per_till")]

    def __str__(self) -> str:
        return self.name
