"""Which item of the till each listing of a store is, and what supplies it."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from alignment.packs import MOST_UNITS
from connectors.models import Connection
from inventory.models import Item, Listing, Location


class Alignment(models.Model):
    """Item ↔ listing. A listing stands for one item only; an item may stand in several stores, and in one store as packs of
    several sizes.

    `units_per_listing`: how many units of the item one unit of the listing takes from the shelf; 6: a pack of six. Whatever is
    said of the listing (its number, baseline, order lines, writes) counts packs; whatever is said of the item counts its units.
    """

    class MatchType(models.TextChoices):
        EXACT = "exact", "Exact SKU"
        BARCODE = "barcode", "Barcode"
        AUTO_HIGH = "auto-high", "Automatic, high confidence"
        FUZZY = "fuzzy", "Fuzzy"
        MANUAL = "manual", "By hand"

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="alignments")
    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="alignments")
    match_type = models.CharField(max_length=12, choices=MatchType)
    confidence = models.DecimalField(
        max_digits=5, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(1)], help_text="0 to 1"
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.PROPOSED)
    units_per_listing = models.PositiveIntegerField(
        "units per listing",
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_UNITS)],
        help_text="How many units of the item one of the listing stands for: 6 for a pack of six.",
    )
    evidence = models.TextField(blank=True)
    is_doubted = models.BooleanField(
        default=False, help_text="Something contradicts it, so it does not confirm itself, however sure it seems."
    )
    others = models.JSONField(
        default=list, blank=True, editable=False, help_text="The next best listings: their id, confidence and evidence."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["others"])

    class Meta:
        ordering = ["item__sku"]
        indexes = [models.Index(fields=["id"], condition=models.Q(status="proposed"), name="pairs_proposed")]
        constraints = [
            models.UniqueConstraint(fields=["item", "listing"], name="alignment_pair_once"),
            models.UniqueConstraint(fields=["listing"], condition=models.Q(status="confirmed"), name="listing_means_one_item"),
            models.CheckConstraint(condition=models.Q(confidence__gte=0, confidence__lte=1), name="confidence_0_to_1"),
            models.CheckConstraint(
                condition=models.Q(units_per_listing__gte=1, units_per_listing__lte=MOST_UNITS), name="units_1_to_100000"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} ↔ {self.listing}"

    @property
    def pack(self) -> str:
        """What the listing's numbers count, for people: “packs of 6”; "" where they count the item's own units."""
        return f"packs of {self.units_per_listing}" if self.units_per_listing > 1 else ""


class MatchingPolicy(models.Model):
    """From which confidence on a store's proposals confirm themselves. Without a row, or without a number, none does."""

    store = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="matching_policy")
    confirm_from = models.DecimalField(
        "confirms itself from",
        max_digits=5,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(1)],
        help_text="A confidence from 0.5 to 1, such as 0.95; empty: every pair waits for a person.",
    )

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "matching policies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(confirm_from=None) | models.Q(confirm_from__gte=Decimal("0.5"), confirm_from__lte=1),
                name="confirm_from_half_to_1",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.store}: from {self.confirm_from}" if self.confirm_from is not None else f"{self.store}: by hand"


class StoreLocation(models.Model):
    """Which locations supply which store, and how many units a store holds back."""

    store = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="supply")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="supplies")
    buffer = models.DecimalField(
        max_digits=14,
        decimal_places=3,
        default=0,
        validators=[MinValueValidator(0)],
        help_text="Units of each item that the store never shows.",
    )

    class Meta:
        ordering = ["store_id", "location_id"]
        constraints = [
            models.UniqueConstraint(fields=["store", "location"], name="supply_once"),
            models.CheckConstraint(condition=models.Q(buffer__gte=0), name="buffer_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.location} → {self.store}"
