"""Which rule settles a difference (ledger.md §7), by store, category and product."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from simple_history.models import HistoricalRecords

from connectors.models import Connection
from inventory.models import Item


class SyncPolicy(models.Model):
    """A rule for what is named here; an empty figure is inherited from the wider rule: product ← category ← store ← all. A rule
    of one store goes before one of all stores, for the same product or category."""

    class Policy(models.TextChoices):
        POS_WINS = "pos_wins", "The till wins: the shop is set back"
        STORE_WINS = "store_wins", "The shop wins: the till is told"
        NEWEST_WINS = "newest_wins", "The side that changed last wins"
        HIGHER_COUNT = "higher_count", "The higher count wins"
        MERGE = "merge", "Both changes count"
        MANUAL_REVIEW = "manual_review", "A person decides, always"

    connection = models.ForeignKey(
        Connection,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="policies",
        verbose_name="store",
        help_text="Empty: every store.",
    )
    category = models.CharField(max_length=190, blank=True, help_text="The till's category. Empty: all.")
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, null=True, blank=True, related_name="policies", verbose_name="product"
    )
    policy = models.CharField(max_length=20, blank=True, choices=Policy, help_text="Unless set: the till wins.")
    minor_to = models.DecimalField(
        "minor up to",
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Units. Settled by the rule at once. Unless set: 2.",
    )
    major_to = models.DecimalField(
        "major up to",
        max_digits=14,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Units. More is critical, and always left to a person. Unless set: 10.",
    )
    review_major = models.BooleanField(
        "a person decides major ones", null=True, blank=True, help_text="No: the rule settles them too. Unless set: yes."
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["connection_id", "category", "item_id"]
        verbose_name = "drift rule"
        constraints = [
            models.UniqueConstraint(Coalesce("connection", 0), "category", Coalesce("item", 0), name="policy_once"),
            models.CheckConstraint(
                condition=models.Q(category="") | models.Q(item__isnull=True), name="policy_of_category_or_product"
            ),
            models.CheckConstraint(
                condition=models.Q(minor_to__isnull=True)
                | models.Q(major_to__isnull=True)
                | models.Q(minor_to__lte=models.F("major_to")),
                name="policy_minor_below_major",
            ),
        ]

    def __str__(self) -> str:
        what = str(self.item) if self.item else self.category or "all products"
        return f"{what} in {self.connection or 'every store'}"

    def clean(self) -> None:
        if self.category and self.item_id:
            raise ValidationError("Name a category or a product, not both.")
