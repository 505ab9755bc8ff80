"""From when on a figure is worth an alert: for all, a connection, a category or one product."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from simple_history.models import HistoricalRecords

from connectors.models import Connection
from inventory.models import Item


class Threshold(models.Model):
    """Limits for what is named here; an empty one is inherited: product ← category ← connection ← all. What nobody has set is
    `alerts.rules.limits.Limits`."""

    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="thresholds",
        help_text="A till or a store. Empty: all.",
    )
    category = models.CharField(max_length=190, blank=True, help_text="The till's category. Empty: all.")
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, null=True, blank=True, related_name="thresholds", verbose_name="product"
    )
    low_stock_below = models.DecimalField(
        "low below",
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Units free to sell. Unless set: nobody is told of low stock.",
    )
    out_of_stock = models.BooleanField(
        "tell when sold out", null=True, blank=True, help_text="Unless set: yes, for products that sell."
    )
    discrepancy_units = models.DecimalField(
        "off by more than",
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Units between what the shop shows and what it should. Unless set: 10.",
    )
    discrepancy_percent = models.DecimalField(
        "off by more than, %",
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Of what it should show; of zero there is no percentage. Unless set: 10.",
    )
    price_percent = models.DecimalField(
        "price off by more than, %",
        max_digits=7,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Of the till's price. Unless set: 20.",
    )
    file_within_hours = models.PositiveSmallIntegerField(
        "file within, h",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 14)],
        help_text="For a till: how long it may drop no file. Unless set: 24.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["connection_id", "category", "item_id"]
        constraints = [
            models.UniqueConstraint(Coalesce("connection", 0), "category", Coalesce("item", 0), name="threshold_once"),
            models.CheckConstraint(
                condition=models.Q(category="") | models.Q(item__isnull=True), name="threshold_of_category_or_product"
            ),
        ]

    def __str__(self) -> str:
        what = str(self.item) if self.item else self.category or "all products"
        return f"{what} in {self.connection or 'every system'}"

    def clean(self) -> None:
        if self.category and self.item_id:
            raise ValidationError("Name a category or a product, not both.")
