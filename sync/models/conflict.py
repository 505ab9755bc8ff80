"""Disagreements: those that wait for a person, and those that were settled (ledger.md §7, kept names)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from alignment.models import Alignment
from connectors.models import Connection
from inventory.models import Listing, Voucher
from sync.models.order import Order


class SyncConflict(models.Model):
    """One disagreement about one pair; about a listing or an order line where there is no pair. Open until `resolved_at`.

    `pos_value` and `woo_value` are what the two sides said, as text, exactly; "" where a side said nothing. `difference`: units
    the store is off by. At most one is open for each pair and type.
    """

    class Type(models.TextChoices):
        SIMULTANEOUS_SALE = "simultaneous_sale", "Sold at both sides: below zero"
        QUANTITY = "quantity_mismatch", "Quantity"
        PRICE = "price_mismatch", "Price"
        MISSING_ALIGNMENT = "missing_alignment", "Sold online, not aligned"
        UNMANAGED = "unmanaged_stock", "Not counted by the shop"
        SKU_CHANGED = "sku_changed", "SKU changed"
        LISTING_DELETED = "listing_deleted", "No longer in the shop"
        UNSETTLED = "unsettled", "No answer for long"

    class Resolution(models.TextChoices):
        POS = "pos", "The till won"
        WOO = "woo", "The shop won"
        COUNT = "count", "Set to a count"
        HIGHER = "higher", "The higher count was kept"
        MERGE = "merge", "Both changes count"
        IGNORED = "ignored", "Left as it is"
        NOTED = "noted", "Noted by a person"
        GONE = "gone", "Gone by itself"

    class Class(models.TextChoices):
        MINOR = "minor", "Minor"
        MAJOR = "major", "Major"
        CRITICAL = "critical", "Critical"

    store = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="conflicts")
    alignment = models.ForeignKey(Alignment, on_delete=models.PROTECT, null=True, blank=True, related_name="conflicts")
    listing = models.ForeignKey(
        Listing, on_delete=models.PROTECT, null=True, blank=True, related_name="conflicts", help_text="Where there is no pair."
    )
    subject = models.CharField(max_length=190, blank=True, help_text="What an order line says, where there is no product.")
    order = models.ForeignKey(
        Order, on_delete=models.SET_NULL, null=True, blank=True, related_name="conflicts", help_text="Where it showed first."
    )
    conflict_type = models.CharField("type", max_length=20, choices=Type)
    pos_value = models.CharField("till", max_length=190, blank=True)
    woo_value = models.CharField("shop", max_length=190, blank=True)
    difference = models.DecimalField(max_digits=14, decimal_places=3, null=True, blank=True)
    drift_class = models.CharField("class", max_length=10, choices=Class)
    why = models.CharField(max_length=300, blank=True, help_text="What is known about it.")
    detected_at = models.DateTimeField(db_index=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=10, choices=Resolution, blank=True)
    is_left = models.BooleanField(
        "still left as it is",
        default=False,
        help_text="A person has left it so: it is not told of again until it changes or goes.",
    )
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was settled so.")
    voucher = models.ForeignKey(
        Voucher, on_delete=models.PROTECT, null=True, blank=True, related_name="conflicts", help_text="What settling it booked."
    )
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: by a rule, or from the command line.",
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["-detected_at", "-id"]
        verbose_name = "conflict"
        permissions = [("resolve_conflict", "Can settle conflicts")]
        constraints = [
            models.UniqueConstraint(
                fields=["alignment", "conflict_type"],
                condition=Q(resolved_at__isnull=True, alignment__isnull=False),
                name="one_open_conflict_per_pair",
            ),
            models.UniqueConstraint(
                fields=["listing", "conflict_type"],
                condition=Q(resolved_at__isnull=True, alignment__isnull=True, listing__isnull=False),
                name="one_open_conflict_per_listing",
            ),
            models.UniqueConstraint(
                fields=["store", "subject", "conflict_type"],
                condition=Q(resolved_at__isnull=True, alignment__isnull=True, listing__isnull=True),
                name="one_open_conflict_per_subject",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolution="") | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
                name="resolved_says_how",
            ),
            models.CheckConstraint(condition=Q(is_left=False) | Q(resolution="ignored"), name="left_by_a_person"),
            models.UniqueConstraint(
                fields=["alignment", "conflict_type"], condition=Q(is_left=True), name="one_left_conflict_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(alignment__isnull=False) | Q(listing__isnull=False) | ~Q(subject=""),
                name="conflict_is_about_something",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "conflict_type"], condition=Q(resolved_at__isnull=True), name="open_conflicts"),
            models.Index(fields=["store", "conflict_type"], condition=Q(is_left=True), name="left_conflicts"),
        ]

    def __str__(self) -> str:
        return f"{self.get_conflict_type_display()}: {self.alignment or self.listing or self.subject}"
